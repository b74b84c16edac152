//! The chart's roles allow what the operator does, and nothing that it never does.

use std::collections::BTreeSet;

use kube::api::{DeleteParams, Patch, PatchParams};
use serde_json::{Value, json};
use testbed::{Action, Matcher, RecordedRequest};

use crate::support::{World, WorldBuilder, create, sweeps, world};

/// An API group, a resource with its subresource, and a verb.
type Permission = (String, String, String);

fn permission(group: &str, resource: &str, verb: &str) -> Permission {
    (group.to_owned(), resource.to_owned(), verb.to_owned())
}

/// Allowed, and never seen as a call: the admission plugin `OwnerReferencesPermissionEnforcement` asks for it, for
/// `blockOwnerDeletion` on our Secrets.
fn not_called() -> Permission {
    permission("technicaluser.dev", "technicalusers/finalizers", "update")
}

/// What a call needs.
fn needed(call: &RecordedRequest) -> Option<Permission> {
    let (path, query) = call.target.split_once('?').unwrap_or((&call.target, ""));
    let mut parts: Vec<&str> = path.split('/').filter(|part| !part.is_empty()).collect();
    // Every authenticated user may read what there is.
    if parts.first() == Some(&"openapi") {
        return None;
    }
    // /api/v1/… and /apis/<group>/<version>/…
    let (group, skip) = if parts.first() == Some(&"api") { ("", 2) } else { (*parts.get(1)?, 3) };
    parts.drain(..skip.min(parts.len()));
    if parts.first() == Some(&"namespaces") && parts.len() > 2 {
        parts.drain(..2);
    }
    let resource = match parts.as_slice() {
        [resource] | [resource, _] => (*resource).to_owned(),
        [resource, _, subresource] => format!("{resource}/{subresource}"),
        _ => return None,
    };
    let verb = match (call.method.as_str(), parts.len()) {
        ("GET", 1) if query.contains("watch=true") => "watch",
        ("GET", 1) => "list",
        ("GET", _) => "get",
        ("POST", _) => "create",
        ("PUT", _) => "update",
        ("PATCH", _) => "patch",
        ("DELETE", _) => "delete",
        _ => return None,
    };
    Some(permission(group, &resource, verb))
}

/// What the Roles of the namespace and the release's `ClusterRole`, if there is one, grant.
async fn granted(world: &World) -> BTreeSet<Permission> {
    let read = async |ask: &[&str]| -> Value {
        let answer = world.plane.kubectl(ask).await.unwrap().success().unwrap();
        if answer.is_empty() { json!({}) } else { serde_json::from_str(&answer).unwrap() }
    };
    let roles = read(&["get", "roles", "-n", &world.namespace, "-o", "json"]).await;
    let name = format!("technical-user-operator:{}", world.namespace);
    let cluster = read(&["get", "clusterrole", &name, "--ignore-not-found", "-o", "json"]).await;
    let texts = |value: &Value| -> Vec<String> {
        value.as_array().unwrap().iter().map(|text| text.as_str().unwrap().to_owned()).collect()
    };
    let mut granted = BTreeSet::new();
    let roles = roles["items"].as_array().unwrap().iter().chain([&cluster]);
    for rule in roles.filter_map(|role| role["rules"].as_array()).flatten() {
        for group in texts(&rule["apiGroups"]) {
            for resource in texts(&rule["resources"]) {
                for verb in texts(&rule["verbs"]) {
                    granted.insert(permission(&group, &resource, &verb));
                }
            }
        }
    }
    granted
}

#[tokio::test]
async fn every_permission_of_the_chart_is_used() {
    every_permission_is_used(world()).await;
}

#[tokio::test]
async fn every_permission_of_the_chart_is_used_where_it_has_roles_only() {
    every_permission_is_used(world().scoped()).await;
}

async fn every_permission_is_used(builder: WorldBuilder) {
    let leading = builder.value("leaderElection.enabled=true").env("TUO_LEADER_ELECTION", "true");
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
                "roles": ["Dataspace Discovery"],
            }],
        }}))
        .await;
    world.apply(&create("edc", &world.namespace, "Dataspace Discovery")).await;
    world.ready("edc").await;
    // Healed twice: the second event is counted on the first.
    for _ in 0..2 {
        let edited = json!({ "data": { "client-id": "ZWRpdGVk" } });
        world.secrets_api().patch("edc", &PatchParams::default(), &Patch::Merge(&edited)).await.unwrap();
        testbed::eventually("the Secret is healed", || async {
            let secret = world.get_secret("edc").await?;
            (crate::support::secret_value(&secret, "client-id") != "edited").then_some(())
        })
        .await
        .unwrap();
    }
    world.patch_user("edc", &json!({ "spec": { "outputs": [{ "secret": { "name": "other" } }] } })).await;
    world.ready("edc").await;
    testbed::eventually("the former Secret is gone", || async {
        world.get_secret("edc").await.is_none().then_some(())
    })
    .await
    .unwrap();
    world.delete("edc").await;
    world.gone("edc").await;
    // The answer to an attempt's patch is lost: it is read back. And a user that stays is listed with its Portal.
    let attempt = Matcher::any().method("PATCH").path_regex("/technicalusers/kept$").unwrap();
    let unanswered = world.proxy.on(attempt).nth(1).action(Action::DropAfter);
    let mut kept = create("kept", &world.namespace, "Dataspace Discovery");
    kept["spec"]["deletionPolicy"] = json!("Retain");
    world.apply(&kept).await;
    world.ready("kept").await;
    assert_eq!(unanswered.hits(), 1);
    world.delete("kept").await;
    world.gone("kept").await;
    let patched_events = Matcher::any().method("PATCH").path("/events");
    testbed::eventually("an event is counted", || async {
        (world.proxy.count(&patched_events) > 0).then_some(())
    })
    .await
    .unwrap();
    sweeps(&world, 1).await;
    world.portals_api().delete("catena-x", &DeleteParams::default()).await.unwrap();
    testbed::eventually("the Portal is gone", || async { world.portal().await.is_none().then_some(()) })
        .await
        .unwrap();

    let used: BTreeSet<_> = world.proxy.requests().iter().filter_map(needed).collect();
    let unused: Vec<_> = granted(&world)
        .await
        .into_iter()
        .filter(|permission| *permission != not_called() && !used.contains(permission))
        .collect();
    assert_eq!(unused, [], "the chart grants what nothing uses; used were {used:#?}");
    world.assert_nothing_leaked().await;
}
