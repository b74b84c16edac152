//! The objects that a command asks about: from manifests and the cluster, as they would be stored.

use std::collections::BTreeSet;

use k8s_openapi::api::core::v1::{Namespace, Secret};
use kube::api::{Api, ApiResource, DynamicObject, ListParams, PartialObjectMeta};
use kube::{Client, Config};

use super::apiserver::{Objects, Place};
use super::manifests;
use crate::api::keys;
use crate::config::ScopeArgs;
use crate::controller::checked::kind::CheckedKind;
use crate::controller::objects::{Key, technical_users};
use crate::controller::portal::kind::PortalKind;
use crate::controller::portal::portal_of;
use crate::controller::vault::kind::VaultKind;
use crate::controller::vault::vaults_of;
use crate::k8s::stored::StoredObject;
use crate::k8s::{client, words};

/// The cluster that a kubeconfig leads to, and its default namespace.
pub(super) async fn cluster(args: &ScopeArgs) -> Result<(Option<Client>, String), String> {
    if args.offline {
        return Ok((None, args.namespace.clone().unwrap_or_else(|| "default".to_owned())));
    }
    let config = Config::infer()
        .await
        .map_err(|error| format!("no cluster is known: {error}; --offline uses none"))?;
    let namespace = args.namespace.clone().unwrap_or_else(|| config.default_namespace.clone());
    Ok((Some(client::client(config).map_err(|error| words(&error))?), namespace))
}

pub(super) fn place(resource: &str, key: &Key) -> Place {
    (resource.to_owned(), key.namespace.clone(), key.name.clone())
}

/// All objects of a kind.
pub(super) async fn list(cluster: &Client, resource: &str, kind: &ApiResource) -> Result<Objects, String> {
    let api: Api<DynamicObject> = Api::all_with(cluster.clone(), kind);
    let refused = |error| {
        format!(
            "the {resource} of all namespaces cannot be listed, and each may have a user: {}",
            words(&error)
        )
    };
    let list = api.list(&ListParams::default()).await.map_err(refused)?;
    Ok(list
        .items
        .into_iter()
        .map(|object| (place(resource, &Key::of_metadata(&object.metadata)), object))
        .collect())
}

/// The objects of the manifests, other than `TechnicalUsers`, as they would be stored: what the controller or a person wrote beside
/// the spec stays.
pub(super) async fn given_objects(
    cluster: Option<&Client>,
    given: &[(Place, DynamicObject)],
) -> Result<Objects, String> {
    let mut objects = Objects::new();
    for (place, manifest) in given.iter().filter(|(place, _)| place.0 != "technicalusers") {
        let stored = match place.0.as_str() {
            "portals" => get(cluster, &PortalKind.api(), place).await?,
            "vaults" => get(cluster, &VaultKind.api(), place).await?,
            // A person need not be permitted to read it.
            "namespaces" => namespace(cluster, &place.2).await,
            _ => {
                objects.insert(place.clone(), manifest.clone());
                continue;
            }
        };
        objects.insert(place.clone(), manifests::applied(manifest, stored.as_ref()));
    }
    Ok(objects)
}

async fn namespace(cluster: Option<&Client>, name: &str) -> Option<DynamicObject> {
    let kind = ApiResource::erase::<Namespace>(&());
    let api: Api<DynamicObject> = Api::all_with(cluster?.clone(), &kind);
    api.get_opt(name).await.ok().flatten()
}

/// The resources of the cluster: those of the namespaces that a person asks about, and those that manifests name.
pub(super) async fn stored_users(
    args: &ScopeArgs,
    cluster: Option<&Client>,
    namespace: &str,
    given: &[(Place, DynamicObject)],
) -> Result<Objects, String> {
    let (Some(cluster), kind) = (cluster, technical_users()) else { return Ok(Objects::new()) };
    let mut stored = Objects::new();
    if args.all_namespaces || args.files.is_empty() {
        let api: Api<DynamicObject> = if args.all_namespaces {
            Api::all_with(cluster.clone(), &kind)
        } else {
            Api::namespaced_with(cluster.clone(), namespace, &kind)
        };
        let list = api.list(&ListParams::default()).await.map_err(|error| words(&error))?;
        for object in list.items {
            let key = Key::of_metadata(&object.metadata);
            stored.insert(place("technicalusers", &key), object);
        }
    }
    for place in given.iter().map(|(place, _)| place).filter(|place| place.0 == "technicalusers") {
        if let Some(object) = get(Some(cluster), &kind, place).await? {
            stored.insert(place.clone(), object);
        }
    }
    Ok(stored)
}

pub(super) fn subjects(args: &ScopeArgs, given: &[(Place, DynamicObject)], stored: &Objects) -> Vec<Key> {
    let key = |place: &Place| Key { namespace: place.1.clone(), name: place.2.clone() };
    let of_files = given.iter().map(|(place, _)| place).filter(|place| place.0 == "technicalusers");
    let of_cluster = stored.keys().filter(|_| args.all_namespaces || args.files.is_empty());
    of_files.chain(of_cluster).map(key).collect::<BTreeSet<_>>().into_iter().collect()
}

