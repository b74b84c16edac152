//! A login that works, and what it sees.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::controller::portal::inventory::Inventory;
use crate::controller::portal::logins::operator_logins::LoginPlace;
use crate::domain::blocker::Blocker;
use crate::domain::identity::Pin;
use crate::domain::user::Role;
use crate::portal::{Capabilities, Login, Portal};

/// A login that works, and what it sees.
#[derive(Clone)]
pub struct Connection {
    /// The portal through this login.
    pub portal: Arc<dyn Portal>,
    /// The address of the portal's backend, in one spelling.
    pub url: String,
    /// The address as the spec spells it.
    pub written_url: String,
    /// The token endpoint, in one spelling.
    pub token_url: String,
    /// URL and company. Where the token names several companies, and the Portal chooses none, one of them.
    pub pin: Pin,
    /// The company of new users; absent where the token names none or several.
    pub company: Option<String>,
    /// Who the login is.
    pub login: Login,
    /// The client IDs of its logins that the portal has accepted.
    pub accepted_logins: BTreeSet<String>,
    /// What the portal can do.
    pub capabilities: Capabilities,
    /// The roles on offer.
    pub roles: Arc<Vec<Role>>,
    /// The user list.
    pub inventory: Arc<Inventory>,
}

impl Connection {
    /// Where its logins lead to, and their client IDs.
    #[must_use]
    pub fn logins(&self) -> (LoginPlace, BTreeSet<String>) {
        (LoginPlace::new(&self.url, &self.token_url), self.accepted_logins.clone())
    }
}

/// Whether a Portal's connection can be used.
#[derive(Clone)]
pub enum ConnectionState {
    /// It can be used.
    Up(Connection),
    /// It cannot be used at the moment. The last login that worked, if any, still serves for cleaning up.
    Down(Blocker, Option<Connection>),
}
