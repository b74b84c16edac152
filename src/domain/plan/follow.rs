//! A user that is there: from its details to its credential, or to its successor.

use std::time::Duration;

use crate::domain::access::Grants;
use crate::domain::ownership::{self, Whose};
use crate::domain::reason::Reason;
use crate::domain::roles::{self, Blocker, quoted};
use crate::domain::user::{UserId, UserKind, UserStatus};

use super::candidates::{self, Choice};
use super::deletion::{LEFT_FOR_SUCCESSOR, RETAINED_EARLIER};
use super::live::{attempt_ahead, granted, make, may_make};
use super::observation::{
    DesiredUser, Done, Listed, Observation, PortalFacts, Proof, SecretView, UserFacts, UserView, Verified,
};
use super::step::{Current, Read, Report, Rest, Step, Wake, Write};
use super::{blocked, credential, ours, pin, token_roles};

/// Whether status, Secret and list agree that all is as it should be, so that nobody has to be asked.
pub(super) fn as_recorded(o: &Observation) -> bool {
    let Some(user) = &o.recorded.user else { return false };
    let secret_as_recorded = match &o.secret {
        SecretView::Ours { user: published, digest, metadata_as_wanted } => {
            *metadata_as_wanted
                && digest.is_some()
                && *digest == o.recorded.digest
                && published.as_ref() == Some(&user.id)
        }
        _ => false,
    };
    // Once the credential was read, there was a reason to doubt the published one.
    let doubted = matches!(o.verification, Some((Proof::Read, _) | (_, Verified::Refused { .. })));
    let listed = matches!(o.listed, Listed::Unknown | Listed::There(UserStatus::Active));
    // A user that was taken over gets a mark of this copy of the installation.
    let made_here = o.recorded.portal.as_ref().is_none_or(|portal| portal.hint == o.hint);
    let pinned_here = o.portal.as_ref().map_or(true, |portal| pin::is_here(o, portal));
    user.active
        && made_here
        && pinned_here
        && o.recorded.credential
        && secret_as_recorded
        && listed
        && !doubted
        && o.spec_observed
        && attempt_ahead(o).is_none()
}

/// Goes on with the user that the resource stands for.
pub(super) fn follow(
    o: &Observation,
    desired: &DesiredUser,
    portal: &PortalFacts,
    current: &Current,
) -> Step {
    let recorded = o.recorded.user.as_ref().is_some_and(|u| u.id == current.id);
    let renamed = o.name_doubted && may_describe(portal).is_ok();
    if recorded && as_recorded(o) && !o.rotation_requested && !o.roles_doubted && !renamed {
        if o.is_login(portal, &current.id) {
            return blocked(o, &ownership::login_blocker(&current.id), Wake::OnChange);
        }
        return credential::check(o)
            .or_else(|| tidy(o, portal, current))
            .unwrap_or_else(|| credential::keep(o, current));
    }
    match o.view(&current.id) {
        None => Step::Read(Read::User(current.id.clone())),
        Some(UserView::Gone) => gone(o, desired, portal, current),
        Some(UserView::Lost) => lost(o, desired, portal, current),
        Some(UserView::Read(user)) => with_details(o, desired, portal, current, user),
    }
}

/// Removes users that were made twice, once the status names the one that stays.
fn tidy(o: &Observation, portal: &PortalFacts, current: &Current) -> Option<Step> {
    if portal.suspended {
        return None;
    }
    if let Some(id) = candidates::unread(o) {
        return Some(Step::Read(Read::Confirm(id.clone())));
    }
    if let Some(left) = candidates::left_unlisted(o) {
        let why = RETAINED_EARLIER.to_owned();
        return Some(Step::Write(Write::ListRetained(left.clone(), why)));
    }
    let extra = candidates::duplicate(o, portal, current)?;
    if !o.live {
        return Some(Step::Read(Read::Object));
    }
    let id = extra.id.clone();
    if o.view(&id).is_none() {
        return Some(Step::Read(Read::User(id)));
    }
    let done = |what: &Done| o.is_done(&extra.id, what);
    let undeletable = !portal.may_delete
        || done(&Done::DeleteForbidden)
        || o.done.iter().any(|(user, d)| *user == extra.id && matches!(d, Done::DeleteRefused(_)));
    if !undeletable {
        return Some(Step::Write(Write::Delete(id)));
    }
    Some(Step::Write(if extra.kind == UserKind::Internal && !done(&Done::Reset) {
        Write::Reset(id)
    } else if !done(&Done::MarkedRetained) {
        Write::MarkRetained(id)
    } else {
        Write::ListRetained(
            id,
            "a second user was created for the resource, and this login cannot delete it".to_owned(),
        )
    }))
}

