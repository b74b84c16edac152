//! The state of each output, and the outputs to remove.

use std::collections::BTreeMap;

use super::retiring::see_retiring;
use crate::api::technical_user::TechnicalUserStatus;
use crate::controller::technical_user::failure::Failure;
use crate::controller::technical_user::outputs::{self, Output, Resource};
use crate::controller::technical_user::reconcile::Reconcile;
use crate::domain::plan::{MOST_FORMER, OutputId, OutputState, OutputView, ToRemove};

/// What is in the place of each output. A resource under deletion needs none of them.
pub(super) async fn observe_outputs(reconcile: &mut Reconcile) -> Result<(), Failure> {
    let resource = reconcile.resource.clone();
    reconcile.outputs = outputs::of_spec(&resource, reconcile.spec.outputs.as_deref());
    let deleting = reconcile.observation.deleting;
    reconcile.observation.to_remove = to_remove(&resource, &reconcile.status, &reconcile.outputs, deleting);
    for output in &mut reconcile.outputs {
        let id = output.id().clone();
        let recorded = reconcile.status.outputs.iter().find(|recorded| recorded.id() == id);
        let mut state = OutputState::Absent;
        if !reconcile.observation.deleting {
            state = match output.observe(recorded).await {
                Ok(observed) => {
                    reconcile.observation.timers.also(observed.read_in);
                    observed.state
                }
                Err(Failure::OutputUnavailable(blocker)) => OutputState::Unknown(blocker),
                Err(failure) => return Err(failure),
            };
        }
        reconcile.observation.outputs.push(OutputView {
            state,
            in_status: recorded.is_some(),
            recorded: recorded.map(|recorded| recorded.digest.clone()).filter(|digest| !digest.is_empty()),
            writable: None,
            place_per_user: output.has_place_per_user(),
            places: BTreeMap::new(),
            readable: output.is_readable(),
            outlives_resource: output.outlives_resource(),
            alias_is_fixed: output.alias_is_fixed(),
            id,
        });
    }
    if !deleting {
        Box::pin(see_unnamed(reconcile)).await?;
    }
    see_retiring(reconcile);
    Ok(())
}

/// Sees the Secrets that the operator wrote for the resource and that nothing names, as former outputs.
async fn see_unnamed(reconcile: &mut Reconcile) -> Result<(), Failure> {
    let Reconcile { resource, status, outputs, .. } = &*reconcile;
    let room = MOST_FORMER.saturating_sub(reconcile.observation.to_remove.len());
    for found in outputs::unnamed(resource, status, outputs, room).await? {
        let (output, unnamed) = (found.id(), true);
        reconcile.observation.to_remove.push(ToRemove { output, unnamed, ..ToRemove::default() });
        reconcile.resource.history.outputs.push(found);
    }
    Ok(())
}

/// The outputs to remove. Removes all others from memory.
fn to_remove(
    resource: &Resource,
    status: &TechnicalUserStatus,
    outputs: &[Box<dyn Output>],
    deleting: bool,
) -> Vec<ToRemove> {
    let to_remove = outputs::to_remove(resource, status, outputs, deleting);
    let ids: Vec<OutputId> = to_remove.iter().map(|output| output.output.clone()).collect();
    resource.ctx.memory.change_known(&resource.key, |user| user.removals.keep(&ids));
    to_remove
}
