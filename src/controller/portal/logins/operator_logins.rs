//! The operator's own logins: which client IDs the login Secrets of the Portals name, and which of them the portal has
//! accepted.
//!
//! None of them is ever published, changed or deleted. What a Portal's Secrets name counts until they are read again, or the
//! Portal is deleted: a wrong client ID in a Secret blocks a user no longer than that. A login that the portal has accepted
//! still works there after its Secret names another one, so it is protected as long as this process uses it (for cleaning
//! up, while the new one does not work), and for an hour from then on.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use parking_lot::{Mutex, MutexGuard};
use tokio::time::Instant;

use crate::controller::objects::Key;
use crate::domain::address;
use crate::domain::ownership::Logins;

/// How long a user that is there already waits, after the start of the process, for Portals that were not tried yet.
const WAIT_FOR_PORTALS: Duration = Duration::from_mins(2);

/// How long a login that the portal has accepted is protected after a Portal has named it for the last time: the time to
/// remove it from the portal.
const PROTECTED_FOR: Duration = Duration::from_hours(1);

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

    /// Whether both lead to the same portal.
    #[must_use]
    pub fn is_same_portal(&self, other: &Self) -> bool {
        self.backend == other.backend || self.token_endpoint == other.token_endpoint
    }
}

/// What a reading of a Portal's logins has changed, so that the resources that it concerns are reconciled.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LoginChanges {
    /// Client IDs that are protected now.
    pub new: Vec<String>,
    /// Some client ID is not protected any more.
    pub fewer: bool,
}

/// All logins that this process knows.
#[derive(Debug)]
pub struct OperatorLogins {
    began: Instant,
    state: Mutex<LoginsOfPortals>,
}

#[derive(Debug, Default)]
struct LoginsOfPortals {
    portals: BTreeMap<Key, OfPortal>,
    /// The logins of the connections that are in use.
    serving: BTreeMap<Key, (LoginPlace, BTreeSet<String>)>,
    former: Vec<Former>,
    tried: BTreeSet<Key>,
}

/// The logins of one Portal.
#[derive(Debug)]
struct OfPortal {
    place: LoginPlace,
    /// What its Secrets name.
    configured: BTreeSet<String>,
    /// What the portal has accepted.
    in_use: BTreeSet<String>,
}

/// A login that the portal has accepted and that its Portal names no more.
#[derive(Debug)]
struct Former {
    place: LoginPlace,
    client_id: String,
    until: Instant,
}

impl Default for OperatorLogins {
    fn default() -> Self {
        Self { began: Instant::now(), state: Mutex::default() }
    }
}

