//! The manifests that a person names.

use std::io::Read as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use kube::ResourceExt as _;
use kube::api::DynamicObject;
use serde_json::{Value, json};

use super::apiserver::Place;

/// The kinds that a manifest may have. Others are ignored, because nothing here depends on them.
const KINDS: [(&str, &str, &str); 6] = [
    ("technicaluser.dev/v1alpha1", "TechnicalUser", "technicalusers"),
    ("technicaluser.dev/v1alpha1", "Portal", "portals"),
    ("technicaluser.dev/v1alpha1", "Vault", "vaults"),
    ("v1", "Secret", "secrets"),
    ("v1", "ConfigMap", "configmaps"),
    ("v1", "Namespace", "namespaces"),
];

/// The text of a file, or of the standard input for `-`. The error is in words.
pub(super) fn text(path: &str) -> Result<String, String> {
    let failed = |error: std::io::Error| format!("cannot read {path}: {error}");
    if path != "-" {
        return std::fs::read_to_string(path).map_err(failed);
    }
    let mut text = String::new();
    std::io::stdin().read_to_string(&mut text).map_err(failed)?;
    Ok(text)
}

/// The objects of a text, each with its place. The error is in words, and never quotes a text that may be a Secret.
pub(super) fn objects(text: &str, default_namespace: &str) -> Result<Vec<(Place, DynamicObject)>, String> {
    let documents: Vec<Value> =
        serde_saphyr::from_multiple(text).map_err(|_| "it cannot be read as YAML".to_owned())?;
    let mut found = Vec::new();
    for object in documents.into_iter().flat_map(items) {
        let text = |field: &str| object.get(field).and_then(Value::as_str).unwrap_or_default();
        let found_in = |(version, kind, _): &&(&str, &str, &str)| {
            text("apiVersion") == *version && text("kind") == *kind
        };
        let Some((_, kind, resource)) = KINDS.iter().find(found_in) else { continue };
        let mut object: DynamicObject =
            serde_json::from_value(object).map_err(|_| format!("a {kind} cannot be read"))?;
        let name = object.metadata.name.clone().ok_or_else(|| format!("a {kind} has no name"))?;
        if *kind == "Namespace" {
            object.metadata.namespace = None;
            // The apiserver sets it, and the access of a Portal may select by it.
            object.labels_mut().insert("kubernetes.io/metadata.name".to_owned(), name.clone());
        } else {
            object.metadata.namespace.get_or_insert_with(|| default_namespace.to_owned());
        }
        if *kind == "Secret" {
            as_stored(&mut object);
        }
        let namespace = object.metadata.namespace.clone().unwrap_or_default();
        found.push((((*resource).to_owned(), namespace, name), object));
    }
    Ok(found)
}

/// The objects of a document: a List has several.
fn items(document: Value) -> Vec<Value> {
    match document {
        Value::Object(mut list) if list.contains_key("items") => match list.remove("items") {
            Some(Value::Array(items)) => items,
            _ => Vec::new(),
        },
        Value::Null => Vec::new(),
        object => vec![object],
    }
}

/// A Secret as the apiserver stores it: the texts of `stringData` are in `data`.
fn as_stored(secret: &mut DynamicObject) {
    let Some(fields) = secret.data.as_object_mut() else { return };
    let Some(Value::Object(texts)) = fields.remove("stringData") else { return };
    let data = fields.entry("data").or_insert_with(|| json!({}));
    if let Some(data) = data.as_object_mut() {
        let encoded = |text: Value| json!(STANDARD.encode(text.as_str().unwrap_or_default()));
        data.extend(texts.into_iter().map(|(key, text)| (key, encoded(text))));
    }
}

