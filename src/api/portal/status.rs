//! What the operator found in a portal.
#![allow(clippy::doc_markdown, reason = "kubectl explain shows the texts as they are")]

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Dataspace;
use crate::api::bounds::{
    ADDRESS, Bounded, COMPANY, CONDITIONS, ISSUERS, NAME, OFFERED, RESOURCE, TEXT, WORD, list, of_conditions,
    optional, text, without_defaults,
};

/// The state of the portal and of the login, as the operator observed it.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Debug, Default, PartialEq)]
#[serde(rename_all = "camelCase", default)]
// The apiserver gives a new object this status, so that kstatus calls it InProgress before the operator has seen it.
#[schemars(extend("default" = {"observedGeneration": -1}))]
pub struct PortalStatus {
    /// The `metadata.generation` that the conditions describe. -1: the operator has not seen the resource yet.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub observed_generation: Option<i64>,

    /// Ready and CanDelete, and while they are true: Reconciling (the operator continues automatically), Stalled (a person
    /// has to act), CertificatesIgnored (certificates of the CA bundle cannot be used), InsecureHttp (plain http is used),
    /// TokenUrlDiffers and DataspaceDiffers (the portal says something else than the spec).
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schemars(extend("x-kubernetes-list-type" = "map", "x-kubernetes-list-map-keys" = ["type"]), transform = of_conditions)]
    pub conditions: Vec<Condition>,

    /// The company that the login belongs to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub company: Option<Company>,

    /// The login Secret that `auth` names, as the operator last read it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub login: Option<LoginFound>,

    /// The login Secret that `deleteAuth` names, as the operator last read it. Absent without `deleteAuth`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub deletion_login: Option<LoginFound>,

    /// The version of the portal, as far as its answers show it, such as "2.5 or 2.6".
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = WORD))]
    pub version: Option<String>,

    /// The permissions of the login.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub permissions: Option<PermissionsFound>,

    /// The roles that the portal offers to the company.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = OFFERED))]
    pub roles: Vec<OfferedRole>,

    /// The values of the data space that the portal shows to the login. Outputs use them, and `spec.dataspace` for what is not
    /// among them. Absent for a login without the permission view_company_data, which no technical user has by its roles.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dataspace: Option<Dataspace>,

    /// The number of TechnicalUsers that use this Portal. It is counted when the user list was read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub technical_users: Option<i64>,

    /// The number of technical users of the company that the portal's user list shows, whether or not the operator created them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub users: Option<i64>,

    /// Users that the operator kept in the portal, the newest last; at most 100. An entry is removed once the portal no
    /// longer knows its user. The list is for people: the operator decides by the mark in the user's description.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = RETAINED_LIMIT))]
    pub retained: Vec<RetainedUser>,

    /// The number of entries that were left out of `retained` since the list became full. Absent while the list has room.
    /// In the portal, the description of each retained user begins with "No longer managed from Kubernetes."
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retained_omitted: Option<i64>,

    /// Users of the portal with the mark of this installation for which no TechnicalUser exists; at most 100.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = UNCLAIMED_LIMIT))]
    pub unclaimed: Vec<UnclaimedUser>,

    /// The number of recorded users that are missing from the user list, while that is treated as a fault of the portal
    /// (reason UsersVanished). It is kept while the portal cannot be read, and while the Portal is deleted. Absent while
    /// no mass disappearance is suspected.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub missing_users: Option<i64>,
}

/// The most users that `status.retained` lists.
pub const RETAINED_LIMIT: usize = 100;

/// The most users that `status.unclaimed` lists.
pub const UNCLAIMED_LIMIT: usize = 100;

/// The company that the login belongs to.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Debug, Default, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct Company {
    /// The business partner number of the company.
    #[schemars(length(max = COMPANY))]
    pub bpn: String,
}

/// A login Secret.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Debug, Default, PartialEq, Eq)]
#[serde(rename_all = "camelCase", default)]
#[schemars(transform = without_defaults)]
pub struct LoginFound {
    /// The time since when the Secret has its present content, as its managed fields say it; if they do not, the time when the
    /// operator first read this content.
    #[schemars(length(max = WORD), extend("format" = "date-time"))]
    pub since: String,
    /// A keyed digest (HMAC-SHA-256, 32 hexadecimal digits) of the content, by which the operator sees that it changed. It does
    /// not reveal the content.
    #[schemars(length(max = WORD))]
    pub digest: String,
}

