//! How many resources are in which state, and how old their credentials are, for the metrics: counted from the caches now and then,
//! so that a scrape only reads numbers.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use kube::api::DynamicObject;

use crate::api::conditions::{READY, STALLED, SUSPENDED};
use crate::api::portal::PortalStatus;
use crate::api::technical_user::TechnicalUserStatus;
use crate::controller::context::Context;
use crate::controller::objects::{Key, is_deleting, lenient};
use crate::controller::portal::portal_of;
use crate::metrics::{PortalAges, UserState};

const COUNT_EVERY: Duration = Duration::from_secs(15);

/// Counts the resources by state, and by Portal the ages of what they publish.
pub(super) async fn count(ctx: Arc<Context>) {
    loop {
        tokio::time::sleep(COUNT_EVERY).await;
        let now = ctx.process.clock.now();
        let mut counts = [0_usize; 4];
        let mut ages: BTreeMap<Key, PortalAges> = BTreeMap::new();
        for portal in ctx.portals.all() {
            ages.insert(Key::of(&portal), PortalAges { login: login(&portal, now), ..PortalAges::default() });
        }
        for object in ctx.caches.all_users() {
            let status: TechnicalUserStatus = lenient(&object, "status");
            let state = state(&object, &status);
            let index = UserState::ALL.iter().position(|known| *known == state).unwrap_or_default();
            if let Some(count) = counts.get_mut(index) {
                *count += 1;
            }
            // Nothing is verified or rotated any more.
            if state == UserState::Deleting {
                continue;
            }
            if let Some(ages) = portal_of(&object).and_then(|portal| ages.get_mut(&portal)) {
                let verified = ctx.memory.with(&Key::of(&object), |user| user.verification.age());
                add(ages, &status, verified, now);
            }
        }
        for (state, number) in UserState::ALL.iter().zip(counts) {
            ctx.metrics.technical_users(*state, number);
        }
        ctx.metrics.portal_ages(ages.into_iter().map(|(key, ages)| ((key.namespace, key.name), ages)));
    }
}

fn state(object: &DynamicObject, status: &TechnicalUserStatus) -> UserState {
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

/// The age of the older of the logins of a Portal.
fn login(portal: &DynamicObject, now: Timestamp) -> Option<f64> {
    let status: PortalStatus = lenient(portal, "status");
    let ages = [status.login, status.deletion_login].into_iter().flatten();
    ages.filter_map(|login| Some((-left(&login.since, now)?).max(0.0))).reduce(f64::max)
}

/// Adds a resource to what is known of its Portal. `verified`: how long ago its credential was tried, or first seen by this process.
fn add(ages: &mut PortalAges, status: &TechnicalUserStatus, verified: Option<Duration>, now: Timestamp) {
    let Some(credential) = &status.credential else { return };
    let most = |known: &mut Option<f64>, age: Option<f64>| {
        *known = known.iter().copied().chain(age).reduce(f64::max);
    };
    most(&mut ages.credential, left(&credential.issued_at, now).map(|left| (-left).max(0.0)));
    most(&mut ages.verification, verified.map(|age| age.as_secs_f64()));
    let rotates = |_: &&str| !holds(status, SUSPENDED);
    let next = credential.rotate_at.as_deref().filter(rotates).and_then(|at| left(at, now));
    ages.next_rotation = ages.next_rotation.into_iter().chain(next).reduce(f64::min);
}

/// The seconds until a time of a status; less than 0 where it is past.
fn left(time: &str, now: Timestamp) -> Option<f64> {
    let time = time.parse::<Timestamp>().ok()?;
    Some(time.duration_since(now).as_secs_f64())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

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
            let status = serde_json::from_value(json!({ "credential": credential })).unwrap();
            add(&mut ages, &status, verified.map(Duration::from_secs), now);
        }
        let suspended = serde_json::from_value(json!({
            "credential": {"generation": 1, "issuedAt": "2026-11-27T11:58:00Z", "rotateAt": "2026-11-01T12:00:00Z"},
            "conditions": [{"type": "Suspended", "status": "True", "reason": "Suspended", "message": "",
                "lastTransitionTime": "2026-11-27T11:58:00Z"}],
        }));
        add(&mut ages, &suspended.unwrap(), None, now);
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
        let now = "2026-11-27T12:00:00Z".parse().unwrap();
        let portal = |status| -> DynamicObject {
            serde_json::from_value(json!({"metadata": {"name": "p", "namespace": "n"}, "status": status}))
                .unwrap()
        };
        let since = |time: &str| json!({"since": time, "digest": "d"});
        let both =
            json!({"login": since("2026-11-27T11:59:00Z"), "deletionLogin": since("2026-11-27T11:00:00Z")});
        assert_eq!(login(&portal(both), now), Some(3600.0));
        assert_eq!(login(&portal(json!({})), now), None);
        let ahead = json!({"login": since("2026-11-27T12:00:09Z")});
        assert_eq!(login(&portal(ahead), now), Some(0.0), "by a clock that runs ahead");
    }
}
