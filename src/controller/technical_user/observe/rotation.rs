//! What is known of the rotation: what requests it, when it is due, a reset in progress, and the users that were replaced.

use std::time::Duration;

use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;

use super::retiring::{ends_overlap, kept_for, overlap};
use super::windows;
use crate::api::bounds::OBJECT;
use crate::api::conditions::CREDENTIAL_VERIFIED;
use crate::api::keys;
use crate::api::technical_user::{
    Handled, RecordedCredential, RecordedRetiring, RecordedUser as StatusUser, RotationStrategy,
    TechnicalUserStatus,
};
use crate::controller::objects::annotation;
use crate::controller::portal::proofs::is_proved;
use crate::controller::technical_user::reconcile::Reconcile;
use crate::controller::technical_user::status::INTERNAL;
use crate::domain::attempt::Attempt;
use crate::domain::ownership::Origin;
use crate::domain::plan::{OpenReset, RecordedUser, ResetState, RetiringUser, Rotation, Strategy, has_begun};
use crate::domain::reason::Reason;
use crate::domain::text::distinct;
use crate::domain::user::{UserId, UserKind};
use crate::k8s::stored::StoredObject;

/// What is known of the rotation. Where there is no status (a restore), a value that is found is recorded, and no rotation
/// follows from it.
pub(super) fn see_rotation(reconcile: &mut Reconcile) {
    let status = &reconcile.status;
    let (asked, handled) =
        (handled(&reconcile.object).unwrap_or_default(), status.handled.clone().unwrap_or_default());
    let is_new = |asked: &Option<String>, handled: &Option<String>| {
        asked.is_some() && asked != handled && status.user.is_some()
    };
    let compromised = is_new(&asked.compromised, &handled.compromised);
    let left = left(reconcile);
    let mut rotation = Rotation {
        requested: compromised || is_new(&asked.rotate, &handled.rotate),
        compromised,
        gives_up: asked.rotate.as_deref().filter(|_| is_new(&asked.rotate, &handled.rotate)).map(UserId::new),
        due: left == Some(Duration::ZERO),
        window_fault: windows::fault(reconcile),
        strategy: strategy(reconcile),
        kind: status.user.as_ref().and_then(kind),
        linked: is_linked(reconcile),
        credential: number(status),
        overlap: overlap(reconcile),
        reset: open_reset(reconcile),
        unclear_for: unclear_for(status, reconcile.now),
        retiring: status.retiring.iter().filter_map(|recorded| retiring(reconcile, recorded)).collect(),
    };
    rotation.due |= is_past(reconcile) && has_begun(&reconcile.observation, &rotation);
    let settling = rotation.reset.as_ref().and_then(|reset| match reset.state {
        ResetState::Settling(left) => Some(left),
        _ => None,
    });
    reconcile.observation.rotation = rotation;
    reconcile.observation.timers.also(left.filter(|left| !left.is_zero()));
    reconcile.observation.timers.also(settling);
}

/// What the status records once the request is handled. A value may be longer than a status should be.
pub(in crate::controller::technical_user) fn handled(object: &StoredObject) -> Option<Handled> {
    let value = |key: &str| annotation(object, key).map(|value| distinct(value, OBJECT));
    let handled = Handled { rotate: value(keys::ROTATE), compromised: value(keys::COMPROMISED) };
    (handled != Handled::default()).then_some(handled)
}

/// When the operator replaces a credential by the interval of the spec, in a window if it has any.
pub(in crate::controller::technical_user) fn rotate_at(
    reconcile: &Reconcile,
    credential: &RecordedCredential,
) -> Option<Timestamp> {
    windows::begins(reconcile, windows::due_at(reconcile, credential)?)
}

/// How long the status has said that it is not known whether a reset was carried out.
fn unclear_for(status: &TechnicalUserStatus, now: Timestamp) -> Duration {
    let is_unclear = |condition: &&Condition| {
        condition.type_ == CREDENTIAL_VERIFIED && condition.reason == Reason::Rotating.as_str()
    };
    let since = status.conditions.iter().find(is_unclear).map(|condition| condition.last_transition_time.0);
    // Another process may have written the time by a clock that runs ahead of ours.
    since.map_or(Duration::ZERO, |since| Duration::try_from(now.duration_since(since)).unwrap_or_default())
}

