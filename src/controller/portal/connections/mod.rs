//! The Portals as the process knows them: one connection each, shared by all `TechnicalUser`s.

mod client;
mod connection;

use std::collections::BTreeMap;
use std::sync::Arc;

use parking_lot::{Mutex, MutexGuard};

use super::inventory::{CompanyGate, Inventory, Listener, WeakCompanyGate};
use super::logins::operator_logins::OperatorLogins;
use crate::controller::objects::Key;
use crate::domain::identity::Pin;
use crate::metrics::Metrics;
use crate::portal::{Login, Portal};
use crate::process::Process;
use client::{Bound, Client};

pub use connection::{Connection, ConnectionState};

/// All connections.
pub struct Connections {
    /// The client IDs of the operator's own logins.
    pub logins: OperatorLogins,
    clients: Mutex<BTreeMap<Key, Client>>,
    states: Mutex<BTreeMap<Key, ConnectionState>>,
    gates: Mutex<BTreeMap<String, WeakCompanyGate>>,
    process: Process,
}

impl Connections {
    /// No Portal was checked yet.
    #[must_use]
    pub fn new(process: Process) -> Self {
        Self {
            logins: OperatorLogins::default(),
            clients: Mutex::default(),
            states: Mutex::default(),
            gates: Mutex::default(),
            process,
        }
    }

