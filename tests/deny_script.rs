//! `tools/deny.sh`: a finding fails whatever the tool prints, a database that cannot be fetched is reported.
#![allow(clippy::unwrap_used, reason = "these are tests; clippy sees that of the test functions only")]

use std::os::unix::fs::PermissionsExt;
use std::process::{Command, Output};

/// Runs the script with a `cargo-deny` that ends `fetch`, `check advisories` and the other checks with these codes.
fn run(fetch: u8, advisories: u8, others: u8, environment: &[(&str, &str)]) -> Output {
    let folder = tempfile::tempdir().unwrap();
    let tool = folder.path().join("cargo-deny");
    // What it prints on a finding holds the words of a failed fetch, as the text of an advisory may.
    let script = format!(
        "#!/bin/sh\ncase \"$*\" in\n*' fetch db') exit {fetch};;\n\
         *' check --disable-fetch advisories') echo 'failed to fetch advisory database' >&2; exit {advisories};;\n\
         *' check licenses bans sources') exit {others};;\nesac\necho \"unexpected: $*\" >&2; exit 99\n"
    );
    std::fs::write(&tool, script).unwrap();
    std::fs::set_permissions(&tool, std::fs::Permissions::from_mode(0o755)).unwrap();
    Command::new(concat!(env!("CARGO_MANIFEST_DIR"), "/tools/deny.sh"))
        .env("CARGO_DENY", &tool)
        .env_remove("REQUIRE_ADVISORIES")
        .envs(environment.iter().copied())
        .output()
        .unwrap()
}

fn reported(output: &Output) -> bool {
    String::from_utf8_lossy(&output.stderr).contains("ADVISORIES NOT CHECKED")
}

#[test]
fn a_finding_always_fails() {
    for code in [1, 2, 9] {
        assert!(!run(0, code, 0, &[]).status.success(), "advisory");
        assert!(!run(0, 0, code, &[]).status.success(), "licence, ban or source");
        assert!(!run(1, 0, code, &[]).status.success(), "also without the database");
    }
}

#[test]
fn a_clean_check_passes() {
    let output = run(0, 0, 0, &[]);
    assert!(output.status.success() && !reported(&output), "{output:?}");
    assert!(String::from_utf8_lossy(&output.stdout).contains("advisories checked"));
}

#[test]
fn a_database_that_cannot_be_fetched_is_reported() {
    let output = run(1, 0, 0, &[]);
    assert!(output.status.success() && reported(&output), "{output:?}");
    let output = run(1, 0, 0, &[("REQUIRE_ADVISORIES", "1")]);
    assert!(!output.status.success() && reported(&output), "{output:?}");
}
