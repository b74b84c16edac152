//! Many seeds, on all processors. Each run is on one thread.

use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::SystemTime;

use super::{effects, report};

/// The runs, by the names of their tests, with the number of seeds of each in `make test`. A campaign shares its seeds among them in
/// the same proportion.
const RUNS: [(&str, u64); 8] = [
    ("killed_processes_leave", 96),
    ("killed_processes_with", 24),
    ("entries_in_a_vault", 42),
    ("specs_that_change", 40),
    ("rotations", 54),
    ("crowds", 12),
    ("existing_users", 30),
    // Each effect when it is sent, and when it is answered.
    ("a_kill_after_each_effect", 2 * effects::EFFECTS),
];

/// The seed of the environment variable `SEED` alone, else the seeds after `SEED_BASE`: the part of this run of the number in
/// `SEEDS`, or as many as in `make test`. In continuous integration (`CI`) a quarter more, which differ each time. None if `RUNS`
/// chooses other runs.
fn seeds(run: &str) -> Vec<u64> {
    let number = |name: &str| std::env::var(name).ok().and_then(|text| text.parse::<u64>().ok());
    if let Some(seed) = number("SEED") {
        return vec![seed];
    }
    let Some(count) = count_of(run, number("SEEDS")) else { return Vec::new() };
    let base = number("SEED_BASE");
    let mut seeds: Vec<u64> = (1..=count).map(|at| base.unwrap_or(0) + at).collect();
    if base.is_none() && std::env::var_os("CI").is_some() {
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        let base = now.as_secs() % 1_000_000_000;
        say(&format!("seeds of this time: SEED_BASE={base}"));
        seeds.extend((1..=count / 4).map(|at| base + at));
    }
    seeds
}

/// How many seeds a run has of all that the chosen runs have together; `None` if it is not chosen.
fn count_of(run: &str, of_all: Option<u64>) -> Option<u64> {
    assert!(RUNS.iter().any(|(name, _)| *name == run), "{run} is not among the runs");
    let named = std::env::var("RUNS").unwrap_or_default();
    let chosen = chosen_runs(&named).unwrap_or_else(|why| panic!("{why}"));
    let total: u64 = chosen.iter().map(|(_, count)| count).sum();
    let (_, own) = chosen.into_iter().find(|(name, _)| *name == run)?;
    Some(of_all.map_or(own, |all| (all * own).div_ceil(total)))
}

/// All runs, or those whose names contain one of these words.
fn chosen_runs(named: &str) -> Result<Vec<(&'static str, u64)>, String> {
    let words: Vec<_> = named.split_whitespace().collect();
    let has = |run: &str, word: &str| run.contains(word);
    if let Some(word) = words.iter().find(|word| !RUNS.iter().any(|(run, _)| has(run, word))) {
        let all = RUNS.map(|(run, _)| run).join(", ");
        return Err(format!("RUNS={named:?}: no run has {word:?} in its name. The runs are {all}"));
    }
    let is_chosen = |run: &str| words.is_empty() || words.iter().any(|word| has(run, word));
    Ok(RUNS.into_iter().filter(|(run, _)| is_chosen(run)).collect())
}

#[allow(clippy::print_stdout, reason = "a person repeats the runs with it")]
fn say(line: &str) {
    println!("{line}");
}

/// Does this for each seed of a run. A seed that fails ends the others after those in progress.
pub fn for_each_seed(name: &str, run: impl Fn(u64) + Sync) {
    let (seeds, next) = (seeds(name), AtomicU64::new(0));
    if seeds.is_empty() {
        return;
    }
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
    let chosen = chosen_runs(&std::env::var("RUNS").unwrap_or_default()).unwrap_or_default();
    report::end_of_run(chosen.len());
}

/// Leaves no further seed to the other threads when a run fails.
struct StopOnPanic<'a>(&'a AtomicU64);

impl Drop for StopOnPanic<'_> {
    fn drop(&mut self) {
        self.0.store(u64::MAX / 2, Ordering::Relaxed);
    }
}

#[test]
fn runs_are_chosen_by_words_of_their_names() {
    let names =
        |named: &str| chosen_runs(named).map(|runs| runs.into_iter().map(|(run, _)| run).collect::<Vec<_>>());
    assert_eq!(names("").unwrap().len(), RUNS.len());
    assert_eq!(names("entries specs").unwrap(), ["entries_in_a_vault", "specs_that_change"]);
    let why = names("entries nowhere").unwrap_err();
    assert!(
        why.contains("no run has \"nowhere\" in its name. The runs are killed_processes_leave, "),
        "{why}"
    );
}
