//! As users install it: the real chart on a real node, the real image in a pod, pods that read the Secrets.
//!
//! Run by `make e2e`, which builds the images first and compares what is on the machine before and after. A node needs
//! root and some of the kernel's features; where they lack, `make e2e` says so and these tests are not run.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "these are tests; clippy sees that of the test functions only"
)]

mod bad_input;
mod connectors;
#[path = "../connector/edc/mod.rs"]
#[allow(dead_code, unused_imports, reason = "this binary needs a part of it")]
mod edc;
mod helm_tests;
mod leaders;
mod many_resources;
mod namespaces;
mod policies;
mod restarts;
mod roll_outs;
mod story;
mod support;
