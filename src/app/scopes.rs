//! What is watched: one API per namespace, or one for all.

use k8s_openapi::api::core::v1::Secret;
use kube::Client;
use kube::api::{Api, PartialObjectMeta};

use crate::config::{RunArgs, WatchNamespaces};
use crate::k8s::stored::StoredObject;

/// The namespaces to watch; a single `None` stands for all.
pub(super) fn watched(args: &RunArgs) -> Vec<Option<String>> {
    match args.installation.watch_namespaces() {
        WatchNamespaces::All => vec![None],
        WatchNamespaces::Some(names) => names.into_iter().map(Some).collect(),
    }
}

/// Where the objects of one of our kinds are watched.
pub(super) fn dynamic(
    client: &Client,
    watched: &[Option<String>],
    resource: &kube::api::ApiResource,
) -> Vec<Api<StoredObject>> {
    watched
        .iter()
        .map(|namespace| match namespace {
            Some(namespace) => Api::namespaced_with(client.clone(), namespace, resource),
            None => Api::all_with(client.clone(), resource),
        })
        .collect()
}

/// Where Secrets are watched.
pub(super) fn secrets(client: &Client, watched: &[Option<String>]) -> Vec<Api<PartialObjectMeta<Secret>>> {
    watched
        .iter()
        .map(|namespace| match namespace {
            Some(namespace) => Api::namespaced(client.clone(), namespace),
            None => Api::all(client.clone()),
        })
        .collect()
}
