//! Writes a request to the portal down on the resource before it is sent, so that a process that takes over knows of it.

use kube::Api;
use kube::api::{DynamicObject, Patch, PatchParams};
use serde_json::json;

use crate::api::FIELD_MANAGER;
use crate::controller::context::Context;
use crate::controller::kube_error::KubeError;
use crate::controller::objects::{Key, annotation, technical_users};
use crate::controller::technical_user::failure::Failure;
use crate::domain::attempt::Attempt;
use crate::process::Random;

/// What is written on a resource before a request.
pub(super) struct WriteDown<'a> {
    /// The resource.
    pub key: &'a Key,
    /// The state of it that was decided on.
    pub resource_version: &'a str,
    /// All its finalizers from now on, or `None` if they do not change.
    pub finalizers: Option<&'a [String]>,
    /// The annotation that gets the attempt.
    pub annotation: &'a str,
    /// The attempt.
    pub attempt: &'a Attempt,
}

impl WriteDown<'_> {
    /// Patches the object in the state that was decided on.
    ///
    /// # Errors
    /// [`Failure::Overtaken`] if the object is gone, and the failure of the patch if nothing was written.
    pub(super) async fn send(&self, ctx: &Context) -> Result<DynamicObject, Failure> {
        let api: Api<DynamicObject> =
            Api::namespaced_with(ctx.client.clone(), &self.key.namespace, &technical_users());
        let mut metadata = json!({
            "resourceVersion": self.resource_version,
            "annotations": { self.annotation: self.attempt.to_string() },
        });
        if let (Some(finalizers), Some(fields)) = (self.finalizers, metadata.as_object_mut()) {
            fields.insert("finalizers".to_owned(), json!(finalizers));
        }
        let patch = json!({ "metadata": metadata });
        let params = PatchParams { field_manager: Some(FIELD_MANAGER.to_owned()), ..PatchParams::default() };
        match api.patch(&self.key.name, &params, &Patch::Merge(&patch)).await.map_err(KubeError::from) {
            Ok(object) => {
                let after = object.metadata.resource_version.as_deref();
                ctx.memory
                    .change(self.key, |user| user.overwritten.wrote(Some(self.resource_version), after));
                Ok(object)
            }
            Err(KubeError::NotFound) => Err(Failure::Overtaken),
            Err(error @ KubeError::Denied { .. }) => Err(error.into()),
            // Unclear, a conflict included (a retried patch meets its own first try): our attempt there means ours.
            Err(error) => {
                let object = api.get(&self.key.name).await.map_err(KubeError::from)?;
                let written = annotation(&object, self.annotation) == Some(&self.attempt.to_string());
                if written { Ok(object) } else { Err(error.into()) }
            }
        }
    }
}

/// Letters and digits that no other attempt has.
pub(super) fn random_id(random: &Random) -> String {
    random.uuid().simple().to_string().chars().take(12).collect()
}
