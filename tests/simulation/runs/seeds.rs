//! Many seeds, on all processors. Each run is on one thread.

use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::SystemTime;

use super::report;

/// The runs, by the names of their tests, with the number of seeds of each in `make test`. A campaign shares its seeds among them in
/// the same proportion.
const RUNS: [(&str, u64); 5] = [
    ("killed_processes_leave", 148),
    ("killed_processes_with", 24),
    ("entries_in_a_vault", 48),
    ("specs_that_change", 48),
    ("a_kill_after_each_effect", 32),
];

/// The seed of the environment variable `SEED` alone, else the seeds after `SEED_BASE`: the part of this run of the number in
/// `SEEDS`, or as many as in `make test`. In continuous integration (`CI`) a quarter more, which differ each time.
fn seeds(run: &str) -> Vec<u64> {
    let number = |name: &str| std::env::var(name).ok().and_then(|text| text.parse::<u64>().ok());
    if let Some(seed) = number("SEED") {
        return vec![seed];
    }
    let (base, count) = (number("SEED_BASE"), count_of(run, number("SEEDS")));
    let mut seeds: Vec<u64> = (1..=count).map(|at| base.unwrap_or(0) + at).collect();
    if base.is_none() && std::env::var_os("CI").is_some() {
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        let base = now.as_secs() % 1_000_000_000;
        say(&format!("seeds of this time: SEED_BASE={base}"));
        seeds.extend((1..=count / 4).map(|at| base + at));
    }
    seeds
}

/// How many seeds a run has of all that the chosen runs have together.
fn count_of(run: &str, of_all: Option<u64>) -> u64 {
    let chosen: Vec<_> = chosen_runs().collect();
    let total: u64 = chosen.iter().map(|(_, count)| count).sum();
    let own = chosen.iter().find(|(name, _)| *name == run).map(|(_, count)| *count);
    let own = own.unwrap_or_else(|| panic!("{run} is not among the runs"));
    of_all.map_or(own, |all| (all * own).div_ceil(total))
}

/// All runs, or those that the environment variable `RUNS` names.
fn chosen_runs() -> impl Iterator<Item = (&'static str, u64)> {
    let named = std::env::var("RUNS").unwrap_or_default();
    RUNS.into_iter().filter(move |(run, _)| {
        let mut words = named.split_whitespace().peekable();
        words.peek().is_none() || words.any(|word| run.contains(word))
    })
}

#[allow(clippy::print_stdout, reason = "a person repeats the runs with it")]
fn say(line: &str) {
    println!("{line}");
}

/// Does this for each seed of a run. A seed that fails ends the others after those in progress.
pub fn for_each_seed(name: &str, run: impl Fn(u64) + Sync) {
    let (seeds, next) = (seeds(name), AtomicU64::new(0));
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
    report::end_of_run(chosen_runs().count());
}

/// Leaves no further seed to the other threads when a run fails.
struct StopOnPanic<'a>(&'a AtomicU64);

impl Drop for StopOnPanic<'_> {
    fn drop(&mut self) {
        self.0.store(u64::MAX / 2, Ordering::Relaxed);
    }
}
