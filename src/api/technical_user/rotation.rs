//! Rotation: what the spec asks for, and what a status says of the users that were replaced and of the requests.

use kube::KubeSchema;
use kube::core::Duration;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::api::bounds::{Bounded, NAME, OBJECT, WORD, optional, text, without_defaults};

/// When the credential is replaced, how, and how long what is replaced is kept.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Copy, Debug, Default, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
#[x_kube(
    validation = Rule::new("!has(self.interval) || !has(self.overlap) || duration(self.overlap) < duration(self.interval)")
        .message("rotation.overlap has to be shorter than rotation.interval")
)]
pub struct Rotation {
    /// How old a credential becomes before the operator replaces it. A duration such as 720h, from 1h to 26280h. Default: none;
    /// the operator replaces the credential only on request, by the annotations technicaluser.dev/rotate and
    /// technicaluser.dev/compromised.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 32))]
    #[x_kube(validation = Rule::new("duration(self) >= duration('1h') && duration(self) <= duration('26280h')").message("rotation.interval is from 1h to 26280h"))]
    pub interval: Option<Duration>,

    /// How the operator replaces a credential.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub strategy: Option<RotationStrategy>,

    /// How long the operator keeps a user after its successor was published, and an output that is removed from `outputs`, so that
    /// programs that still use it can be changed. It begins when the credential is in all outputs of the spec; `status.retiring` and
    /// `status.outputs` then have the time of the deletion. A duration such as 24h, at most 8760h. Default: 0s, which means that
    /// they are deleted at once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 32))]
    #[x_kube(validation = Rule::new("duration(self) >= duration('0s') && duration(self) <= duration('8760h')").message("rotation.overlap is from 0s to 8760h"))]
    pub overlap: Option<Duration>,
}

/// How the operator replaces a credential. Replace: it creates another user, publishes its credential, and deletes the former user
/// after the overlap, so both credentials are valid meanwhile. InPlace: it resets the secret of the user, so the former secret is
/// invalid before programs have read the next one; only internal users can be reset. Auto: Replace if the Portal's login may delete
/// users, no connector in the portal has the client ID, and each output has room for both credentials; else InPlace for internal
/// users. Default: Auto.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Copy, Debug, PartialEq, Eq)]
pub enum RotationStrategy {
    /// Replace if that is possible without a trace, else `InPlace`.
    Auto,
    /// The operator resets the secret of the user.
    InPlace,
    /// The operator creates another user.
    Replace,
}

/// A user that a successor has replaced.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Debug, Default, PartialEq, Eq)]
#[serde(rename_all = "camelCase", default)]
#[schemars(extend("required" = ["id"]), transform = without_defaults)]
pub struct RecordedRetiring {
    /// The id of the user in the portal (a UUID).
    #[schemars(length(max = WORD))]
    pub id: String,
    /// The number of the user among those that the operator created for this resource, from 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub generation: Option<i64>,
    /// The OAuth client ID, such as sa42.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = NAME))]
    pub client_id: Option<String>,
    /// The name of the user in the portal.
    #[serde(skip_serializing_if = "String::is_empty")]
    #[schemars(length(max = NAME))]
    pub name: String,
    /// The proof that the user belongs to this resource, as in `status.user`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = WORD))]
    pub proof: Option<String>,
    /// When the operator deletes the user, at the earliest: former outputs that hold its credential are removed first, and due
    /// restarts come first. Absent until the credential of the successor is in all outputs. The annotation
    /// `technicaluser.dev/end-overlap` with the id of the user deletes it at once.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = WORD), extend("format" = "date-time"))]
    pub delete_after: Option<String>,
    /// The annotation `technicaluser.dev/compromised` asked for the successor: the user is deleted once the credential of that is in
    /// all outputs, whatever else still has its own.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub compromised: bool,
}

/// Requests that the operator carried out.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Debug, Default, PartialEq, Eq)]
#[serde(rename_all = "camelCase", default)]
pub struct Handled {
    /// The last value of the annotation `technicaluser.dev/rotate` that the operator carried out.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = OBJECT))]
    pub rotate: Option<String>,
    /// The last value of the annotation `technicaluser.dev/compromised` that the operator carried out.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = OBJECT))]
    pub compromised: Option<String>,
}

impl Bounded for RecordedRetiring {
    fn bound(&mut self) {
        text(&mut self.id, WORD);
        optional(&mut self.client_id, NAME);
        text(&mut self.name, NAME);
        optional(&mut self.proof, WORD);
        optional(&mut self.delete_after, WORD);
    }
}

impl Bounded for Handled {
    fn bound(&mut self) {
        optional(&mut self.rotate, OBJECT);
        optional(&mut self.compromised, OBJECT);
    }
}
