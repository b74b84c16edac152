//! Many seeds, on all processors. Each run is on one thread.

use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::SystemTime;

use super::report;

/// The seed of the environment variable `SEED` alone, else the seeds after `SEED_BASE`: `SEEDS` of them, or as many as given here.
/// In continuous integration (`CI`) a quarter more, which differ each time.
fn seeds(count: u64) -> Vec<u64> {
    let number = |name: &str| std::env::var(name).ok().and_then(|text| text.parse::<u64>().ok());
    if let Some(seed) = number("SEED") {
        return vec![seed];
    }
    let (base, count) = (number("SEED_BASE"), number("SEEDS").unwrap_or(count));
    let mut seeds: Vec<u64> = (1..=count).map(|at| base.unwrap_or(0) + at).collect();
    if base.is_none() && std::env::var_os("CI").is_some() {
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        let base = now.as_secs() % 1_000_000_000;
        say(&format!("seeds of this time: SEED_BASE={base}"));
        seeds.extend((1..=count / 4).map(|at| base + at));
    }
    seeds
}

#[allow(clippy::print_stdout, reason = "a person repeats the runs with it")]
fn say(line: &str) {
    println!("{line}");
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
    if std::env::var_os("SEEDS").is_some() {
        report::print();
    }
}

/// Leaves no further seed to the other threads when a run fails.
struct StopOnPanic<'a>(&'a AtomicU64);

impl Drop for StopOnPanic<'_> {
    fn drop(&mut self) {
        self.0.store(u64::MAX / 2, Ordering::Relaxed);
    }
}
