//! Kind `TechnicalUser`: one technical user of a portal and where its credential goes.
#![allow(
    clippy::duplicated_attributes,
    reason = "the lint takes two printer columns of one type for a mistake"
)]
#![allow(clippy::doc_markdown, reason = "kubectl explain shows the texts as they are")]

mod recorded;
mod recorded_output;
mod restart;
mod rotation;
mod secret_output;
mod user;
mod vault_output;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;
use kube::{CustomResource, KubeSchema};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::api::bounds::{
    Bounded, CONDITIONS, OUTPUTS, PLANNED, RESTARTS, RETIRING, TEXT, list, of_conditions, texts,
};
use crate::api::names::{LABEL, SUBDOMAIN};

pub use recorded::{PinnedPortal, RecordedCredential, RecordedUser};
pub use recorded_output::{KindFacts, OutputKind, OutputStore, RecordedEntry, RecordedOutput};
pub use restart::{RecordedRestart, RecordedWorkload, RestartTarget, WorkloadKind};
pub use rotation::{Handled, RecordedRetiring, Rotation, RotationStrategy, RotationWindow};
pub use secret_output::{
    CreationPolicy, DataKey, EdcDialect, KeyStyle, SecretFormat, SecretOutput, TemplateText,
};
pub use user::{AdoptUser, CreateUser, ExistingUser, OfferUser, User};
pub use vault_output::{VaultOutput, VaultRef};

/// A technical user of a data-space portal, and the Secret that the operator writes its credential into.
#[derive(CustomResource, KubeSchema, Serialize, Deserialize, Clone, Debug, Default, PartialEq, Eq)]
#[kube(
    group = "technicaluser.dev",
    version = "v1alpha1",
    kind = "TechnicalUser",
    namespaced,
    status = "TechnicalUserStatus",
    shortname = "tu",
    category = "dataspace",
    doc = "TechnicalUser is one technical user of a data-space portal, and where its credential is published. The operator \
           creates the user in the portal that spec.portalRef names, or finds one that exists, verifies its credential, and \
           writes it into the Secret that a connector reads. kubectl wait --for=condition=Ready waits for that.",
    selectable = ".spec.portalRef.name",
    // A rule of the whole object, since the default of the name is that of the resource.
    validation = Rule::new(
        "!has(self.spec.outputs) || self.spec.outputs.filter(o, has(o.secret)).map(o, has(o.secret.name) ? o.secret.name : self.metadata.name).all(name, self.spec.outputs.filter(o, has(o.secret)).exists_one(o, (has(o.secret.name) ? o.secret.name : self.metadata.name) == name))"
    ).message("two outputs name the same Secret"),
    validation = Rule::new(
        "!has(self.spec.outputs) || self.spec.outputs.all(o, !has(o.secret) || !has(o.secret.immutable) || !o.secret.immutable || size(has(o.secret.name) ? o.secret.name : self.metadata.name) <= 240)"
    ).message("the name of an immutable Secret has at most 240 characters, because a dash and a number follow"),
    printcolumn(
        name = "Ready",
        type_ = "string",
        json_path = ".status.conditions[?(@.type=='Ready')].status"
    ),
    printcolumn(
        name = "Reason",
        type_ = "string",
        json_path = ".status.conditions[?(@.type=='Ready')].reason"
    ),
    printcolumn(name = "Portal", type_ = "string", json_path = ".spec.portalRef.name"),
    printcolumn(name = "Client ID", type_ = "string", json_path = ".status.user.clientId", priority = 1),
    printcolumn(
        name = "Message",
        type_ = "string",
        json_path = ".status.conditions[?(@.type=='Ready')].message",
        priority = 1
    ),
    printcolumn(name = "Age", type_ = "date", json_path = ".metadata.creationTimestamp")
)]
#[serde(rename_all = "camelCase")]
#[x_kube(
    validation = Rule::new("!has(self.deletionPolicy) || !has(self.user.existing)")
        .message("deletionPolicy has no effect on an existing user: the operator never changes or deletes it"),
    validation = Rule::new("!has(self.rotation) || !has(self.user.existing) || !(has(self.rotation.interval) || has(self.rotation.strategy))")
        .message("rotation.interval and rotation.strategy have no effect on an existing user: the operator does not replace its credential"),
    validation = Rule::new("!has(self.restart) || !has(self.outputs) || self.outputs.exists(o, has(o.secret) && !(has(o.secret.format) && o.secret.format in ['EdcHelmValues', 'VaultJson', 'DataSpaceIntegration']))")
        .message("restart has no effect: no output has a reader that needs a restart to see a change"),
    validation = Rule::new("!has(self.outputs) || self.outputs.exists(o, has(o.vault) && !(has(o.vault.creationPolicy) && o.vault.creationPolicy == 'Merge')) || self.outputs.all(o, !has(o.secret) || has(o.secret.secretAlias) || !(has(o.secret.format) && o.secret.format in ['EdcEnv', 'EdcHelmValues', 'EdcMemory', 'Properties']))")
        .message("the formats EdcEnv, EdcHelmValues, EdcMemory and Properties need secretAlias, or a vault output with creationPolicy Owner, whose alias they use")
)]
pub struct TechnicalUserSpec {
    /// The Portal that the user belongs to. It cannot be changed: create a new TechnicalUser instead.
    #[x_kube(validation = Rule::new("self == oldSelf").message("portalRef cannot be changed: create a new TechnicalUser for the other Portal"))]
    pub portal_ref: PortalRef,