fn with_details(
    o: &Observation,
    desired: &DesiredUser,
    portal: &PortalFacts,
    current: &Current,
    user: &UserFacts,
) -> Step {
    // What is not ours is not recorded either: the status then tells nothing of it.
    match o.whose(portal, &current.id, user) {
        Whose::Other(mark) => {
            let blocker = Blocker::lasting(
                Reason::MarkedByOther,
                format!("user {} bears the mark of {}; it is not touched", current.id, mark.owner),
            );
            return blocked(o, &blocker, Wake::OnChange);
        }
        Whose::OperatorLogin => {
            return blocked(o, &ownership::login_blocker(&current.id), Wake::OnChange);
        }
        Whose::Unproved => {
            return blocked(o, &ownership::unproved_blocker(&current.id), Wake::OnChange);
        }
        Whose::Retained => return successor(o, desired, portal, current),
        Whose::Ours(mark) => {
            if let Err(blocker) = ours(o, portal, &mark.hint) {
                return blocked(o, &blocker, Wake::OnChange);
            }
        }
        Whose::OursWithoutMark => {}
    }
    // A status can name another generation than the portal shows.
    let generation = o.generation_shown(user).unwrap_or(current.generation);
    let current = &Current { id: current.id.clone(), generation };
    match user.status {
        UserStatus::Active => active(o, desired, portal, current, user),
        UserStatus::Pending => pending(o, desired, portal, current),
        UserStatus::PendingDeletion | UserStatus::Deleted | UserStatus::Inactive => {
            gone(o, desired, portal, current)
        }
        UserStatus::Other => user_blocked(
            o,
            current,
            Blocker::lasting(
                Reason::UserInactive,
                format!("user {} is in a state that this operator does not know", current.id),
            ),
            Wake::Backoff,
        ),
    }
}

fn active(
    o: &Observation,
    desired: &DesiredUser,
    portal: &PortalFacts,
    current: &Current,
    user: &UserFacts,
) -> Step {
    let missing = roles::missing(&desired.roles, &user.roles);
    if !missing.is_empty() {
        return user_blocked(
            o,
            current,
            Blocker::lasting(
                Reason::RolesMissing,
                format!(
                    "user {} lacks {}: the portal did not give what was asked for, and cannot change the roles of a user; its \
                 credential is not published",
                    current.id,
                    quoted(&missing)
                ),
            ),
            Wake::OnChange,
        );
    }
    if let Err(blocker) = granted(o, desired, portal) {
        return user_blocked(o, current, blocker, Wake::OnChange);
    }
    if let Err(blocker) = has_granted_roles_only(&portal.grants, &current.id, user) {
        return user_blocked(o, current, blocker, Wake::OnChange);
    }
    if let Some(step) = token_roles::check(o, &desired.roles, &portal.grants, current, user) {
        return step;
    }
    // Without its name, a user is not found again where the status is lost.
    let described =
        user.description == o.description(current.generation) && o.is_named(&user.name, current.generation);
    let blocker = match may_describe(portal) {
        Ok(()) if !described => return Step::Write(Write::Describe(current.clone())),
        Ok(()) => None,
        // The spec was changed and is not carried out; a person's edit in the portal is put right when that is possible.
        Err(blocker) => Some(blocker).filter(|_| !described && !o.spec_observed),
    };
    match (credential::publish(o, current, user), blocker) {
        // The Secret is as it should be, the user is not.
        (Step::Rest(Rest { report: Report::Ready, .. }), Some(blocker)) => {
            user_blocked(o, current, blocker, Wake::OnChange)
        }
        (step, _) => step,
    }
}

fn may_describe(portal: &PortalFacts) -> Result<(), Blocker> {
    if portal.suspended {
        return Err(Blocker::passing(
            Reason::PortalSuspended,
            "the Portal is suspended: the user's name or description is changed when it is resumed",
        ));
    }
    if !portal.may_create {
        return Err(Blocker::lasting(
            Reason::PermissionMissing,
            "the Portal's login may not change the user's name or description (add_tech_user_management is missing): use a \
             technical user with the role \"Connector Management\"",
        ));
    }
    Ok(())
}

/// Whether one rule grants all roles that a user has: a credential is worth these, whatever was requested.
pub(super) fn has_granted_roles_only(grants: &Grants, id: &UserId, user: &UserFacts) -> Result<(), Blocker> {
    if grants.roles(&user.roles) {
        return Ok(());
    }
    let granted = grants.granted_roles();
    let beyond: Vec<&str> =
        user.roles.iter().map(String::as_str).filter(|role| !granted.contains(role)).collect();
    let what = if beyond.is_empty() { "its roles together".to_owned() } else { quoted(&beyond) };
    Err(Blocker::lasting(
        Reason::AccessDenied,
        format!(
            "User {id} has the roles {}. The Portal's access does not grant {what} to this namespace (granted: {}), so \
             its credential is not published. The Portal's owner can add a rule, or the roles can be removed in the portal",
            quoted(&user.roles.iter().map(String::as_str).collect::<Vec<_>>()),
            grants.granted_words(),
        ),
    ))
}

