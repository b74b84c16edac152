//! The conditions of a Portal, and what keeps one from being ready whose login works.

use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;

use super::can_delete::CanDelete;
use crate::api::conditions::{self, READY, RECONCILING, STALLED, Wanted};
use crate::api::portal::PortalStatus;
use crate::controller::portal::connections::Connection;
use crate::domain::blocker::Blocker;
use crate::domain::permissions::login_advice;
use crate::domain::plan;
use crate::domain::reason::Reason;

/// What stands in the way of a login that works.
pub fn standing_in_the_way(
    connection: &Connection,
    suspended: bool,
    missing: Option<i64>,
) -> Option<Blocker> {
    if let Some(count) = missing {
        return Some(Blocker::lasting(
            Reason::UsersVanished,
            format!(
                "{count} users of this installation disappeared from the portal at once. The operator treats that as a fault of the \
                 portal, and creates no successors. If the users were deleted, annotate this Portal with \
                 technicaluser.dev/accept-loss={count} to confirm it."
            ),
        ));
    }
    if connection.company.is_none() && !connection.login.companies.is_empty() {
        return Some(Blocker::lasting(
            Reason::CompanyAmbiguous,
            plan::ambiguous(&connection.login.companies),
        ));
    }
    if suspended {
        return Some(Blocker::passing(
            Reason::Suspended,
            "spec.suspend is true: the operator writes nothing to the portal",
        ));
    }
    let (permissions, names) = (connection.login.permissions, &connection.capabilities.permissions);
    let missing = [(permissions.create, names.create), (permissions.roles, names.roles)];
    let missing: Vec<_> = missing.iter().filter(|(there, _)| !there).map(|(_, name)| *name).collect();
    (!missing.is_empty()).then(|| {
        Blocker::lasting(
            Reason::PermissionMissing,
            format!(
                "The login may only read technical users ({} missing). The operator can publish existing users, and create none. {}.",
                missing.join(", "),
                login_advice(names)
            ),
        )
    })
}

/// All conditions. `old` is the status before, and `new` has the generation that they describe.
pub fn conditions(
    old: &PortalStatus,
    blocker: Option<&Blocker>,
    can_delete: CanDelete,
    notices: &[Wanted],
    new: &PortalStatus,
    now: Timestamp,
) -> Vec<Condition> {
    let mut wanted = match blocker {
        None => vec![Wanted {
            type_: READY,
            status: Some(true),
            reason: Reason::LoggedIn.as_str(),
            message: "The portal answers, and the login may create technical users".to_owned(),
        }],
        Some(blocker) => {
            let reported = |type_, status| Wanted {
                type_,
                status: Some(status),
                reason: blocker.reason.as_str(),
                message: blocker.message.clone(),
            };
            let progress = if blocker.stalled { STALLED } else { RECONCILING };
            vec![reported(READY, false), reported(progress, true)]
        }
    };
    wanted.extend(can_delete.wanted(old));
    wanted.extend_from_slice(notices);
    conditions::brought_up_to_date(&old.conditions, &wanted, new.observed_generation, now)
}