/// The resources as they would be stored. Those that a person asks about are suspended: so nothing is done for them.
pub(super) fn users(
    given: &[(Place, DynamicObject)],
    mut stored: Objects,
    subjects: &[Key],
) -> Result<Objects, String> {
    for (place, manifest) in given.iter().filter(|(place, _)| place.0 == "technicalusers") {
        let object = manifests::applied(manifest, stored.get(place));
        stored.insert(place.clone(), object);
    }
    for key in subjects {
        let object =
            stored.get_mut(&place("technicalusers", key)).ok_or_else(|| format!("{key} is not known"))?;
        manifests::suspend(object);
    }
    Ok(stored)
}

/// Adds the Portals and Vaults that the subjects name, as far as they are not known.
pub(super) async fn add_named(
    cluster: Option<&Client>,
    objects: &mut Objects,
    users: &Objects,
    subjects: &[Key],
) -> Result<(), String> {
    for object in subjects.iter().filter_map(|key| users.get(&place("technicalusers", key))) {
        let object = StoredObject::from(object.clone());
        let portal = portal_of(&object).map(|key| (place("portals", &key), PortalKind.api()));
        let vaults = vaults_of(&object).map(|key| (place("vaults", &key), VaultKind.api()));
        for (place, kind) in portal.into_iter().chain(vaults) {
            if !objects.contains_key(&place)
                && let Some(object) = get(cluster, &kind, &place).await?
            {
                objects.insert(place, object);
            }
        }
    }
    Ok(())
}

async fn get(
    cluster: Option<&Client>,
    kind: &ApiResource,
    place: &Place,
) -> Result<Option<DynamicObject>, String> {
    let Some(cluster) = cluster else { return Ok(None) };
    let api: Api<DynamicObject> = Api::namespaced_with(cluster.clone(), &place.1, kind);
    api.get_opt(&place.2).await.map_err(|error| words(&error))
}

/// Metadata of the Secrets that the operator wrote in the namespaces of the resources. A person who may not list them gets a plan
/// without the removal of Secrets that nothing names.
pub(super) async fn secrets(
    cluster: Option<&Client>,
    instance: &str,
    subjects: &[Key],
) -> Vec<PartialObjectMeta<Secret>> {
    let Some(cluster) = cluster else { return Vec::new() };
    let namespaces: BTreeSet<&String> = subjects.iter().map(|key| &key.namespace).collect();
    let ours = ListParams::default().labels(&format!("{}={instance}", keys::INSTANCE));
    let mut found = Vec::new();
    for namespace in &namespaces {
        let api: Api<Secret> = Api::namespaced(cluster.clone(), namespace);
        found.extend(api.list_metadata(&ours).await.map(|list| list.items).unwrap_or_default());
    }
    found
}

#[cfg(test)]
mod tests {
    use kube::ResourceExt as _;
    use serde_json::{Value, json};

    use super::*;
    use crate::oneshot::apiserver;

    fn object(value: Value) -> DynamicObject {
        serde_json::from_value(value).unwrap()
    }

    fn key(namespace: &str, name: &str) -> Key {
        Key { namespace: namespace.into(), name: name.into() }
    }

    #[tokio::test]
    async fn a_manifest_of_a_portal_keeps_what_the_cluster_stores_beside_the_spec() {
        let place = place("portals", &key("home", "p"));
        let named = json!({"name": "p", "namespace": "home"});
        let stored = object(json!({
            "apiVersion": "technicaluser.dev/v1alpha1", "kind": "Portal",
            "metadata": {"name": "p", "namespace": "home", "annotations": {"technicaluser.dev/take-over": "abc123"}},
            "spec": {"suspend": true}, "status": {"company": {"bpn": "BPNL000000000ONE"}},
        }));
        let cluster = apiserver::client(Objects::from([(place.clone(), stored)]), None);
        let manifest = object(json!({
            "apiVersion": "technicaluser.dev/v1alpha1", "kind": "Portal", "metadata": named, "spec": {"suspend": false},
        }));
        let objects = given_objects(Some(&cluster), &[(place.clone(), manifest)]).await.unwrap();
        let portal = &objects[&place];
        assert_eq!(portal.data["spec"]["suspend"], false);
        assert_eq!(portal.data["status"]["company"]["bpn"], "BPNL000000000ONE");
        assert_eq!(portal.annotations().len(), 1);
    }

    #[tokio::test]
    async fn the_portal_of_the_status_and_the_vaults_of_the_outputs_are_read() {
        let stored = |resource: &str, kind: &str, at: &Key| {
            let metadata = json!({"name": at.name, "namespace": at.namespace});
            let object = object(json!({
                "apiVersion": "technicaluser.dev/v1alpha1", "kind": kind, "metadata": metadata, "spec": {},
            }));
            (place(resource, at), object)
        };
        let (portal, vault, user) = (key("home", "former"), key("ops", "v"), key("connector", "edc"));
        let cluster = apiserver::client(
            Objects::from([stored("portals", "Portal", &portal), stored("vaults", "Vault", &vault)]),
            None,
        );
        let edc = object(json!({
            "metadata": {"name": "edc", "namespace": "connector"},
            "spec": {
                "portalRef": {"name": "other", "namespace": "home"},
                "outputs": [{"vault": {"vaultRef": {"name": "v", "namespace": "ops"}}}],
            },
            "status": {"portal": {"name": "former", "namespace": "home"}},
        }));
        let users = Objects::from([(place("technicalusers", &user), edc)]);
        let mut objects = Objects::new();
        add_named(Some(&cluster), &mut objects, &users, &[user]).await.unwrap();
        let read: Vec<Place> = objects.into_keys().collect();
        assert_eq!(read, [place("portals", &portal), place("vaults", &vault)]);
    }
}
