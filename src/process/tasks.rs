//! The tasks of a process: started through one value, and ended when the process is dropped.

use std::future::pending;
use std::sync::Arc;

use super::pause::{Pausable, Pause};

use parking_lot::Mutex;
use tokio::task::{AbortHandle, JoinHandle};

/// Ended tasks are removed when this number is known, at the earliest.
const FORGET_AT: usize = 64;

/// Starts tasks that belong to a process, not to their caller. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub struct Spawner {
    started: Arc<Mutex<Started>>,
    pause: Pause,
}

/// The tasks of a process. When it is dropped they are aborted, and none is started after that.
#[derive(Debug)]
pub struct Tasks(Spawner);

#[derive(Debug, Default)]
struct Started {
    running: Vec<AbortHandle>,
    forget_at: usize,
    ended: bool,
}

impl Spawner {
    /// Starts tasks that end with the tokio runtime.
    #[must_use]
    pub fn of_runtime() -> Self {
        Self::default()
    }

    /// Pauses the tasks of the process.
    #[must_use]
    pub fn pause(&self) -> Pause {
        self.pause.clone()
    }

    /// Makes a part of the process of what something else runs: it pauses with the tasks.
    pub fn pausable<F: Future>(&self, task: F) -> impl Future<Output = F::Output> + use<F> {
        Pausable::new(self.pause.clone(), task)
    }

    /// Starts a task. It continues when the handle is dropped. If the process has ended, it does not begin.
    pub fn spawn<T: Send + 'static>(&self, task: impl Future<Output = T> + Send + 'static) -> JoinHandle<T> {
        let mut state = self.started.lock();
        if state.ended {
            drop(state);
            let never = tokio::spawn(pending());
            never.abort();
            return never;
        }
        // Under the lock: a task that starts while the process ends would be missed.
        let handle = tokio::spawn(Pausable::new(self.pause.clone(), task));
        state.add(handle.abort_handle());
        handle
    }
}

impl Started {
    fn add(&mut self, task: AbortHandle) {
        if self.running.len() >= self.forget_at.max(FORGET_AT) {
            self.running.retain(|task| !task.is_finished());
            self.forget_at = self.running.len().saturating_mul(2);
        }
        self.running.push(task);
    }
}

impl Tasks {
    /// No task so far.
    #[must_use]
    pub fn new() -> Self {
        Self(Spawner::of_runtime())
    }

    /// Starts tasks that belong to these.
    #[must_use]
    pub fn spawner(&self) -> Spawner {
        self.0.clone()
    }
}

impl Default for Tasks {
    fn default() -> Self {
        Self::new()
    }
}

impl Drop for Tasks {
    fn drop(&mut self) {
        let running = {
            let mut state = self.0.started.lock();
            state.ended = true;
            std::mem::take(&mut state.running)
        };
        for task in running {
            task.abort();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[tokio::test]
    async fn a_task_outlives_its_handle_but_not_the_process() {
        let tasks = Tasks::new();
        let alive = Arc::new(());
        let (spawner, held) = (tasks.spawner(), Arc::clone(&alive));
        drop(spawner.spawn(async move {
            pending::<()>().await;
            drop(held);
        }));
        tokio::task::yield_now().await;
        assert_eq!(Arc::strong_count(&alive), 2, "it continues");
        drop(tasks);
        tokio::task::yield_now().await;
        assert_eq!(Arc::strong_count(&alive), 1, "it is dropped with the process");
    }

    #[tokio::test]
    async fn nothing_begins_after_the_end() {
        let tasks = Tasks::new();
        let spawner = tasks.spawner();
        drop(tasks);
        let ended = spawner.spawn(async { panic!("it must not begin") }).await;
        assert!(ended.is_err_and(|error: tokio::task::JoinError| error.is_cancelled()));
    }

    #[tokio::test]
    async fn what_a_task_started_ends_with_the_process_too() {
        let tasks = Tasks::new();
        let alive = Arc::new(());
        let (spawner, held) = (tasks.spawner(), Arc::clone(&alive));
        tasks.spawner().spawn(async move {
            spawner.spawn(async move {
                pending::<()>().await;
                drop(held);
            });
            pending::<()>().await;
        });
        tokio::task::yield_now().await;
        tokio::task::yield_now().await;
        assert_eq!(Arc::strong_count(&alive), 2);
        drop(tasks);
        tokio::task::yield_now().await;
        assert_eq!(Arc::strong_count(&alive), 1);
    }

    #[tokio::test(start_paused = true)]
    async fn ended_tasks_are_removed() {
        let tasks = Tasks::new();
        let spawner = tasks.spawner();
        for _ in 0..10 * FORGET_AT {
            spawner.spawn(async {}).await.unwrap();
        }
        let running = spawner.spawn(tokio::time::sleep(Duration::from_secs(1)));
        assert!(spawner.started.lock().running.len() <= FORGET_AT + 1);
        running.await.unwrap();
    }
}
