//! `SECURITY.md`: each statement of the threat model names tests, and these exist.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "these are tests; clippy sees that of the test functions only"
)]

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The names of all functions that are tests.
fn tests_in(folder: &Path, found: &mut BTreeSet<String>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            tests_in(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let text = fs::read_to_string(&path).unwrap();
            let mut is_test = false;
            for line in text.lines().map(str::trim_start) {
                if line.starts_with("#[test]") || line.starts_with("#[tokio::test") {
                    is_test = true;
                } else if let Some(rest) = line.split_once("fn ").map(|(_, rest)| rest) {
                    if is_test {
                        found.insert(rest.split(['(', '<']).next().unwrap().to_owned());
                    }
                    is_test = false;
                }
            }
        }
    }
}

#[test]
fn every_statement_names_tests_that_exist() {
    let page = fs::read_to_string(root().join("SECURITY.md")).unwrap();
    let (_, model) = page.split_once("## Threat model\n").unwrap();
    let model = model.split("\n## ").next().unwrap();
    let mut tests = BTreeSet::new();
    tests_in(&root().join("src"), &mut tests);
    tests_in(&root().join("tests"), &mut tests);
    let statements: Vec<&str> = model.lines().filter(|line| line.starts_with("* ")).collect();
    assert!(statements.len() > 30, "the model was found: {}", statements.len());
    for statement in statements {
        let named = statement.rsplit_once(" (`").and_then(|(_, rest)| rest.strip_suffix("`)"));
        let Some(named) = named else { panic!("names no test: {statement}") };
        for name in named.split("`, `") {
            assert!(tests.contains(name), "there is no test {name}: {statement}");
        }
    }
}
