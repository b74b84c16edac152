//! What a status records: the user, its credential, and each output.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::api::bounds::{
    ADDRESS, BEGUN, Bounded, COMPANY, KEYS, NAME, OBJECT, OUTPUT_CONDITIONS, OUTPUT_MESSAGE, OUTPUT_NAME,
    ROLES, WORD, list, of_output_conditions, optional, text, without_defaults,
};
use crate::api::conditions::cut;

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
    /// When the operator replaces the credential. Absent without `rotation.interval`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = WORD), extend("format" = "date-time"))]
    pub rotate_at: Option<String>,
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
    /// The kind of the output: Secret, ImmutableSecret, MergedSecret, VaultEntry or MergedVaultEntry. Later releases add kinds.
    #[schemars(length(max = WORD))]
    pub kind: String,
    /// The name of the Secret, for an immutable one without its number; for an entry in a Vault the namespace and the name of the Vault and the path of the entry, with a
    /// / between them.
    #[schemars(length(max = OUTPUT_NAME))]
    pub name: String,
    /// The name of the immutable Secret that holds the credential, with its number, such as edc-wallet-3. Absent for other kinds.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = OBJECT))]
    pub secret: Option<String>,
    /// The name of the immutable Secret that the operator creates next. It is here before the operator creates it, so that the
    /// Secret is found and deleted if the operator ends in between. Absent once it is created.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = OBJECT))]
    pub begun_secret: Option<String>,
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

/// The kind of an output that adds keys to an entry of another owner in a Vault, in a status.
pub const MERGED_ENTRY: &str = "MergedVaultEntry";

/// Whether a kind of output in a status is one of those in a Vault.
#[must_use]
pub fn is_in_vault(kind: &str) -> bool {
    kind == ENTRY || kind == MERGED_ENTRY
}

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
    /// The server: the id of its cluster, as Vault shows it, and the namespace of Vault Enterprise. Absent if Vault showed none.
    #[serde(skip_serializing_if = "String::is_empty")]
    #[schemars(length(max = ADDRESS))]
    pub server: String,
    /// The id of the user whose credential the entry holds.
    #[schemars(length(max = WORD))]
    pub user: String,
    /// A keyed digest (HMAC-SHA-256, 32 hexadecimal digits) of the content that the operator is about to write, by which it finds
    /// that content again. Absent for an entry whose write is recorded.
    #[serde(skip_serializing_if = "String::is_empty")]
    #[schemars(length(max = WORD))]
    pub digest: String,
    /// The keys that the operator writes into an entry of another owner. Absent for an entry that the operator owns.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = KEYS), inner(length(max = NAME)))]
    pub keys: Vec<String>,
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
        optional(&mut self.rotate_at, WORD);
        optional(&mut self.digest, WORD);
    }
}

impl RecordedOutput {
    /// The entries in a Vault that may be there: the one that was written, and those whose write is not recorded.
    pub fn entries(&self) -> impl Iterator<Item = &RecordedEntry> {
        self.entry.iter().chain(&self.begun)
    }

    /// Whether the operator wrote the output, as far as the status says. A write that was only announced has neither uid nor
    /// digest here.
    #[must_use]
    pub const fn is_written(&self) -> bool {
        !self.uid.is_empty() || !self.digest.is_empty()
    }

    /// The entry in a Vault that the operator wrote, as far as the status says.
    #[must_use]
    pub fn written_entry(&self) -> Option<&RecordedEntry> {
        self.entry.as_ref().filter(|_| self.is_written())
    }
}

impl Bounded for RecordedOutput {
    fn bound(&mut self) {
        text(&mut self.name, OUTPUT_NAME);
        for word in [&mut self.kind, &mut self.uid, &mut self.resource_version, &mut self.digest] {
            text(word, WORD);
        }
        optional(&mut self.secret, OBJECT);
        optional(&mut self.begun_secret, OBJECT);
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
        text(&mut self.server, ADDRESS);
        text(&mut self.user, WORD);
        text(&mut self.digest, WORD);
        self.keys.truncate(KEYS);
        self.keys.iter_mut().for_each(|key| text(key, NAME));
    }
}
