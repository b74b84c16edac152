//! Provisions technical users of a data space from Kubernetes.

pub mod domain;
pub mod portal;
