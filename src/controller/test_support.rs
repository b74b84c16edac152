//! An installation and an inventory for tests of what is decided by it.

pub mod apiserver;
pub mod vault;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use async_trait::async_trait;
use parking_lot::Mutex;

use crate::controller::context::Installation;
use crate::controller::objects::Key;
use crate::controller::portal::connections::Connection;
use crate::controller::portal::inventory::{CompanyGate, Inventory, Listener};
use crate::domain::digest::DigestKey;
use crate::domain::identity::{Hint, Pin};
use crate::domain::inventory::Changes;
use crate::domain::user::{ListedUser, UserDetails, UserId};
use crate::metrics::Metrics;
use crate::portal::test_support::{Answers, CAPABILITIES, Fake, a_scan};
use crate::portal::{Login, Permissions, Portal, PortalError, Scan};

/// A portal with these users. It gives one answer for the details of each, and counts.
pub struct Users {
    list: Vec<ListedUser>,
    answer: PortalError,
    asked: Mutex<Vec<UserId>>,
}

impl Users {
    /// A portal that shows no user.
    pub fn none(answer: PortalError) -> Arc<Fake<Self>> {
        Self::listed(Vec::new(), answer)
    }

    /// A portal whose list shows these users.
    pub fn listed(list: Vec<ListedUser>, answer: PortalError) -> Arc<Fake<Self>> {
        Arc::new(Fake(Self { list, answer, asked: Mutex::default() }))
    }

    /// The users whose details were asked for.
    pub fn asked(&self) -> Vec<UserId> {
        self.asked.lock().clone()
    }
}

#[async_trait]
impl Answers for Users {
    async fn scan(&self) -> Result<Scan, PortalError> {
        tokio::time::sleep(std::time::Duration::from_millis(1)).await;
        Ok(a_scan(self.list.clone()))
    }

    async fn details(&self, id: &UserId) -> Result<UserDetails, PortalError> {
        self.asked.lock().push(id.clone());
        Err(self.answer.clone())
    }
}

/// Nobody hears of the list.
struct Nobody;

#[async_trait]
impl Listener for Nobody {
    async fn list_read(&self, _: &Inventory, _: &Changes) {}
    fn wake(&self, _: Vec<Key>) {}
    fn sweep_ended(&self) {}
}

/// An installation of the name `prod` with the hint `here`.
pub fn installation() -> Installation {
    Installation {
        instance: "prod".into(),
        hint: Hint::read("here"),
        digest_key: DigestKey::new(&[1; 32]),
        labels: BTreeMap::new(),
    }
}

/// The inventory of a portal without a listener, not read yet.
pub fn inventory_of(portal: Arc<dyn Portal>) -> Arc<Inventory> {
    Arc::new(Inventory::new(
        portal,
        CompanyGate::default(),
        Arc::new(Nobody),
        Metrics::default(),
        crate::process::Process::system(),
    ))
}

/// Where [`connection_to`] leads to, and for which company.
pub const URL: &str = "https://portal.example.org";
/// See [`URL`].
pub const BPN: &str = "BPNL1";

/// A connection to a portal, whose list was not read yet.
pub fn connection_to(portal: Arc<dyn Portal>) -> Connection {
    Connection {
        portal: Arc::clone(&portal),
        url: URL.to_owned(),
        written_url: URL.to_owned(),
        token_url: String::new(),
        company: Some(BPN.to_owned()),
        pin: Pin::new(URL, Some(BPN)),
        login: Login {
            companies: vec![BPN.to_owned()],
            client_id: None,
            delete_client_id: None,
            technical_roles: Vec::new(),
            permissions: Permissions::default(),
            deletion_trouble: None,
        },
        accepted_logins: BTreeSet::new(),
        capabilities: CAPABILITIES,
        roles: Arc::default(),
        inventory: inventory_of(portal),
    }
}

/// The inventory of a portal with these users, read once.
pub async fn inventory_with(users: Vec<ListedUser>) -> Arc<Inventory> {
    let inventory = inventory_of(Users::listed(users, PortalError::NotFound));
    inventory.sweep(std::time::Duration::from_mins(1)).await.unwrap().unwrap();
    inventory
}