    fn clients(&self) -> MutexGuard<'_, BTreeMap<Key, Client>> {
        self.clients.lock()
    }

    fn states(&self) -> MutexGuard<'_, BTreeMap<Key, ConnectionState>> {
        self.states.lock()
    }

    /// The connection of a Portal, if the Portal was checked.
    #[must_use]
    pub fn get(&self, key: &Key) -> Option<ConnectionState> {
        self.states().get(key).cloned()
    }

    /// Sets the connection of a Portal.
    pub fn set(&self, key: &Key, state: ConnectionState) {
        let used = match &state {
            ConnectionState::Up(connection) | ConnectionState::Down(_, Some(connection)) => Some(connection),
            ConnectionState::Down(_, None) => None,
        };
        self.logins.serve(key, used.map(Connection::logins));
        self.states().insert(key.clone(), state);
    }

    /// Forgets a Portal that is gone.
    pub fn forget(&self, key: &Key) {
        self.logins.serve(key, None);
        self.states().remove(key);
        self.clients().remove(key);
    }

    /// The client of a Portal: the one that is kept, or a new one where what it is built from has changed.
    ///
    /// # Errors
    /// What `build` says.
    pub fn client<E>(
        &self,
        key: &Key,
        fingerprint: &str,
        build: impl FnOnce() -> Result<Arc<dyn Portal>, E>,
    ) -> Result<Arc<dyn Portal>, E> {
        let mut clients = self.clients();
        if let Some(kept) = clients.get(key).filter(|kept| kept.fingerprint == fingerprint) {
            return Ok(Arc::clone(&kept.portal));
        }
        let portal = build()?;
        let new = Client::new(fingerprint, &portal);
        clients.insert(key.clone(), new);
        Ok(portal)
    }

    /// A Portal's client, bound to these companies: the one that is kept where they are the same. Where they are not, what
    /// the list of the other companies proves counts no more.
    #[must_use]
    pub fn bind(&self, key: &Key, portal: &Arc<dyn Portal>, companies: &[String]) -> Arc<dyn Portal> {
        let mut clients = self.clients();
        let client = clients.get_mut(key).filter(|client| Arc::ptr_eq(&client.portal, portal));
        if let Some(kept) = client.as_ref().and_then(|client| client.bound.as_ref())
            && kept.companies == companies
        {
            return Arc::clone(&kept.portal);
        }
        let bound = Arc::clone(portal).bound_to(companies);
        if let Some(client) = client {
            client.bound = Some(Bound { companies: companies.to_owned(), portal: Arc::clone(&bound) });
            client.inventory = None;
        }
        bound
    }

    /// Whether this is the present client of a Portal, as it is bound now.
    #[must_use]
    pub fn is_client(&self, key: &Key, portal: &Arc<dyn Portal>) -> bool {
        self.clients().get(key).is_some_and(|client| client.is_bound_as(portal))
    }

    /// The companies that the token of a Portal's present client named when its login was last accepted.
    #[must_use]
    pub fn companies(&self, key: &Key) -> Vec<String> {
        self.clients().get(key).map(|client| client.companies.clone()).unwrap_or_default()
    }

    /// Whether the portal was seen to accept a token of a Portal's present client that said the same of the login.
    #[must_use]
    pub fn is_confirmed(&self, key: &Key, login: &Login) -> bool {
        self.clients().get(key).and_then(|client| client.confirmed.as_ref()).is_some_and(
            |(companies, client_id)| *companies == login.companies && *client_id == login.client_id,
        )
    }

    /// The portal was seen to accept a token that says this of the login.
    pub fn confirm(&self, key: &Key, login: &Login) {
        if let Some(client) = self.clients().get_mut(key) {
            client.confirmed = Some((login.companies.clone(), login.client_id.clone()));
        }
    }

    /// Whether the portal was seen to accept the deletion login of a Portal's present client, with this client ID.
    #[must_use]
    pub fn is_deletion_login_confirmed(&self, key: &Key, client_id: &str) -> bool {
        let confirmed = |client: &Client| client.confirmed_deletion_login.as_deref() == Some(client_id);
        self.clients().get(key).is_some_and(confirmed)
    }

    /// The portal was seen to accept the deletion login with this client ID.
    pub fn confirm_deletion_login(&self, key: &Key, client_id: &str) {
        if let Some(client) = self.clients().get_mut(key) {
            client.confirmed_deletion_login = Some(client_id.to_owned());
        }
    }

    /// It is in doubt whose users a Portal's present client is shown: what its list proves counts no more.
    pub fn forget_inventory(&self, key: &Key) {
        if let Some(client) = self.clients().get_mut(key) {
            client.inventory = None;
        }
    }

    /// The login of a Portal's present client was accepted with these companies.
    pub fn accept(&self, key: &Key, companies: &[String]) {
        if let Some(client) = self.clients().get_mut(key) {
            companies.clone_into(&mut client.companies);
        }
    }

    /// The user list that a Portal's client reads: the one that is kept, or a new one where the client is new or leads to
    /// another portal or company.
    #[must_use]
    pub fn inventory(
        &self,
        key: &Key,
        pin: &Pin,
        portal: &Arc<dyn Portal>,
        listener: Arc<dyn Listener>,
        metrics: &Metrics,
    ) -> Arc<Inventory> {
        let gate = self.gate(pin);
        let mut clients = self.clients();
        let client = clients.get_mut(key).filter(|client| client.is_bound_as(portal));
        if let Some((of, inventory)) = client.as_ref().and_then(|client| client.inventory.as_ref())
            && of == pin
        {
            return Arc::clone(inventory);
        }
        let new = Arc::new(Inventory::new(
            Arc::clone(portal),
            gate,
            listener,
            metrics.clone(),
            self.process.clone(),
        ));
        if let Some(client) = client {
            client.inventory = Some((pin.clone(), Arc::clone(&new)));
        }
        new
    }

    /// The gate of a company's users in a portal: two Portals of one company share it. It lasts as long as an inventory, a
    /// change or a proof of that company.
    #[must_use]
    pub fn gate(&self, pin: &Pin) -> CompanyGate {
        let mut gates = self.gates.lock();
        gates.retain(|_, gate| gate.upgrade().is_some());
        if let Some(gate) = gates.get(&pin.to_string()).and_then(WeakCompanyGate::upgrade) {
            return gate;
        }
        let gate = CompanyGate::default();
        gates.insert(pin.to_string(), gate.downgrade());
        gate
    }
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use super::*;
    use crate::portal::Permissions;
    use crate::portal::test_support::{Answers, Fake};

    struct Nothing;

    impl Answers for Nothing {}

    /// A token that says something else of the login needs an answer of the portal.
    #[test]
    fn what_the_portal_has_accepted_holds_for_the_same_login_of_the_same_client() {
        let connections = Connections::new(Process::system());
        let key = Key { namespace: "n".into(), name: "portal".into() };
        let client = |fingerprint: &str| {
            let portal: Arc<dyn Portal> = Arc::new(Fake(Nothing));
            connections.client(&key, fingerprint, || Ok::<_, Infallible>(portal)).unwrap()
        };
        let login = Login {
            companies: vec!["ONE".into()],
            client_id: Some("sa1".into()),
            delete_client_id: None,
            technical_roles: Vec::new(),
            permissions: Permissions::default(),
            deletion_trouble: None,
        };
        let first = client("first");
        assert!(!connections.is_confirmed(&key, &login));
        connections.confirm(&key, &login);
        assert!(connections.is_confirmed(&key, &login));
        assert!(!connections.is_confirmed(&key, &Login { companies: vec!["TWO".into()], ..login.clone() }));
        assert!(!connections.is_confirmed(&key, &Login { client_id: Some("sa2".into()), ..login.clone() }));
        assert!(Arc::ptr_eq(&first, &client("first")));
        assert!(!Arc::ptr_eq(&first, &client("second")));
        assert!(!connections.is_confirmed(&key, &login), "the portal has not seen this client");
    }

    #[test]
    fn a_gate_is_kept_as_long_as_it_is_used() {
        let connections = Connections::new(Process::system());
        let count = || connections.gates.lock().len();
        let pin = |company: &str| Pin::new("https://portal.example.org", Some(company));
        let gate = connections.gate(&pin("ONE"));
        let change = gate.quiet_since();
        gate.block(&Key { namespace: "n".into(), name: "a".into() });
        assert_eq!(connections.gate(&pin("ONE")).unblock().len(), 1, "the same gate");
        assert!(change.is_some());
        for company in 0..100 {
            drop(connections.gate(&pin(&company.to_string())));
        }
        assert_eq!(count(), 2, "that in use, and the last one");
        drop(gate);
        drop(connections.gate(&pin("TWO")));
        assert_eq!(count(), 1);
    }
}
