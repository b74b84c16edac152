//! The operator against real parts: a real apiserver with RBAC on, the real chart, the simulated portal.
//!
//! Each test has its own namespace, its own simulator and its own operator process, which runs with a token of the
//! `ServiceAccount` that the chart created: a missing permission fails a test.
//!
//! Most of the time is waiting for attempts to settle: `cargo test --test e2e -- --test-threads 12` is no strain.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "these are tests; clippy sees that of the test functions only"
)]

mod access;
mod adoption;
mod adoption_crashes;
mod answers_lost;
mod apiserver_faults;
mod backups;
mod certificates;
mod claims;
mod clocks;
mod cofinity;
mod common_labels;
mod company;
mod conflicts;
mod connectors;
mod controllers;
mod crash;
mod crash_points;
mod dataspace;
mod definitions;
mod deletion;
mod deletion_crashes;
mod deletion_logins;
mod duplicates;
mod earlier_build;
#[path = "../connector/edc/mod.rs"]
#[allow(dead_code, unused_imports, reason = "this binary needs a part of it")]
mod edc;
mod example;
mod existing;
mod fairness;
mod first_user;
mod formats;
mod hostile;
mod hot_loop;
mod immutable;
mod immutable_crashes;
mod invalid;
mod ipv6;
mod kstatus;
mod leaders;
mod leaks;
mod left_outputs;
mod limits;
mod login_changes;
mod merge;
mod merge_crashes;
mod merge_mistakes;
mod moves;
mod namespaces;
mod offers;
mod output_changes;
mod outputs;
mod overlap_crashes;
mod overlaps;
mod ownership;
mod paused;
mod permissions;
mod plain_http;
mod plan;
mod portal_trouble;
mod preflight;
mod protected;
mod refresh_login;
mod renamed;
mod replacement_crashes;
mod restarts;
mod restores;
mod role_changes;
mod roles;
mod rotation;
mod rotation_crashes;
mod rotation_readers;
mod rotation_requests;
mod rotation_windows;
mod searches;
mod secrets;
mod start_up;
mod stops;
mod strangers;
mod support;
mod suspended;
mod two_operators;
mod unclaimed;
mod unnamed_secrets;
mod unusable_users;
mod unwatched;
mod vault_aliases;
mod vault_begun;
mod vault_crashes;
mod vault_merges;
mod vault_outages;
mod vault_outputs;
mod vault_races;
mod vaults;