/// What an apiserver would store of a manifest that is applied: what was stored before stays, besides the spec and what the manifest
/// says of annotations and labels.
pub(super) fn applied(manifest: &DynamicObject, stored: Option<&DynamicObject>) -> DynamicObject {
    let Some(stored) = stored else {
        let mut new = manifest.clone();
        new.metadata.uid = Some("00000000-0000-0000-0000-000000000000".to_owned());
        new.metadata.generation = Some(1);
        new.metadata.resource_version = Some("0".to_owned());
        return new;
    };
    let mut object = stored.clone();
    object.annotations_mut().extend(manifest.annotations().clone());
    object.labels_mut().extend(manifest.labels().clone());
    let Some(spec) = manifest.data.get("spec") else { return object };
    if object.data.get("spec") != Some(spec) {
        object.metadata.generation = Some(object.metadata.generation.unwrap_or(0) + 1);
        set_spec(&mut object, spec.clone());
    }
    object
}

/// Suspends a resource, which has a spec.
pub(super) fn suspend(object: &mut DynamicObject) {
    let spec = object.data.get_mut("spec").and_then(Value::as_object_mut);
    if let Some(spec) = spec {
        spec.insert("suspend".to_owned(), json!(true));
    }
}

fn set_spec(object: &mut DynamicObject, spec: Value) {
    if let Some(fields) = object.data.as_object_mut() {
        fields.insert("spec".to_owned(), spec);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_and_several_documents_are_read_and_other_kinds_ignored() {
        let text = "kind: List\nitems:\n- apiVersion: technicaluser.dev/v1alpha1\n  kind: Portal\n  metadata: {name: p, namespace: x}\n---\n\
                    apiVersion: v1\nkind: Secret\nmetadata: {name: s}\nstringData: {a: b}\n---\nkind: Portal\napiVersion: other.org/v1\n\
                    metadata: {name: d}\n---\napiVersion: v1\nkind: Namespace\nmetadata: {name: home}\n";
        let found = objects(text, "here").unwrap();
        let places: Vec<_> =
            found.iter().map(|(place, _)| (place.0.as_str(), place.1.as_str(), place.2.as_str())).collect();
        assert_eq!(places, [("portals", "x", "p"), ("secrets", "here", "s"), ("namespaces", "", "home")]);
        assert_eq!(found[1].1.data["data"]["a"], "Yg==");
        assert_eq!(found[2].1.labels()["kubernetes.io/metadata.name"], "home");
        assert!(
            objects("apiVersion: v1\nkind: Secret\nmetadata: {}\n", "here").unwrap_err().contains("no name")
        );
        assert!(
            objects("apiVersion: v1\nkind: Secret\nmetadata: secret\n", "here")
                .unwrap_err()
                .ends_with("cannot be read")
        );
        assert!(!objects("a: [secret", "here").unwrap_err().contains("secret"));
    }

    #[test]
    fn what_is_stored_stays_besides_the_spec() {
        let object = |value: Value| -> DynamicObject { serde_json::from_value(value).unwrap() };
        let stored = object(json!({
            "metadata": {"uid": "u", "generation": 4, "annotations": {"a": "1"}}, "spec": {"x": 1}, "status": {"y": 2},
        }));
        let mut new = applied(
            &object(json!({"metadata": {"annotations": {"b": "2"}}, "spec": {"x": 2}})),
            Some(&stored),
        );
        assert_eq!((new.metadata.uid.as_deref(), new.metadata.generation), (Some("u"), Some(5)));
        assert_eq!(json!(new.annotations()), json!({"a": "1", "b": "2"}));
        assert_eq!(new.data, json!({"spec": {"x": 2}, "status": {"y": 2}}));
        let same = object(json!({"metadata": {}, "spec": {"x": 1}}));
        assert_eq!(applied(&same, Some(&stored)).metadata.generation, Some(4));
        assert_eq!(applied(&same, None).metadata.generation, Some(1));
        let without = object(json!({"metadata": {"labels": {"c": "3"}}}));
        assert_eq!(applied(&without, Some(&stored)).data, stored.data, "a Namespace has no spec");
        suspend(&mut new);
        assert_eq!(new.data["spec"]["suspend"], true);
    }
}
