//! The object itself, from the apiserver.

use kube::Api;

use crate::controller::kube_error::KubeError;
use crate::controller::objects::technical_users;
use crate::controller::technical_user::failure::Failure;
use crate::controller::technical_user::observe::observe;
use crate::controller::technical_user::outputs::keep_written;
use crate::controller::technical_user::reconcile::Reconcile;
use crate::controller::technical_user::spec;
use crate::domain::plan::Searched;
use crate::k8s::stored::StoredObject;

/// Reads the object: the next decision must not depend on a cache. Everything is observed again with it. What was read and
/// done in this reconcile is kept.
pub(super) async fn object(reconcile: &mut Reconcile) -> Result<(), Failure> {
    let api: Api<StoredObject> =
        Api::namespaced_with(reconcile.ctx.client.clone(), &reconcile.key.namespace, &technical_users());
    let live = api.get(&reconcile.key.name).await.map_err(KubeError::from)?;
    if live.metadata.uid != reconcile.object.metadata.uid {
        return Err(Failure::Overtaken);
    }
    // The next reconcile, which the watch brings, reports that it cannot be read.
    let spec = spec::of(&live).map_err(|_| Failure::Overtaken)?;
    // What was written is of the former spec. The next reconcile sees the other one.
    if !reconcile.written.outputs.is_empty()
        && live.metadata.generation != reconcile.object.metadata.generation
    {
        return Err(Failure::Overtaken);
    }
    let new = observe(&reconcile.ctx, live, spec).await?;
    let old = std::mem::replace(reconcile, new);
    let o = &mut reconcile.observation;
    o.live = true;
    if old.observation.searched == Searched::Everywhere {
        o.searched = Searched::Everywhere;
        let found = old.observation.users.named().map(|(id, named)| (id.clone(), named.clone()));
        o.users.name_only(found);
    }
    for before in old.observation.outputs {
        if let Some(output) = o.output_mut(&before.id) {
            (output.writable, output.places) = (before.writable, before.places);
        }
    }
    o.published_proof = old.observation.published_proof;
    o.timers.verification = old.observation.timers.verification;
    o.users.keep_read_and_done(old.observation.users);
    reconcile.details = old.details;
    reconcile.places = old.places;
    keep_written(&mut reconcile.outputs, old.outputs, &old.written.outputs);
    reconcile.written = old.written;
    reconcile.removed = old.removed;
    reconcile.failed = old.failed;
    reconcile.now = old.now;
    Ok(())
}