impl OperatorLogins {
    fn state(&self) -> MutexGuard<'_, LoginsOfPortals> {
        self.state.lock()
    }

    /// The login Secrets of a Portal name these client IDs, and no others. Where not all of them could be read (`complete` is
    /// false), what they named before counts as well.
    pub fn configure(
        &self,
        key: &Key,
        place: &LoginPlace,
        client_ids: &BTreeSet<String>,
        complete: bool,
    ) -> LoginChanges {
        self.change(place, |state| {
            let of = state.of(key, place);
            if complete && of.configured != *client_ids {
                let is_named = |id: &String| client_ids.iter().any(|other| other.eq_ignore_ascii_case(id));
                let in_use = std::mem::take(&mut of.in_use).into_iter();
                let (named, former) = in_use.partition(is_named);
                (of.configured, of.in_use) = (client_ids.clone(), named);
                state.protect(place, former);
            } else {
                of.configured.extend(client_ids.iter().cloned());
            }
        })
    }

    /// The portal has accepted logins with these client IDs.
    pub fn use_now<'a>(
        &self,
        key: &Key,
        place: &LoginPlace,
        client_ids: impl IntoIterator<Item = &'a String>,
    ) -> LoginChanges {
        self.change(place, |state| state.of(key, place).in_use.extend(client_ids.into_iter().cloned()))
    }

    /// The connection of a Portal that is in use, be it for cleaning up alone, leads to this place with logins of these client
    /// IDs; `None` where there is none. Those of the connection before are former ones from now on.
    pub fn serve(&self, key: &Key, logins: Option<(LoginPlace, BTreeSet<String>)>) {
        let mut state = self.state();
        let before = state.serving.remove(key);
        if let Some((place, client_ids)) = before.filter(|before| logins.as_ref() != Some(before)) {
            state.protect(&place, client_ids);
        }
        state.serving.extend(logins.map(|logins| (key.clone(), logins)));
    }

    /// Forgets a Portal that is gone, but for the logins that the portal has accepted.
    pub fn forget(&self, key: &Key) -> LoginChanges {
        let place = self.state().portals.get(key).map(|of| of.place.clone());
        self.state().tried.remove(key);
        let Some(place) = place else { return LoginChanges::default() };
        self.change(&place, |state| {
            if let Some(of) = state.portals.remove(key) {
                state.protect(&of.place, of.in_use);
            }
        })
    }

    fn change(&self, place: &LoginPlace, change: impl FnOnce(&mut LoginsOfPortals)) -> LoginChanges {
        let mut state = self.state();
        let before = state.at(place);
        change(&mut state);
        let after = state.at(place);
        LoginChanges { new: after.beyond(&before), fewer: !before.beyond(&after).is_empty() }
    }

    /// The logins into the portal that this place is.
    #[must_use]
    pub fn at(&self, place: &LoginPlace) -> Logins {
        self.state().at(place)
    }

    /// The login Secrets of a Portal were read; whether for the first time.
    pub fn tried(&self, key: &Key) -> bool {
        self.state().tried.insert(key.clone())
    }

    /// A Portal whose login Secrets were not read yet, while the process is young.
    #[must_use]
    pub fn untried(&self, portals: impl IntoIterator<Item = Key>) -> Option<Key> {
        if self.began.elapsed() >= WAIT_FOR_PORTALS { None } else { self.never_tried(portals) }
    }

    /// A Portal whose login Secrets were not read yet.
    #[must_use]
    pub fn never_tried(&self, portals: impl IntoIterator<Item = Key>) -> Option<Key> {
        let state = self.state();
        portals.into_iter().find(|key| !state.tried.contains(key))
    }
}

impl LoginsOfPortals {
    /// The logins of a Portal; those of the place that it led to before are former ones.
    fn of(&mut self, key: &Key, place: &LoginPlace) -> &mut OfPortal {
        if self.portals.get(key).is_some_and(|of| of.place != *place)
            && let Some(moved) = self.portals.remove(key)
        {
            self.protect(&moved.place, moved.in_use);
        }
        self.portals.entry(key.clone()).or_insert_with(|| OfPortal {
            place: place.clone(),
            configured: BTreeSet::new(),
            in_use: BTreeSet::new(),
        })
    }

    fn protect(&mut self, place: &LoginPlace, client_ids: BTreeSet<String>) {
        let until = Instant::now() + PROTECTED_FOR;
        for client_id in client_ids {
            self.former.retain(|former| former.place != *place || former.client_id != client_id);
            self.former.push(Former { place: place.clone(), client_id, until });
        }
    }

    fn at(&mut self, place: &LoginPlace) -> Logins {
        let now = Instant::now();
        self.former.retain(|former| former.until > now);
        let mut all = Logins::default();
        for of in self.portals.values().filter(|of| of.place.is_same_portal(place)) {
            of.configured.iter().for_each(|client_id| all.configure(client_id));
            of.in_use.iter().for_each(|client_id| all.use_now(client_id));
        }
        for (_, client_ids) in self.serving.values().filter(|(at, _)| at.is_same_portal(place)) {
            for client_id in client_ids {
                all.use_now(client_id);
            }
        }
        for former in self.former.iter().filter(|former| former.place.is_same_portal(place)) {
            all.use_now(&former.client_id);
        }
        all
    }
}

#[cfg(test)]
mod tests;
