//! How a portal is used: how fast, how often, and what is left in it.
#![allow(clippy::doc_markdown, reason = "kubectl explain shows the texts as they are")]

use kube::KubeSchema;
use kube::core::Duration;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How hard a portal may be worked. Shared by all TechnicalUsers of the Portal.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Copy, Debug, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct Limits {
    /// Requests a second, on average. Default: 10.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 1000))]
    pub requests_per_second: Option<i32>,

    /// Requests that may go out at once after a quiet time. Default: 20.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 1000))]
    pub burst: Option<i32>,

    /// Requests under way at the same time. Default: 4, from which on the portal gets no faster. Creates take at most half
    /// of these, and at least one; with a limit of 1, one other request may be sent during a create.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 64))]
    pub concurrency: Option<i32>,
}

/// How published credentials are tried again.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Copy, Debug, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct VerificationPolicy {
    /// How often each published credential is tried at its token endpoint, so that a reset by hand is noticed. At
    /// least 10s. Default: 1h.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 32))]
    #[x_kube(validation = Rule::new("duration(self) >= duration('10s')").message("verification.interval is at least 10s"))]
    pub interval: Option<Duration>,
}

/// What becomes of a TechnicalUser under deletion whose user can be neither deleted nor revoked with this login. Hold keeps
/// the resource, with a condition that names what a person has to do. Release lets it go and lists the user in
/// `status.retained`. Default: Hold.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Copy, Debug, PartialEq, Eq)]
pub enum WhenUndeletable {
    /// The resource stays until a person has acted.
    Hold,
    /// The resource goes; the user is listed as retained.
    Release,
}
