//! Tests of the simulator over HTTP.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "helpers of tests: clippy's leave for tests covers test functions only"
)]

mod backup;
mod binary;
mod bodies;
mod calls;
mod companies;
mod concurrency;
mod connectors;
mod faults;
mod idp;
mod lists;
mod matching;
mod recorded;
mod refresh;
mod routing;
mod tls;
mod troubles;
mod users;
mod versions;
mod wallet;
mod world;
