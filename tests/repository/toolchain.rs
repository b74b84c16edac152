//! The oldest Rust that the code builds with, in every place that states it.

use std::collections::BTreeSet;

use regex::Regex;

use crate::read;

/// What the first group of a pattern matches in a file.
fn stated(file: &str, pattern: &str) -> BTreeSet<String> {
    let pattern = Regex::new(pattern).unwrap();
    pattern.captures_iter(&read(file)).map(|found| found[1].to_owned()).collect()
}

#[test]
fn every_place_states_the_same_rust_version() {
    let version = BTreeSet::from([env!("CARGO_PKG_RUST_VERSION").to_owned()]);
    for (file, pattern) in [
        ("Cargo.toml", r#"rust-version = "([0-9.]+)""#),
        ("Dockerfile", r"library/rust:([0-9.]+)-"),
        ("README.md", r"Rust ([0-9]+\.[0-9]+)"),
        ("CONTRIBUTING.md", r"Rust ([0-9]+\.[0-9]+)"),
    ] {
        assert_eq!(stated(file, pattern), version, "{file}");
    }
}

#[test]
fn members_of_the_workspace_inherit_version_and_rust_version() {
    for member in ["Cargo.toml", "tests/simulator/Cargo.toml", "tests/testbed/Cargo.toml"] {
        let text = read(member);
        for line in ["version.workspace = true", "rust-version.workspace = true", "edition.workspace = true"]
        {
            assert!(text.lines().any(|found| found == line), "{member}: {line}");
        }
    }
}

/// The image's Rust is that of the Dockerfile: a build there cannot fetch the toolchain that the file names.
#[test]
fn the_toolchain_file_is_for_developers_only() {
    let text = read("rust-toolchain.toml");
    for line in ["channel = \"stable\"", "components = [\"clippy\", \"rustfmt\"]"] {
        assert!(text.lines().any(|found| found == line), "{line}");
    }
    assert!(read(".dockerignore").lines().any(|line| line == "rust-toolchain.toml"));
}
