//! What people see of the kinds.

use serde_json::json;
use technical_user_operator::domain::reason::Reason;

use crate::portals::catena_x;
use crate::support::{Kind, Server, cluster};
use crate::technical_users::create;

async fn kubectl(args: &[&str]) -> String {
    cluster().await.kubectl(args).await.unwrap().success().unwrap()
}

/// The words of a line of a table.
fn columns(table: &str, line: usize) -> Vec<&str> {
    table
        .lines()
        .nth(line)
        .unwrap_or_default()
        .split("  ")
        .map(str::trim)
        .filter(|text| !text.is_empty())
        .collect()
}

#[tokio::test]
async fn explain_has_words_for_fields() {
    for (path, words) in [
        ("technicaluser", "one technical user of a data-space portal"),
        ("portal", "a data-space portal, used with one login of one company"),
        ("technicaluser.spec.user.create.roles", "exact names that the portal offers"),
        ("tu.spec.outputs.secret", "never overwrites a Secret that it does not own"),
        ("portal.spec.catenaX.url", "not of its web page"),
        ("tup.spec.access", "One rule must grant a whole request"),
        ("portal.status.retained", "Users that the operator kept in the portal"),
    ] {
        let text = kubectl(&["explain", path]).await.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(text.contains(words), "{path}: {text}");
    }
}

#[tokio::test]
async fn short_names_category_and_columns() {
    let server = Server::new("kubectl").await;
    let namespace = &server.namespace;
    server.create(Kind::Portal, "catena-x", &catena_x(), false).await.unwrap();
    server.create(Kind::TechnicalUser, "edc-wallet", &create(), false).await.unwrap();
    let condition = |status: &str, reason: &str| {
        json!({ "type": "Ready", "status": status, "reason": reason, "message": "some words",
                "lastTransitionTime": "2026-01-01T00:00:00Z" })
    };
    let can_delete = json!({ "type": "CanDelete", "status": "False", "reason": "MayNotDelete", "message": "m",
                             "lastTransitionTime": "2026-01-01T00:00:00Z" });
    let portal = json!({ "status": { "conditions": [condition("True", "LoggedIn"), can_delete],
                         "company": { "bpn": "BPNL00000003CRHK" }, "version": "2.5 or 2.6" } });
    let client = "sb-8c8b3268-0c22-4cb9-abd9-98745c890eb5!b225806|dimt8e59uemv01connectoredcwallet!b8360";
    let user = json!({ "status": { "conditions": [condition("False", "Pending")],
                       "user": { "id": "i", "name": "n", "kind": "External", "status": "Pending", "clientId": client } } });
    for (name, status) in [("tup/catena-x", portal), ("tu/edc-wallet", user)] {
        let patch = status.to_string();
        kubectl(&["-n", namespace, "patch", name, "--subresource=status", "--type=merge", "-p", &patch])
            .await;
    }
    let portals = kubectl(&["-n", namespace, "get", "tup"]).await;
    assert_eq!(columns(&portals, 0), ["NAME", "READY", "REASON", "COMPANY", "CAN DELETE", "AGE"]);
    assert_eq!(columns(&portals, 1)[..5], ["catena-x", "True", "LoggedIn", "BPNL00000003CRHK", "False"]);
    let users = kubectl(&["-n", namespace, "get", "tu"]).await;
    assert_eq!(columns(&users, 0), ["NAME", "READY", "REASON", "PORTAL", "AGE"]);
    assert_eq!(columns(&users, 1)[..4], ["edc-wallet", "False", "Pending", "p"]);
    let wide = kubectl(&["-n", namespace, "get", "tu", "-o", "wide"]).await;
    assert!(columns(&wide, 0).contains(&"MESSAGE") && columns(&wide, 1).contains(&"some words"), "{wide}");
    assert!(columns(&wide, 0).contains(&"CLIENT ID") && columns(&wide, 1).contains(&client), "{wide}");
    let all = kubectl(&["-n", namespace, "get", "dataspace", "-o", "name"]).await;
    let mut category: Vec<_> = all.lines().collect();
    category.sort_unstable();
    assert_eq!(category, ["portal.technicaluser.dev/catena-x", "technicaluser.technicaluser.dev/edc-wallet"]);
}

