//! Provisions technical users of a data space from Kubernetes.
pub mod api;
pub mod domain;
pub mod metrics;
pub mod portal;
