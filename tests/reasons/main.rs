//! `docs/reasons.md` explains each reason that the code can give, and no other. `docs/messages.md` lists its messages.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "these are tests; clippy sees that of the test functions only"
)]

mod messages;
mod texts;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use technical_user_operator::domain::reason::Reason;

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// Each heading of the third level that is one word, and the text below it.
fn explained() -> BTreeMap<String, String> {
    let page = fs::read_to_string(root().join("docs/reasons.md")).unwrap_or_default();
    let mut found = BTreeMap::new();
    for section in page.split("\n### ").skip(1) {
        let (heading, rest) = section.split_once('\n').unwrap_or((section, ""));
        let body = rest.split("\n## ").next().unwrap_or_default();
        if !heading.contains(' ') {
            let twice =
                found.insert(heading.to_owned(), body.split_whitespace().collect::<Vec<_>>().join(" "));
            assert!(twice.is_none(), "{heading} is explained twice");
        }
    }
    found
}

#[test]
fn page_and_code_have_the_same_reasons() {
    let mut code: Vec<_> = Reason::ALL.iter().map(|reason| reason.as_str().to_owned()).collect();
    code.sort();
    assert_eq!(explained().into_keys().collect::<Vec<_>>(), code);
}

#[test]
fn each_says_what_it_means_and_what_to_do() {
    for (reason, text) in explained() {
        let parts: Vec<_> = text.split("To do: ").collect();
        assert_eq!(parts.len(), 2, "{reason}: one \"To do:\" is wanted");
        let (meaning, act) = (parts[0].trim(), parts[1].trim());
        assert!(meaning.len() > 30 && meaning.ends_with('.'), "{reason}: {meaning:?} is no sentence");
        assert!(act.len() > 5 && act.ends_with('.'), "{reason}: {act:?} is no sentence");
    }
}

/// All sources but the list of reasons itself and tests: each path and its text.
fn sources() -> Vec<(String, String)> {
    fn read(folder: &Path, found: &mut Vec<(String, String)>) {
        let mut entries: Vec<_> = fs::read_dir(folder).into_iter().flatten().flatten().collect();
        entries.sort_by_key(fs::DirEntry::path);
        for path in entries.into_iter().map(|entry| entry.path()) {
            let name = path.file_name().unwrap_or_default();
            if path.is_dir() && name != "tests" {
                read(&path, found);
            } else if path.extension().is_some_and(|ext| ext == "rs")
                && name != "reason.rs"
                && name != "tests.rs"
            {
                found.push((path.display().to_string(), fs::read_to_string(&path).unwrap_or_default()));
            }
        }
    }
    let mut found = Vec::new();
    read(&root().join("src"), &mut found);
    found
}

#[test]
fn each_is_given_somewhere() {
    let code: String = sources().into_iter().map(|(_, text)| text).collect();
    let given = |reason: &str| {
        let name = format!("Reason::{reason}");
        code.match_indices(&name).any(|(at, _)| {
            let after = code[at + name.len()..].chars().next();
            !after.is_some_and(|c| c.is_alphanumeric() || c == '_')
        })
    };
    let never: Vec<_> =
        Reason::ALL.iter().map(|reason| reason.as_str()).filter(|reason| !given(reason)).collect();
    assert!(never.is_empty(), "no code gives {}", never.join(", "));
}
