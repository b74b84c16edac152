//! Free places for Secrets in a namespace whose quota counts them: no more users are created than Secrets have room.
//!
//! A place is for one Secret, and belongs to what creates a user: the reconcile that asked by a dry run, then the create that it
//! starts. It is free again when they end, however they end. After the create its resource needs the place until its Secret
//! is written; that is derived from what is known of the resource, so nothing has to be given back.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use tokio::time::Instant;

use super::Memory;
use crate::api::conditions::STALLED;
use crate::api::technical_user::{TechnicalUserSpec, TechnicalUserStatus};
use crate::controller::context::Context;
use crate::controller::objects::{Key, is_deleting, lenient, part};
use crate::controller::technical_user::outputs;
use crate::controller::users::CachedUser;
use crate::k8s::stored::StoredObject;
use crate::k8s::watch::Entry as _;

type Taken = Arc<Mutex<BTreeMap<Key, usize>>>;

/// The places that reconciles and creates of this process have taken.
#[derive(Debug, Default)]
pub struct Places {
    taken: Taken,
    /// The Secrets that this process has written and neither status nor cache shows yet: the quota counts them already.
    written: Mutex<BTreeSet<Key>>,
    /// The namespaces of which no quota counted the Secrets, and when that was read.
    unlimited: Mutex<BTreeMap<String, Instant>>,
}

/// What was read of a namespace without such a quota counts for this time: a create that began before there was one may take longer.
const UNLIMITED_FOR: Duration = Duration::from_secs(5);

/// Whether a Secret has a place.
#[derive(Debug)]
pub enum Answer {
    /// It has.
    Taken(QuotaPlace),
    /// Other Secrets need all that are free.
    None,
    /// Secrets were written while the quota was read: it has to be read again.
    AskAgain,
}

/// A place for one Secret; free again when it is dropped.
#[derive(Debug)]
pub struct QuotaPlace {
    key: Key,
    taken: Taken,
}

impl Drop for QuotaPlace {
    fn drop(&mut self) {
        let mut taken = self.taken.lock();
        if let Some(holders) = taken.get_mut(&self.key) {
            *holders -= 1;
            if *holders == 0 {
                taken.remove(&self.key);
            }
        }
    }
}

impl Places {
    /// Whether it was read just now that no quota counts the Secrets of a namespace.
    pub fn are_unlimited(&self, namespace: &str) -> bool {
        let mut unlimited = self.unlimited.lock();
        unlimited.retain(|_, read| read.elapsed() < UNLIMITED_FOR);
        unlimited.contains_key(namespace)
    }

    /// No quota counted the Secrets of a namespace when they were read at this time.
    pub fn unlimited(&self, namespace: &str, read: Instant) {
        self.unlimited.lock().insert(namespace.to_owned(), read);
    }

    /// The Secrets of a namespace that need a place. `waiting` names those that need one because the users of their resources are
    /// there, or may be, and neither status nor cache shows them.
    pub fn needed(&self, namespace: &str, waiting: impl FnOnce() -> BTreeSet<Key>) -> BTreeSet<Key> {
        let taken = self.taken.lock();
        self.needed_beside(&taken, namespace, &waiting())
    }

    fn needed_beside(
        &self,
        taken: &BTreeMap<Key, usize>,
        namespace: &str,
        waiting: &BTreeSet<Key>,
    ) -> BTreeSet<Key> {
        let mut written = self.written.lock();
        // Status or cache shows the others by now, and no reconcile holds a place for them.
        written.retain(|secret| {
            secret.namespace != namespace || waiting.contains(secret) || taken.contains_key(secret)
        });
        let taken = taken.keys().filter(|other| other.namespace == namespace);
        taken.chain(waiting).filter(|secret| !written.contains(secret)).cloned().collect()
    }

    /// A Secret was written: it needs no place any more.
    pub fn wrote(&self, secret: &Key) {
        self.written.lock().insert(secret.clone());
    }