    /// The user: one that the operator creates and owns (`create`), or one that exists already (`existing`).
    pub user: User,

    /// What the operator does with the user in the portal when this resource is deleted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deletion_policy: Option<DeletionPolicy>,

    /// Where the credential is published, at most 8 outputs. The operator creates a user only if it can write all of them, and
    /// writes each of them independently of the others. An output that is removed from the list is deleted after the
    /// credential is in all that are left, and after rotation.overlap. Default: one Secret that has the name of the resource, in
    /// format Raw.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 8))]
    pub outputs: Option<Vec<Output>>,

    /// The workloads that the operator restarts when an output changes whose readers see that only after a restart, at most 16.
    /// It restarts one after the other, in this order: the next one when the roll-out of the one before is complete. Each must
    /// consent by the annotation technicaluser.dev/restart. The chart value restart.enabled gives the operator the right to do
    /// that. Default: none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = RESTARTS))]
    #[x_kube(validation = Rule::new("self.all(a, self.exists_one(b, b.kind == a.kind && b.name == a.name))").message("two entries of restart name the same workload"))]
    pub restart: Option<Vec<RestartTarget>>,

    /// When the credential is replaced, how, and how long what is replaced is kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rotation: Option<Rotation>,

    /// If true, the operator observes the resource and changes nothing for it: no user, no output, no workload and no finalizer. It
    /// reads the portal, and status.planned lists what it would do. A resource under deletion is kept until then. Default: false.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub suspend: Option<bool>,
}

impl TechnicalUserSpec {
    /// Whether nothing may be changed for the resource.
    #[must_use]
    pub fn is_suspended(&self) -> bool {
        self.suspend.unwrap_or(false)
    }
}

/// The name of a Portal, and its namespace.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Debug, Default, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct PortalRef {
    /// The name of the Portal.
    #[schemars(length(min = 1, max = 253), regex(pattern = SUBDOMAIN))]
    pub name: String,

    /// The namespace of the Portal. The Portal's `access` decides which namespaces may use it. Default: the namespace of the
    /// TechnicalUser.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 63), regex(pattern = LABEL))]
    pub namespace: Option<String>,
}

/// What the operator does with the user in the portal when this resource is deleted. Delete: it deletes the user; if the
/// Portal's login may not delete, it revokes the user instead. Revoke: it resets the secret and does not keep the new one, and
/// keeps the user. Retain: it keeps the user and its secret. The Portal's `status.retained` lists users that are kept.
/// Default: Delete.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Copy, Debug, PartialEq, Eq)]
pub enum DeletionPolicy {
    /// The operator deletes the user.
    Delete,
    /// The operator resets the secret, does not keep the new one, and keeps the user.
    Revoke,
    /// The operator keeps the user and its secret.
    Retain,
}

