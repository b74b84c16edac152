//! What a campaign prints at its end: how much happened, and what never did.

use std::collections::BTreeMap;
use std::fmt::{self, Display};
use std::time::Duration;

use parking_lot::Mutex;
use technical_user_operator::domain::reason::Reason;

use crate::world::World;

/// What happened in the runs so far.
#[derive(Debug, Default)]
pub struct Report {
    /// The tests that have ended.
    ended: usize,
    runs: u64,
    simulated: Duration,
    /// By subject, then by kind.
    counts: BTreeMap<&'static str, BTreeMap<String, u64>>,
}

/// The report of this process.
static REPORT: Mutex<Report> =
    Mutex::new(Report { ended: 0, runs: 0, simulated: Duration::ZERO, counts: BTreeMap::new() });

/// Adds a run that has ended.
pub fn add(world: &World) {
    if !is_wanted() {
        return;
    }
    let mut report = REPORT.lock();
    report.runs += 1;
    report.simulated += world.record.elapsed();
    for (rule, count) in world.moments.checked() {
        report.count("checks of the judge", rule, count);
    }
    for (fault, count) in world.apiserver.faults(|faults| faults.met.clone()) {
        report.count("faults of the apiserver", &format!("{fault:?}"), count);
    }
    for (fault, count) in world.vault.met() {
        report.count("faults of the Vault", &format!("{fault:?}"), count);
    }
    for reason in world.moments.reasons() {
        report.count("reasons, by runs", &reason, 1);
    }
    for line in world.record.lines() {
        if let Some((subject, kind)) = kind_of(&line) {
            report.count(subject, &kind, 1);
        }
    }
}

/// Whether it is printed.
fn is_wanted() -> bool {
    std::env::var_os("SEEDS").is_some()
}

/// A test has executed all its seeds. Prints the report after the last of so many.
#[allow(clippy::print_stdout, reason = "a campaign is for people who read what it prints")]
pub fn end_of_run(of: usize) {
    let mut report = REPORT.lock();
    report.ended += 1;
    if is_wanted() && report.ended == of {
        println!("{report}");
    }
}

impl Report {
    fn count(&mut self, subject: &'static str, kind: &str, count: u64) {
        *self.counts.entry(subject).or_default().entry(kind.to_owned()).or_default() += count;
    }

    /// The reasons that no run reported.
    fn missing(&self) -> Vec<&'static str> {
        let met = self.counts.get("reasons, by runs");
        let is_missing = |reason: &str| met.is_none_or(|met| !met.contains_key(reason));
        Reason::ALL.iter().map(|reason| reason.as_str()).filter(|reason| is_missing(reason)).collect()
    }
}

impl Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{} runs, {} simulated hours", self.runs, self.simulated.as_secs() / 3600)?;
        for (subject, counts) in &self.counts {
            writeln!(f, "{subject}:")?;
            for (kind, count) in counts {
                writeln!(f, "{count:>10} {kind}")?;
            }
        }
        writeln!(f, "reasons that no run reported: {}", self.missing().join(", "))
    }
}

/// What a line of a record counts for.
fn kind_of(line: &str) -> Option<(&'static str, String)> {
    let line = line.trim_start().split_once("  ").map(|(_, line)| line)?;
    if let Some((_, at)) = line.split_once(" is killed ") {
        return Some(("kills", without_names(at)));
    }
    if let Some((_, at)) = line.split_once(" is paused for ") {
        return Some(("pauses", without_names(at.split_once(' ')?.1)));
    }
    if line.ends_with(" clocks jump") {
        return Some(("processes", "clocks jump".to_owned()));
    }
    if let Some((_, troubles)) = line.split_once(" of the portal meets ") {
        let action = troubles.split(['(', ',', ' ']).next()?;
        return Some(("faults of the portal", action.to_owned()));
    }
    if line.ends_with(" starts") {
        return Some(("processes", "started".to_owned()));
    }
    if line.starts_with("a person ") || line.starts_with("another client ") {
        let words: Vec<_> = line.split(' ').take(4).collect();
        return Some(("people and other clients", words.join(" ")));
    }
    if line.starts_with("operator-") {
        let request: Vec<_> = line.split([' ', '?']).skip(1).take(2).collect();
        return Some(("requests", without_names(&request.join(" "))));
    }
    None
}

/// A request without the names and ids in its path.
fn without_names(text: &str) -> String {
    let is_name = |part: &str| {
        part.len() == 36
            || ["dataspace", "edc", "wallet", "portal", "portal-login"].contains(&part)
            || part.starts_with("more-")
    };
    let parts: Vec<_> = text.split('/').map(|part| if is_name(part) { "…" } else { part }).collect();
    parts.join("/")
}
