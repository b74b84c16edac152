//! What would be done while the resource or its Portal is suspended: the plan goes on with what its writes would lead to, and only
//! reads are carried out.

use super::STEPS;
use super::failure::Failure;
use super::perform;
use super::progress::Progress;
use super::reconcile::Reconcile;
use crate::domain::plan::{self, Planned, Read, Step};

/// Finds out what would be done, for the status. The observation stays as it is.
pub(super) async fn preview(reconcile: &mut Reconcile, progress: &Progress) {
    let Ok(portal) = &reconcile.observation.portal else {
        // Nothing is known of what would be done, so what was known before stays.
        reconcile.planned = None;
        return;
    };
    let suspended = portal.suspended || reconcile.observation.suspended;
    if !suspended {
        return;
    }
    let (seen, details) = (reconcile.observation.clone(), reconcile.details.clone());
    let object = (reconcile.object.clone(), reconcile.spec.clone(), reconcile.status.clone());
    let planned = match planned(reconcile, progress).await {
        Ok(planned) => Some(planned.into_words()),
        Err(failure) => {
            tracing::debug!(resource = %reconcile.key, error = %failure, "What would be done cannot be found out now");
            None
        }
    };
    // The object and the users may have been read again, and be newer than what the status is computed from.
    (reconcile.object, reconcile.spec, reconcile.status) = object;
    (reconcile.observation, reconcile.details, reconcile.planned) = (seen, details, planned);
}

async fn planned(reconcile: &mut Reconcile, progress: &Progress) -> Result<Planned, Failure> {
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
                    break;
                }
            }
            Step::Settled(_) => break,
        }
    }
    Ok(planned)
}
