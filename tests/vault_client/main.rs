//! The client of Vault against a real server, and against the simulated one, which answers the same.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that cannot go on has failed"
)]

mod entries;
mod faults;
mod kubernetes;
mod login;
mod policies;
mod server;
mod support;
mod wire;
