//! How many resources are in which state, and how old their credentials are, for the metrics: counted from the caches now and then,
//! so that a scrape only reads numbers.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;

use crate::api::conditions::{READY, STALLED, SUSPENDED};
use crate::api::portal::PortalStatus;
use crate::api::technical_user::TechnicalUserStatus;
use crate::controller::context::Context;
use crate::controller::objects::{Key, is_deleting, lenient};
use crate::k8s::stored::StoredObject;
use crate::k8s::watch::Entry;
use crate::metrics::{PortalAges, UserState};

const COUNT_EVERY: Duration = Duration::from_secs(15);

/// Counts the resources by state, and by Portal the ages of what they publish.
pub(super) async fn count(ctx: Arc<Context>) {
    let (mut users, mut logins) = (Parsed::default(), Parsed::default());
    loop {
        tokio::time::sleep(COUNT_EVERY).await;
        let now = ctx.process.clock.now();
        let mut counts = [0_usize; 4];
        let mut ages: BTreeMap<Key, PortalAges> = BTreeMap::new();
        logins.update(ctx.portals.all(), login);
        for (portal, since) in &logins.0 {
            let login = since.map(|since| (-left(since, now)).max(0.0));
            ages.insert(Key::of(portal), PortalAges { login, ..PortalAges::default() });
        }
        users.update(ctx.caches.users.all(), |user| Counted::of(&user.open()));
        for (cached, user) in &users.0 {
            let index = UserState::ALL.iter().position(|known| *known == user.state).unwrap_or_default();
            if let Some(count) = counts.get_mut(index) {
                *count += 1;
            }
            // Nothing is verified or rotated any more.
            if user.state == UserState::Deleting {
                continue;
            }
            if let Some(ages) = cached.portal().and_then(|portal| ages.get_mut(portal)) {
                let verified = ctx.memory.with(&cached.key(), |user| user.verification.age());
                add(ages, user, verified, now);
            }
        }
        for (state, number) in UserState::ALL.iter().zip(counts) {
            ctx.metrics.technical_users(*state, number);
        }
        ctx.metrics.portal_ages(ages.into_iter().map(|(key, ages)| ((key.namespace, key.name), ages)));
    }
}

/// What objects say, parsed again only where one has changed: they are counted often and change rarely. In the order of the cache.
struct Parsed<E, T>(Vec<(Arc<E>, T)>);

impl<E, T> Default for Parsed<E, T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<E: Entry, T> Parsed<E, T> {
    fn update(&mut self, objects: Vec<Arc<E>>, parse: impl Fn(&E) -> T) {
        let mut before = std::mem::take(&mut self.0).into_iter().peekable();
        let place = |object: &Arc<E>| (object.namespace().to_owned(), object.name().to_owned());
        self.0.reserve_exact(objects.len());
        for object in objects {
            let here = place(&object);
            while before.next_if(|(known, _)| place(known) < here).is_some() {}
            let known = before.next_if(|(known, _)| Arc::ptr_eq(known, &object));
            let parsed = known.map_or_else(|| parse(&object), |(_, parsed)| parsed);
            self.0.push((object, parsed));
        }
    }
}

/// What is counted of a `TechnicalUser`.
struct Counted {
    state: UserState,
    /// Since when its credential is in use.
    issued: Option<Timestamp>,
    /// When that is replaced next.
    rotates: Option<Timestamp>,
    has_credential: bool,
}

impl Counted {
    fn of(object: &StoredObject) -> Self {
        let status: TechnicalUserStatus = lenient(object, "status");
        let credential = status.credential.as_ref();
        let rotates =
            credential.filter(|_| !holds(&status, SUSPENDED)).and_then(|one| one.rotate_at.as_deref());
        Self {
            state: state(object, &status),
            issued: credential.and_then(|credential| time(&credential.issued_at)),
            rotates: rotates.and_then(time),
            has_credential: credential.is_some(),
        }
    }
}

fn state(object: &StoredObject, status: &TechnicalUserStatus) -> UserState {
    if is_deleting(object) {
        return UserState::Deleting;
    }
    if holds(status, READY) {
        UserState::Ready
    } else if holds(status, STALLED) {
        UserState::Stalled
    } else {
        UserState::Reconciling
    }
}

fn holds(status: &TechnicalUserStatus, type_: &str) -> bool {
    status.conditions.iter().any(|condition| condition.type_ == type_ && condition.status == "True")
}

/// Since when the older of the logins of a Portal is in use.
fn login(portal: &StoredObject) -> Option<Timestamp> {
    let status: PortalStatus = lenient(portal, "status");
    [status.login, status.deletion_login].into_iter().flatten().filter_map(|login| time(&login.since)).min()
}

