//! Users that are kept in the portal: marked as retained there, and listed in the Portal's status.

use crate::domain::user::{UserId, UserStatus};

use super::observation::{Done, Observation, UserFacts};
use super::step::{Step, Write};

/// Why a user is retained by the policy of its resource.
pub(super) const RETAINED: &str = "deletionPolicy is Retain";

/// Why a user is listed whose mark says that it was retained before.
pub(super) const RETAINED_EARLIER: &str = "it was retained earlier";

/// Why a user is listed whose client is missing in the identity provider.
pub const LEFT_FOR_SUCCESSOR: &str =
    "its client is missing in the identity provider; it can be neither used nor deleted";

/// Marks a user as retained, if the portal can change it, and lists it.
pub(super) fn retain(o: &Observation, id: &UserId, user: &UserFacts, why: &str) -> Step {
    // The portal changes active users only.
    if user.status == UserStatus::Active && !o.is_done(id, &Done::MarkedRetained) {
        return mark_retained(o, id, user);
    }
    record_retained(id, why)
}

/// Writes the mark of a retained user into its description. The name is not changed.
pub(super) fn mark_retained(o: &Observation, id: &UserId, user: &UserFacts) -> Step {
    let generation = o.generation_shown(user).unwrap_or(1);
    Step::Write(Write::MarkRetained {
        id: id.clone(),
        generation,
        name: user.name.clone(),
        description: o.retained_description(generation),
    })
}

/// Lists a user in the Portal's status.
pub(super) fn record_retained(id: &UserId, why: &str) -> Step {
    Step::Write(Write::RecordRetained { id: id.clone(), why: why.to_owned() })
}
