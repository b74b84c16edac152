//! Kind `TechnicalUser`: one technical user of a portal and where its credential goes.
#![allow(
    clippy::duplicated_attributes,
    reason = "the lint takes two printer columns of one type for a mistake"
)]
#![allow(clippy::doc_markdown, reason = "kubectl explain shows the texts as they are")]

mod restart;
mod secret_output;
mod user;
mod vault_output;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;
use kube::core::Duration;
use kube::{CustomResource, KubeSchema};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::api::bounds::{
    ADDRESS, BEGUN, Bounded, COMPANY, CONDITIONS, NAME, OBJECT, OUTPUT_CONDITIONS, OUTPUT_MESSAGE,
    OUTPUT_NAME, OUTPUTS, RESTARTS, ROLES, WORD, list, of_conditions, of_output_conditions, optional, text,
    without_defaults,
};
use crate::api::conditions::cut;
use crate::api::names::{LABEL, SUBDOMAIN};

pub use restart::{RecordedRestart, RecordedWorkload, RestartTarget, WorkloadKind};
pub use secret_output::{
    CreationPolicy, DataKey, EdcDialect, KeyStyle, SecretFormat, SecretOutput, TemplateText,
};
pub use user::{CreateUser, ExistingUser, User};
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
    validation = Rule::new("!has(self.restart) || !has(self.outputs) || self.outputs.exists(o, has(o.secret) && !(has(o.secret.format) && o.secret.format in ['EdcHelmValues', 'VaultJson', 'DataSpaceIntegration']))")
        .message("restart has no effect: no output has a reader that needs a restart to see a change"),
    validation = Rule::new("!has(self.outputs) || self.outputs.exists(o, has(o.vault)) || self.outputs.all(o, !has(o.secret) || has(o.secret.secretAlias) || !(has(o.secret.format) && o.secret.format in ['EdcEnv', 'EdcHelmValues', 'EdcMemory', 'Properties']))")
        .message("the formats EdcEnv, EdcHelmValues, EdcMemory and Properties need secretAlias, or a vault output whose alias they use")
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

    /// How long what is replaced is kept beside what replaces it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rotation: Option<Rotation>,
}

/// How long what is replaced is kept beside what replaces it.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Copy, Debug, Default, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct Rotation {
    /// How long the operator keeps an output that is removed from `outputs`, so that programs that still read it can be changed.
    /// It begins when the credential is in all outputs that are left; `status.outputs` then has the time of the deletion. A
    /// duration such as 24h, at most 8760h. Default: 0s, which means that the output is deleted at once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 32))]
    #[x_kube(validation = Rule::new("duration(self) >= duration('0s') && duration(self) <= duration('8760h')").message("rotation.overlap is from 0s to 8760h"))]
    pub overlap: Option<Duration>,
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

/// The state of the user and of its credential, as the operator observed it.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Debug, Default, PartialEq)]
#[serde(rename_all = "camelCase", default)]
// The apiserver gives a new object this status, so that kstatus calls it InProgress before the operator has seen it.
#[schemars(extend("default" = {"observedGeneration": -1}))]
pub struct TechnicalUserStatus {
    /// The `metadata.generation` that the conditions describe. -1: the operator has not seen the resource yet.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub observed_generation: Option<i64>,

    /// Ready, UserReady, CredentialVerified, Published; ConsumersRestarted if the spec names workloads to restart; Reconciling and
    /// Stalled while they are true (kstatus).
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
}

/// The portal that a user is in.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Debug, Default, PartialEq, Eq)]
#[serde(rename_all = "camelCase", default)]
#[schemars(transform = without_defaults)]
pub struct PinnedPortal {
    /// The namespace of the Portal resource.
    #[schemars(length(max = OBJECT))]
    pub namespace: String,
    /// The name of the Portal resource.
    #[schemars(length(max = OBJECT))]
    pub name: String,
    /// The address of the portal's backend.
    #[schemars(length(max = ADDRESS))]
    pub url: String,
    /// The address of the token endpoint of the portal's identity provider.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = ADDRESS))]
    pub token_url: Option<String>,
    /// The business partner number of the company, such as BPNL00000003CRHK.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = COMPANY))]
    pub bpn: Option<String>,
    /// The hint, which distinguishes this installation from a copy of it in another cluster.
    #[schemars(length(max = WORD))]
    pub hint: String,
}

