//! A pause of a process, as a machine that is suspended or a signal causes it: none of its tasks runs, while time and all others go
//! on. What they wait for is there when they continue, and so is the end of each time limit.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Waker};

use parking_lot::Mutex;

/// Pauses the tasks of one process. Cheap to clone; clones are of the same process.
#[derive(Debug, Clone, Default)]
pub struct Pause(Arc<State>);

#[derive(Debug, Default)]
struct State {
    paused: AtomicBool,
    /// The tasks that something woke meanwhile.
    woken: Mutex<Vec<Waker>>,
}

impl Pause {
    /// From now on no task of the process runs.
    pub fn begin(&self) {
        self.0.paused.store(true, Ordering::SeqCst);
    }

    /// The tasks continue.
    pub fn end(&self) {
        let woken = {
            let mut woken = self.0.woken.lock();
            self.0.paused.store(false, Ordering::SeqCst);
            std::mem::take(&mut *woken)
        };
        woken.into_iter().for_each(Waker::wake);
    }

    /// Whether the process is paused; the task then runs again at the end of the pause.
    fn holds(&self, context: &Context<'_>) -> bool {
        if !self.0.paused.load(Ordering::SeqCst) {
            return false;
        }
        // Under the lock: a task that comes as the pause ends would wait for ever.
        let mut woken = self.0.woken.lock();
        let paused = self.0.paused.load(Ordering::SeqCst);
        if paused && !woken.iter().any(|waker| waker.will_wake(context.waker())) {
            woken.push(context.waker().clone());
        }
        paused
    }
}

/// A task that does not run while its process is paused.
pub(super) struct Pausable<F> {
    pause: Pause,
    task: Pin<Box<F>>,
}

impl<F: Future> Pausable<F> {
    pub(super) fn new(pause: Pause, task: F) -> Self {
        Self { pause, task: Box::pin(task) }
    }
}

impl<F: Future> Future for Pausable<F> {
    type Output = F::Output;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<F::Output> {
        if self.pause.holds(context) { Poll::Pending } else { self.task.as_mut().poll(context) }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::time::{Instant, sleep};

    use crate::process::Tasks;

    #[tokio::test(start_paused = true)]
    async fn a_process_that_is_paused_continues_late() {
        let tasks = Tasks::new();
        let began = Instant::now();
        let task = tasks.spawner().spawn(async move {
            sleep(Duration::from_secs(1)).await;
            let first = began.elapsed();
            sleep(Duration::from_secs(1)).await;
            (first, began.elapsed())
        });
        let wakes = async move {
            sleep(Duration::from_secs(1)).await;
            began.elapsed()
        };
        let other = tokio::spawn(tasks.spawner().pausable(wakes));
        tokio::task::yield_now().await;
        let pause = tasks.spawner().pause();
        pause.begin();
        sleep(Duration::from_secs(5)).await;
        assert!(!task.is_finished() && !other.is_finished());
        pause.end();
        assert_eq!(task.await.unwrap(), (Duration::from_secs(5), Duration::from_secs(6)));
        assert_eq!(other.await.unwrap(), Duration::from_secs(5));
    }
}
