use kube::ResourceExt as _;
use kube::core::WatchEvent;
use serde_json::json;

use super::*;
use crate::k8s::watch::Entry as _;

#[derive(Debug, Default, PartialEq, Deserialize)]
struct Spec {
    #[serde(default)]
    count: i64,
}

fn object(more: &Value) -> StoredObject {
    let mut object = json!({
        "apiVersion": "example.org/v1", "kind": "Thing",
        "metadata": {
            "name": "edc", "namespace": "connector", "uid": "1", "resourceVersion": "7", "generation": 2,
            "annotations": {"note": "\"quoted\" \\ ä\n"}, "finalizers": ["example.org/f"],
            "creationTimestamp": "2026-11-26T12:00:00Z", "deletionTimestamp": "2026-11-26T12:00:01Z",
            "labels": {"a": "b"}, "ownerReferences": [{"apiVersion": "v1", "kind": "X", "name": "x", "uid": "2"}],
            "managedFields": [{"manager": "kubectl", "fieldsV1": {"f:spec": {"f:count": {}}}}],
        },
    });
    object.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    serde_json::from_value(object).unwrap()
}

#[test]
fn every_value_is_kept_as_it_is() {
    let value = json!({
        "text": "\"a\" \\ \u{1F600} \u{0}\n", "list": [[], {}, [1, [2, {"x": []}]], null, true], "empty": "",
        "numbers": [0, -1, i64::MIN, u64::MAX, 1.5, -0.25, 1e300, 0.1], "": {"a b": false}, "newer": {"x": 1},
    });
    for kept in [
        object(&json!({"spec": value})),
        serde_json::from_str(&json!({"metadata": {}, "spec": value}).to_string()).unwrap(),
        serde_json::from_str(&serde_json::to_string_pretty(&json!({"spec": value})).unwrap()).unwrap(),
    ] {
        assert_eq!(kept.value("spec"), value);
        assert_eq!(kept.text("spec"), Some(value.to_string().as_str()), "without blanks");
    }
}

/// `serde` reads an event into a form of its own first where its type comes last.
#[test]
fn an_object_of_a_watch_is_read_whatever_comes_first() {
    for event in [
        r#"{"type": "ADDED", "object": {"spec": {"count": 3}}}"#,
        r#"{"object": {"spec": {"count": 3}}, "type": "ADDED"}"#,
    ] {
        let WatchEvent::Added(object) = serde_json::from_str::<WatchEvent<StoredObject>>(event).unwrap()
        else {
            panic!("{event}")
        };
        assert_eq!(object.part::<Spec>("spec").unwrap(), Spec { count: 3 });
    }
}

#[test]
fn a_part_that_does_not_parse_spoils_no_other_part() {
    let broken = object(&json!({"spec": {"count": "many", "user": {"name": "u"}}, "status": {"count": 5}}));
    let error = broken.part::<Spec>("spec").unwrap_err().to_string();
    assert_eq!(error, "invalid type: string \"many\", expected i64", "no line and column");
    assert_eq!(broken.part::<Spec>("status").unwrap(), Spec { count: 5 });
    assert_eq!(broken.at::<String>("/spec/user/name").as_deref(), Some("u"));
    for odd in [json!(null), json!(5), json!("text"), json!([{}])] {
        let odd = object(&json!({"spec": odd}));
        assert!(odd.part::<Spec>("spec").is_err() && odd.at::<Value>("/spec/user").is_none(), "{odd:?}");
        assert_eq!(odd.name_any(), "edc");
    }
}

#[test]
fn a_part_that_is_not_there_is_empty() {
    let without = object(&json!({}));
    assert_eq!(without.part::<Spec>("status").unwrap(), Spec::default());
    assert_eq!((without.text("status"), without.value("status")), (None, Value::Null));
    assert!(!without.has("/status") && !without.has("/status/x") && !without.has("/metadata/name"));
}

#[test]
fn a_place_is_found_beside_anything() {
    let value = json!({
        "a": [{"b": 1}], "s": "b", "n": null, "f": 1.5, "t": true, "i": -1,
        "b": {"a": {"x": 1}, "c": [1, 2], "n": null}, "z": {"c": 9},
    });
    let object = object(&json!({ "spec": value }));
    assert_eq!(object.at::<Vec<i64>>("/spec/b/c"), Some(vec![1, 2]));
    assert_eq!(object.at::<Value>("/spec/z/c"), Some(json!(9)));
    assert_eq!(object.at::<Value>("/spec"), Some(value));
    assert!(object.has("/spec/b/n"), "null is something");
    for nowhere in
        ["/spec/a/b", "/spec/s/b", "/spec/n/b", "/spec/f/b", "/spec/t/b", "/spec/i/b", "/spec/c", ""]
    {
        assert!(!object.has(nowhere), "{nowhere}");
    }
    assert_eq!(object.at::<String>("/spec/b/c"), None, "of another type");
}

#[test]
fn parts_agree_by_what_they_say() {
    let of = |text: &str| serde_json::from_str::<StoredObject>(text).unwrap();
    let (one, same) = (of(r#"{"status": {"a": 1, "b": 2}}"#), of(r#"{"status": {"b": 2, "a": 1}}"#));
    assert!(one.agrees_with(&same, "status") && one.agrees_with(&same, "spec"));
    assert!(!one.agrees_with(&of(r#"{"status": {"a": 1}}"#), "status"));
    assert!(!one.agrees_with(&of("{}"), "status"));
}

#[test]
fn a_packed_object_opens_to_the_same() {
    let whole = object(&json!({"spec": {"count": 3, "text": "a\nb\r\u{2028}"}, "status": {"x": "y"}}));
    assert_eq!(whole.metadata.managed_fields, None);
    let common = Packer::default();
    // With an empty dictionary, with one of the object itself, and without a part.
    for parts in [
        json!({"spec": whole.value("spec"), "status": whole.value("status")}),
        json!({"spec": 1}),
        json!({"status": ""}),
    ] {
        let whole = object(&parts);
        let packed = [common.pack(&whole), Packer::default().pack(&whole)];
        for packed in packed {
            assert_eq!((packed.namespace(), packed.name()), ("connector", "edc"));
            let opened = packed.open();
            assert_eq!(opened.metadata, whole.metadata);
            assert_eq!(
                [opened.text("spec"), opened.text("status")],
                [whole.text("spec"), whole.text("status")]
            );
        }
    }
    let alone = common.pack_metadata(whole.metadata.clone());
    assert_eq!((alone.metadata(), alone.open().text("spec")), (whole.metadata, None));
    let empty = common.pack_metadata(ObjectMeta::default());
    assert_eq!((empty.namespace(), empty.name(), empty.metadata()), ("", "", ObjectMeta::default()));
}

#[test]
fn an_object_of_any_kind_is_stored_alike() {
    let value = json!({"metadata": {"name": "a"}, "spec": {"count": 3}, "status": null});
    let dynamic: DynamicObject = serde_json::from_value(value.clone()).unwrap();
    let (stored, read) =
        (StoredObject::from(dynamic), serde_json::from_value::<StoredObject>(value).unwrap());
    for field in ["spec", "status"] {
        assert_eq!(stored.text(field), read.text(field));
    }
    assert_eq!(stored.metadata, read.metadata);
}
