//! `docs/your-first-test.md`: its code is a test of the suite, and the helpers that it names exist.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "these are tests; clippy sees that of the test functions only"
)]

use std::fs;
use std::path::{Path, PathBuf};

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn read(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// The text of the page between two marks.
fn between<'a>(page: &'a str, start: &str, end: &str) -> &'a str {
    let (_, rest) = page.split_once(start).unwrap_or_else(|| panic!("the page has no {start:?}"));
    rest.split_once(end).unwrap_or_else(|| panic!("the page has no {end:?} after {start:?}")).0
}

/// The texts of all Rust files in a folder.
fn sources(folder: &Path) -> String {
    let paths = |folder: &Path| -> Vec<PathBuf> {
        fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect()
    };
    let mut text = String::new();
    for path in paths(folder) {
        if path.is_dir() {
            text.push_str(&sources(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            text.push_str(&fs::read_to_string(path).unwrap());
        }
    }
    text
}

#[test]
fn the_page_shows_a_test_of_the_suite() {
    let page = read("docs/your-first-test.md");
    assert_eq!(between(&page, "```rust\n", "```"), read("tests/e2e/example.rs"));
    assert!(read("tests/e2e/main.rs").contains("\nmod example;\n"));
}

#[test]
fn the_helpers_that_the_page_names_exist() {
    let page = read("docs/your-first-test.md");
    let table = between(&page, "## Choose a helper\n", "\n## ");
    let sources = ["tests/e2e/support", "tests/simulator/src", "tests/testbed/src"]
        .map(|folder| sources(&root().join(folder)))
        .concat();
    let call = regex::Regex::new(r"(\w+)\(").unwrap();
    let names: Vec<_> = call.captures_iter(table).map(|found| found.get(1).unwrap().as_str()).collect();
    assert!(names.len() > 20, "the table names few helpers: {names:?}");
    for name in names {
        let exists = [format!("fn {name}("), format!("fn {name}<"), format!("    {name}(")]
            .iter()
            .any(|definition| sources.contains(definition));
        assert!(exists, "the page names the helper {name}, which does not exist");
    }
}
