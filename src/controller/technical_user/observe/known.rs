//! What is known of the values that outputs hold before there is a user.

use crate::controller::portal::memory::Parsed;
use crate::controller::technical_user::outputs;
use crate::domain::format::Known;
use crate::domain::plan::{self, Desired, Observation, PortalFacts};
use crate::domain::roles;
use crate::domain::user::{RoleKind, UserKind};

/// What the Portal says of the values, in its spec and by what the portal shows; `None` while it cannot be read.
pub(super) fn known(o: &Observation, portal: Option<&Parsed>) -> Option<Known> {
    let (shown, spec) = (portal?.status.dataspace.as_ref(), portal?.spec.as_ref()?);
    let facts = o.portal.as_ref().ok();
    Some(Known {
        kind: facts.and_then(|facts| kind(&o.desired, facts)),
        token_url: facts.map(|facts| facts.token_url.clone()),
        bpn: plan::company(o).map(str::to_owned),
        surroundings: outputs::surroundings(shown, spec.dataspace.as_ref()),
    })
}

/// The kind of a user that is created with the requested roles. That of an existing user is in its details only.
fn kind(desired: &Desired, portal: &PortalFacts) -> Option<UserKind> {
    let Desired::Create(desired) = desired else { return None };
    let kind = roles::resolve(&desired.roles, &portal.roles).ok()?.kind;
    Some(match kind {
        RoleKind::Internal => UserKind::Internal,
        RoleKind::External => UserKind::External,
    })
}
