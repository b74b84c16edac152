//! What the apiserver does at most: a bare client that sends the requests of the operator, with objects of the same size.

use std::time::Instant;

use k8s_openapi::api::core::v1::Secret;
use kube::api::{Api, DynamicObject, Patch, PatchParams, PostParams};
use serde_json::{Value, json};

use crate::figures::float;
use crate::place::Place;
use crate::settings::Settings;
use crate::support::{CREATING, FINALIZER, stored_status};
use crate::users::{Template, Watch, all, names};

/// What the operator wrote for one user.
pub struct Sample {
    attempt: String,
    secret: Secret,
    status: Value,
}

impl Sample {
    /// That of the resource of this name, which is ready.
    pub async fn of(place: &Place, watch: &Watch, name: &str) -> Self {
        let object = place.user(name).await.unwrap();
        Self {
            // The watch may have missed the annotation, which a fast portal lets the operator remove at once.
            attempt: watch.read(|seen| seen.attempt.clone()).unwrap_or_else(|| "g1 0123456789ab".repeat(8)),
            secret: place.get_secret(name).await.unwrap(),
            status: stored_status(&object).clone(),
        }
    }

    /// The same Secret for another resource.
    fn secret_for(&self, owner: &DynamicObject, name: &str, namespace: &str) -> Secret {
        let mut secret = self.secret.clone();
        let metadata = &mut secret.metadata;
        (metadata.name, metadata.namespace) = (Some(name.to_owned()), Some(namespace.to_owned()));
        (metadata.uid, metadata.resource_version) = (None, None);
        (metadata.creation_timestamp, metadata.managed_fields) = (None, None);
        for reference in metadata.owner_references.iter_mut().flatten() {
            (reference.name, reference.uid) = (name.to_owned(), owner.metadata.uid.clone().unwrap());
        }
        secret
    }
}

/// Creates resources and writes what the operator writes for each, in a namespace that no operator watches. Returns the users
/// per second.
pub async fn limit(place: &Place, sample: &Sample, settings: &Settings, template: &Template) -> f64 {
    let namespace = place.plane.namespace("raw").await.unwrap();
    let names = names("user", settings.users);
    let writer = Writer {
        users: place.api("TechnicalUser", &namespace),
        secrets: Api::namespaced(place.client.clone(), &namespace),
        namespace,
        sample,
        template,
    };
    let began = Instant::now();
    all(names.iter().map(|name| writer.write(name))).await;
    float(names.len()) / began.elapsed().as_secs_f64()
}

struct Writer<'a> {
    users: Api<DynamicObject>,
    secrets: Api<Secret>,
    namespace: String,
    sample: &'a Sample,
    template: &'a Template,
}

impl Writer<'_> {
    /// The requests for one user, one after the other: the create by a person, the attempt, the Secret as a dry run, the Secret,
    /// the status.
    async fn write(&self, name: &str) {
        let object = self.template.create(&self.users, name, &self.namespace).await;
        let by = |version: &DynamicObject| version.metadata.resource_version.clone();
        let params = PatchParams { field_manager: Some("raw".to_owned()), ..PatchParams::default() };
        let attempt = json!({"metadata": {
            "resourceVersion": by(&object),
            "annotations": {CREATING: self.sample.attempt},
            "finalizers": [FINALIZER],
        }});
        let object = self.users.patch(name, &params, &Patch::Merge(&attempt)).await.unwrap();
        let secret = self.sample.secret_for(&object, name, &self.namespace);
        for dry_run in [true, false] {
            let params = PostParams { dry_run, field_manager: Some("raw".to_owned()) };
            self.secrets.create(&params, &secret).await.unwrap();
        }
        let status = json!({
            "metadata": {"resourceVersion": by(&object)},
            "status": self.sample.status,
        });
        self.users.patch_status(name, &params, &Patch::Merge(&status)).await.unwrap();
    }
}
