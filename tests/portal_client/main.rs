//! The portal client against servers: the simulator of all releases, and stubs for what no portal does.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "these are tests; clippy sees that of the test functions only"
)]

mod breaker;
mod login;
mod odd_servers;
mod refresh_token;
mod scan;
mod stub;
mod support;
