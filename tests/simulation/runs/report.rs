//! What a campaign prints at its end: how much happened, and what never did.

use std::collections::BTreeMap;
use std::fmt::{self, Display};
use std::time::Duration;

use parking_lot::Mutex;
use technical_user_operator::domain::reason::Reason;

use crate::world::World;

/// The subject of the counts of the steps.
const STEPS: &str = "steps of the plan";

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
    for line in world.log.text().lines() {
        if let Some(step) = step_of(line) {
            report.count(STEPS, step, 1);
        }
    }
    for line in world.record.lines() {
        if let Some((subject, kind)) = kind_of(&line) {
            report.count(subject, &kind, 1);
        }
    }
}

/// Whether it is printed.
pub fn is_wanted() -> bool {
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

    /// The steps of the plan that no run carried out.
    fn missing_steps(&self) -> Vec<String> {
        let met = self.counts.get(STEPS);
        let is_missing = |step: &String| met.is_none_or(|met| !met.contains_key(step));
        steps().into_iter().filter(is_missing).collect()
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
        writeln!(f, "steps of the plan that no run carried out: {}", self.missing_steps().join(", "))?;
        writeln!(f, "reasons that no run reported: {}", self.missing().join(", "))
    }
}

/// The name of the step that a line of the log says.
fn step_of(line: &str) -> Option<&str> {
    let (_, step) = line.split_once(" step=")?;
    step.split(|c: char| !c.is_alphanumeric()).next()
}

/// All steps that a plan can decide, by their names in its source.
fn steps() -> Vec<String> {
    let file = syn::parse_file(include_str!("../../../src/domain/plan/step.rs")).unwrap();
    let is_step = |name: &syn::Ident| name == "Read" || name == "Write";
    let enums = file.items.into_iter().filter_map(|item| match item {
        syn::Item::Enum(found) if is_step(&found.ident) => Some(found.variants),
        _ => None,
    });
    enums.flatten().map(|variant| variant.ident.to_string()).collect()
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
        let is_of_the_list = line.contains("userStatus=ACTIVE") && !line.contains("clientId");
        if is_of_the_list && !line.contains("size=15") {
            return Some(("requests", "GET a page for a single name".to_owned()));
        }
        let request: Vec<_> = line.split([' ', '?']).skip(1).take(2).collect();
        return Some(("requests", without_names(&request.join(" "))));
    }
    None
}

/// A request without the names and ids in its path.
fn without_names(text: &str) -> String {
    let is_name = |part: &str| {
        part.len() == 36
            || ["dataspace", "edc", "wallet", "portal", "portal-login", "by-name", "by-client", "by-id"]
                .contains(&part)
            || part.starts_with("more-")
    };
    let parts: Vec<_> = text.split('/').map(|part| if is_name(part) { "…" } else { part }).collect();
    parts.join("/")
}

#[test]
fn the_steps_are_known_by_their_names() {
    assert!(
        ["Search", "Create", "RemoveFinalizer"].iter().all(|step| steps().iter().any(|known| known == step))
    );
    assert_eq!(step_of("DEBUG x: Reading resource=a/b step=User(UserId(\"1\"))"), Some("User"));
    assert_eq!(step_of("DEBUG x: Writing resource=a/b step=Create { generation: 1 }"), Some("Create"));
    assert_eq!(step_of(" INFO x: a user was created"), None);
}
