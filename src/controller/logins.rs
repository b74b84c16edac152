//! The operator's own logins: which client IDs the login Secrets of all Portals name, and which of them were seen to work.
//!
//! None of them is ever published, changed or deleted. A login is remembered until the process ends, also where the Portal
//! has another one by now.

use std::collections::{HashMap, HashSet};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use crate::controller::registry::PortalKey;
use crate::domain::address;
use crate::domain::ownership::Logins;

/// How long a user that is there already waits, after the start of the process, for Portals that were not tried yet.
const WAIT_FOR_PORTALS: Duration = Duration::from_mins(2);

/// Where a login leads to: the same portal, by its backend's address or by its token endpoint.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct LoginPlace {
    backend: String,
    token_endpoint: String,
}

impl LoginPlace {
    /// The place that these addresses name, however they are spelled.
    #[must_use]
    pub fn new(url: &str, token_url: &str) -> Self {
        Self { backend: address::portal(url), token_endpoint: address::token_endpoint(token_url) }
    }

    fn is_same_portal(&self, other: &Self) -> bool {
        self.backend == other.backend || self.token_endpoint == other.token_endpoint
    }
}

/// All logins that this process has seen.
#[derive(Debug)]
pub struct OperatorLogins {
    began: Instant,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    logins: HashMap<LoginPlace, Logins>,
    tried: HashSet<PortalKey>,
}

impl Default for OperatorLogins {
    fn default() -> Self {
        Self { began: Instant::now(), state: Mutex::default() }
    }
}

impl OperatorLogins {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A login Secret names this client ID; whether that is new.
    pub fn configure(&self, place: &LoginPlace, client_id: &str) -> bool {
        self.add(place, |logins| logins.configure(client_id))
    }

    /// A token was obtained with this client ID, or names it; whether that is new.
    pub fn use_now(&self, place: &LoginPlace, client_id: &str) -> bool {
        self.add(place, |logins| logins.use_now(client_id))
    }

    fn add(&self, place: &LoginPlace, add: impl FnOnce(&mut Logins)) -> bool {
        let mut state = self.state();
        let logins = state.logins.entry(place.clone()).or_default();
        let before = logins.clone();
        add(logins);
        *logins != before
    }

    /// The logins into the portal that this place is.
    #[must_use]
    pub fn at(&self, place: &LoginPlace) -> Logins {
        let mut all = Logins::default();
        for (_, logins) in self.state().logins.iter().filter(|(other, _)| other.is_same_portal(place)) {
            all.extend(logins);
        }
        all
    }

    /// The login Secrets of a Portal were read; whether for the first time.
    pub fn tried(&self, key: &PortalKey) -> bool {
        self.state().tried.insert(key.clone())
    }

    /// A Portal whose login Secrets were not read yet, while the process is young.
    #[must_use]
    pub fn untried(&self, portals: impl IntoIterator<Item = PortalKey>) -> Option<PortalKey> {
        if self.began.elapsed() >= WAIT_FOR_PORTALS {
            return None;
        }
        let state = self.state();
        portals.into_iter().find(|key| !state.tried.contains(key))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(name: &str) -> PortalKey {
        PortalKey { namespace: "n".into(), name: name.into() }
    }

    #[test]
    fn a_login_is_one_of_every_portal_at_the_same_place() {
        let logins = OperatorLogins::default();
        let place = |url: &str, token: &str| LoginPlace::new(url, token);
        assert!(logins.configure(&place("https://P:443/api/administration", "https://idp/a/token"), "sa1"));
        assert!(!logins.configure(&place("https://p/", "https://idp/a/token"), "SA1"), "known already");
        assert!(logins.use_now(&place("https://other", "https://IDP/a/token"), "sa2"));
        let here = logins.at(&place("https://p", "https://idp/a/token"));
        assert!(here.is_known("sa1") && !here.is_in_use("sa1"));
        assert!(here.is_in_use("sa2"), "the same token endpoint");
        let elsewhere = logins.at(&place("https://q", "https://idp/b/token"));
        assert!(!elsewhere.is_known("sa1") && !elsewhere.is_known("sa2"));
    }

    #[test]
    fn a_former_login_is_remembered() {
        let logins = OperatorLogins::default();
        let place = LoginPlace::new("https://p", "https://idp/token");
        logins.use_now(&place, "former");
        logins.use_now(&place, "present");
        assert!(logins.at(&place).is_in_use("former"));
    }

    #[tokio::test(start_paused = true)]
    async fn portals_that_were_not_tried_are_waited_for_but_not_for_ever() {
        let logins = OperatorLogins::default();
        let both = || [key("a"), key("b")];
        assert!(logins.tried(&key("a")) && !logins.tried(&key("a")));
        assert_eq!(logins.untried(both()), Some(key("b")));
        tokio::time::advance(WAIT_FOR_PORTALS.saturating_sub(Duration::from_secs(1))).await;
        assert_eq!(logins.untried(both()), Some(key("b")));
        tokio::time::advance(Duration::from_secs(1)).await;
        assert_eq!(logins.untried(both()), None);
        assert_eq!(logins.untried([key("a")]), None);
    }
}