/// The user, as the operator last observed it.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Debug, Default, PartialEq, Eq)]
#[serde(rename_all = "camelCase", default)]
#[schemars(transform = without_defaults)]
pub struct RecordedUser {
    /// The id of the user in the portal (a UUID).
    #[schemars(length(max = WORD))]
    pub id: String,
    /// The number of the user among those that the operator created for this resource, from 1. Absent for an existing user.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub generation: Option<i64>,
    /// The OAuth client ID, such as sa42. Absent until the wallet service has answered.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = NAME))]
    pub client_id: Option<String>,
    /// The name of the user in the portal.
    #[schemars(length(max = NAME))]
    pub name: String,
    /// The kind of the user: Internal (central identity provider) or External (wallet service).
    #[schemars(length(max = WORD))]
    pub kind: String,
    /// The state in the portal, as last seen when it changed, such as Active or Pending. Later portals may have others.
    #[schemars(length(max = WORD))]
    pub status: String,
    /// The roles of the user in the portal.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = ROLES), inner(length(max = NAME)))]
    pub roles: Vec<String>,
    /// A keyed digest (HMAC-SHA-256, 32 hexadecimal digits) of this resource, the user's id and its generation. The operator
    /// writes it once it found that it created the user for this resource. It proves that even if the mark was removed from
    /// the user's description; without mark, proof and a name that the operator gives, the user is not published, changed or
    /// deleted. Only the operator can compute it: do not change it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = WORD))]
    pub proof: Option<String>,
}

/// The credential, as the operator published it.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Debug, Default, PartialEq, Eq)]
#[serde(rename_all = "camelCase", default)]
#[schemars(transform = without_defaults)]
pub struct RecordedCredential {
    /// The number of the credential among those that were published, from 1.
    pub generation: i64,
    /// When the operator first read this credential from the portal.
    #[schemars(length(max = WORD), extend("format" = "date-time"))]
    pub issued_at: String,
    /// When the operator first obtained a token with this credential. Later verifications do not change it. Absent for a
    /// credential that was published before the field existed.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = WORD), extend("format" = "date-time"))]
    pub first_verified_at: Option<String>,
    /// A keyed digest (HMAC-SHA-256, 32 hexadecimal digits) of client ID and client secret, by which the operator sees whether
    /// the portal shows another credential. It does not reveal them.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = WORD))]
    pub digest: Option<String>,
}

/// An output, as the operator wrote it.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Debug, Default, PartialEq)]
#[serde(rename_all = "camelCase", default)]
// What identifies an entry is always there; a status is read all the same where it is not.
#[schemars(extend("required" = ["kind", "name"]), transform = without_defaults)]
pub struct RecordedOutput {
    /// The kind of the output: Secret, MergedSecret or VaultEntry. Later releases add kinds.
    #[schemars(length(max = WORD))]
    pub kind: String,
    /// The name of the Secret; for an entry in a Vault the namespace and the name of the Vault and the path of the entry, with a
    /// / between them.
    #[schemars(length(max = OUTPUT_NAME))]
    pub name: String,
    /// The uid of the Secret. Absent for an entry in a Vault, and if the operator has not written the output yet.
    #[serde(skip_serializing_if = "String::is_empty")]
    #[schemars(length(max = WORD))]
    pub uid: String,
    /// The resourceVersion of the Secret after the operator's write, or the version of the entry.
    #[serde(skip_serializing_if = "String::is_empty")]
    #[schemars(length(max = WORD))]
    pub resource_version: String,
    /// A keyed digest (HMAC-SHA-256, 32 hexadecimal digits) of the written content. It does not reveal the content.
    #[serde(skip_serializing_if = "String::is_empty")]
    #[schemars(length(max = WORD))]
    pub digest: String,
    /// The number of the credential that the output holds, as `status.credential.generation` counts them. Absent if the operator
    /// has not written the output yet.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub credential: Option<i64>,
    /// When the operator deletes the output, because the spec no longer names it. Absent for an output that the spec names, and
    /// until the credential is in all of those. The annotation `technicaluser.dev/end-overlap` with the name of the output deletes
    /// it at once.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = WORD), extend("format" = "date-time"))]
    pub delete_after: Option<String>,
    /// Where the entry in the Vault is, as the values of the chart tractusx-connector name it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub entry: Option<RecordedEntry>,
    /// Where else the operator may have written the entry. A place is here before the first write to it, so that the entry is
    /// found and removed if the operator ends in between. Absent once the write is recorded.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = BEGUN))]
    pub begun: Vec<RecordedEntry>,
    /// Ready: whether the output holds the credential. Absent if the resource has one output, which its own condition
    /// Published describes. Removed: False, with the reason, while the deletion of the resource cannot remove the output.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schemars(extend("x-kubernetes-list-type" = "map", "x-kubernetes-list-map-keys" = ["type"]), transform = of_output_conditions)]
    pub conditions: Vec<Condition>,
}

