//! What this process remembers of each Vault between reconciles.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use tokio::time::Instant;

use super::claims::Claims;
use crate::controller::checked::refused_logins::RefusedLogins;
use crate::controller::objects::Key;
use crate::controller::queue::backoff::Backoffs;
use crate::controller::status::since::SinceOf;
use crate::domain::blocker::Blocker;
use crate::domain::vault::place::Server;
use crate::process::Random;
use crate::vault::VaultClient;

/// All Vaults.
pub struct VaultMemory {
    /// Since when a Vault waits for something that may still appear, by the reason of its condition.
    pub waiting: SinceOf<Key>,
    /// Logins that Vault refused.
    pub refused_logins: RefusedLogins,
    /// How often in a row all resources were read for a Vault under deletion that was kept.
    pub lists: Backoffs<Key>,
    /// Which resources are about to write where.
    pub claims: Claims,
    /// The logins of which it was seen that Vault accepts no token for another audience, and when.
    audience_checked: Mutex<BTreeMap<Key, (String, Instant)>>,
    /// What the last check found.
    checked: Mutex<BTreeMap<Key, Found>>,
    /// The server that answered the last check, and the state of the resource that was checked.
    servers: Mutex<BTreeMap<Key, (String, Server)>>,
    clients: Mutex<BTreeMap<Key, Held>>,
}

/// A client, and what it is built from.
struct Held {
    client: Arc<VaultClient>,
    /// The part of the spec.
    spec: String,
    /// A digest of that and of what the spec refers to.
    fingerprint: String,
}

/// What a check found of a resource in this state: uid and generation.
struct Found {
    state: String,
    result: Result<(), Blocker>,
}

impl VaultMemory {
    /// Nothing is remembered.
    #[must_use]
    pub fn new(random: Random) -> Self {
        Self {
            waiting: SinceOf::default(),
            refused_logins: RefusedLogins::new(random.clone()),
            lists: Backoffs::new(random),
            claims: Claims::default(),
            audience_checked: Mutex::default(),
            checked: Mutex::default(),
            servers: Mutex::default(),
            clients: Mutex::default(),
        }
    }

    /// The client of a Vault, with the token that it has; a new one where anything that it is built from has changed.
    pub fn client<E>(
        &self,
        key: &Key,
        (spec, fingerprint): (String, &str),
        build: impl FnOnce() -> Result<VaultClient, E>,
    ) -> Result<Arc<VaultClient>, E> {
        let mut clients = self.clients.lock();
        if let Some(known) = clients.get(key).filter(|known| known.fingerprint == fingerprint) {
            return Ok(Arc::clone(&known.client));
        }
        let client = Arc::new(build()?);
        let fingerprint = fingerprint.to_owned();
        clients.insert(key.clone(), Held { client: Arc::clone(&client), spec, fingerprint });
        Ok(client)
    }

    /// The client of a Vault that was built for this spec.
    #[must_use]
    pub fn client_for(&self, key: &Key, spec: &str) -> Option<Arc<VaultClient>> {
        let clients = self.clients.lock();
        clients.get(key).filter(|known| known.spec == spec).map(|known| Arc::clone(&known.client))
    }

    /// The client of a Vault as it was last built.
    #[must_use]
    pub fn last_client(&self, key: &Key) -> Option<Arc<VaultClient>> {
        self.clients.lock().get(key).map(|known| Arc::clone(&known.client))
    }

    /// What the last check of this process found of the resource in this state: whether the Vault can be used. `None` if it was
    /// not checked yet.
    #[must_use]
    pub fn checked(&self, key: &Key, state: &str) -> Option<Result<(), Blocker>> {
        let checked = self.checked.lock();
        checked.get(key).filter(|found| found.state == state).map(|found| found.result.clone())
    }

    /// A check has found this of the resource in this state; whether it is another state or reason than before.
    pub fn found(&self, key: &Key, state: &str, result: Result<(), Blocker>) -> bool {
        let reason = |result: &Result<(), Blocker>| result.as_ref().err().map(|blocker| blocker.reason);
        let now = reason(&result);
        let found = Found { state: state.to_owned(), result };
        let before = self.checked.lock().insert(key.clone(), found);
        before.is_none_or(|before| before.state != state || reason(&before.result) != now)
    }

    /// The server that answered a check of the resource in this state.
    #[must_use]
    pub fn server(&self, key: &Key, state: &str) -> Option<Server> {
        self.servers.lock().get(key).filter(|(checked, _)| checked == state).map(|(_, server)| server.clone())
    }

    /// This server has answered; whether it is another one than before.
    pub fn answered(&self, key: &Key, state: &str, server: &Server) -> bool {
        let before = self.servers.lock().insert(key.clone(), (state.to_owned(), server.clone()));
        before.is_some_and(|(_, before)| before != *server)
    }

    /// How long ago it was seen of this login that Vault accepts no token for another audience; `None` if it was not.
    #[must_use]
    pub fn audience_checked_before(&self, key: &Key, fingerprint: &str) -> Option<Duration> {
        let known = self.audience_checked.lock();
        let (_, at) = known.get(key).filter(|(known, _)| known == fingerprint)?;
        Some(at.elapsed())
    }

    /// It was seen of this login.
    pub fn audience_checked(&self, key: &Key, fingerprint: &str) {
        self.audience_checked.lock().insert(key.clone(), (fingerprint.to_owned(), Instant::now()));
    }

    /// Vault accepts a token for another audience.
    pub fn audience_not_checked(&self, key: &Key) {
        self.audience_checked.lock().remove(key);
    }

    /// Forgets a Vault that is deleted.
    pub fn forget(&self, key: &Key) {
        self.waiting.forget(key);
        self.refused_logins.accepted(key);
        self.lists.forget(key);
        self.audience_not_checked(key);
        self.checked.lock().remove(key);
        self.servers.lock().remove(key);
        self.clients.lock().remove(key);
    }
}
