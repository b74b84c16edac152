//! What would be done for one resource, found out once and without a write.

use std::sync::Arc;

use super::outputs;
use super::progress::Progress;
use super::{observe, preview, settle, spec};
use crate::api::technical_user::TechnicalUserSpec;
use crate::controller::context::Context;
use crate::controller::objects::{Key, is_deleting};
use crate::domain::blocker::Blocker;
use crate::domain::plan::{Report, Settled};
use crate::domain::reason::Reason;
use crate::k8s::stored::StoredObject;

/// What would be done, and what the resource waits for.
#[derive(Debug)]
pub struct Look {
    /// What would be done, in words.
    pub planned: Vec<String>,
    /// Why it is not ready, besides that nothing is done for it.
    pub why: Option<Blocker>,
    /// It could be found out.
    pub known: bool,
}

impl Look {
    /// It cannot be found out.
    #[must_use]
    pub fn failed(why: Blocker) -> Self {
        Self { planned: Vec::new(), why: Some(why), known: false }
    }

    /// Whether something that another look may show is being read.
    #[must_use]
    pub fn is_in_progress(&self) -> bool {
        self.why.as_ref().is_some_and(|why| why.reason == Reason::Searching)
    }

    /// Whether it could not be found out, or a person has to act first.
    #[must_use]
    pub fn has_failed(&self) -> bool {
        !self.known || self.why.as_ref().is_some_and(|why| why.stalled)
    }

    /// The reason.
    #[must_use]
    pub fn reason(&self) -> Option<&'static str> {
        self.why.as_ref().map(|why| why.reason.as_str())
    }

    /// What it means here.
    #[must_use]
    pub fn message(&self) -> Option<&str> {
        self.why.as_ref().map(|why| why.message.as_str())
    }
}

/// Looks at a resource, which is suspended.
pub async fn look(ctx: &Arc<Context>, object: &StoredObject) -> Look {
    let invalid = |why: String| Look::failed(Blocker::lasting(Reason::InvalidResource, why));
    let spec = match spec::of(object) {
        Ok(spec) => spec,
        Err(why) => return invalid(why),
    };
    let unreadable = outputs::unreadable(&Key::of(object), spec.outputs.as_deref());
    if let Some(why) = unreadable.filter(|_| !is_deleting(object)) {
        return invalid(why);
    }
    let suspended = TechnicalUserSpec { suspend: Some(true), ..spec };
    let failed =
        |error: super::Failure| Look::failed(Blocker::passing(Reason::KubernetesError, error.to_string()));
    let mut reconcile = match observe::observe(ctx, object.clone(), suspended).await {
        Ok(reconcile) => reconcile,
        Err(error) => return failed(error),
    };
    let progress = Progress::default();
    let settled = match settle(&mut reconcile, &progress).await {
        Ok(settled) => settled,
        Err(error) => return failed(error),
    };
    let previewed = preview::preview(&mut reconcile, &progress).await;
    let why = why(settled);
    let waiting = match previewed {
        Ok(waiting) => waiting,
        Err(failure) => {
            let blocker = failure.blocker(reconcile.disclosed());
            return Look::failed(blocker.or(why).unwrap_or_else(unknown));
        }
    };
    match (reconcile.planned, reconcile.observation.portal) {
        (Some(planned), _) => Look { planned, why: why.or(waiting), known: true },
        // What was reported before says nothing of this.
        (None, Err(blocker)) => Look::failed(blocker),
        (None, Ok(_)) => Look::failed(why.unwrap_or_else(unknown)),
    }
}

fn unknown() -> Blocker {
    Blocker::passing(
        Reason::PortalError,
        "The portal or the cluster did not answer everything that the plan asks",
    )
}

/// Why it is not ready. That it is suspended is no reason.
fn why(settled: Settled) -> Option<Blocker> {
    match settled.report {
        Report::Blocked { blocker, .. } | Report::Deleting(blocker)
            if blocker.reason != Reason::Suspended =>
        {
            Some(blocker)
        }
        _ => settled.rotation.waiting,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::plan::{Requeue, Stage};

    #[test]
    fn what_a_rotation_waits_for_is_why_unless_something_else_is_in_the_way() {
        let waits = Blocker::passing(Reason::PortalSuspended, "the rotation");
        let ended = |report| {
            let mut settled = Settled::new(report, Requeue::Never);
            settled.rotation.waiting = Some(waits.clone());
            why(settled)
        };
        assert_eq!(ended(Report::Ready), Some(waits.clone()));
        let suspended = Blocker::passing(Reason::Suspended, "it is suspended");
        assert_eq!(ended(Stage::User.blocked(suspended)), Some(waits.clone()));
        let other = Blocker::lasting(Reason::RoleNotOffered, "the role");
        assert_eq!(ended(Stage::User.blocked(other.clone())), Some(other));
        assert_eq!(why(Settled::new(Report::Ready, Requeue::Never)), None);
    }
}
