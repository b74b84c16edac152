//! What the operator does a second, what it costs, and how long a person waits, measured against a real apiserver.
//!
//! `make bench` measures, with the release build ([`runs`]). `make test` runs each profile once with a few users and checks what
//! is counted, which no busy machine changes ([`smoke`]). The page `docs/performance.md` explains the figures.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "these are tests; clippy sees that of the test functions only"
)]

mod figures;
mod meter;
mod place;
mod profiles;
mod raw;
mod runs;
mod settings;
mod smoke;
#[path = "../e2e/support/mod.rs"]
#[allow(
    dead_code,
    unused_imports,
    reason = "the support of the end-to-end tests; this binary needs a part of it"
)]
mod support;
mod usage;
mod users;
