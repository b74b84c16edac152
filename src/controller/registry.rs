//! The Portals as the process knows them: one connection each, shared by all `TechnicalUser`s.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::domain::identity::Pin;
use crate::domain::roles::Blocker;
use crate::domain::user::Role;
use crate::portal::{Login, Portal, VersionRange};

use super::inventory::{CompanyGate, Inventory};

/// Names a Portal resource.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PortalKey {
    /// Its namespace.
    pub namespace: String,
    /// Its name.
    pub name: String,
}

impl fmt::Display for PortalKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.namespace, self.name)
    }
}

/// A login that works, and what it sees.
#[derive(Clone)]
pub struct Connected {
    /// The portal through this login.
    pub portal: Arc<dyn Portal>,
    /// The address of the portal's backend, as statuses pin it.
    pub url: String,
    /// URL and company.
    pub pin: Pin,
    /// Who the login is.
    pub login: Login,
    /// The portal's version.
    pub version: VersionRange,
    /// The roles on offer.
    pub roles: Arc<Vec<Role>>,
    /// The user list.
    pub inventory: Arc<Inventory>,
}

/// What is known of a Portal's connection.
#[derive(Clone)]
pub enum Link {
    /// It can be used.
    Up(Connected),
    /// It cannot be used at the moment. The last login that worked, if any, still serves for cleaning up.
    Down(Blocker, Option<Connected>),
}

/// All connections.
#[derive(Default)]
pub struct Registry {
    links: Mutex<HashMap<PortalKey, Link>>,
    gates: Mutex<HashMap<String, CompanyGate>>,
}

impl Registry {
    fn links(&self) -> MutexGuard<'_, HashMap<PortalKey, Link>> {
        self.links.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The connection of a Portal, where it was looked at.
    #[must_use]
    pub fn link(&self, key: &PortalKey) -> Option<Link> {
        self.links().get(key).cloned()
    }

    /// Sets the connection of a Portal.
    pub fn set(&self, key: &PortalKey, link: Link) {
        self.links().insert(key.clone(), link);
    }

    /// Forgets a Portal that is gone.
    pub fn forget(&self, key: &PortalKey) {
        self.links().remove(key);
    }

    /// The gate of a company's users in a portal: two Portals of one company share it.
    #[must_use]
    pub fn gate(&self, pin: &Pin) -> CompanyGate {
        let mut gates = self.gates.lock().unwrap_or_else(PoisonError::into_inner);
        gates.entry(pin.to_string()).or_default().clone()
    }

    /// The client IDs of all logins into this company's portal: none of them is ever published.
    #[must_use]
    pub fn logins(&self, pin: &Pin) -> Vec<String> {
        let connected = |link: &Link| match link {
            Link::Up(connected) | Link::Down(_, Some(connected)) => Some(connected.clone()),
            Link::Down(_, None) => None,
        };
        self.links()
            .values()
            .filter_map(connected)
            .filter(|connected| connected.pin == *pin)
            .flat_map(|connected| {
                connected.login.client_id.into_iter().chain(connected.login.delete_client_id)
            })
            .collect()
    }
}