/// An output, which the operator writes the credential into. Give exactly one variant.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
#[x_kube(
    validation = Rule::new("[has(self.secret), has(self.vault)].filter(set, set).size() == 1")
        .message("an output names exactly one of secret and vault")
)]
pub struct Output {
    /// A Secret in the namespace of the resource. The operator never overwrites a Secret that it does not own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secret: Option<SecretOutput>,

    /// An entry in a Vault, from which a tractusx-connector reads its client secret. The operator never overwrites an entry that
    /// it does not own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub vault: Option<VaultOutput>,
}

impl Output {
    /// The kind of the output; `None` where only a later release knows it.
    #[must_use]
    pub fn kind(&self) -> Option<OutputKind> {
        match self {
            Self { secret: Some(secret), .. } => Some(secret.kind()),
            Self { vault: Some(vault), .. } => Some(vault.kind()),
            Self { secret: None, vault: None } => None,
        }
    }

    /// The Vault that the output is in, if it is in one.
    #[must_use]
    pub fn vault_ref(&self) -> Option<VaultRef> {
        serde_json::to_value(self).ok().as_ref().and_then(VaultRef::of_output)
    }
}

/// The state of the user and of its credential, as the operator observed it.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Debug, Default, PartialEq)]
#[serde(rename_all = "camelCase", default)]
// The apiserver gives a new object this status, so that kstatus calls it InProgress before the operator has seen it.
#[schemars(extend("default" = {"observedGeneration": -1}))]
pub struct TechnicalUserStatus {
    /// The `metadata.generation` that the conditions describe. -1: the operator has not seen the resource yet.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub observed_generation: Option<i64>,

    /// Ready, UserReady, CredentialVerified, Published; Suspended while the spec says so; ConsumersRestarted if the spec names workloads to restart; Rotating while the
    /// credential is being replaced; Reconciling and Stalled while they are true (kstatus).
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schemars(extend("x-kubernetes-list-type" = "map", "x-kubernetes-list-map-keys" = ["type"]), transform = of_conditions)]
    pub conditions: Vec<Condition>,

    /// The portal that the user is in. The operator does nothing while the Portal resource leads to another portal or company.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub portal: Option<PinnedPortal>,

    /// The user in the portal.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user: Option<RecordedUser>,

    /// The credential that the operator published.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub credential: Option<RecordedCredential>,

    /// The users that a successor has replaced, until the operator has deleted them.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = RETIRING), extend("x-kubernetes-list-type" = "map", "x-kubernetes-list-map-keys" = ["id"]))]
    pub retiring: Vec<RecordedRetiring>,

    /// The outputs that the operator has written, one entry for each, identified by kind and name.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schemars(
        length(max = OUTPUTS),
        extend("x-kubernetes-list-type" = "map", "x-kubernetes-list-map-keys" = ["kind", "name"])
    )]
    pub outputs: Vec<RecordedOutput>,

    /// The restarts of the workloads that the spec names.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub restart: Option<RecordedRestart>,

    /// The requests by annotation that the operator carried out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub handled: Option<Handled>,

    /// What the operator would do now if neither the resource nor its Portal were suspended, in this order.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = PLANNED), extend("x-kubernetes-list-type" = "atomic"), inner(length(max = TEXT)))]
    pub planned: Vec<String>,
}

impl Bounded for TechnicalUserStatus {
    fn bound(&mut self) {
        list(&mut self.conditions, CONDITIONS);
        self.portal.bound();
        self.user.bound();
        self.credential.bound();
        list(&mut self.retiring, RETIRING);
        list(&mut self.outputs, OUTPUTS);
        self.restart.bound();
        self.handled.bound();
        texts(&mut self.planned, PLANNED, TEXT);
    }
}
