use k8s_openapi::apimachinery::pkg::apis::meta::v1::APIResource;
use serde_json::json;

use super::*;

fn definition() -> CustomResourceDefinition {
    serde_json::from_value(json!({
        "metadata": {"name": "things.example.org"},
        "spec": {
            "group": "example.org", "scope": "Namespaced",
            "names": {"kind": "Thing", "plural": "things"},
            "versions": [{
                "name": "v1", "served": true, "storage": true, "subresources": {"status": {}},
                "schema": {"openAPIV3Schema": schema()},
            }],
        },
    }))
    .unwrap()
}

fn schema() -> Value {
    json!({
        "type": "object",
        "properties": {
            "spec": {"type": "object", "properties": {
                "size": {"type": "integer"},
                "labels": {"type": "object", "additionalProperties": {"type": "string"}},
                "parts": {"type": "array", "items": {"type": "object", "properties": {
                    "name": {"type": "string"}, "weight": {"type": "integer"},
                }}},
            }},
            "status": {"type": "object", "properties": {"ready": {"type": "boolean"}}},
        },
    })
}

/// The document of an apiserver that serves this schema.
fn document(change: impl FnOnce(&mut Value)) -> Value {
    let mut schema = schema();
    schema["x-kubernetes-group-version-kind"] =
        json!([{"group": "example.org", "version": "v1", "kind": "Thing"}]);
    for name in ["apiVersion", "kind", "metadata"] {
        schema["properties"][name] = json!({"type": "string"});
    }
    change(&mut schema);
    json!({"components": {"schemas": {"org.example.v1.Thing": schema, "other": {"type": "object"}}}})
}

fn compared(document: &Value) -> Fit {
    compared_where(&["things", "things/status"], document)
}

/// Discovery reports these names.
fn compared_where(served: &[&str], document: &Value) -> Fit {
    let named = |name: &&str| APIResource { name: (*name).to_owned(), ..APIResource::default() };
    let served =
        APIResourceList { resources: served.iter().map(named).collect(), ..APIResourceList::default() };
    let (wanted, mut fit) = ([definition()], Fit::default());
    for kinds in by_version(&wanted).values() {
        for kind in kinds {
            kind.compare(&served, document, &mut fit);
        }
    }
    fit
}

fn lacking(words: &str) -> Fit {
    Fit { lacking: vec![words.to_owned()], unknown: Vec::new() }
}

fn remove(schema: &mut Value, pointer: &str, field: &str) {
    schema.pointer_mut(pointer).unwrap().as_object_mut().unwrap().remove(field);
}

#[test]
fn the_same_fits() {
    assert_eq!(compared(&document(|_| {})), Fit::default());
}

#[test]
fn a_field_that_is_not_there_is_named_with_its_path() {
    let status = document(|schema| remove(schema, "/properties/status/properties", "ready"));
    assert_eq!(compared(&status), lacking("kind Thing lacks the field .status.ready"));
    let item = "/properties/spec/properties/parts/items/properties";
    let deep = document(|schema| remove(schema, item, "weight"));
    assert_eq!(compared(&deep), lacking("kind Thing lacks the field .spec.parts[].weight"));
    let whole = document(|schema| remove(schema, "/properties", "spec"));
    assert_eq!(compared(&whole), lacking("kind Thing lacks the field .spec"));
}

#[test]
fn a_field_that_we_do_not_know_loses_nothing() {
    let newer = document(|schema| {
        schema["properties"]["spec"]["properties"]["color"] = json!({"type": "string"});
        schema["properties"]["spec"]["properties"]["parts"]["items"]["properties"]["price"] = json!({});
    });
    let words =
        "kind Thing has the fields .spec.color, .spec.parts[].price, which this program does not know";
    assert_eq!(compared(&newer), Fit { lacking: Vec::new(), unknown: vec![words.to_owned()] });
}

#[test]
fn what_keeps_any_field_lacks_none() {
    let open = document(|schema| {
        remove(schema, "/properties/spec/properties", "size");
        schema["properties"]["spec"]["x-kubernetes-preserve-unknown-fields"] = json!(true);
    });
    assert_eq!(compared(&open), Fit::default());
}

#[test]
fn a_kind_or_its_status_that_is_not_served_is_reported() {
    let fit = compared_where(&[], &document(|_| {}));
    assert!(fit.lacking[0].starts_with("kind Thing is not served in version v1"), "{fit:?}");
    let without = compared_where(&["things"], &document(|_| {}));
    assert_eq!(without, lacking("kind Thing lacks the subresource /status"));
    let unknown = compared(&json!({"components": {"schemas": {}}}));
    assert_eq!(unknown, lacking("the apiserver does not publish the fields of kind Thing yet"));
}

#[test]
fn many_fields_are_counted() {
    let fields: Vec<_> = (1..=7).map(|n| format!(".f{n}")).collect();
    assert_eq!(named(&fields).unwrap(), "the fields .f1, .f2, .f3, .f4, .f5 and 2 more");
    assert_eq!(named(&fields[..2]).unwrap(), "the fields .f1, .f2");
    assert_eq!(named(&[]), None);
}

#[test]
fn absent_is_distinguished_from_another_version() {
    assert!(absent("example.org", "v1", None).contains("are absent"));
    let group =
        json!({"name": "example.org", "versions": [{"groupVersion": "example.org/v2", "version": "v2"}]});
    let group: APIGroup = serde_json::from_value(group).unwrap();
    assert_eq!(absent("example.org", "v1", Some(&group)), "version v1 of example.org is not served, only v2");
}
