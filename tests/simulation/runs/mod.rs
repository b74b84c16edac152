//! The runs: each is a test that a seed repeats.

mod first;
mod kills;
pub mod report;
mod seeds;
