//! Facts that stand in several files of the repository agree, and the script that changes the version changes all of them.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "these are tests; clippy sees that of the test functions only"
)]

mod release;
mod renovate;
mod toolchain;

use std::fs;
use std::path::PathBuf;

const ROOT: &str = env!("CARGO_MANIFEST_DIR");

/// A file of the repository.
fn read(file: &str) -> String {
    fs::read_to_string(PathBuf::from(ROOT).join(file)).unwrap_or_else(|error| panic!("{file}: {error}"))
}
