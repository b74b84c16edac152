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

const SEAMS: &[Seam] = &[Seam {
    names: &["HashMap", "HashSet", "std::collections::*"],
    only_in: &[],
    in_tests: false,
    instead: "BTreeMap or BTreeSet: the order of a hash map differs from run to run",
}];

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
    ] {
        let source = Source::new(file, source);
        let text = &source.text;
        assert!(!violations(&source).is_empty(), "{file}: {text}");
    }
}