/// Whether the credential is older than the interval of the spec.
fn is_past(reconcile: &Reconcile) -> bool {
    let credential = reconcile.status.credential.as_ref();
    let due = credential.and_then(|credential| windows::due_at(reconcile, credential));
    due.is_some_and(|due| due <= reconcile.now)
}

/// How long until the credential is replaced; zero where it is time; `None` without an interval, and if no window opens.
fn left(reconcile: &Reconcile) -> Option<Duration> {
    let left = rotate_at(reconcile, reconcile.status.credential.as_ref()?)?.duration_since(reconcile.now);
    Some(Duration::try_from(left).unwrap_or_default())
}

fn strategy(reconcile: &Reconcile) -> Strategy {
    match reconcile.spec.rotation.as_ref().and_then(|rotation| rotation.strategy) {
        Some(RotationStrategy::InPlace) => Strategy::InPlace,
        Some(RotationStrategy::Replace) => Strategy::Replace,
        Some(RotationStrategy::Auto) | None => Strategy::Auto,
    }
}

fn kind(user: &StatusUser) -> Option<UserKind> {
    match user.kind.as_str() {
        "" => None,
        INTERNAL => Some(UserKind::Internal),
        _ => Some(UserKind::External),
    }
}

/// Whether the last list shows a connector that has the client ID of the user.
fn is_linked(reconcile: &Reconcile) -> bool {
    let Some(user) = &reconcile.observation.recorded.user else { return false };
    let listed = reconcile.connection.as_ref().and_then(|connection| connection.inventory.get(&user.id));
    listed.is_some_and(|listed| listed.connector.is_some())
}

fn number(status: &TechnicalUserStatus) -> i64 {
    status.credential.as_ref().map_or(0, |credential| credential.generation)
}

/// The reset that is written on the resource, unless the status names the credential that it led to.
fn open_reset(reconcile: &Reconcile) -> Option<OpenReset> {
    let (attempt, id) = reset(&reconcile.object)?;
    if attempt.as_ref().is_some_and(|attempt| attempt.generation <= number(&reconcile.status)) {
        return None;
    }
    let state = reconcile.ctx.memory.change(&reconcile.key, |user| {
        let compared = user.compared_reset.as_ref() == Some(&id);
        ResetState::of(user.resets.state(&id, reconcile.fingerprint), compared)
    });
    Some(OpenReset { attempt, state })
}

/// The reset that is written on a resource, if it can be read, and what distinguishes it from others: for one that cannot be read
/// its whole text.
pub(in crate::controller::technical_user) fn reset(
    object: &StoredObject,
) -> Option<(Option<Attempt>, String)> {
    let text = annotation(object, keys::RESETTING)?;
    let attempt = Attempt::parse(text);
    let id = attempt.as_ref().map_or_else(|| text.to_owned(), |attempt| attempt.id.clone());
    Some((attempt, id))
}

