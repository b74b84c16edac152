//! `docs/argo-cd.md`: its health checks run in the Lua of Argo CD's language version, its YAML is what it says.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test says what failed by failing"
)]

use mlua::serde::SerializeOptions;
use mlua::{Lua, LuaSerdeExt};
use serde_json::{Value, json};
use technical_user_operator::api::{Portal, TechnicalUser};

/// All YAML documents of the page.
fn documents() -> Vec<Value> {
    let page =
        std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/argo-cd.md")).expect("the page");
    let blocks = page.split("```yaml\n").skip(1).map(|rest| rest.split("```").next().expect("an end"));
    blocks.flat_map(|block| serde_saphyr::from_multiple::<Value>(block).expect("valid YAML")).collect()
}

fn of_kind(kind: &str) -> Vec<Value> {
    documents().into_iter().filter(|document| document["kind"] == kind).collect()
}

/// What Argo CD would show for this object: status and message.
fn health(kind: &str, object: &Value) -> (String, String) {
    let config = of_kind("ConfigMap").remove(0);
    let script = config["data"][format!("resource.customizations.health.{kind}")]
        .as_str()
        .expect("a script")
        .to_owned();
    // Argo CD opens only these.
    let lua = Lua::new_with(mlua::StdLib::TABLE | mlua::StdLib::STRING, mlua::LuaOptions::default())
        .expect("a Lua");
    // As Argo CD hands it over: what is null in JSON is absent in Lua.
    let options = SerializeOptions::new().serialize_none_to_null(false).serialize_unit_to_null(false);
    lua.globals().set("obj", lua.to_value_with(object, options).expect("an object")).expect("a global");
    let answer: Value =
        lua.from_value(lua.load(script).eval().expect("the script runs")).expect("the script answers");
    let text = |key: &str| answer[key].as_str().unwrap_or_else(|| panic!("no {key} in {answer}")).to_owned();
    (text("status"), text("message"))
}

const KINDS: [&str; 2] = ["technicaluser.dev_TechnicalUser", "technicaluser.dev_Portal"];

fn object(observed: i64, conditions: &[(&str, &str, &str)]) -> Value {
    let conditions: Vec<_> = conditions
        .iter()
        .map(|(name, status, reason)| json!({"type": name, "status": status, "reason": reason, "message": "Words."}))
        .collect();
    json!({"metadata": {"generation": 3}, "status": {"observedGeneration": observed, "conditions": conditions}})
}

#[test]
fn what_the_operator_has_not_seen_is_progressing() {
    let ready: &[_] = &[("Ready", "True", "Ready")];
    for kind in KINDS {
        for unseen in [
            json!({"metadata": {"generation": 3}}),
            json!({"metadata": {"generation": 3}, "status": null}),
            json!({"metadata": {"generation": 3}, "status": {}}),
            json!({"metadata": {"generation": 3}, "status": {"observedGeneration": -1}}),
            json!({"metadata": {"generation": 3}, "status": {"conditions": []}}),
            object(2, ready),
            object(2, &[("Ready", "False", "X"), ("Stalled", "True", "X")]),
        ] {
            let (status, message) = health(kind, &unseen);
            assert_eq!(status, "Progressing", "{unseen}");
            assert!(message.contains("has not seen"), "{message}");
        }
        assert_eq!(health(kind, &object(3, &[])).0, "Progressing");
    }
}

#[test]
fn conditions_become_health() {
    for kind in KINDS {
        for (conditions, expected) in [
            (vec![("Ready", "True", "Ready")], "Healthy"),
            (vec![("Ready", "False", "PortalNotReady")], "Progressing"),
            (vec![("Ready", "Unknown", "NotYet")], "Progressing"),
            (vec![("Ready", "False", "Creating"), ("Reconciling", "True", "Creating")], "Progressing"),
            (vec![("Ready", "True", "Ready"), ("Reconciling", "True", "Creating")], "Progressing"),
            (vec![("Ready", "False", "RolesMixed"), ("Stalled", "True", "RolesMixed")], "Degraded"),
            (vec![("Stalled", "True", "RolesMixed"), ("Reconciling", "True", "RolesMixed")], "Degraded"),
            (
                vec![
                    ("Ready", "True", "Ready"),
                    ("Stalled", "False", "Ready"),
                    ("Reconciling", "False", "Ready"),
                ],
                "Healthy",
            ),
        ] {
            let (status, message) = health(kind, &object(3, &conditions));
            assert_eq!(status, expected, "{conditions:?}");
            assert!(message.ends_with(": Words."), "{message}");
        }
    }
}

#[test]
fn the_reason_is_shown_with_its_words() {
    let stalled = object(3, &[("Ready", "False", "RolesMixed"), ("Stalled", "True", "RolesMixed")]);
    assert_eq!(health(KINDS[0], &stalled).1, "RolesMixed: Words.");
}

#[test]
fn a_suspended_resource_is_suspended_unless_it_is_ready() {
    let suspended = ("Suspended", "True", "Suspended");
    for (others, expected) in [
        (vec![("Ready", "True", "Ready")], "Healthy"),
        (vec![("Ready", "False", "Suspended"), ("Reconciling", "True", "Suspended")], "Suspended"),
        (vec![("Ready", "False", "RolesMixed"), ("Stalled", "True", "RolesMixed")], "Degraded"),
    ] {
        let conditions = [others, vec![suspended]].concat();
        assert_eq!(health(KINDS[0], &object(3, &conditions)).0, expected, "{conditions:?}");
    }
}

#[test]
fn the_health_of_applications_is_passed_on() {
    let kind = "argoproj.io_Application";
    assert_eq!(health(kind, &json!({})), ("Progressing".into(), String::new()));
    assert_eq!(health(kind, &json!({"status": {}})), ("Progressing".into(), String::new()));
    let degraded = json!({"status": {"health": {"status": "Degraded", "message": "Words."}}});
    assert_eq!(health(kind, &degraded), ("Degraded".into(), "Words.".into()));
}

#[test]
fn the_resources_are_of_our_kinds() {
    let portal: Portal = serde_json::from_value(of_kind("Portal").remove(0)).expect("a Portal");
    let user: TechnicalUser =
        serde_json::from_value(of_kind("TechnicalUser").remove(0)).expect("a TechnicalUser");
    assert_eq!(user.spec.portal_ref.name, portal.metadata.name.expect("a name"));
    assert_eq!(user.spec.portal_ref.namespace, portal.metadata.namespace);
}

#[test]
fn waves_create_users_last_and_delete_them_first() {
    let wave = |object: &Value| -> i64 {
        object["metadata"]["annotations"]["argocd.argoproj.io/sync-wave"]
            .as_str()
            .map_or(0, |wave| wave.parse().expect("a number"))
    };
    let applications = of_kind("Application");
    let named =
        |name: &str| applications.iter().find(|a| a["metadata"]["name"] == name).expect("an Application");
    assert!(wave(named("technical-users")) > wave(named("dataspace-operator")));
    for application in &applications {
        assert_eq!(application["metadata"]["finalizers"], json!(["resources-finalizer.argocd.argoproj.io"]));
    }
    // The chart's objects are in wave 0.
    assert!(wave(&of_kind("Portal")[0]) > 0);
    assert!(of_kind("Namespace").iter().all(|namespace| wave(namespace) < 0));
}
