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

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::controller::objects::Key;
    use crate::controller::technical_user::test_support::Scene;

    fn scene(more: &Value) -> Scene {
        let scene = Scene::without_portal(more);
        // The cache is empty, so it is not believed.
        scene.ctx.conflicts.after_conflict(&Key { namespace: "connector".into(), name: "edc".into() });
        scene
    }

    /// A resource with these outputs in its status, which is under deletion or not.
    fn recorded(outputs: &Value, deleting: bool) -> Value {
        let deleted = deleting.then_some("2026-11-22T12:00:00Z");
        json!({"metadata": {"deletionTimestamp": deleted}, "status": {"outputs": outputs}})
    }

    /// A deletion does not wait for a store that is down.
    #[tokio::test]
    async fn the_places_of_the_outputs_are_looked_at_unless_the_resource_is_deleted() {
        for deleting in [false, true] {
            let scene = scene(&recorded(&json!([]), deleting));
            scene.apiserver.put("connector", "edc", json!({"metadata": {"annotations": {"by": "Helm"}}}));
            let outputs = scene.observed().await.observation.outputs;
            let is_foreign = matches!(outputs[0].state, OutputState::Foreign(_));
            assert_eq!(is_foreign, !deleting, "{outputs:?}");
        }
    }

    #[tokio::test]
    async fn an_output_that_is_only_announced_holds_nothing_by_the_status() {
        for (digest, by_status) in [("", None), ("d1", Some("d1"))] {
            let outputs = json!([{"kind": "Secret", "name": "edc", "digest": digest}]);
            let outputs = scene(&recorded(&outputs, false)).observed().await.observation.outputs;
            assert!(outputs[0].in_status);
            assert_eq!(outputs[0].recorded.as_deref(), by_status);
        }
    }

    /// Kubernetes removes the Secrets of a resource that is deleted.
    #[tokio::test]
    async fn a_secret_that_nothing_names_is_a_former_output_unless_the_resource_is_deleted() {
        for deleting in [false, true] {
            let scene = scene(&recorded(&json!([]), deleting));
            scene.put_unnamed_secret("old");
            let found = scene.observed().await.observation.to_remove;
            let names: Vec<&str> = found.iter().map(|former| former.output.name.as_str()).collect();
            assert_eq!(names, if deleting { vec![] } else { vec!["old"] });
        }
    }
}
