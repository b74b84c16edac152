//! `tools/release.sh`, in a copy of the repository.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use regex::Regex;
use tempfile::TempDir;

use crate::{ROOT, read, tracked};

const VERSION: &str = env!("CARGO_PKG_VERSION");

/// A copy of the files that git knows, as a repository of its own with one commit.
struct Copy(TempDir);

impl Copy {
    fn new() -> Self {
        let copy = Self(tempfile::tempdir().unwrap());
        for file in tracked(".") {
            let (from, to) = (Path::new(ROOT).join(&file), copy.0.path().join(&file));
            // A file that was deleted and is not committed yet.
            if from.exists() {
                fs::create_dir_all(to.parent().unwrap()).unwrap();
                fs::copy(from, to).unwrap();
            }
        }
        copy.git(&["init", "--quiet"]);
        copy.write("CHANGELOG.md", "# Changelog\n\n## [Unreleased]\n\n### Added\n\n- A thing.\n");
        copy.commit();
        copy
    }

    fn git(&self, arguments: &[&str]) -> String {
        let person = ["-c", "user.name=Test", "-c", "user.email=test@example.org"];
        let output =
            Command::new("git").args(person).args(arguments).current_dir(self.0.path()).output().unwrap();
        assert!(output.status.success(), "git {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    }

    fn commit(&self) {
        self.git(&["add", "--all"]);
        self.git(&["commit", "--quiet", "--message", "Change"]);
    }

    fn write(&self, file: &str, text: &str) {
        fs::write(self.0.path().join(file), text).unwrap();
    }

    fn read(&self, file: &str) -> String {
        fs::read_to_string(self.0.path().join(file)).unwrap()
    }

    fn release(&self, arguments: &[&str]) -> Output {
        Command::new("tools/release.sh").args(arguments).current_dir(self.0.path()).output().unwrap()
    }

    /// The error of a release that is refused and has changed nothing.
    fn refused(&self, version: &str) -> String {
        let before = self.git(&["status", "--porcelain"]);
        let output = self.release(&[version]);
        assert!(!output.status.success(), "{version}");
        assert_eq!(self.git(&["status", "--porcelain"]), before, "{version}");
        String::from_utf8(output.stderr).unwrap()
    }
}

/// These state other versions, or the version beside others: the page shows an update to a later one.
const OTHERS: &[&str] = &["Cargo.lock", "docs/operations.md"];

/// The files that state the version of the chart, the image or the program, with what they state.
fn stated(read: impl Fn(&str) -> String, files: &str) -> BTreeSet<(String, String)> {
    let own = Regex::new(
        r#"(?m)(?:^(?:version|appVersion): |^version = "|image\.version="|targetRevision: v|/technical-user-operator:)(\d[0-9A-Za-z.-]*)"#,
    )
    .unwrap();
    let mut found = BTreeSet::new();
    for file in files.lines().filter(|file| !file.starts_with("tests/") && !OTHERS.contains(file)) {
        found.extend(own.captures_iter(&read(file)).map(|version| (file.to_owned(), version[1].to_owned())));
    }
    found
}

#[test]
fn every_file_states_the_version_of_the_program() {
    let found = stated(read, &tracked(".").join("\n"));
    assert!(found.len() >= 7, "{found:?}");
    let other: Vec<_> = found.iter().filter(|(_, version)| version != VERSION).collect();
    assert!(other.is_empty(), "not {VERSION}: {other:?}");
}

#[test]
fn a_release_changes_every_file_that_states_the_version() {
    let copy = Copy::new();
    let files = copy.git(&["ls-files"]);
    let before = stated(|file| copy.read(file), &files);
    let output = copy.release(&["98.7.6", "2030-01-31"]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));

    let new = |(file, _): &(String, String)| (file.clone(), "98.7.6".to_owned());
    assert_eq!(stated(|file| copy.read(file), &files), before.iter().map(new).collect());
    let changed: BTreeSet<String> = copy.git(&["diff", "--name-only"]).lines().map(str::to_owned).collect();
    let expected = before.into_iter().map(|(file, _)| file);
    assert_eq!(changed, expected.chain(["CHANGELOG.md".to_owned(), "Cargo.lock".to_owned()]).collect());
    let changelog = "# Changelog\n\n## [Unreleased]\n\n## [98.7.6] - 2030-01-31\n\n### Added\n\n- A thing.\n";
    assert_eq!(copy.read("CHANGELOG.md"), changelog);
    // Nothing beside the version changed.
    let diff = copy.git(&["diff", "--unified=0", "--", ":!CHANGELOG.md"]);
    let removed = diff.lines().filter(|line| line.starts_with('-') && !line.starts_with("---"));
    let added: Vec<_> =
        diff.lines().filter(|line| line.starts_with('+') && !line.starts_with("+++")).collect();
    let replaced: Vec<_> =
        removed.map(|line| line.replacen('-', "+", 1).replace(VERSION, "98.7.6")).collect();
    assert_eq!(replaced, added);

    // Cargo finds nothing to change in the lock file. It downloads what no build of this platform needed so far.
    let fetch =
        Command::new(env!("CARGO")).args(["fetch", "--locked"]).current_dir(copy.0.path()).output().unwrap();
    assert!(fetch.status.success(), "{}", String::from_utf8_lossy(&fetch.stderr));
}

#[test]
fn a_release_follows_its_candidates() {
    let copy = Copy::new();
    for version in ["98.0.0-rc.9", "98.0.0-rc.10", "98.0.0", "98.0.1"] {
        let output = copy.release(&[version]);
        assert!(output.status.success(), "{version}: {}", String::from_utf8_lossy(&output.stderr));
        let changelog = copy.read("CHANGELOG.md").replace("## [Unreleased]", "## [Unreleased]\n\n- More.");
        copy.write("CHANGELOG.md", &changelog);
        copy.commit();
    }
    assert!(copy.refused("98.0.1-rc.1").contains("98.0.1-rc.1 is lower than the current version 98.0.1"));
}

#[test]
fn what_cannot_become_a_release_is_refused() {
    let copy = Copy::new();
    for version in ["", "1", "1.2", "v1.2.3", "01.2.3", "1.2.3.4", "1.2.3-", "1.2.3 4"] {
        assert!(copy.refused(version).contains("is not a version"), "{version}");
    }
    assert!(copy.refused("0.0.1").contains("is lower than the current version"));
    copy.git(&["tag", "v98.0.0"]);
    assert!(copy.refused("98.0.0").contains("the tag v98.0.0 exists"));

    copy.write("README.md", "changed");
    assert!(copy.refused("99.0.0").contains("the working tree has changes"));
    copy.git(&["add", "README.md"]);
    copy.commit();
    assert!(copy.refused("99.0.0").contains("README.md does not state the current version"));
    copy.git(&["revert", "--no-edit", "HEAD"]);

    copy.write("CHANGELOG.md", "# Changelog\n\n## [Unreleased]\n\n## [98.0.0] - 2030-01-31\n\n- A thing.\n");
    copy.commit();
    assert!(copy.refused("99.0.0").contains("nothing under \"Unreleased\""));
    copy.git(&["tag", "--delete", "v98.0.0"]);
    assert!(copy.refused("98.0.0").contains("has a section for 98.0.0"));
}
