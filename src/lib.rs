//! Provisions technical users of a data space from Kubernetes.
//!
//! Two places handle a `TechnicalUser`: [`controller`]`::technical_user` observes, carries out and reports, and
//! [`domain::plan`] decides, as a pure function, what to do next.
//!
//! # Modules
//!
//! * `main` parses the arguments and dispatches.
//! * [`app`] builds the concrete things, and starts and stops them in order; its `Controller` is the operator as one value.
//! * `check` tries a portal and its login, without Kubernetes.
//! * [`oneshot`] has the commands that read the cluster and the portal by the controller's code, and change nothing.
//! * `preflight` asks the cluster whether the operator can work there.
//! * [`config`] is the only reader of arguments and environment.
//! * [`api`] has the Kubernetes types: what a person writes, and what the operator answers.
//! * [`domain`] is pure: what a technical user is, and what to do next about it. No I/O, no async.
//! * [`portal`] has the trait of a portal, the client for Catena-X and Cofinity-X, and the limits that protect a portal from
//!   too many requests.
//! * [`controller`] is where the others meet: one folder per kind; observe, execute and status beside each other.
//! * [`vault`] has the client for KV version 2 of a Vault server.
//! * [`transport`] sends requests and reads answers of bounded size, with TLS, a proxy and checks of the addresses.
//! * [`k8s`] has what any operator needs: a client with time-outs, watches, events, the leader election.
//! * [`process`] has the clock, the randomness and the tasks of one process, which a test can decide and end.
//! * [`site`] knows both: which portal a spec names, which logins it needs, and what its client is built from.
//! * [`server`] serves probes and metrics.
//! * [`health`] has the state that the probes report.
//! * [`metrics`] counts.
//! * [`observer`] counts the calls to portals.
//! * [`telemetry`] sets up the log.
//!
//! # Layers
//!
//! They point one way. `tests/architecture` reads the sources, tests included, and fails where a layer names what it
//! must not:
//!
//! | layer | must not name |
//! |---|---|
//! | `domain` | `kube`, `k8s_openapi`, `reqwest`, `tokio`, `crate::api`, `crate::portal`, `crate::controller`, `crate::vault`, `crate::k8s`, `crate::process` |
//! | `portal` | `kube`, `k8s_openapi`, `crate::api`, `crate::controller`, `crate::k8s` |
//! | `vault` | `kube`, `k8s_openapi`, `reqwest`, `crate::api`, `crate::portal`, `crate::controller`, `crate::k8s` |
//! | `transport` | `kube`, `k8s_openapi`, `crate::api`, `crate::portal`, `crate::vault`, `crate::controller`, `crate::k8s` |
//! | `api` | `reqwest`, `crate::portal`, `crate::controller` |
//! | `controller` | `reqwest`, `crate::portal::clients` |
//! | `k8s` | `crate::api`, `crate::domain`, `crate::portal`, `crate::controller` |
//! | `server`, `health`, `metrics`, `telemetry` | `crate::controller`, `crate::portal`, `crate::api` |
//! | `process` | `kube`, `k8s_openapi`, `reqwest` |
//! | `observer` | `crate::controller`, `crate::api` |
//! | `check` | `crate::controller`, `crate::portal::clients` |
//! | `site` | `kube`, `k8s_openapi`, `reqwest`, `crate::controller`, `crate::k8s` |
//! | `app` | `crate::portal::clients` |
//! | `oneshot` | `crate::portal::clients`, `crate::app` |
//! | `preflight` | `crate::controller`, `crate::portal`, `crate::domain` |
//!
//! Nothing but [`config`] reads `std::env`; tests may.

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
pub mod oneshot;
pub mod portal;
pub mod preflight;
pub mod process;
pub mod server;
pub mod site;
pub mod telemetry;
pub mod transport;
pub mod vault;
