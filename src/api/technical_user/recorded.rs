//! What a status records of the user and of its credential.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::api::bounds::{
    ADDRESS, Bounded, COMPANY, NAME, OBJECT, ROLES, WORD, optional, text, without_defaults,
};

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
    /// The roles that the operator asked for when it created the user. If `create.roles` names others, the operator replaces the
    /// user. Absent for an existing user.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = ROLES), inner(length(max = NAME)))]
    pub requested_roles: Vec<String>,
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
        for roles in [&mut self.roles, &mut self.requested_roles] {
            roles.truncate(ROLES);
            for role in roles {
                text(role, NAME);
            }
        }
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
