//! What the operator found in a portal.
#![allow(clippy::doc_markdown, reason = "kubectl explain shows the texts as they are")]

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::api::bounds::{
    ADDRESS, COMPANY, NAME, OFFERED, RESOURCE, TEXT, WORD, of_conditions, without_defaults,
};

/// What the operator found.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Debug, Default, PartialEq)]
#[serde(rename_all = "camelCase", default)]
// The apiserver gives a new object this status, so that kstatus calls it InProgress before the operator has seen it.
#[schemars(extend("default" = {"observedGeneration": -1}))]
pub struct PortalStatus {
    /// The `metadata.generation` that the conditions describe. -1: the operator has not seen the resource yet.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub observed_generation: Option<i64>,

    /// Ready and CanDelete, and while they are true: Reconciling (the operator goes on by itself), Stalled (only a person can
    /// help), CertificatesIgnored (certificates of the CA bundle cannot be used), InsecureHttp (plain http is used).
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schemars(extend("x-kubernetes-list-type" = "map", "x-kubernetes-list-map-keys" = ["type"]), transform = of_conditions)]
    pub conditions: Vec<Condition>,

    /// The company that the login belongs to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub company: Option<Company>,

    /// The portal's version as far as its answers tell, such as "2.5 or 2.6".
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = WORD))]
    pub version: Option<String>,

    /// What the login may do.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub permissions: Option<PermissionsFound>,

    /// The roles that the portal offers to the company.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = OFFERED))]
    pub roles: Vec<OfferedRole>,

    /// The number of TechnicalUsers that use this Portal. It is counted when the user list was read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub technical_users: Option<i64>,

    /// The number of technical users of the company that the portal's user list shows, whether or not the operator created them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub users: Option<i64>,

    /// Users that the operator left in the portal, the newest last; at most 100. An entry is removed once the portal no
    /// longer knows its user. The list is for people: the operator decides by the mark in the user's description.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = RETAINED_LIMIT))]
    pub retained: Vec<RetainedUser>,

    /// The number of entries that were left out of `retained` since the list became full. Absent while the list has room.
    /// In the portal, the description of each retained user begins with "No longer managed from Kubernetes."
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retained_omitted: Option<i64>,

    /// Users of the portal that bear this installation's mark while no resource claims them; at most 100.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = UNCLAIMED_LIMIT))]
    pub unclaimed: Vec<UnclaimedUser>,

    /// The number of recorded users that are missing from the user list, where that is taken for a fault of the portal
    /// (reason UsersVanished). It is kept while the portal cannot be read, and while the Portal is deleted. Absent while
    /// no mass disappearance is suspected.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub missing_users: Option<i64>,
}

/// The most users that `status.retained` lists.
pub const RETAINED_LIMIT: usize = 100;

/// The most users that `status.unclaimed` lists.
pub const UNCLAIMED_LIMIT: usize = 100;

/// A company of the data space.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Debug, Default, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct Company {
    /// Its business partner number.
    #[schemars(length(max = COMPANY))]
    pub bpn: String,
}

/// What a login may do.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Copy, Debug, Default, PartialEq, Eq)]
#[serde(rename_all = "camelCase", default)]
#[schemars(transform = without_defaults)]
#[allow(clippy::struct_excessive_bools, reason = "four independent permissions, not a state")]
pub struct PermissionsFound {
    /// List and read technical users.
    pub view: bool,
    /// Create, update and reset technical users.
    pub create: bool,
    /// Delete technical users (with `deleteAuth` where it is given).
    pub delete: bool,
    /// List the roles on offer.
    pub roles: bool,
}

/// A role on offer.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Debug, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct OfferedRole {
    /// The exact name, as in `spec.user.create.roles`.
    #[schemars(length(max = NAME))]
    pub name: String,
    /// Internal (central identity provider, at once) or External (wallet service, takes minutes).
    #[schemars(length(max = WORD))]
    pub kind: String,
    /// Only providers may use it: asking for it yields no user.
    #[serde(default, skip_serializing_if = "is_false")]
    pub provider_only: bool,
}

/// A user that the operator left in the portal.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Debug, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct RetainedUser {
    /// The portal's id of the user.
    #[schemars(length(max = WORD))]
    pub id: String,
    /// Its OAuth client ID.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = NAME))]
    pub client_id: Option<String>,
    /// Its name in the portal.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = NAME))]
    pub name: Option<String>,
    /// The `TechnicalUser` it was made for, `<namespace>/<name>`.
    #[schemars(length(max = RESOURCE))]
    pub technical_user: String,
    /// Why it stayed.
    #[schemars(length(max = TEXT))]
    pub reason: String,
    /// Since when it is listed here.
    #[schemars(length(max = WORD), extend("format" = "date-time"))]
    pub since: String,
    /// The address of the portal that the user is in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = ADDRESS))]
    pub url: Option<String>,
    /// The business partner number of the company that the user belongs to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = COMPANY))]
    pub bpn: Option<String>,
}

/// The reason of an entry that a sweep added because of the user's mark.
pub const FOUND_BY_MARK: &str = "its description says that it is retained";

impl RetainedUser {
    /// A sweep added this entry because of the user's mark; the resource that retained the user knows the reason.
    #[must_use]
    pub fn found_by_mark(&self) -> bool {
        self.reason == FOUND_BY_MARK
    }
}

/// A user of ours that no resource claims.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Debug, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct UnclaimedUser {
    /// The portal's id of the user.
    #[schemars(length(max = WORD))]
    pub id: String,
    /// Its name in the portal.
    #[schemars(length(max = NAME))]
    pub name: String,
    /// The `TechnicalUser` its mark names, `<namespace>/<name>`.
    #[schemars(length(max = RESOURCE))]
    pub technical_user: String,
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde calls it with a reference")]
fn is_false(value: &bool) -> bool {
    !value
}
