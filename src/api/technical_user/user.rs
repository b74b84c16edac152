//! Which user a `TechnicalUser` stands for.
#![allow(clippy::doc_markdown, reason = "kubectl explain shows the texts as they are")]

use kube::KubeSchema;
use serde::{Deserialize, Serialize};

/// The ids of the portal.
const UUID: &str = "^[0-9a-fA-F]{8}-([0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}$";

/// The user in the portal. Give exactly one of `create` and `existing`.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, Default, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
#[x_kube(
    validation = Rule::new("[has(self.create), has(self.existing)].filter(set, set).size() == 1").message("name exactly one of create and existing"),
    validation = Rule::new("has(self.create) == has(oldSelf.create)").message("a created user cannot become an existing one, nor the reverse: create a new TechnicalUser")
)]
pub struct User {
    /// The operator creates and owns the user.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub create: Option<CreateUser>,

    /// The user exists already: a person created it, or a provider after a marketplace subscription. The operator finds
    /// it and publishes its credential, and never changes or deletes it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub existing: Option<ExistingUser>,
}

/// A user that the operator creates.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, Default, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
#[x_kube(
    validation = Rule::new("has(self.adopt) == has(oldSelf.adopt) && (!has(self.adopt) || self.adopt == oldSelf.adopt)")
        .message("create.adopt cannot be added, changed or removed: create a new TechnicalUser")
)]
pub struct CreateUser {
    /// The roles, by the exact names that the portal offers (see the Portal's `status.roles`), such as
    /// "Identity Wallet Management". Internal and External roles cannot be mixed. The portal cannot change the roles of a user:
    /// if you change them here, the operator creates another user, publishes its credential, and deletes the former user, without
    /// `rotation.overlap` if it has a role that is not here any more. The condition Rotating says what that waits for.
    #[schemars(length(min = 1, max = 32), inner(length(min = 1, max = 255)))]
    #[x_kube(merge_strategy = ListMerge::Set)]
    pub roles: Vec<String>,

    /// The readable part of the user's name in the portal, after a unique part that the operator adds. Lower-case
    /// letters, digits and dashes. A user that exists keeps its name; the next one has the new name. Default: namespace and name of
    /// the resource.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 68), regex(pattern = r"^[a-z0-9]([a-z0-9-]*[a-z0-9])?$"))]
    pub name: Option<String>,

    /// A text for people who see the user in the portal. The description of the user has it after the operator's mark.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 512))]
    #[x_kube(validation = Rule::new("!self.contains('[technicaluser.dev/')").message("description must not contain the operator's mark"))]
    pub description: Option<String>,

    /// A user that is there already, which the operator takes over in place of creating one: it gets the operator's mark, keeps its
    /// name, and is rotated and deleted as each user of the operator. Its roles may differ from `roles`; they are not changed. The Portal
    /// has to grant it (`adopt` in `access`). It cannot be added or changed later.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub adopt: Option<AdoptUser>,
}

/// The user that is taken over. Give exactly one field.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, Default, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
#[x_kube(
    validation = Rule::new("has(self.id) != has(self.name)").message("name the user to adopt by exactly one of id and name")
)]
pub struct AdoptUser {
    /// The id of the user in the portal (a UUID).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 36), regex(pattern = UUID))]
    pub id: Option<String>,

    /// The exact name of the user in the portal. If two users have it, the operator takes over neither.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 255))]
    pub name: Option<String>,
}

/// A user that exists already. Give exactly one of `id`, `clientId`, `name` and `offer`.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, Default, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
#[x_kube(
    validation = Rule::new("[has(self.id), has(self.clientId), has(self.name), has(self.offer)].filter(set, set).size() == 1").message("name exactly one of id, clientId, name and offer"),
    validation = Rule::new("!has(self.role) || has(self.offer)").message("role distinguishes the users of an offer: give it with offer"),
    validation = Rule::new("self == oldSelf").message("an existing user cannot be exchanged for another: create a new TechnicalUser")
)]
pub struct ExistingUser {
    /// The id of the user in the portal (a UUID).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 36), regex(pattern = UUID))]
    pub id: Option<String>,

    /// The OAuth client ID of the user, such as sa42.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 255))]
    pub client_id: Option<String>,

    /// The exact name of the user in the portal. Names are not unique there: if two users have it, the operator
    /// publishes neither.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 255))]
    pub name: Option<String>,

    /// The marketplace offer whose subscription creates the user: the provider of the offer creates it, after this company has
    /// subscribed. The operator waits for it. If several users of the company fit, it publishes none of them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub offer: Option<OfferUser>,

    /// A role that the user must have, by the exact name that the portal shows. It distinguishes the users of one subscription.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 255))]
    pub role: Option<String>,
}

/// A marketplace offer. Give exactly one of `id` and `name`.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, Default, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
#[x_kube(
    validation = Rule::new("has(self.id) != has(self.name)").message("name the offer by exactly one of id and name")
)]
pub struct OfferUser {
    /// The id of the offer in the portal (a UUID).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 36), regex(pattern = UUID))]
    pub id: Option<String>,

    /// The exact name of the offer in the portal.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 255))]
    pub name: Option<String>,

    /// The id of the subscription in the portal (a UUID). Give it if the company has several subscriptions of the offer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 36), regex(pattern = UUID))]
    pub subscription_id: Option<String>,
}
