//! `check` against the simulator of all releases.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "these are tests; clippy sees that of the test functions only"
)]

mod addresses;
mod binary;
mod logins;
mod refresh;
mod support;
mod write;
