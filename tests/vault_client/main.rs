//! The client of Vault against a real server.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that cannot go on has failed"
)]

mod entries;
mod faults;
mod login;
mod support;
