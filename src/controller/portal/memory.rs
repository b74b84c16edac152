//! What this process remembers of each Portal between passes.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use kube::api::DynamicObject;
use parking_lot::{Mutex, MutexGuard};
use tokio::time::Instant;

use super::notices::Bundles;
use crate::api::portal::{PortalSpec, PortalStatus};
use crate::controller::objects::{Key, lenient, part};
use crate::controller::status::since::Since;
use crate::domain::roles::Blocker;
use crate::process::Random;

/// What was looked at last, and when the next look is due.
#[derive(Debug, Clone, Default)]
struct Looked {
    /// What the look depended on.
    circumstances: String,
    due: Option<Instant>,
    /// When the user list is to be read again; at once where that is not known.
    sweep_due: Option<Instant>,
    /// When the next look is due that somebody asked for since the last one began.
    hurried: Option<Instant>,
}

/// What a Portal's object says, parsed once for all resources that use it.
#[derive(Debug)]
pub struct Parsed {
    resource_version: Option<String>,
    uid: Option<String>,
    /// The spec; absent where it does not parse.
    pub spec: Option<PortalSpec>,
    /// The status, with what does not parse left out.
    pub status: PortalStatus,
}

/// A login that the identity provider refused.
#[derive(Debug)]
struct RefusedLogin {
    fingerprint: String,
    blocker: Blocker,
    ask_again: Instant,
    /// How many times in a row.
    count: u32,
}

/// A look that somebody asks for begins after this time.
const HURRY: Duration = Duration::from_secs(5);

/// The identity provider is asked again about the same login after this time, doubling: some lock an account that is
/// refused too often.
const FIRST_RETRY: Duration = Duration::from_secs(10);
const LONGEST_RETRY: Duration = Duration::from_mins(5);

/// All Portals.
#[derive(Debug)]
pub struct PortalMemory {
    parsed: Mutex<BTreeMap<Key, Arc<Parsed>>>,
    looked: Mutex<BTreeMap<Key, Looked>>,
    /// Since when a Portal waits for something that may still arrive, by the reason of its condition.
    pub waiting: Since<Key>,
    /// What was found in the CA bundles.
    pub bundles: Bundles,
    /// Since when reconciles of a Portal fail in the same way.
    pub failing: Since<Key>,
    /// Logins that the identity provider refused.
    refused: Mutex<BTreeMap<Key, RefusedLogin>>,
    /// Since when a Portal is known to be under deletion, with its uid.
    deleting: Mutex<BTreeMap<Key, (Option<String>, Instant)>>,
    random: Random,
}

impl PortalMemory {
    /// Nothing is remembered.
    #[must_use]
    pub fn new(random: Random) -> Self {
        Self {
            parsed: Mutex::default(),
            looked: Mutex::default(),
            waiting: Since::default(),
            bundles: Bundles::default(),
            failing: Since::default(),
            refused: Mutex::default(),
            deleting: Mutex::default(),
            random,
        }
    }

