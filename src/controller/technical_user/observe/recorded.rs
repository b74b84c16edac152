//! What the object itself remembers: its status, and the last attempt that is written on it.

use super::is_ready;
use crate::api::keys;
use crate::api::technical_user::TechnicalUserStatus;
use crate::controller::context::Context;
use crate::controller::objects::annotation;
use crate::controller::portal::connections::Connection;
use crate::controller::portal::proofs::is_proved;
use crate::controller::technical_user::memory::attempts::Attempts;
use crate::controller::technical_user::refusal::RefusalFingerprint;
use crate::controller::technical_user::status;
use crate::domain::attempt::Attempt;
use crate::domain::identity::{Hint, Owner};
use crate::domain::ownership::Origin;
use crate::domain::plan::{AttemptState, Desired, OpenAttempt, Recorded, RecordedPortal, RecordedUser};
use crate::domain::roles;
use crate::domain::user::UserId;
use crate::k8s::stored::StoredObject;

pub(in crate::controller::technical_user) fn recorded(
    ctx: &Context,
    owner: &Owner,
    (status, generation): (&TechnicalUserStatus, Option<i64>),
    desired: &Desired,
    connection: Option<&Connection>,
) -> Recorded {
    let inventory = connection.map(|connection| connection.inventory.as_ref());
    Recorded {
        portal: status.portal.as_ref().filter(|portal| !portal.url.is_empty()).map(|portal| RecordedPortal {
            url: portal.url.clone(),
            token_url: portal.token_url.clone(),
            bpn: portal.bpn.clone(),
            hint: Hint::read(&portal.hint),
        }),
        user: status.user.as_ref().filter(|user| !user.id.is_empty()).map(|user| RecordedUser {
            id: UserId::new(&user.id),
            origin: Origin::of(user.generation),
            active: user.status == status::ACTIVE,
            proved: is_proved(&ctx.installation, owner, user, inventory),
            asked: match desired {
                Desired::Create(desired) => {
                    let confirmed = status.observed_generation != generation && is_ready(status);
                    roles::asked(&user.requested_roles, &user.roles, &roles::set(&desired.roles), confirmed)
                }
                Desired::Existing { .. } => None,
            },
        }),
        credential_published: status.credential.is_some(),
    }
}

/// The attempt that is written on a resource, unless the status names the user that it led to.
pub(in crate::controller::technical_user) fn open_attempt(
    attempts: &mut Attempts,
    object: &StoredObject,
    recorded: &Recorded,
    fingerprint: RefusalFingerprint,
) -> Option<OpenAttempt> {
    let text = annotation(object, keys::CREATING)?;
    let attempt = Attempt::parse(text);
    if attempt.as_ref().zip(recorded.user.as_ref()).is_some_and(|(attempt, user)| user.settles(attempt)) {
        return None;
    }
    // An entry that cannot be read is distinguished from another one by its whole text.
    let id = attempt.as_ref().map_or(text, |attempt| &attempt.id);
    let state = attempts.state(id, fingerprint);
    let recorded_before_it_was_read = match (&attempt, &state, &recorded.user) {
        (Some(attempt), AttemptState::Created(id), Some(user)) => {
            user.id == *id && user.origin == Origin::Created(attempt.generation)
        }
        _ => false,
    };
    (!recorded_before_it_was_read).then_some(OpenAttempt { attempt, state })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::controller::technical_user::memory::attempts::Outcome;
    use crate::domain::identity::Pin;

    /// Whether an attempt of generation 2 is open while the status names this user.
    fn is_open(attempts: &mut Attempts, id: &str, generation: i64, proved: bool) -> bool {
        let object: StoredObject = serde_json::from_value(json!({
            "apiVersion": "technicaluser.dev/v1alpha1", "kind": "TechnicalUser",
            "metadata": {"namespace": "connector", "name": "edc", "annotations": {keys::CREATING: "2 a1 pin"}},
        }))
        .unwrap();
        let user = RecordedUser {
            id: UserId::new(id),
            origin: Origin::of(Some(generation)),
            active: true,
            proved,
            asked: None,
        };
        let recorded = Recorded { user: Some(user), ..Recorded::default() };
        open_attempt(attempts, &object, &recorded, RefusalFingerprint::test(0)).is_some()
    }

    #[tokio::test]
    async fn a_status_settles_an_attempt_only_by_a_proved_user_of_its_generation() {
        let mut attempts = Attempts::default();
        assert!(!is_open(&mut attempts, "u2", 2, true));
        assert!(is_open(&mut attempts, "u2", 2, false), "anybody can write down a generation and an id");
        assert!(is_open(&mut attempts, "u1", 1, true));
    }

    #[tokio::test]
    async fn the_user_that_this_process_created_settles_its_attempt_before_it_was_read() {
        let mut attempts = Attempts::default();
        let attempt = Attempt::new(2, "a1".into(), Pin::read("pin"));
        attempts.begin(&attempt);
        assert!(is_open(&mut attempts, "u2", 2, false), "in flight");
        attempts.end(&attempt, Outcome::Created(UserId::new("u2")), RefusalFingerprint::test(0));
        assert!(!is_open(&mut attempts, "u2", 2, false));
        assert!(is_open(&mut attempts, "other", 2, false) && is_open(&mut attempts, "u2", 3, false));
    }
}