    /// Takes one of the `free` places of a Secret's namespace, unless other Secrets need them all. `before` names those that needed
    /// one before it was asked how many are free: one of them may have been written since, and is in none of both numbers then, or
    /// before that, and is in both.
    pub fn take(
        &self,
        key: &Key,
        (free, before): (usize, BTreeSet<Key>),
        waiting: impl FnOnce() -> BTreeSet<Key>,
    ) -> Answer {
        let mut taken = self.taken.lock();
        let mut others = self.needed_beside(&taken, &key.namespace, &waiting());
        others.remove(key);
        if others.len() >= free {
            return Answer::None;
        }
        others.extend(before);
        others.remove(key);
        if others.len() >= free {
            return Answer::AskAgain;
        }
        *taken.entry(key.clone()).or_default() += 1;
        Answer::Taken(QuotaPlace { key: key.clone(), taken: Arc::clone(&self.taken) })
    }
}

/// The Secrets of a namespace that need a place: to be asked before the number of free ones.
pub(in crate::controller::technical_user) fn needed_in(ctx: &Context, namespace: &str) -> BTreeSet<Key> {
    ctx.memory.places.needed(namespace, || waiting(ctx, namespace))
}

/// Takes a place for a Secret, if there is one among those that are free. `before` is the answer of [`needed_in`].
pub(in crate::controller::technical_user) fn take(
    ctx: &Context,
    secret: &Key,
    (free, before): (usize, BTreeSet<Key>),
) -> Answer {
    ctx.memory.places.take(secret, (free, before), || waiting(ctx, &secret.namespace))
}

/// The Secrets of a namespace that are still to be written for users that are there, or may be.
fn waiting(ctx: &Context, namespace: &str) -> BTreeSet<Key> {
    let users = ctx.caches.users.all();
    let needs = |user: &&Arc<CachedUser>| user.need().holds(|| may_have_created(&ctx.memory, &user.key()));
    let here = users.iter().filter(|user| user.namespace() == namespace).filter(needs);
    here.flat_map(|user| secrets_of(&user.open())).filter(|secret| !ctx.has_secret(secret)).collect()
}

/// What an object alone says of the places for its Secrets. It is asked of all resources of a namespace for each create there, so the
/// cache keeps it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PlaceNeed {
    /// They need none.
    None,
    /// They need them if a create of this process may have created a user.
    IfCreated,
    /// They need them: its user is there, and they are still to be written.
    Now,
}

impl PlaceNeed {
    /// What an object says.
    #[must_use]
    pub fn of(object: &StoredObject) -> Self {
        let status: TechnicalUserStatus = lenient(object, "status");
        let stalled = status.conditions.iter().any(|c| c.type_ == STALLED && c.status == "True");
        let is_written = |secret: &Key| {
            status.outputs.iter().any(|output| output.name == secret.name && output.is_written())
        };
        if is_deleting(object)
            || stalled
            || !object.has("/spec/user/create")
            || secrets_of(object).iter().all(is_written)
        {
            return Self::None;
        }
        let has_user = status.user.as_ref().is_some_and(|user| !user.id.is_empty());
        if has_user { Self::Now } else { Self::IfCreated }
    }

    fn holds(self, may_have_created: impl FnOnce() -> bool) -> bool {
        match self {
            Self::None => false,
            Self::IfCreated => may_have_created(),
            Self::Now => true,
        }
    }
}

fn may_have_created(memory: &Memory, key: &Key) -> bool {
    memory.with(key, |user| user.attempts.may_have_created())
}

