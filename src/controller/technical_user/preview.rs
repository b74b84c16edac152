//! What would be done while the resource or its Portal is suspended: the plan goes on with what its writes would lead to, and only
//! reads are carried out.

use super::STEPS;
use super::failure::Failure;
use super::perform;
use super::progress::Progress;
use super::reconcile::Reconcile;
use crate::domain::blocker::Blocker;
use crate::domain::plan::{self, Planned, Read, Report, Settled, Step};
use crate::domain::reason::Reason;

/// Finds out what would be done, for the status, and what a rotation would wait for. The observation stays as it is. After a
/// failure nothing is known of what would be done.
pub(super) async fn preview(
    reconcile: &mut Reconcile,
    progress: &Progress,
) -> Result<Option<Blocker>, Failure> {
    let Ok(portal) = &reconcile.observation.portal else {
        // Nothing is known of what would be done, so what was known before stays.
        reconcile.planned = None;
        return Ok(None);
    };
    let suspended = portal.suspended || reconcile.observation.suspended;
    if !suspended {
        return Ok(None);
    }
    let (seen, details) = (reconcile.observation.clone(), reconcile.details.clone());
    let object = (reconcile.object.clone(), reconcile.spec.clone(), reconcile.status.clone());
    let found = planned(reconcile, progress).await;
    // The object and the users may have been read again, and be newer than what the status is computed from.
    (reconcile.object, reconcile.spec, reconcile.status) = object;
    (reconcile.observation, reconcile.details) = (seen, details);
    match found {
        Ok((planned, waiting)) => {
            reconcile.planned = Some(planned.into_words());
            Ok(waiting)
        }
        Err(failure) => {
            tracing::debug!(resource = %reconcile.key, error = %failure, "What would be done cannot be found out now");
            reconcile.planned = None;
            Err(failure)
        }
    }
}

async fn planned(
    reconcile: &mut Reconcile,
    progress: &Progress,
) -> Result<(Planned, Option<Blocker>), Failure> {
    let mut planned = Planned::default();
    for _ in 0..STEPS {
        // The object is observed again when it is read.
        Planned::lift(&mut reconcile.observation);
        match plan::plan(&reconcile.observation) {
            Step::Read(what) => {
                progress.at(&what);
                perform::read::read(reconcile, what).await?;
            }
            // Before the first write is taken for done, which would be forgotten by that.
            Step::Write(_) if !reconcile.observation.live => {
                perform::read::read(reconcile, Read::Object).await?;
            }
            Step::Write(what) => {
                if !planned.add(&mut reconcile.observation, &what) {
                    return Ok((planned, None));
                }
            }
            Step::Settled(settled) if awaits_list(&settled) => return Err(Failure::ListAwaited),
            Step::Settled(settled) => return Ok((planned, settled.rotation.waiting)),
        }
    }
    Err(Failure::Endless)
}

/// Whether what would be done depends on the user list, which is being read.
fn awaits_list(settled: &Settled) -> bool {
    matches!(&settled.report, Report::Blocked { blocker, .. } if blocker.reason == Reason::Searching)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use serde_json::{Value, json};

    use super::*;
    use crate::controller::portal::connections::Connection;
    use crate::controller::technical_user::test_support::Scene;
    use crate::controller::test_support::{Users, connection_to};
    use crate::domain::plan::{Requeue, Stage};
    use crate::domain::test_support::role;
    use crate::domain::user::RoleKind;
    use crate::portal::{Login, Permissions, PortalError};

    /// A connection to a portal without users, in which one can be created.
    fn connection() -> Connection {
        let permissions =
            Permissions { view: true, create: true, delete: true, roles: true, dataspace: false };
        let connection = connection_to(Users::none(PortalError::NotFound));
        Connection {
            roles: Arc::new(vec![role("discovery", RoleKind::Internal, false)]),
            login: Login { permissions, ..connection.login.clone() },
            ..connection
        }
    }

    /// What would be done for a new resource, and what the apiserver has of it afterwards.
    async fn planned(scene: Scene) -> (Option<Vec<String>>, Option<Value>) {
        let mut reconcile = scene.observed().await;
        let suspended = reconcile.observation.suspended;
        Box::pin(preview(&mut reconcile, &Progress::default())).await.unwrap();
        assert_eq!(reconcile.observation.suspended, suspended, "the status is computed from what was seen");
        (reconcile.planned, scene.apiserver.get("connector", "edc"))
    }

    #[tokio::test(start_paused = true)]
    async fn what_would_be_done_is_found_out_for_a_resource_that_is_suspended_and_nothing_is_done() {
        let suspended = json!({"spec": {"suspend": true}});
        let (words, secret) = planned(Scene::connected(connection(), &suspended)).await;
        let words = words.unwrap();
        assert_eq!(words.len(), 2, "{words:?}");
        assert!(words[0].ends_with("in the portal with the roles \"discovery\""), "{words:?}");
        assert!(words[1].ends_with("into Secret \"edc\""), "{words:?}");
        assert_eq!(secret, None);
        let (words, _) = planned(Scene::connected(connection(), &json!({}))).await;
        assert_eq!(words, Some(Vec::new()), "what is to be done is done");
        let (words, _) = planned(Scene::without_portal(&suspended)).await;
        assert_eq!(words, None, "nothing is known without the Portal, so the status stays as it is");
    }

    #[test]
    fn nothing_is_known_while_the_list_is_read() {
        let ended = |reason| {
            let report = Stage::User.blocked(Blocker::passing(reason, "why"));
            Settled::new(report, Requeue::Backoff)
        };
        assert!(awaits_list(&ended(Reason::Searching)));
        assert!(!awaits_list(&ended(Reason::UserNotFound)));
        assert!(!awaits_list(&Settled::new(Report::Ready, Requeue::Never)));
    }
}
