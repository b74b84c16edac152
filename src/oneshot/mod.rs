//! Commands that a person runs once: they read the cluster and the live portal with the code of the controller. They change nothing,
//! but what a person asks `unclaimed` for.

mod apiserver;
mod manifests;
mod objects;
pub mod plan;
mod session;
pub mod unclaimed;
