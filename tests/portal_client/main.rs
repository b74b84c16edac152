//! The portal client against servers: the simulator of all releases, and stubs for what no portal does.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "these are tests; clippy sees that of the test functions only"
)]

mod breaker;
mod conformance;
mod faults;
mod hostile;
mod login;
mod odd_servers;
mod proxy;
mod refresh_token;
mod scan;
mod simulated;
mod stub;
mod support;
mod tls;
mod versions;
