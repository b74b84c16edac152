//! The Helm chart, rendered and installed by the real Helm: what it allows, what it refuses, and what its objects say.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test says what failed by failing"
)]

mod accepted;
mod cluster;
mod definitions;
mod earlier_values;
mod helm;
mod labels;
mod names;
mod network;
mod objects;
mod openshift;
mod people;
mod permissions;
mod pods;
mod restarts;
mod umbrella;
mod values;
