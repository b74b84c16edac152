//! What a real apiserver answers to the writes that the operator's design rests on.
//!
//! These tests are about Kubernetes, not about our code: when one fails after a change of the Kubernetes version, a
//! decision of the design has lost its ground.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test that cannot go on has failed")]

mod apply;
mod deletion;
mod dry_run;
mod merge_patch;
mod status;
mod support;
