//! Provisions technical users of a data space from Kubernetes.
pub mod api;
pub mod app;
pub mod check;
pub mod config;
pub mod controller;
pub mod domain;
pub mod health;
pub mod k8s;
pub mod metrics;
pub mod observer;
pub mod portal;
pub mod server;
pub mod telemetry;
