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

/// All sources but the list of reasons itself and what is compiled for tests only: each path and its text.
fn sources() -> Vec<(String, String)> {
    fn read(folder: &Path, found: &mut Vec<(PathBuf, String)>) {
        let mut entries: Vec<_> = fs::read_dir(folder).into_iter().flatten().flatten().collect();
        entries.sort_by_key(fs::DirEntry::path);
        for path in entries.into_iter().map(|entry| entry.path()) {
            if path.is_dir() {
                read(&path, found);
            } else if path.extension().is_some_and(|ext| ext == "rs") {
                let text = fs::read_to_string(&path).unwrap_or_default();
                found.push((path, text));
            }
        }
    }
    let mut found = Vec::new();
    read(&root().join("src"), &mut found);
    let for_tests: Vec<_> = found.iter().flat_map(|(path, text)| modules_for_tests(path, text)).collect();
    found.retain(|(path, _)| {
        let module = path.with_extension("");
        !path.ends_with("reason.rs") && !for_tests.iter().any(|tests| module.starts_with(tests))
    });
    found.into_iter().map(|(path, text)| (path.display().to_string(), text)).collect()
}

/// The modules that a file declares for tests only, each as its path without the extension.
fn modules_for_tests(file: &Path, text: &str) -> Vec<PathBuf> {
    let is_root =
        ["mod", "lib", "main"].iter().any(|root| file.file_stem().is_some_and(|stem| stem == *root));
    let folder = if is_root { file.parent().unwrap().to_owned() } else { file.with_extension("") };
    let declared = text.split("#[cfg(test)]").skip(1).filter_map(|rest| {
        let (_, name) = rest.lines().nth(1)?.strip_suffix(';')?.rsplit_once("mod ")?;
        Some(folder.join(name))
    });
    declared.collect()
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
