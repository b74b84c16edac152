//! How a portal is used: how fast, how often, and what is left in it.
#![allow(clippy::doc_markdown, reason = "kubectl explain shows the texts as they are")]

use kube::KubeSchema;
use kube::core::Duration;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The limits of the requests to a portal, for all TechnicalUsers of the Portal together. They also hold, separately, for the
/// identity provider of the login and for each wallet that issues tokens.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Copy, Debug, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct Limits {
    /// The number of requests per second, on average. Default: no limit but `concurrency`, so that the portal sets the pace.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 1000))]
    pub requests_per_second: Option<i32>,

    /// The number of requests that the operator may send at once after a time without requests, where there is a limit of
    /// requests per second. Default: 20.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 1000))]
    pub burst: Option<i32>,

    /// The largest number of requests in progress at the same time. Each answer 429 or 503, and each that takes much longer
    /// than usual, lowers the number by one, and 20 other answers raise it again. Creates use at most half of the requests, and
    /// at least one; with one request in progress, another one may be sent during a create. Default: 4; with more, portals do
    /// not answer faster.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 64))]
    pub concurrency: Option<i32>,
}

/// How the operator verifies published credentials.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Copy, Debug, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct VerificationPolicy {
    /// The interval at which the operator verifies each published credential at its token endpoint, so that it detects a
    /// secret that was reset in the portal. A duration such as 30m, at least 10s. Default: 1h.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 32))]
    #[x_kube(validation = Rule::new("duration(self) >= duration('10s')").message("verification.interval is at least 10s"))]
    pub interval: Option<Duration>,
}

/// What the operator does with a TechnicalUser under deletion whose user can be neither deleted nor revoked with this login.
/// Hold keeps the resource, with a condition that says what a person has to do. Release removes the finalizer, and lists the
/// user in `status.retained`. Default: Hold.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Copy, Debug, PartialEq, Eq)]
pub enum WhenUndeletable {
    /// The resource is kept until a person has acted.
    Hold,
    /// The resource is deleted; the user is listed as retained.
    Release,
}