/// Adds a resource to what is known of its Portal. `verified`: how long ago its credential was tried, or first seen by this process.
fn add(ages: &mut PortalAges, user: &Counted, verified: Option<Duration>, now: Timestamp) {
    if !user.has_credential {
        return;
    }
    let most = |known: &mut Option<f64>, age: Option<f64>| {
        *known = known.iter().copied().chain(age).reduce(f64::max);
    };
    most(&mut ages.credential, user.issued.map(|issued| (-left(issued, now)).max(0.0)));
    most(&mut ages.verification, verified.map(|age| age.as_secs_f64()));
    let next = user.rotates.map(|at| left(at, now));
    ages.next_rotation = ages.next_rotation.into_iter().chain(next).reduce(f64::min);
}

/// A time of a status.
fn time(text: &str) -> Option<Timestamp> {
    text.parse().ok()
}

/// The seconds until a time; less than 0 where it is past.
fn left(time: Timestamp, now: Timestamp) -> f64 {
    time.duration_since(now).as_secs_f64()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn object(name: &str, status: &serde_json::Value) -> StoredObject {
        let metadata = json!({"name": name, "namespace": "n"});
        serde_json::from_value(json!({"metadata": metadata, "status": status})).unwrap()
    }

    fn counted(status: &serde_json::Value) -> Counted {
        Counted::of(&object("u", status))
    }

    #[test]
    fn an_object_is_parsed_again_only_after_a_change() {
        let objects = |names: &[&str]| names.iter().map(|name| Arc::new(object(name, &json!({})))).collect();
        let calls = std::cell::Cell::new(0);
        let parse = |_: &StoredObject| calls.replace(calls.get() + 1);
        let (mut parsed, two): (Parsed<StoredObject, i32>, Vec<_>) =
            (Parsed::default(), objects(&["a", "b"]));
        parsed.update(two.clone(), parse);
        parsed.update(two.clone(), parse);
        assert_eq!((calls.get(), parsed.0.len()), (2, 2));
        let changed: Vec<_> = objects(&["a"]);
        parsed.update(vec![Arc::clone(&changed[0]), Arc::clone(&two[1])], parse);
        assert_eq!((calls.get(), parsed.0.len()), (3, 2));
        parsed.update(vec![Arc::clone(&changed[0])], parse);
        assert_eq!((calls.get(), parsed.0.len()), (3, 1), "one that is gone is forgotten");
    }

    #[test]
    fn a_portal_shows_the_oldest_of_its_credentials_and_the_next_rotation() {
        let now = "2026-11-27T12:00:00Z".parse().unwrap();
        let mut ages = PortalAges::default();
        for (credential, verified) in [
            (json!({"generation": 1, "issuedAt": "2026-11-27T11:59:00Z"}), Some(10)),
            (
                json!({"generation": 2, "issuedAt": "2026-11-27T11:00:00Z", "rotateAt": "2026-11-27T11:59:30Z"}),
                None,
            ),
            (
                json!({"generation": 1, "issuedAt": "2026-11-27T11:58:00Z", "rotateAt": "2026-11-28T12:00:00Z"}),
                Some(20),
            ),
            (json!({"generation": 1, "issuedAt": "2026-11-27T12:00:05Z"}), None),
            (json!(null), Some(99)),
        ] {
            let user = counted(&json!({ "credential": credential }));
            add(&mut ages, &user, verified.map(Duration::from_secs), now);
        }
        let suspended = counted(&json!({
            "credential": {"generation": 1, "issuedAt": "2026-11-27T11:58:00Z", "rotateAt": "2026-11-01T12:00:00Z"},
            "conditions": [{"type": "Suspended", "status": "True", "reason": "Suspended", "message": "",
                "lastTransitionTime": "2026-11-27T11:58:00Z"}],
        }));
        add(&mut ages, &suspended, None, now);
        let expected = PortalAges {
            login: None,
            credential: Some(3600.0),
            next_rotation: Some(-30.0),
            verification: Some(20.0),
        };
        assert_eq!(ages, expected);
    }

    #[test]
    fn the_older_login_of_a_portal_counts() {
        let since = |time: &str| json!({"since": time, "digest": "d"});
        let both =
            json!({"login": since("2026-11-27T11:59:00Z"), "deletionLogin": since("2026-11-27T11:00:00Z")});
        assert_eq!(login(&object("p", &both)), time("2026-11-27T11:00:00Z"));
        assert_eq!(login(&object("p", &json!({}))), None);
    }
}
