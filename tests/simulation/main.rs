//! The operator's real controller in simulated time, against simulated surroundings.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "these are tests; clippy sees that of the test functions only"
)]

mod apiserver;
mod facts;
mod kill;
mod pause;
mod record;
mod runs;
mod world;
