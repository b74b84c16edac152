//! How an existing user is selected.

use std::fmt;

use super::observation::UserFacts;
use crate::domain::user::{Offer, OfferRef, UserId};

/// What the user must have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Selector {
    /// The portal's id.
    Id(UserId),
    /// The OAuth client ID.
    ClientId(String),
    /// The exact name in the portal.
    Name(String),
    /// The marketplace offer whose subscription created it.
    Offer(Box<OfferSelector>),
}

/// The users that the subscriptions of an offer created.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OfferSelector {
    /// The offer.
    pub offer: OfferRef,
    /// The portal's id of the subscription, in lower case; any if absent.
    pub subscription: Option<String>,
    /// A role that the user must have; any if absent.
    pub role: Option<String>,
}

impl Selector {
    /// Whether the user with this id and these details is selected.
    #[must_use]
    pub fn fits(&self, id: &UserId, user: &UserFacts) -> bool {
        match self {
            Self::Id(wanted) => wanted == id,
            Self::ClientId(wanted) => user.client_id.as_ref() == Some(wanted),
            Self::Name(wanted) => user.name == *wanted,
            Self::Offer(wanted) => wanted.fits(user.offer.as_deref()) && wanted.has_role(&user.roles),
        }
    }

    /// The role by which users are distinguished that the list shows as equals.
    #[must_use]
    pub fn role(&self) -> Option<&str> {
        match self {
            Self::Offer(wanted) => wanted.role.as_deref(),
            Self::Id(_) | Self::ClientId(_) | Self::Name(_) => None,
        }
    }
}

impl OfferSelector {
    /// Whether a user of this offer is selected, as far as its role does not matter.
    #[must_use]
    pub fn fits(&self, offer: Option<&Offer>) -> bool {
        offer.is_some_and(|offer| {
            offer.is(&self.offer) && (self.subscription.is_none() || offer.subscription == self.subscription)
        })
    }

    /// Whether a user with these roles is selected, as far as its offer does not matter.
    fn has_role(&self, roles: &[String]) -> bool {
        self.role.as_ref().is_none_or(|role| roles.contains(role))
    }
}

impl fmt::Display for OfferSelector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.offer {
            OfferRef::Id(id) => write!(f, "offer {id}")?,
            OfferRef::Name(name) => write!(f, "offer \"{name}\"")?,
        }
        if let Some(subscription) = &self.subscription {
            write!(f, ", subscription {subscription}")?;
        }
        if let Some(role) = &self.role {
            write!(f, " and role \"{role}\"")?;
        }
        Ok(())
    }
}

impl fmt::Display for Selector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Id(id) => write!(f, "id \"{id}\""),
            Self::ClientId(client) => write!(f, "client ID \"{client}\""),
            Self::Name(name) => write!(f, "name \"{name}\""),
            Self::Offer(offer) => offer.fmt(f),
        }
    }
}
