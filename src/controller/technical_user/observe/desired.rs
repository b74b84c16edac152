//! From the spec to what the plan is to reach.

use crate::api::technical_user::{DeletionPolicy, ExistingUser, TechnicalUserSpec};
use crate::domain::plan::{Deletion, Desired, DesiredUser, OfferSelector, Selector};
use crate::domain::user::{OfferRef, UserId};

/// The user that the spec describes.
pub(super) fn desired(spec: &TechnicalUserSpec) -> Desired {
    if let Some(existing) = &spec.user.existing {
        return Desired::Existing { selector: selector(existing) };
    }
    let create = spec.user.create.as_ref();
    Desired::Create(DesiredUser {
        roles: create.map(|c| c.roles.clone()).unwrap_or_default(),
        name: create.and_then(|c| c.name.clone()),
        description: create.and_then(|c| c.description.clone()),
        adopt: create.and_then(|c| c.adopt.as_ref()).map(|adopt| match (&adopt.id, &adopt.name) {
            (Some(id), _) => Selector::Id(UserId::new(id)),
            (None, name) => Selector::Name(name.clone().unwrap_or_default()),
        }),
        deletion: match spec.deletion_policy {
            None | Some(DeletionPolicy::Delete) => Deletion::Delete,
            Some(DeletionPolicy::Revoke) => Deletion::Revoke,
            Some(DeletionPolicy::Retain) => Deletion::Retain,
        },
    })
}

/// The apiserver sees to it that exactly one of the four is there.
fn selector(existing: &ExistingUser) -> Selector {
    match existing {
        ExistingUser { id: Some(id), .. } => Selector::Id(UserId::new(id)),
        ExistingUser { client_id: Some(client), .. } => Selector::ClientId(client.clone()),
        ExistingUser { offer: Some(offer), role, .. } => Selector::Offer(Box::new(OfferSelector {
            offer: match &offer.id {
                Some(id) => OfferRef::Id(id.to_ascii_lowercase()),
                None => OfferRef::Name(offer.name.clone().unwrap_or_default()),
            },
            subscription: offer.subscription_id.as_ref().map(|id| id.to_ascii_lowercase()),
            role: role.clone(),
        })),
        ExistingUser { name, .. } => Selector::Name(name.clone().unwrap_or_default()),
    }
}