    fn portals(&self) -> MutexGuard<'_, BTreeMap<Key, Looked>> {
        self.looked.lock()
    }

    /// What a Portal's object says.
    #[must_use]
    pub fn parsed(&self, key: &Key, object: &DynamicObject) -> Arc<Parsed> {
        let metadata = &object.metadata;
        let is_this = |parsed: &&Arc<Parsed>| {
            parsed.resource_version.is_some()
                && (&parsed.resource_version, &parsed.uid) == (&metadata.resource_version, &metadata.uid)
        };
        let mut all = self.parsed.lock();
        if let Some(parsed) = all.get(key).filter(is_this) {
            return Arc::clone(parsed);
        }
        let parsed = Arc::new(Parsed {
            resource_version: metadata.resource_version.clone(),
            uid: metadata.uid.clone(),
            spec: part(object, "spec").ok(),
            status: lenient(object, "status"),
        });
        all.insert(key.clone(), Arc::clone(&parsed));
        parsed
    }

    /// How long the next look at the portal has time; none where something that it depends on changed.
    #[must_use]
    pub fn due_in(&self, key: &Key, circumstances: &str) -> Duration {
        match self.portals().get(key) {
            Some(Looked { circumstances: then, due: Some(due), .. }) if then == circumstances => {
                due.saturating_duration_since(Instant::now())
            }
            _ => Duration::ZERO,
        }
    }

    /// How long the next reading of the user list has time; none where something that it depends on changed.
    #[must_use]
    pub fn sweep_due_in(&self, key: &Key, circumstances: &str) -> Duration {
        match self.portals().get(key) {
            Some(Looked { circumstances: then, sweep_due: Some(due), .. }) if then == circumstances => {
                due.saturating_duration_since(Instant::now())
            }
            _ => Duration::ZERO,
        }
    }

    /// A look begins: it answers all that asked for one before.
    pub fn begin(&self, key: &Key) {
        self.portals().entry(key.clone()).or_default().hurried = None;
    }

    /// A look has ended; the next one is due after this time. `swept`: and the user list need not be read before.
    pub fn looked(&self, key: &Key, circumstances: &str, next: Duration, swept: bool) {
        let due = Instant::now() + next;
        let mut portals = self.portals();
        let looked = portals.entry(key.clone()).or_default();
        if swept {
            looked.sweep_due = Some(due);
        } else if looked.circumstances != circumstances {
            looked.sweep_due = None;
        }
        circumstances.clone_into(&mut looked.circumstances);
        // A caller that asked during the reconcile may know what it did not find.
        looked.due = Some(looked.hurried.map_or(due, |hurried| hurried.min(due)));
    }

    /// Somebody was refused by the portal: the login is read again soon, not at once for each who asks. The user list is
    /// not read for it.
    pub fn hurry(&self, key: &Key) {
        if let Some(looked) = self.portals().get_mut(key) {
            let soon = Instant::now() + HURRY;
            looked.due = Some(looked.due.map_or(soon, |due| due.min(soon)));
            looked.hurried = Some(looked.hurried.map_or(soon, |hurried| hurried.min(soon)));
        }
    }

    /// What a look found could not be written: all of it is found again soon.
    pub fn repeat(&self, key: &Key) {
        self.hurry(key);
        if let Some(looked) = self.portals().get_mut(key) {
            looked.sweep_due = None;
        }
    }

    /// The identity provider refused this login: it is asked again when the login changes, or after a time that grows.
    pub fn login_refused(&self, key: &Key, fingerprint: &str, blocker: &Blocker) {
        let mut refused = self.refused.lock();
        let same = refused.get(key).filter(|before| before.fingerprint == fingerprint);
        let count = same.map_or(0, |before| before.count);
        let wait = FIRST_RETRY.saturating_mul(1 << count.min(16)).min(LONGEST_RETRY);
        refused.insert(
            key.clone(),
            RefusedLogin {
                fingerprint: fingerprint.to_owned(),
                blocker: blocker.clone(),
                ask_again: Instant::now() + self.random.spread(wait),
                count: count.saturating_add(1),
            },
        );
    }

    /// What the identity provider said of this very login, while it is too early to ask it again.
    #[must_use]
    pub fn refusal_of(&self, key: &Key, fingerprint: &str) -> Option<Blocker> {
        let refused = self.refused.lock();
        let known = refused.get(key).filter(|refused| refused.fingerprint == fingerprint)?;
        (Instant::now() < known.ask_again).then(|| known.blocker.clone())
    }

    /// The login is not refused (any more).
    pub fn login_accepted(&self, key: &Key) {
        self.refused.lock().remove(key);
    }

    /// Since when this process knows that a Portal is under deletion; from now on where it did not.
    #[must_use]
    pub fn deleting_since(&self, key: &Key, uid: Option<&str>) -> Instant {
        let mut deleting = self.deleting.lock();
        let entry = deleting.entry(key.clone()).or_insert_with(|| (uid.map(str::to_owned), Instant::now()));
        if entry.0.as_deref() != uid {
            *entry = (uid.map(str::to_owned), Instant::now());
        }
        entry.1
    }

    /// Forgets a Portal that is gone.
    pub fn forget(&self, key: &Key) {
        self.portals().remove(key);
        self.parsed.lock().remove(key);
        self.waiting.forget(key);
        self.bundles.read(key, None);
        self.failing.forget(key);
        self.login_accepted(key);
        self.deleting.lock().remove(key);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_portal_is_parsed_once_for_each_state_of_it() {
        let (memory, key) =
            (PortalMemory::new(Random::seeded(1)), Key { namespace: "n".into(), name: "p".into() });
        let object = |version: &str, interval: &str| -> DynamicObject {
            serde_json::from_value(serde_json::json!({
                "apiVersion": "technicaluser.dev/v1alpha1", "kind": "Portal",
                "metadata": {"name": "p", "namespace": "n", "uid": "1", "resourceVersion": version},
                "spec": {"suspend": interval == "yes"}, "status": {"version": version},
            }))
            .unwrap()
        };
        let first = memory.parsed(&key, &object("1", "no"));
        assert!(Arc::ptr_eq(&first, &memory.parsed(&key, &object("1", "no"))));
        assert_eq!(first.spec.as_ref().unwrap().suspend, Some(false));
        let second = memory.parsed(&key, &object("2", "yes"));
        assert_eq!(second.spec.as_ref().unwrap().suspend, Some(true));
        assert_eq!(second.status.version.as_deref(), Some("2"));
        memory.forget(&key);
        assert!(!Arc::ptr_eq(&second, &memory.parsed(&key, &object("2", "yes"))));
    }

    #[tokio::test(start_paused = true)]
    async fn a_hurried_look_does_not_read_the_user_list() {
        let (memory, key) =
            (PortalMemory::new(Random::seeded(1)), Key { namespace: "n".into(), name: "p".into() });
        let interval = Duration::from_mins(5);
        memory.begin(&key);
        assert_eq!(memory.sweep_due_in(&key, "a"), Duration::ZERO);
        memory.looked(&key, "a", interval, true);
        // Every refusal of 60 resources wakes the Portal.
        for _ in 0..60 {
            memory.hurry(&key);
            assert_eq!(memory.due_in(&key, "a"), HURRY);
            tokio::time::advance(HURRY).await;
            let left = memory.sweep_due_in(&key, "a");
            memory.begin(&key);
            if left.is_zero() {
                break;
            }
            memory.looked(&key, "a", left, false);
            assert_eq!(memory.due_in(&key, "a"), left);
        }
        assert_eq!(memory.sweep_due_in(&key, "a"), Duration::ZERO, "not before its time");
        memory.looked(&key, "a", interval, true);
        assert_eq!(memory.sweep_due_in(&key, "b"), Duration::ZERO, "a loss was accepted");
        memory.looked(&key, "b", HURRY, false);
        assert_eq!(
            memory.sweep_due_in(&key, "b"),
            Duration::ZERO,
            "that look failed before it read the list"
        );
        memory.looked(&key, "b", interval, true);
        memory.repeat(&key);
        assert_eq!(memory.sweep_due_in(&key, "b"), Duration::ZERO);
        assert_eq!(memory.due_in(&key, "b"), HURRY);
    }

    #[tokio::test(start_paused = true)]
    async fn who_asks_for_a_look_while_one_is_in_progress_gets_another() {
        let (memory, key) =
            (PortalMemory::new(Random::seeded(1)), Key { namespace: "n".into(), name: "p".into() });
        memory.begin(&key);
        memory.hurry(&key);
        tokio::time::advance(Duration::from_secs(2)).await;
        memory.looked(&key, "a", Duration::from_mins(5), true);
        assert_eq!(memory.due_in(&key, "a"), Duration::from_secs(3));
        tokio::time::advance(Duration::from_secs(3)).await;
        memory.begin(&key);
        memory.looked(&key, "a", Duration::from_mins(5), true);
        assert_eq!(memory.due_in(&key, "a"), Duration::from_mins(5), "it was answered");
    }

    #[tokio::test(start_paused = true)]
    async fn a_refused_login_is_asked_about_again_when_it_changes_or_ever_more_seldom() {
        let (memory, key) =
            (PortalMemory::new(Random::seeded(1)), Key { namespace: "n".into(), name: "p".into() });
        let blocker = Blocker::lasting(crate::domain::reason::Reason::LoginRefused, "no");
        let mut waits = Vec::new();
        for _ in 0..10 {
            memory.login_refused(&key, "a", &blocker);
            assert_eq!(memory.refusal_of(&key, "b"), None, "another login");
            let began = Instant::now();
            while memory.refusal_of(&key, "a").is_some() {
                tokio::time::advance(Duration::from_secs(1)).await;
            }
            waits.push(began.elapsed());
        }
        assert!(waits[0] <= FIRST_RETRY.mul_f64(1.25) + Duration::from_secs(1), "{waits:?}");
        assert!(waits[9] >= LONGEST_RETRY.mul_f64(0.75), "{waits:?}");
        assert!(waits.iter().all(|wait| *wait <= LONGEST_RETRY.mul_f64(1.25) + Duration::from_secs(1)));
        memory.login_refused(&key, "b", &blocker);
        tokio::time::advance(FIRST_RETRY.mul_f64(1.25)).await;
        assert_eq!(memory.refusal_of(&key, "b"), None, "a new login begins anew");
        memory.login_refused(&key, "b", &blocker);
        memory.login_accepted(&key);
        assert_eq!(memory.refusal_of(&key, "b"), None);
    }

    #[tokio::test(start_paused = true)]
    async fn a_deletion_is_timed_by_our_own_clock_for_each_object() {
        let (memory, key) =
            (PortalMemory::new(Random::seeded(1)), Key { namespace: "n".into(), name: "p".into() });
        assert_eq!(memory.deleting_since(&key, Some("1")).elapsed(), Duration::ZERO);
        tokio::time::advance(Duration::from_secs(40)).await;
        assert_eq!(memory.deleting_since(&key, Some("1")).elapsed(), Duration::from_secs(40));
        assert_eq!(
            memory.deleting_since(&key, Some("2")).elapsed(),
            Duration::ZERO,
            "another one of that name"
        );
        tokio::time::advance(Duration::from_secs(1)).await;
        memory.forget(&key);
        assert_eq!(memory.deleting_since(&key, Some("2")).elapsed(), Duration::ZERO);
    }
}
