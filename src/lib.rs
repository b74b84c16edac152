//! Provisions technical users of a data space from Kubernetes.
pub mod api;
pub mod check;
pub mod config;
pub mod controller;
pub mod domain;
pub mod k8s;
pub mod metrics;
pub mod portal;
