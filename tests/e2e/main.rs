//! The operator against real parts: a real apiserver with RBAC on, the real chart, the simulated portal.
//!
//! Each test has its own namespace, its own simulator and its own operator process, which runs with a token of the
//! `ServiceAccount` that the chart made: a missing permission fails a test.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "these are tests; clippy sees that of the test functions only"
)]

mod access;
mod cofinity;
mod company;
mod deletion;
mod existing;
mod first_user;
mod hot_loop;
mod invalid;
mod limits;
mod lost_users;
mod namespaces;
mod portal_trouble;
mod refresh_login;
mod roles;
mod secrets;
#[allow(dead_code, unused_imports, reason = "other test programs use it too")]
mod support;