/// A user that the status names as replaced.
fn retiring(reconcile: &Reconcile, recorded: &RecordedRetiring) -> Option<RetiringUser> {
    if recorded.id.is_empty() {
        return None;
    }
    let as_user = StatusUser {
        id: recorded.id.clone(),
        generation: recorded.generation,
        name: recorded.name.clone(),
        proof: recorded.proof.clone(),
        ..StatusUser::default()
    };
    let inventory = reconcile.connection.as_ref().map(|connection| connection.inventory.as_ref());
    let owner = &reconcile.observation.owner;
    Some(RetiringUser {
        user: RecordedUser {
            id: UserId::new(&recorded.id),
            origin: Origin::of(recorded.generation),
            active: true,
            proved: is_proved(&reconcile.ctx.installation, owner, &as_user, inventory),
            asked: None,
        },
        kept_for: kept_for(overlap(reconcile), recorded.delete_after.as_deref(), reconcile.now),
        without_overlap: recorded.without_overlap,
        begun: recorded.delete_after.is_some(),
        hurried: recorded.compromised || ends_overlap(&reconcile.object, &recorded.id),
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::controller::technical_user::test_support::Scene;
    use crate::controller::test_support::{Users, connection_to, installation};
    use crate::domain::ownership::proof;
    use crate::domain::test_support::{listed, owner};
    use crate::domain::user::{Linked, ListedUser};
    use crate::portal::PortalError;

    /// A process that is started again does not know since when another one has waited for the answer.
    #[tokio::test(start_paused = true)]
    async fn a_reset_that_may_still_be_carried_out_is_looked_at_again_when_its_time_is_over() {
        let scene = Scene::without_portal(&json!({
            "metadata": {"annotations": { (keys::RESETTING): "2 a1 pin" }},
            "status": {"user": {"id": "u1", "generation": 1}, "credential": {"generation": 1}},
        }));
        let minute = Duration::from_mins(1);
        for (passed, left) in [(Duration::ZERO, Some(minute)), (minute / 2, Some(minute / 2)), (minute, None)]
        {
            tokio::time::advance(passed).await;
            let observation = scene.observed().await.observation;
            assert_eq!(observation.timers.other, left, "{:?}", observation.rotation.reset);
        }
    }

    #[test]
    fn a_secret_is_unclear_for_as_long_as_the_condition_has_said_so() {
        let unclear = |reason: &str, now: &str| {
            let condition = json!({
                "type": CREDENTIAL_VERIFIED, "status": "False", "reason": reason, "message": "",
                "lastTransitionTime": "2026-11-22T12:00:00Z",
            });
            let status = serde_json::from_value(json!({"conditions": [condition]})).unwrap();
            unclear_for(&status, now.parse().unwrap())
        };
        assert_eq!(unclear("Rotating", "2026-11-22T12:00:40Z"), Duration::from_secs(40));
        assert_eq!(unclear("CredentialRefused", "2026-11-22T12:00:40Z"), Duration::ZERO);
        assert_eq!(unclear("Rotating", "2026-11-22T11:00:00Z"), Duration::ZERO, "a faster clock wrote it");
    }

    #[tokio::test(start_paused = true)]
    async fn a_user_is_linked_where_the_list_shows_its_connector() {
        let connector = Some(Linked { id: "c1".into(), name: None });
        let users = vec![ListedUser { connector, ..listed("u1", "one") }, listed("u2", "two")];
        let connection = connection_to(Users::listed(users, PortalError::NotFound));
        connection.inventory.sweep(Duration::from_mins(1)).await.unwrap().unwrap();
        for (id, linked) in [("u1", true), ("u2", false), ("u3", false)] {
            let status = json!({"user": {"id": id, "generation": 1}});
            let scene = Scene::connected(connection.clone(), &json!({ "status": status }));
            assert_eq!(scene.observed().await.observation.rotation.linked, linked, "{id}");
        }
    }

    /// No list is read: what proves that the users are the resource's is their own proof.
    #[tokio::test]
    async fn a_user_that_was_replaced_has_a_proof_of_its_own() {
        let (key, owner) = (installation().digest_key, owner("edc"));
        let of_u1 = proof(&key, &owner, &UserId::new("u1"), 1);
        let retiring = json!([
            {"id": "u1", "generation": 1, "proof": of_u1},
            {"id": "u2", "generation": 2, "proof": of_u1},
            {"id": "u3", "generation": 1, "proof": of_u1},
            {"id": "", "generation": 1, "proof": of_u1},
        ]);
        let status = json!({"user": {"id": "u4", "generation": 4}, "retiring": retiring});
        let reconcile = Scene::without_portal(&json!({ "status": status })).observed().await;
        let retiring = reconcile.observation.rotation.retiring;
        let proved = retiring.iter().map(|retiring| (retiring.user.id.as_str(), retiring.user.proved));
        assert_eq!(proved.collect::<Vec<_>>(), [("u1", true), ("u2", false), ("u3", false)]);
    }
}
