//! The chart's roles allow what the operator does, and nothing that it never does.

use kube::api::{DeleteParams, Patch, PatchParams};
use portal_simulator::role_names::DATASPACE_DISCOVERY;
use portal_simulator::{Tls, Version};
use serde_json::{Value, json};
use testbed::{Action, Matcher};

use crate::support::{
    FULL_LOGIN, World, WorldBuilder, create, one_company, portal, reason, secret_value, world,
};

#[tokio::test]
async fn every_permission_of_the_chart_is_used() {
    every_permission_is_used(world()).await;
}

#[tokio::test]
async fn every_permission_of_the_chart_is_used_where_it_has_roles_only() {
    every_permission_is_used(world().scoped()).await;
}

/// Has a Vault reconciled to which the operator's `ServiceAccount` logs in. The first write of its status fails, so it is read.
async fn use_a_vault(world: &World, namespace: &str) {
    let vault = testbed::Vault::start().await.unwrap();
    let status = Matcher::any().method("PATCH").path_regex("/vaults/vault/status$").unwrap();
    let failed = world.proxy.on(status).nth(1).action(Action::status(500, "InternalError", "not now"));
    world
        .apply(&json!({
            "apiVersion": "technicaluser.dev/v1alpha1", "kind": "Vault",
            "metadata": { "name": "vault", "namespace": namespace },
            "spec": { "address": vault.address(), "mount": "secret", "insecureHttp": true,
                      "auth": { "kubernetes": { "role": "operator" } } },
        }))
        .await;
    let api = world.api("Vault", namespace);
    world
        .eventually("the Vault refuses the login", async || {
            api.get_opt("vault").await.unwrap().is_some_and(|object| reason(&object) == "LoginRefused")
        })
        .await;
    assert_eq!(failed.hits(), 1);
    api.delete("vault", &DeleteParams::default()).await.unwrap();
    world.eventually("the Vault is deleted", async || api.get_opt("vault").await.unwrap().is_none()).await;
}

async fn every_permission_is_used(builder: WorldBuilder) {
    let leading = builder.value("vault.kubernetesAuth.enabled=true").elected();
    let mut world = leading.stopped().start().await;
    // Until the watch of namespaces shows them, their labels are read.
    let list = Matcher::any().method("GET").path_regex("^/api/v1/namespaces$").unwrap();
    world.proxy.on(list).nth(1).action(Action::status(403, "Forbidden", "not yet"));
    world.start_operator();
    let ca = rcgen::generate_simple_self_signed(["unused.example.org".to_owned()]).unwrap().cert.pem();
    world
        .kubectl_apply(&json!({
            "apiVersion": "v1", "kind": "ConfigMap",
            "metadata": { "name": "authority", "namespace": world.namespace }, "data": { "ca.crt": ca },
        }))
        .await;
    world
        .patch_portal(&json!({ "spec": {
            "tls": { "caBundle": { "configMapRef": { "name": "authority" } } },
            "access": [{
                "namespaces": { "from": "Selector", "selector": {
                    "matchLabels": { "kubernetes.io/metadata.name": world.namespace } } },
                "roles": [DATASPACE_DISCOVERY],
            }],
        }}))
        .await;
    world.apply(&create("edc", &world.namespace, DATASPACE_DISCOVERY)).await;
    world.ready("edc").await;
    // Healed twice: the second event is counted on the first.
    for _ in 0..2 {
        let edited = json!({ "data": { "client-id": "ZWRpdGVk" } });
        world.secrets_api().patch("edc", &PatchParams::default(), &Patch::Merge(&edited)).await.unwrap();
        world
            .eventually("the Secret is healed", async || {
                let secret = world.get_secret("edc").await;
                secret.is_some_and(|secret| secret_value(&secret, "client-id") != "edited")
            })
            .await;
    }
    world.patch_user("edc", &json!({ "spec": { "outputs": [{ "secret": { "name": "other" } }] } })).await;
    world.ready("edc").await;
    world.eventually("the former Secret is gone", async || world.get_secret("edc").await.is_none()).await;
    world.delete("edc").await;
    world.gone("edc").await;
    // The answer to an attempt's patch is lost: it is read back. And a user that stays is listed with its Portal.
    let attempt = Matcher::any().method("PATCH").path_regex("/technicalusers/kept$").unwrap();
    let unanswered = world.proxy.on(attempt).nth(1).action(Action::DropAfter);
    let mut kept = create("kept", &world.namespace, DATASPACE_DISCOVERY);
    kept["spec"]["deletionPolicy"] = json!("Retain");
    world.apply(&kept).await;
    world.ready("kept").await;
    assert_eq!(unanswered.hits(), 1);
    world.delete("kept").await;
    world.gone("kept").await;
    let patched_events = Matcher::any().method("PATCH").path("/events");
    world.eventually("an event is counted", async || world.proxy.count(&patched_events) > 0).await;
    use_a_vault(&world, &world.namespace).await;
    world.more_lists_answered(1).await;
    world.portals_api().delete("catena-x", &DeleteParams::default()).await.unwrap();
    world.eventually("the Portal is gone", async || world.portal().await.is_none()).await;

    assert_eq!(world.unused_rights().await, [], "the chart grants what nothing uses");
}

