//! The runs: each is a test that a seed repeats.

mod busy;
mod crowds;
mod effects;
mod entries;
mod existing;
mod first;
mod kills;
mod lives;
mod prevented;
pub mod report;
mod rotations;
mod seeds;
mod specs;