/// With long names, and the longest reason that a condition has.
#[tokio::test]
async fn a_table_fits_into_a_hundred_characters() {
    let server = Server::new("width").await;
    let namespace = &server.namespace;
    let (portal, name) = ("catena-x-production", "edc-controlplane-wallet-prod");
    let mut user = create();
    user["portalRef"]["name"] = json!(portal);
    server.create(Kind::Portal, portal, &catena_x(), false).await.unwrap();
    server.create(Kind::TechnicalUser, name, &user, false).await.unwrap();
    let condition = |type_: &str, reason: &str| {
        json!({ "type": type_, "status": "Unknown", "reason": reason, "message": "some words",
                "lastTransitionTime": "2026-01-01T00:00:00Z" })
    };
    let longest = Reason::ALL.iter().map(|reason| reason.as_str()).max_by_key(|text| text.len()).unwrap();
    let conditions = [condition("Ready", longest), condition("CanDelete", longest)];
    let status = json!({ "conditions": conditions, "company": { "bpn": "BPNL00000003CRHK" } });
    let patch = json!({ "status": status }).to_string();
    for (kind, name) in [("tup", portal), ("tu", name)] {
        let object = format!("{kind}/{name}");
        kubectl(&["-n", namespace, "patch", &object, "--subresource=status", "--type=merge", "-p", &patch])
            .await;
        let table = kubectl(&["-n", namespace, "get", kind]).await;
        let width = table.lines().map(|line| line.trim_end().len()).max().unwrap();
        assert!(table.contains(longest) && width <= 100, "{width}:\n{table}");
    }
}

#[tokio::test]
async fn technical_users_are_selected_by_their_portal() {
    let server = Server::new("selected").await;
    for (name, portal) in [("a", "catena-x"), ("b", "cofinity-x"), ("c", "catena-x")] {
        let mut user = create();
        user["portalRef"]["name"] = json!(portal);
        server.create(Kind::TechnicalUser, name, &user, false).await.unwrap();
    }
    let selector = "spec.portalRef.name=catena-x";
    let found =
        kubectl(&["-n", &server.namespace, "get", "tu", "-o", "name", "--field-selector", selector]).await;
    let found: Vec<_> = found.lines().filter_map(|line| line.rsplit('/').next()).collect();
    assert_eq!(found, ["a", "c"]);
}

#[tokio::test]
async fn an_unknown_field_is_refused_by_kubectl_and_pruned_elsewhere() {
    let server = Server::new("unknown").await;
    let namespace = server.namespace.as_str();
    let mut spec = create();
    spec["unknown"] = json!({ "interval": "720h" });
    spec["user"]["create"]["role"] = json!("A");
    let stored = server.create(Kind::TechnicalUser, "pruned", &spec, true).await.unwrap();
    assert_eq!(stored, create());
    let manifest = json!({ "apiVersion": "technicaluser.dev/v1alpha1", "kind": "TechnicalUser",
                           "metadata": { "name": "x", "namespace": namespace }, "spec": spec });
    let try_with = async |validate: &str| {
        let args = ["create", "--dry-run=server", validate, "-f", "-"];
        cluster().await.kubectl_with_input(&args, &manifest.to_string()).await.unwrap()
    };
    let refused = try_with("--validate=strict").await;
    assert!(!refused.status.success());
    for field in ["spec.unknown", "spec.user.create.role"] {
        assert!(refused.stderr.contains(&format!("unknown field \"{field}\"")), "{}", refused.stderr);
    }
    let warned = try_with("--validate=warn").await;
    assert!(warned.status.success() && warned.stderr.contains("unknown field"), "{}", warned.stderr);
}

#[tokio::test]
async fn a_status_is_not_written_with_the_spec() {
    let server = Server::new("status").await;
    let namespace = server.namespace.as_str();
    server.create(Kind::TechnicalUser, "x", &create(), false).await.unwrap();
    let patch = json!({ "status": { "user": { "id": "forged" } } }).to_string();
    kubectl(&["-n", namespace, "patch", "tu/x", "--type=merge", "-p", &patch]).await;
    // What the schema gives to a new object.
    let untouched = json!({ "observedGeneration": -1 }).to_string();
    assert_eq!(kubectl(&["-n", namespace, "get", "tu/x", "-o", "jsonpath={.status}"]).await, untouched);
}