/// The Secrets of a resource's outputs.
fn secrets_of(object: &StoredObject) -> Vec<Key> {
    let spec = part::<TechnicalUserSpec>(object, "spec").ok();
    outputs::secrets_of(&Key::of(object), spec.and_then(|spec| spec.outputs).as_deref())
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::controller::technical_user::memory::attempts::Outcome;
    use crate::controller::technical_user::refusal::RefusalFingerprint;
    use crate::domain::attempt::Attempt;
    use crate::domain::blocker::Blocker;
    use crate::domain::identity::Pin;
    use crate::domain::reason::Reason;
    use crate::domain::user::UserId;

    fn key(name: &str) -> Key {
        Key { namespace: "connector".into(), name: name.into() }
    }

    fn no_key() -> BTreeSet<Key> {
        BTreeSet::new()
    }

    impl Answer {
        fn place(self) -> Option<QuotaPlace> {
            if let Self::Taken(place) = self { Some(place) } else { None }
        }
    }

    #[tokio::test(start_paused = true)]
    async fn that_no_quota_counts_secrets_is_known_for_some_seconds() {
        let places = Places::default();
        assert!(!places.are_unlimited("connector"));
        places.unlimited("connector", Instant::now());
        tokio::time::advance(UNLIMITED_FOR.saturating_sub(Duration::from_secs(1))).await;
        assert!(places.are_unlimited("connector") && !places.are_unlimited("other"));
        tokio::time::advance(Duration::from_secs(1)).await;
        assert!(!places.are_unlimited("connector"));
        assert!(places.unlimited.lock().is_empty(), "nothing is kept of it");
    }

    #[test]
    fn a_place_is_free_again_when_its_holder_ends() {
        let places = Places::default();
        let take = |name: &str, free: usize| places.take(&key(name), (free, no_key()), no_key).place();
        let reconcile = take("a", 1).unwrap();
        assert!(take("b", 1).is_none());
        assert!(take("b", 2).is_some(), "another one is free");
        let create = take("a", 1).unwrap();
        drop(reconcile);
        assert!(take("b", 1).is_none(), "its create continues");
        drop(create);
        assert!(take("b", 1).is_some());
        assert!(take("b", 0).is_none());
        let elsewhere = Key { namespace: "other".into(), name: "a".into() };
        let _held = take("a", 1).unwrap();
        let there = places.take(&elsewhere, (1, no_key()), no_key).place();
        assert!(there.is_some(), "each namespace has its own");
    }

    /// The answer of the quota may be older than the Secret, and the cache newer.
    #[test]
    fn a_quota_that_was_read_while_a_secret_was_written_is_read_again() {
        let places = Places::default();
        let before = places.needed("connector", || BTreeSet::from([key("a")]));
        let _b = places.take(&key("b"), (2, before.clone()), no_key).place().unwrap();
        assert!(matches!(places.take(&key("c"), (2, before), no_key), Answer::AskAgain));
        assert!(matches!(places.take(&key("c"), (2, no_key()), no_key), Answer::Taken(_)), "asked again");
        assert!(matches!(places.take(&key("d"), (1, no_key()), no_key), Answer::None), "one is needed");
    }

    #[test]
    fn a_secret_needs_no_place_from_the_moment_it_is_written() {
        let places = Places::default();
        let waiting = || BTreeSet::from([key("a")]);
        let reconcile = places.take(&key("a"), (1, no_key()), waiting).place().unwrap();
        assert!(places.take(&key("b"), (1, no_key()), waiting).place().is_none());
        places.wrote(&key("a"));
        assert!(places.take(&key("b"), (1, no_key()), waiting).place().is_some(), "the cache lags");
        assert_eq!(places.needed("other", no_key), no_key());
        assert_eq!(places.needed("connector", waiting), no_key(), "another namespace says nothing of it");
        assert_eq!(places.needed("connector", no_key), no_key(), "its reconcile has not ended");
        drop(reconcile);
        assert_eq!(places.needed("connector", no_key), no_key(), "the cache shows it");
        assert_eq!(places.needed("connector", waiting), BTreeSet::from([key("a")]), "it is deleted");
    }

    #[test]
    fn users_without_a_secret_need_the_places() {
        let places = Places::default();
        let waiting = || BTreeSet::from([key("a")]);
        let take = |name: &str, free: usize| places.take(&key(name), (free, no_key()), waiting).place();
        assert!(take("b", 1).is_none());
        assert!(take("a", 1).is_some(), "its own place");
        let _same = take("a", 2).unwrap();
        assert!(take("b", 2).is_some(), "none is counted twice");
    }

    fn needs_a_place(object: &StoredObject, memory: &Memory) -> bool {
        PlaceNeed::of(object).holds(|| may_have_created(memory, &Key::of(object)))
    }

    fn object(change: impl FnOnce(&mut Value)) -> StoredObject {
        let mut value = json!({
            "apiVersion": "technicaluser.dev/v1alpha1", "kind": "TechnicalUser",
            "metadata": {"namespace": "connector", "name": "a"},
            "spec": {"portalRef": {"name": "p"}, "user": {"create": {"roles": ["r"]}}},
        });
        change(&mut value);
        serde_json::from_value(value).unwrap()
    }

    #[test]
    fn a_place_is_needed_from_the_create_to_the_secret_and_no_longer() {
        let memory = Memory::default();
        let needs = |change: &dyn Fn(&mut Value)| needs_a_place(&object(|value| change(value)), &memory);
        let with_user =
            |value: &mut Value| value["status"]["user"] = json!({"id": "u1", "status": "Pending"});
        assert!(!needs(&|_| {}), "nothing was created");
        assert!(needs(&with_user));
        assert!(!needs(&|value| {
            with_user(value);
            value["metadata"]["deletionTimestamp"] = json!("2026-11-26T00:00:00Z");
        }));
        assert!(!needs(&|value| {
            with_user(value);
            value["status"]["outputs"] = json!([{"kind": "Secret", "name": "a", "digest": "d1"}]);
        }));
        assert!(!needs(&|value| {
            with_user(value);
            value["status"]["conditions"] = json!([{"type": "Stalled", "status": "True", "reason": "AccessDenied",
                "message": "", "lastTransitionTime": "2026-11-26T00:00:00Z"}]);
        }));
        assert!(!needs(&|value| {
            with_user(value);
            value["spec"]["user"] = json!({"existing": {"id": "u1"}});
        }));
    }

    #[test]
    fn a_place_is_needed_until_every_secret_is_written() {
        let needs = |written: &Value| {
            let object = object(|value| {
                value["spec"]["outputs"] = json!([{"secret": {}}, {"secret": {"name": "b"}}]);
                value["status"] =
                    json!({"user": {"id": "u1"}, "credential": {"generation": 1}, "outputs": written});
            });
            needs_a_place(&object, &Memory::default())
        };
        assert!(needs(&json!([{"kind": "Secret", "name": "a", "digest": "d1"}])));
        assert!(needs(
            &json!([{"kind": "Secret", "name": "a", "digest": "d1"}, {"kind": "Secret", "name": "b"}])
        ));
        let both = json!([{"kind": "Secret", "name": "a", "digest": "d1"}, {"kind": "Secret", "name": "b", "digest": "d2"}]);
        assert!(!needs(&both));
    }

    #[tokio::test(start_paused = true)]
    async fn an_attempt_needs_a_place_unless_it_was_refused() {
        let memory = Memory::default();
        let attempt = Attempt::new(1, "x".into(), Pin::read("p"));
        let needs = || needs_a_place(&object(|_| {}), &memory);
        let end = |outcome| {
            memory
                .change(&key("a"), |user| user.attempts.end(&attempt, outcome, RefusalFingerprint::test(1)));
        };
        memory.change(&key("a"), |user| user.attempts.begin(&attempt));
        assert!(needs());
        for (outcome, needed) in [
            (Outcome::Refused(Blocker::lasting(Reason::CreateRefused, "no")), false),
            (Outcome::Unknown, true),
            (Outcome::Created(UserId::new("u1")), true),
        ] {
            end(outcome.clone());
            assert_eq!(needs(), needed, "{outcome:?}");
        }
        end(Outcome::Unknown);
        tokio::time::advance(crate::portal::CREATE_SETTLE_TIME).await;
        assert!(!needs(), "a search finds what it created, if anything");
        memory.forget(&key("a"));
        assert!(!needs());
    }
}
