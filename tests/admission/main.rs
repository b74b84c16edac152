//! What the apiserver lets in: every rule and every bound of the definitions in `crds/`, with a case that it accepts and
//! one that it refuses, and what people see of the kinds by kubectl.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "these are tests; clippy sees that of the test functions only"
)]

mod argo_cd;
mod bounds;
mod example_policies;
mod examples;
mod kubectl;
mod kustomize;
mod policies;
mod portals;
mod rules;
mod schema;
mod statuses;
mod support;
mod technical_users;
mod updates;
mod vaults;
