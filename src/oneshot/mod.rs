//! Commands that a person runs once: they read the cluster and the live portal with the code of the controller, and change nothing.

mod apiserver;
mod manifests;
pub mod plan;
mod session;
