//! The roles that the token of a user's credential shows. The portal's details show the roles of its database; a role that
//! was assigned or removed only in the identity provider is visible only in the token, and the token decides.

use crate::domain::access::Grants;
use crate::domain::blocker::Blocker;
use crate::domain::reason::Reason;
use crate::domain::roles::{self, quoted};
use crate::domain::user::UserKind;

use super::current::user_blocked;
use super::observation::{CredentialAt, Observation, UserFacts, Verified};
use super::publish;
use super::settled::{Report, Requeue, Stage};
use super::step::{Read, Step, UserRef};

/// What a message says about roles that a token lacks. Earlier releases wrote the same words.
const LACKS: &str =
    "in the identity provider: the portal shows what was requested, but the user's token does not";

/// How a message begins that reports roles that only a token shows. Earlier releases wrote the same words.
const HAS_TOO_MANY: &str = "The token of user";

/// Whether a condition reports what the token of the user showed.
#[must_use]
pub fn reports_token_roles(reason: &str, message: &str) -> bool {
    (reason == Reason::RolesMissing.as_str() && message.contains(LACKS))
        || (reason == Reason::AccessDenied.as_str() && message.starts_with(HAS_TOO_MANY))
}

/// The step that a user's token requires after its details were found in order: a token request, if the roles are in doubt, or
/// the end of the reconcile, if its roles are not those that were requested and granted.
pub(super) fn check(
    o: &Observation,
    wanted: &[String],
    grants: &Grants,
    current: &UserRef,
    user: &UserFacts,
) -> Option<Step> {
    // A wallet's token names other roles.
    if user.kind != UserKind::Internal || !user.roles_in_tokens {
        return None;
    }
    match o.token_roles(&current.id) {
        Some(token) => {
            let blocker = judge(wanted, grants, current, user, token).err()?;
            Some(user_blocked(o, current, blocker, o.timers.healthy()))
        }
        None => token_of_doubted(o, current),
    }
}

/// If the roles are in doubt, nothing is concluded without a token.
fn token_of_doubted(o: &Observation, current: &UserRef) -> Option<Step> {
    let reported = matches!(o.reported_reason, Some(Reason::RolesMissing | Reason::AccessDenied));
    if !reported && !o.roles_doubted {
        return None;
    }
    match o.proof_of(&current.id).or(o.published_proof.as_ref()) {
        None => Some(Step::Read(Read::Verify(CredentialAt::Portal(current.id.clone())))),
        Some(Verified::Unreachable(_)) if reported => {
            Some(Step::settled(Report::Unchanged, Requeue::Backoff))
        }
        Some(Verified::Unreachable(reason)) => Some(publish::settled(
            o,
            current,
            Stage::Credential.blocked(publish::unreachable(reason)),
            Requeue::Backoff,
        )),
        Some(Verified::Accepted | Verified::Refused { .. }) => None,
    }
}

fn judge(
    wanted: &[String],
    grants: &Grants,
    current: &UserRef,
    user: &UserFacts,
    token: &[String],
) -> Result<(), Blocker> {
    let missing = roles::missing(wanted, token);
    if !missing.is_empty() {
        return Err(Blocker::lasting(
            Reason::RolesMissing,
            format!(
                "User {} lacks {} {LACKS}. Ask the portal's support to assign the role to client {} again. The operator checks \
                 it again at each verification.",
                current.id,
                quoted(&missing),
                user.client_id.as_deref().unwrap_or_default(),
            ),
        ));
    }
    if grants.roles(token) {
        return Ok(());
    }
    let shown: Vec<&str> = user.roles.iter().map(String::as_str).collect();
    let beyond: Vec<&str> = token.iter().map(String::as_str).filter(|role| !shown.contains(role)).collect();
    Err(Blocker::lasting(
        Reason::AccessDenied,
        format!(
            "{HAS_TOO_MANY} {} shows roles that the portal does not show: {}. They are assigned only in the identity provider, \
             and the Portal's access does not grant them to this namespace (granted: {}), so the credential is not \
             published. Ask the Portal's owner for a rule, or the portal's support to remove the roles. The operator checks it \
             again at each verification.",
            current.id,
            quoted(&beyond),
            grants.granted_words(),
        ),
    ))
}
