//! What differs from run to run comes in from outside, so that a run can be repeated: each kind of it may be named in one
//! place only.

use crate::paths::paths;
use crate::source::{Source, sources};

/// One kind of what differs from run to run.
struct Seam {
    /// The paths that stand for it, or their last parts.
    names: &'static [&'static str],
    /// The files below `src` that may name it.
    only_in: &'static [&'static str],
    /// Whether tests may name it.
    in_tests: bool,
    /// What to use instead.
    instead: &'static str,
}

const SEAMS: &[Seam] = &[
    Seam {
        names: &["HashMap", "HashSet", "std::collections::*"],
        only_in: &[],
        in_tests: false,
        instead: "BTreeMap or BTreeSet: the order of a hash map differs from run to run",
    },
    Seam {
        names: &["Timestamp::now", "Zoned::now", "SystemTime", "ASN1Time::now"],
        only_in: &["process/clock.rs"],
        in_tests: true,
        instead: "the Clock of the Process",
    },
    Seam {
        names: &["std::time::Instant"],
        only_in: &[],
        in_tests: false,
        instead: "tokio::time::Instant, which follows a paused runtime",
    },
    Seam {
        names: &["fastrand", "uuid", "aws_lc_rs::rand"],
        only_in: &["process/random.rs"],
        in_tests: true,
        instead: "the Random of the Process",
    },
    Seam {
        names: &["tokio::spawn", "tokio::task::spawn", "spawn_blocking", "spawn_local", "std::thread"],
        only_in: &["process/tasks.rs"],
        in_tests: true,
        instead: "the Spawner of the Process, or a JoinSet, which ends with who owns it",
    },
];

/// Whether a path is one of these, ends with it, or goes through it.
fn names(path: &[String], name: &str) -> bool {
    let name: Vec<_> = name.split("::").collect();
    path.windows(name.len()).any(|part| part == name)
}

/// What a source does against the table, each in words.
fn violations(source: &Source) -> Vec<String> {
    let file = source.file.as_str();
    let mut found = Vec::new();
    for named in paths(source) {
        for seam in SEAMS {
            let allowed = seam.only_in.contains(&file) || seam.in_tests && named.in_tests;
            if !allowed && seam.names.iter().any(|name| names(&named.parts, name)) {
                let path = named.parts.join("::");
                found.push(format!("src/{file}:{} names {path}: use {}", named.line, seam.instead));
            }
        }
    }
    found
}

#[test]
fn what_differs_from_run_to_run_comes_from_outside() {
    let found: Vec<_> = sources().iter().flat_map(violations).collect();
    assert!(found.is_empty(), "{}", found.join("\n"));
}

/// The lines of a source with a `select!` that does not name the order of its branches.
fn without_an_order(source: &str) -> Vec<usize> {
    let lines: Vec<_> = source.lines().map(str::trim).collect();
    let is_code = |line: &&str| !line.is_empty() && !line.starts_with("//");
    let biased =
        |at: usize| lines[at + 1..].iter().find(|line| is_code(line)).is_some_and(|line| *line == "biased;");
    (0..lines.len())
        .filter(|at| is_code(&lines[*at]) && lines[*at].contains("select! {") && !biased(*at))
        .collect()
}

#[test]
fn every_select_says_in_which_order() {
    for source in sources() {
        assert_eq!(
            without_an_order(&source.text),
            Vec::<usize>::new(),
            "src/{}: begin with `biased;`",
            source.file
        );
    }
    assert_eq!(without_an_order("x\ntokio::select! {\n  () = y => {}\n}"), [1]);
    assert_eq!(without_an_order("tokio::select! {\n  // Why.\n  biased;\n  () = y => {}\n}"), [0_usize; 0]);
}

#[test]
fn what_is_allowed_passes() {
    for (file, source) in [
        ("process/clock.rs", "use jiff::Timestamp; fn f() { Timestamp::now(); }"),
        ("controller/x/tests.rs", "use jiff::Timestamp; fn f() { Timestamp::now(); }"),
        ("controller/x.rs", "use jiff::Timestamp; fn f(now: Timestamp) { Timestamp::UNIX_EPOCH; }"),
        ("controller/x.rs", "use tokio::time::Instant; fn f() { Instant::now(); }"),
        ("controller/x.rs", "use aws_lc_rs::hmac;"),
    ] {
        let source = Source::new(file, source);
        assert_eq!(violations(&source), Vec::<String>::new(), "{file}: {}", source.text);
    }
}

#[test]
fn what_is_named_elsewhere_is_found() {
    for (file, source) in [
        ("domain/x.rs", "use std::collections::{BTreeSet, HashMap};"),
        ("controller/x.rs", "fn f() -> std::collections::HashSet<u8> {}"),
        ("controller/tests.rs", "use std::collections::HashSet;"),
        ("domain/x.rs", "use std::collections as maps; struct S(maps::HashMap<u8, u8>);"),
        (
            "domain/x.rs",
            "use std::{collections, fmt}; mod x { use super::*; type T = collections::HashSet<u8>; }",
        ),
        ("domain/x.rs", "use std::collections::*;"),
        ("domain/x.rs", "fn f() { assert!(g(std::collections::HashMap::<u8, u8>::new())) }"),
        ("api/x.rs", "#[serde(default = \"std::collections::HashMap::new\")] struct S;"),
        ("controller/x.rs", "use jiff::Timestamp; fn f() { Timestamp::now(); }"),
        ("controller/x.rs", "fn f() { x.unwrap_or_else(jiff::Timestamp::now); }"),
        ("metrics.rs", "use std::time::{Duration, SystemTime, UNIX_EPOCH};"),
        ("k8s/tests.rs", "use std::time::{Duration, Instant};"),
        ("app.rs", "fn f() { fastrand::f64(); uuid::Uuid::new_v4(); }"),
        ("process/clock.rs", "use uuid::Uuid;"),
        ("controller/x.rs", "use aws_lc_rs::rand::SystemRandom;"),
        ("controller/x.rs", "async fn f() { tokio::spawn(g()); }"),
        ("controller/x.rs", "use tokio::task; async fn f() { task::spawn_blocking(g); }"),
        ("main.rs", "fn f() { std::thread::spawn(g); }"),
    ] {
        let source = Source::new(file, source);
        let text = &source.text;
        assert!(!violations(&source).is_empty(), "{file}: {text}");
    }
}
