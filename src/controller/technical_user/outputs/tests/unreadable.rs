//! An entry of a spec that this release does not know.

use serde_json::{Value, json};

use crate::api::technical_user::Output as Spec;
use crate::controller::objects::Key;
use crate::controller::technical_user::outputs::unreadable;

#[test]
fn an_entry_of_an_unknown_kind_is_not_taken_for_a_secret() {
    let resource = Key { namespace: "connector".into(), name: "edc".into() };
    let why = |outputs: Value| {
        let outputs: Vec<Spec> = serde_json::from_value(outputs).unwrap();
        unreadable(&resource, Some(&outputs)).unwrap_or_default()
    };
    assert_eq!(unreadable(&resource, None), None);
    assert_eq!(why(json!([{"secret": {}}, {"secret": {"name": "other"}}])), "");
    assert!(why(json!([{"secret": {"name": "a"}}, {"later": {"name": "b"}}])).contains("kind"));
    assert!(why(json!([{"secret": {}}, {"secret": {"name": "edc"}}])).contains("\"edc\""));
}
