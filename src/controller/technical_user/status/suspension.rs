//! What the operator would do while something is suspended, and the condition of a suspended resource.

use crate::api::conditions::{SUSPENDED, Wanted, brought_up_to_date};
use crate::api::technical_user::TechnicalUserStatus;
use crate::controller::technical_user::reconcile::Reconcile;
use crate::domain::reason::Reason;

/// Replaces the condition among the others, and the list. A list that could not be found out stays as it is.
pub(super) fn report_suspension(reconcile: &Reconcile, new: &mut TechnicalUserStatus) {
    if let Some(planned) = &reconcile.planned {
        new.planned.clone_from(planned);
    }
    new.conditions.retain(|condition| condition.type_ != SUSPENDED);
    if reconcile.spec.is_suspended() {
        let wanted = Wanted {
            type_: SUSPENDED,
            status: Some(true),
            reason: Reason::Suspended.as_str(),
            message:
                "The operator changes nothing until suspend is false. status.planned lists what it would do"
                    .to_owned(),
        };
        let old = &reconcile.status.conditions;
        new.conditions.extend(brought_up_to_date(old, &[wanted], new.observed_generation, reconcile.now));
    }
}