/// The permissions of a login.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Copy, Debug, Default, PartialEq, Eq)]
#[serde(rename_all = "camelCase", default)]
#[schemars(transform = without_defaults)]
#[allow(clippy::struct_excessive_bools, reason = "four independent permissions, not a state")]
pub struct PermissionsFound {
    /// The login may list and read technical users.
    pub view: bool,
    /// The login may create, update and reset technical users.
    pub create: bool,
    /// The login, or `deleteAuth` if it is given, may delete technical users.
    pub delete: bool,
    /// The login may list the roles that the portal offers.
    pub roles: bool,
}

/// A role that the portal offers to the company.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Debug, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct OfferedRole {
    /// The exact name of the role, as in `spec.user.create.roles` of a TechnicalUser.
    #[schemars(length(max = NAME))]
    pub name: String,
    /// The kind of user with this role: Internal (central identity provider, created at once) or External (wallet service,
    /// created within minutes).
    #[schemars(length(max = WORD))]
    pub kind: String,
    /// Whether only providers may use the role: a request with it creates no user.
    #[serde(default, skip_serializing_if = "is_false")]
    pub provider_only: bool,
}

/// A user that the operator kept in the portal.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Debug, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct RetainedUser {
    /// The portal's id of the user.
    #[schemars(length(max = WORD))]
    pub id: String,
    /// The OAuth client ID of the user.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = NAME))]
    pub client_id: Option<String>,
    /// Its name in the portal.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = NAME))]
    pub name: Option<String>,
    /// The TechnicalUser that it was created for, as `<namespace>/<name>`.
    #[schemars(length(max = RESOURCE))]
    pub technical_user: String,
    /// Why the operator kept the user.
    #[schemars(length(max = TEXT))]
    pub reason: String,
    /// The time since when it is listed here.
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

/// A user with the mark of this installation for which no TechnicalUser exists.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Debug, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct UnclaimedUser {
    /// The portal's id of the user.
    #[schemars(length(max = WORD))]
    pub id: String,
    /// Its name in the portal.
    #[schemars(length(max = NAME))]
    pub name: String,
    /// The TechnicalUser that its mark names, as `<namespace>/<name>`.
    #[schemars(length(max = RESOURCE))]
    pub technical_user: String,
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde calls it with a reference")]
fn is_false(value: &bool) -> bool {
    !value
}

impl Bounded for PortalStatus {
    fn bound(&mut self) {
        list(&mut self.conditions, CONDITIONS);
        self.company.bound();
        self.login.bound();
        self.deletion_login.bound();
        optional(&mut self.version, WORD);
        self.dataspace.bound();
        list(&mut self.roles, OFFERED);
        list(&mut self.retained, RETAINED_LIMIT);
        list(&mut self.unclaimed, UNCLAIMED_LIMIT);
    }
}

impl Bounded for Dataspace {
    fn bound(&mut self) {
        for value in [&mut self.did, &mut self.wallet_url, &mut self.bdrs_url] {
            optional(value, ADDRESS);
        }
        if let Some(issuers) = &mut self.trusted_issuers {
            issuers.truncate(ISSUERS);
            for issuer in issuers {
                text(issuer, ADDRESS);
            }
        }
    }
}

impl Bounded for Company {
    fn bound(&mut self) {
        text(&mut self.bpn, COMPANY);
    }
}

impl Bounded for LoginFound {
    fn bound(&mut self) {
        text(&mut self.since, WORD);
        text(&mut self.digest, WORD);
    }
}

impl Bounded for OfferedRole {
    fn bound(&mut self) {
        text(&mut self.name, NAME);
        text(&mut self.kind, WORD);
    }
}

impl Bounded for RetainedUser {
    fn bound(&mut self) {
        text(&mut self.id, WORD);
        optional(&mut self.client_id, NAME);
        optional(&mut self.name, NAME);
        text(&mut self.technical_user, RESOURCE);
        text(&mut self.reason, TEXT);
        text(&mut self.since, WORD);
        optional(&mut self.url, ADDRESS);
        optional(&mut self.bpn, COMPANY);
    }
}

impl Bounded for UnclaimedUser {
    fn bound(&mut self) {
        text(&mut self.id, WORD);
        text(&mut self.name, NAME);
        text(&mut self.technical_user, RESOURCE);
    }
}
