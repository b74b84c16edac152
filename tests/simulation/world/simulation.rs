//! One run, from its seed. A run that fails is repeated with less trouble, and the smallest one that still fails is shown.

use std::any::Any;
use std::cell::RefCell;
use std::panic::{AssertUnwindSafe, PanicHookInfo, catch_unwind, panic_any, set_hook, take_hook};
use std::sync::{Arc, Once};

use parking_lot::Mutex;

use super::World;
use super::limits::{Limits, Spent, VARIABLE};
use super::log::Log;
use crate::runs::report;

/// How often a run is repeated at most to find out what its failure needs: `TRIES`, or this often.
const MOST_TRIES: u32 = 40;

thread_local! {
    /// The panics of the run on this thread, if there is one. They are shown when it has ended.
    static PANICS: RefCell<Option<Vec<String>>> = const { RefCell::new(None) };
}

/// A run that failed.
struct Failure {
    words: String,
    spent: Spent,
}

impl Failure {
    /// Which rule was broken: the first words, without what differs from run to run.
    fn rule(&self) -> &str {
        let after_seed = self.words.split_once(": ").map_or(self.words.as_str(), |(_, rest)| rest);
        after_seed.split(':').next().unwrap_or_default()
    }
}

/// Runs a world on this thread, to its end. The same seed gives the same run.
#[allow(clippy::needless_pass_by_value, reason = "each run is written where it is passed")]
pub fn simulate<T>(test: &'static str, seed: u64, run: impl AsyncFn(&World) -> T) -> T {
    let limits = Limits::of_environment();
    let first = match attempt(test, seed, limits.clone().unwrap_or_default(), &run) {
        Ok(result) => return result,
        Err(failure) => failure,
    };
    let smallest = if limits.is_some() {
        first
    } else {
        let most = std::env::var("TRIES").ok().and_then(|count| count.parse().ok());
        let again = |limits: &Limits| attempt(test, seed, limits.clone(), &run).err();
        shrunk(first, most.unwrap_or(MOST_TRIES), again)
    };
    panic_any(smallest.words);
}

/// The failure that needs the least, as far as that is found: one part of the troubles after the other is left out.
fn shrunk(first: Failure, most: u32, again: impl Fn(&Limits) -> Option<Failure>) -> Failure {
    let (mut smallest, mut tries) = (first, 0);
    'smaller: loop {
        for limits in smallest.spent.limits().smaller() {
            if tries >= most {
                break 'smaller;
            }
            tries += 1;
            if let Some(failure) = again(&limits).filter(|failure| failure.rule() == smallest.rule()) {
                smallest = failure;
                continue 'smaller;
            }
        }
        break;
    }
    smallest
}

fn attempt<T>(
    test: &'static str,
    seed: u64,
    limits: Limits,
    run: &impl AsyncFn(&World) -> T,
) -> Result<T, Failure> {
    fastrand::seed(seed);
    collect_panics();
    PANICS.set(Some(Vec::new()));
    let spent = Arc::new(Mutex::new(Spent::default()));
    let done = catch_unwind(AssertUnwindSafe(|| in_world((test, seed), limits, &spent, run)));
    let panics = PANICS.take().unwrap_or_default();
    let words = match done {
        Ok(result) if panics.is_empty() => return Ok(result),
        // A task of the operator.
        Ok(_) => format!("seed {seed}: a task panicked: {}", panics.join("\n")),
        Err(payload) => words_of(payload.as_ref()).unwrap_or_else(|| panics.join("\n")),
    };
    let spent = spent.lock().clone();
    let words = if words.starts_with("seed ") {
        words
    } else {
        let place = panics.join("\n");
        format!("seed {seed}: {place}")
    };
    let repeat = format!(
        "repeat it with: SEED={seed} {VARIABLE}={} cargo test --test simulation {test} -- --nocapture",
        spent.limits()
    );
    Err(Failure { words: format!("{words}\n{repeat}"), spent })
}

fn in_world<T>(
    (test, seed): (&'static str, u64),
    limits: Limits,
    spent: &Arc<Mutex<Spent>>,
    run: &impl AsyncFn(&World) -> T,
) -> T {
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
    let log = Log::default();
    log.during(report::is_wanted(), || {
        runtime.block_on(async {
            let world = World::begin((test, seed), log.clone(), limits, Arc::clone(spent)).await;
            let result = run(&world).await;
            world.check();
            report::add(&world);
            world.moments.end();
            result
        })
    })
}

/// The panics of a run are kept until it has ended, because a run that is repeated would show them again and again.
fn collect_panics() {
    static HOOK: Once = Once::new();
    HOOK.call_once(|| {
        let show = take_hook();
        set_hook(Box::new(move |panic: &PanicHookInfo<'_>| {
            let is_kept = PANICS.with_borrow_mut(|panics| {
                panics.as_mut().map(|panics| panics.push(panic.to_string())).is_some()
            });
            if !is_kept {
                show(panic);
            }
        }));
    });
}

fn words_of(payload: &(dyn Any + Send)) -> Option<String> {
    let text = payload.downcast_ref::<&str>().map(|text| (*text).to_owned());
    text.or_else(|| payload.downcast_ref::<String>().cloned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::world::Trouble;

    /// Fails if two changes meet a trouble of one kind, whatever else a run has.
    async fn planted(world: &World) {
        let troubles = world.choose_troubles(&Trouble::COMMON);
        let changes = (0..8).filter(|_| world.may_change()).count();
        if troubles.contains(&Trouble::People) && changes > 1 {
            world.fail("planted: it fails");
        }
    }

    #[test]
    fn a_failure_is_shrunk_to_what_it_needs() {
        let fails = |seed| attempt("planted", seed, Limits::default(), &planted).err();
        let failure = (1..1000).filter_map(fails).find(|failure| failure.spent.limits().smaller().len() > 4);
        let failure = failure.unwrap();
        let seed = failure.words.split([' ', ':']).nth(1).unwrap().parse().unwrap();
        let again = |limits: &Limits| attempt("planted", seed, limits.clone(), &planted).err();
        let words = shrunk(failure, MOST_TRIES, again).words;
        assert!(
            words.contains(&format!("SEED={seed} TROUBLES=People,kills=0,changes=2 cargo test")),
            "{words}"
        );
        let repeated = attempt("planted", seed, "People,kills=0,changes=2".parse().unwrap(), &planted);
        assert_eq!(repeated.unwrap_err().rule(), "planted");
        assert!(attempt("planted", seed, "People,changes=1".parse().unwrap(), &planted).is_ok());
    }

    /// A task that panics ends a process like a kill, and would not be seen.
    #[test]
    fn a_task_that_panics_fails_the_run() {
        let run = async |_: &World| {
            let task: tokio::task::JoinHandle<()> = tokio::spawn(async { panic!("in a task") });
            assert!(task.await.is_err());
        };
        let failure = attempt("panics", 1, Limits::default(), &run).unwrap_err();
        assert!(failure.words.contains("a task panicked") && failure.words.contains("in a task"));
    }
}
