//! Many seeds, on all processors. Each run is on one thread.

use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicU64, Ordering};

/// The seed of the environment variable `SEED` alone, or the first `SEEDS`, or as many as given here.
fn seeds(count: u64) -> Vec<u64> {
    let number = |name: &str| std::env::var(name).ok().and_then(|text| text.parse::<u64>().ok());
    match number("SEED") {
        Some(seed) => vec![seed],
        None => (1..=number("SEEDS").unwrap_or(count)).collect(),
    }
}

/// Does this for each seed. A run that fails ends the others after the runs in progress.
pub fn for_each_seed(count: u64, run: impl Fn(u64) + Sync) {
    let (seeds, next) = (seeds(count), AtomicU64::new(0));
    let workers = std::thread::available_parallelism().map_or(1, NonZeroUsize::get).min(seeds.len());
    std::thread::scope(|scope| {
        let work = || {
            while let Some(seed) =
                usize::try_from(next.fetch_add(1, Ordering::Relaxed)).ok().and_then(|at| seeds.get(at))
            {
                let stop = StopOnPanic(&next);
                run(*seed);
                std::mem::forget(stop);
            }
        };
        let threads: Vec<_> = (0..workers).map(|_| scope.spawn(work)).collect();
        for thread in threads {
            if let Err(failure) = thread.join() {
                std::panic::resume_unwind(failure);
            }
        }
    });
}

/// Leaves no further seed to the other threads when a run fails.
struct StopOnPanic<'a>(&'a AtomicU64);

impl Drop for StopOnPanic<'_> {
    fn drop(&mut self) {
        self.0.store(u64::MAX / 2, Ordering::Relaxed);
    }
}
