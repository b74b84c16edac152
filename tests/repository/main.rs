//! Facts that stand in several files of the repository agree, links lead somewhere, and the script that changes the version
//! changes all files that state it.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "these are tests; clippy sees that of the test functions only"
)]

mod links;
mod release;
mod renovate;
mod toolchain;

use std::fs;
use std::path::PathBuf;
use std::process::Command;

const ROOT: &str = env!("CARGO_MANIFEST_DIR");

/// A file of the repository.
fn read(file: &str) -> String {
    fs::read_to_string(PathBuf::from(ROOT).join(file)).unwrap_or_else(|error| panic!("{file}: {error}"))
}

/// The files that git knows and a pattern of git selects.
fn tracked(pattern: &str) -> Vec<String> {
    let files = Command::new("git").args(["ls-files", "--", pattern]).current_dir(ROOT).output().unwrap();
    String::from_utf8(files.stdout).unwrap().lines().map(str::to_owned).collect()
}