fn pending(o: &Observation, desired: &DesiredUser, portal: &PortalFacts, current: &Current) -> Step {
    if o.rotation_requested && !o.rotation_under_way(current) {
        return successor(o, desired, portal, current);
    }
    user_blocked(o, current, pending_blocker(o, current), Wake::Poll)
}

/// How long a wallet service may take before a person is asked to look: it runs every five minutes.
const PENDING_LIMIT: Duration = Duration::from_mins(30);

/// What a pending user's condition says; an alarm after [`PENDING_LIMIT`].
pub(super) fn pending_blocker(o: &Observation, current: &Current) -> Blocker {
    let id = &current.id;
    if o.pending_for.is_some_and(|time| time > PENDING_LIMIT) {
        return Blocker::lasting(
            Reason::PendingTooLong,
            format!(
                "user {id} has waited for the wallet service for more than {} minutes; it may be stuck, which only the portal's \
                 operator can repair. To have another one created: annotate this resource with technicaluser.dev/rotate={id}",
                PENDING_LIMIT.as_secs() / 60
            ),
        );
    }
    Blocker::passing(
        Reason::Pending,
        format!("user {id} waits for the wallet service, which usually answers within five minutes"),
    )
}

fn lost(o: &Observation, desired: &DesiredUser, portal: &PortalFacts, current: &Current) -> Step {
    // What is known of the time of a loss is known of the recorded user alone.
    let certain = o.loss_confirmed && o.recorded.user.as_ref().is_some_and(|u| u.id == current.id);
    if o.rotation_requested || certain {
        if !o.is_done(&current.id, &Done::ListedRetained) && !portal.suspended {
            return Step::Write(Write::ListRetained(current.id.clone(), LEFT_FOR_SUCCESSOR.to_owned()));
        }
        return successor(o, desired, portal, current);
    }
    if matches!(o.secret, SecretView::Ours { .. }) && o.verification.is_none() {
        return Step::Read(Read::Verify(Proof::Published));
    }
    user_blocked(
        o,
        current,
        Blocker::lasting(
            Reason::IdentityLost,
            format!(
                "the portal lists user {0}, but its identity provider has lost the client: it can be neither used nor deleted. If \
             the identity provider is being restored, wait. Else ask for a successor: annotate this resource with \
             technicaluser.dev/rotate={0}",
                current.id
            ),
        ),
        Wake::Backoff,
    )
}

fn gone(o: &Observation, desired: &DesiredUser, portal: &PortalFacts, current: &Current) -> Step {
    if let Some(count) = portal.loss_suspected {
        return user_blocked(
            o,
            current,
            Blocker::lasting(
                Reason::LossSuspected,
                format!(
                    "user {} is gone from the portal, and {count} users vanished at once: that is taken for a fault of the portal. \
                 If it is not, annotate the Portal with technicaluser.dev/accept-loss={count}",
                    current.id
                ),
            ),
            Wake::OnChange,
        );
    }
    successor(o, desired, portal, current)
}

/// Takes or makes a user of a later generation.
fn successor(o: &Observation, desired: &DesiredUser, portal: &PortalFacts, current: &Current) -> Step {
    let at_least = current.generation.max(o.recorded_generation()).saturating_add(1);
    let Some(found) = &o.search else {
        return match may_make(o, desired, portal) {
            Ok(()) => Step::Read(Read::Search),
            Err(blocker) => user_blocked(o, current, blocker, Wake::OnChange),
        };
    };
    match candidates::choose(o, portal, found, at_least) {
        // Each one that is followed from here is of a later generation than the one before, so this comes to an end.
        Ok(Choice::Take(next)) if next.id != current.id => follow(o, desired, portal, &next),
        Ok(Choice::Take(next)) => make(o, desired, portal, next.generation.saturating_add(1)),
        Ok(Choice::Make(generation)) => make(o, desired, portal, generation),
        Err(blocker) => blocked(o, &blocker, Wake::OnChange),
    }
}

/// The end of a pass that records the user and says what is wrong with it.
pub(super) fn user_blocked(o: &Observation, current: &Current, blocker: Blocker, wake: Wake) -> Step {
    Step::Rest(Rest {
        current: Some(current.clone()),
        report: Report::User(blocker),
        wake,
        rotation_handled: o.rotation_under_way(current),
    })
}

impl Observation {
    /// Whether the user is one that a request for rotation led to: a later one than the status names.
    pub(super) fn rotation_under_way(&self, current: &Current) -> bool {
        self.rotation_requested
            && current.generation > self.recorded_generation()
            && self.recorded_generation() > 0
    }
}
