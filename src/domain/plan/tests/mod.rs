//! The decisions of the plan, row by row: an observation, and the decision in words.

mod adopt;
mod bounds;
mod bugs;
mod created;
mod deletion;
mod deletion_targets;
mod existing;
mod grace;
mod interrupted;
mod limits;
mod model;
mod outputs;
mod ownership;
mod pins;
mod places;
mod publish;
mod renamed;
mod restart;
mod retire;
mod role_change;
mod rotation;
mod stores;
mod support;
mod suspended;
mod tidy;
mod token_roles;
mod totality;
mod trouble;
mod unreadable;
mod unsettled;

use proptest::prelude::ProptestConfig;

use super::{Observation, Report, Settled, Step, plan};
use crate::domain::grace::GRACE;
use support::words::in_words;
use support::{arbitrary, builders, words};

/// This number of cases, or the number of `PROPTEST_CASES`.
fn runs(cases: u32) -> ProptestConfig {
    let asked = ProptestConfig::default();
    let cases = if asked.cases == 256 { cases } else { asked.cases };
    ProptestConfig { cases, max_shrink_iters: 20_000, ..asked }
}

/// One decision: its subject, the observation, and the step as [`in_words`] writes it.
type Row = (&'static str, Observation, &'static str);

/// The step in words, after the wait for what may still appear; `grace` has the rows of the time before.
fn decision(observed: &Observation) -> String {
    let step = plan(observed);
    let Step::Settled(Settled { report: Report::Blocked { blocker, .. }, .. }) = &step else {
        return in_words(&step);
    };
    in_words(&plan(&observed.clone().waited_for(blocker.reason, GRACE)))
}

/// Compares every row, and reports all that differ together.
fn check(rows: Vec<Row>) {
    let wrong: Vec<String> = rows
        .into_iter()
        .filter_map(|(about, observed, expected)| {
            let decided = decision(&observed);
            (decided != expected).then(|| format!("{about}:\n   expected {expected}\n   decided  {decided}"))
        })
        .collect();
    assert!(wrong.is_empty(), "{} rows differ\n{}", wrong.len(), wrong.join("\n"));
}