/// An operator in a namespace that it does not watch, so that a right there is not taken for one in a watched namespace.
async fn operator_beside_its_namespace() -> World {
    let mut world = world()
        .simulator(one_company(Version::Main).tls(Tls::OneAuthority))
        .elected()
        .value("vault.kubernetesAuth.enabled=true")
        .neighbour("")
        .stopped()
        .start()
        .await;
    let watched = world.neighbours[0].clone();
    let chart = concat!(env!("CARGO_MANIFEST_DIR"), "/charts/technical-user-operator");
    let values = format!("watchNamespaces={{{watched}}}");
    let upgrade = ["upgrade", "technical-user-operator", chart, "-n", &world.namespace, "--reuse-values"];
    let upgrade = [&upgrade[..], &["--set", &values]].concat();
    world.plane.helm(&upgrade).await.unwrap().success().unwrap();
    world.set_env("TUO_WATCH_NAMESPACES", &watched);

    let object = |kind: &str, name: &str, field: &str, data: Value| json!({"apiVersion": "v1", "kind": kind, "metadata": {"name": name, "namespace": watched}, field: data});
    let login = json!({"client-id": FULL_LOGIN.client_id, "client-secret": FULL_LOGIN.secret});
    world.kubectl_apply(&object("Secret", "portal-login", "stringData", login)).await;
    let authority = json!({"ca.crt": world.simulator.ca_pem()});
    world.kubectl_apply(&object("ConfigMap", "authority", "data", authority)).await;
    let mut portal = portal(&world.simulator, &watched);
    portal["spec"]["tls"] = json!({"caBundle": {"configMapRef": {"name": "authority", "key": "ca.crt"}}});
    let selector = json!({"matchLabels": {"kubernetes.io/metadata.name": watched}});
    let namespaces = json!({"from": "Selector", "selector": selector});
    portal["spec"]["access"] = json!([{"namespaces": namespaces, "roles": [DATASPACE_DISCOVERY]}]);
    world.apply(&portal).await;
    // Until the watch of namespaces shows them, their labels are read.
    let list = Matcher::any().method("GET").path_regex("^/api/v1/namespaces$").unwrap();
    world.proxy.on(list).nth(1).action(Action::status(403, "Forbidden", "not yet"));
    world.start_operator();
    world
}

#[tokio::test]
async fn every_permission_is_used_in_the_namespace_and_for_the_object_that_it_is_for() {
    let world = operator_beside_its_namespace().await;
    let watched = world.neighbours[0].clone();
    let (edc, kept) = (format!("{watched}/edc"), format!("{watched}/kept"));
    world.apply(&create("edc", &watched, DATASPACE_DISCOVERY)).await;
    let mut retained = create("kept", &watched, DATASPACE_DISCOVERY);
    retained["spec"]["deletionPolicy"] = "Retain".into();
    world.apply(&retained).await;
    world.ready(&edc).await;
    world.ready(&kept).await;
    // A Secret that is repaired, one that is replaced by one of another name, twice, and a user that is retained.
    let change = r#"{"stringData": {"client-secret": "another"}}"#;
    let change = ["patch", "secret", "edc", "-n", &watched, "--patch", change];
    world.plane.kubectl(&change).await.unwrap().success().unwrap();
    world.delete(&kept).await;
    world.gone(&kept).await;
    for name in ["one", "two"] {
        let outputs = json!([{"secret": {"name": name}}]);
        world.patch_user(&edc, &json!({"spec": {"outputs": outputs}})).await;
        let secret = format!("{watched}/{name}");
        world.eventually("the Secret is there", async || world.get_secret(&secret).await.is_some()).await;
    }
    use_a_vault(&world, &watched).await;
    world
        .wait_for("each right that the chart grants there is used", async || {
            let unused = world.unused_rights().await;
            if unused.is_empty() { Ok(()) } else { Err(unused) }
        })
        .await;
}
