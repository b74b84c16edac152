//! The tasks that run as long as the process: when one of them ends, the process must end too.

use std::panic::AssertUnwindSafe;
use std::time::Duration;

use futures::FutureExt as _;
use tokio::task::JoinSet;

use super::RunError;
use crate::process::{Process, Spawner};

/// Tasks that do not end before the stop. When this is dropped, all of them are aborted.
#[derive(Default)]
pub struct Tasks {
    set: JoinSet<(&'static str, &'static str)>,
    process: Spawner,
}

impl Tasks {
    /// Tasks that pause with this process.
    pub fn of(process: &Process) -> Self {
        Self { set: JoinSet::new(), process: process.tasks.clone() }
    }

    /// Starts a task.
    pub fn spawn(&mut self, name: &'static str, task: impl Future<Output = ()> + Send + 'static) {
        let ends = AssertUnwindSafe(task).catch_unwind();
        let ends = self.process.pausable(ends);
        self.set.spawn(async move { (name, if ends.await.is_ok() { "ended" } else { "panicked" }) });
    }

    /// Waits until one of them has ended, and returns which and how. Never returns if there is none.
    pub async fn ended(&mut self) -> RunError {
        let (task, how) = match self.set.join_next().await {
            // Panics are caught in the task, and no task is aborted while this exists.
            None | Some(Err(_)) => std::future::pending().await,
            Some(Ok(ended)) => ended,
        };
        tracing::error!(
            task,
            "A task of the operator {how}; the process stops, so that a new process continues its work"
        );
        RunError::TaskEnded { task, how }
    }

    /// Waits until each of them has ended; false if one has not ended in time.
    pub async fn finish(&mut self, within: Duration) -> bool {
        let all = async { while self.set.join_next().await.is_some() {} };
        tokio::time::timeout(within, all).await.is_ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name_and_end(error: &RunError) -> (&'static str, &'static str) {
        let RunError::TaskEnded { task, how } = error else { panic!("{error}") };
        (task, how)
    }

    #[tokio::test]
    async fn a_task_that_ends_or_panics_is_named() {
        let mut tasks = Tasks::default();
        tasks.spawn("lasting", std::future::pending());
        tasks.spawn("short", async {});
        assert_eq!(name_and_end(&tasks.ended().await), ("short", "ended"));
        tasks.spawn("broken", async { panic!("as the test requests") });
        let error = tasks.ended().await;
        assert_eq!(name_and_end(&error), ("broken", "panicked"));
        assert_eq!(error.to_string(), "the task \"broken\" panicked");
    }

    #[tokio::test(start_paused = true)]
    async fn a_stop_waits_for_tasks_but_not_for_ever() {
        let mut tasks = Tasks::default();
        tasks.spawn("soon", tokio::time::sleep(Duration::from_secs(3)));
        assert!(tasks.finish(Duration::from_secs(5)).await);
        assert!(tasks.finish(Duration::from_secs(5)).await, "none is left");
        tasks.spawn("late", std::future::pending());
        assert!(!tasks.finish(Duration::from_secs(5)).await);
    }
}