/// The kind of an output that is an entry in a Vault, in a status.
pub const ENTRY: &str = "VaultEntry";

/// An entry in a Vault, as the operator wrote it.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Debug, Default, PartialEq, Eq)]
#[serde(rename_all = "camelCase", default)]
#[schemars(transform = without_defaults)]
pub struct RecordedEntry {
    /// The value of `vault.hashicorp.paths.secret`, such as /v1/secret.
    #[schemars(length(max = NAME))]
    pub paths_secret: String,
    /// The value of `vault.hashicorp.paths.folder`. Absent if the entry is in no folder.
    #[serde(skip_serializing_if = "String::is_empty")]
    #[schemars(length(max = NAME))]
    pub folder: String,
    /// The value of `secret_alias`.
    #[schemars(length(max = NAME))]
    pub secret_alias: String,
    /// The id of the user whose credential the entry holds.
    #[schemars(length(max = WORD))]
    pub user: String,
}

/// Requests that the operator carried out.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Debug, Default, PartialEq, Eq)]
#[serde(rename_all = "camelCase", default)]
pub struct Handled {
    /// The last value of the annotation `technicaluser.dev/rotate` that the operator carried out.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = OBJECT))]
    pub rotate: Option<String>,
}

impl Bounded for TechnicalUserStatus {
    fn bound(&mut self) {
        list(&mut self.conditions, CONDITIONS);
        self.portal.bound();
        self.user.bound();
        self.credential.bound();
        list(&mut self.outputs, OUTPUTS);
        self.restart.bound();
        self.handled.bound();
    }
}

impl Bounded for PinnedPortal {
    fn bound(&mut self) {
        text(&mut self.namespace, OBJECT);
        text(&mut self.name, OBJECT);
        text(&mut self.url, ADDRESS);
        optional(&mut self.token_url, ADDRESS);
        optional(&mut self.bpn, COMPANY);
        text(&mut self.hint, WORD);
    }
}

impl Bounded for RecordedUser {
    fn bound(&mut self) {
        for word in [&mut self.id, &mut self.kind, &mut self.status] {
            text(word, WORD);
        }
        optional(&mut self.client_id, NAME);
        text(&mut self.name, NAME);
        self.roles.truncate(ROLES);
        self.roles.iter_mut().for_each(|role| text(role, NAME));
        optional(&mut self.proof, WORD);
    }
}

impl Bounded for RecordedCredential {
    fn bound(&mut self) {
        text(&mut self.issued_at, WORD);
        optional(&mut self.first_verified_at, WORD);
        optional(&mut self.digest, WORD);
    }
}

impl RecordedOutput {
    /// The entries in a Vault that may be there: the one that was written, and those whose write is not recorded.
    pub fn entries(&self) -> impl Iterator<Item = &RecordedEntry> {
        self.entry.iter().chain(&self.begun)
    }
}

impl Bounded for RecordedOutput {
    fn bound(&mut self) {
        text(&mut self.name, OUTPUT_NAME);
        for word in [&mut self.kind, &mut self.uid, &mut self.resource_version, &mut self.digest] {
            text(word, WORD);
        }
        optional(&mut self.delete_after, WORD);
        self.entry.bound();
        list(&mut self.begun, BEGUN);
        list(&mut self.conditions, OUTPUT_CONDITIONS);
        for condition in &mut self.conditions {
            condition.message = cut(&condition.message, OUTPUT_MESSAGE);
        }
    }
}

impl Bounded for RecordedEntry {
    fn bound(&mut self) {
        for part in [&mut self.paths_secret, &mut self.folder, &mut self.secret_alias] {
            text(part, NAME);
        }
        text(&mut self.user, WORD);
    }
}

impl Bounded for Handled {
    fn bound(&mut self) {
        optional(&mut self.rotate, OBJECT);
    }
}
