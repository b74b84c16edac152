//! The chart's roles allow what the operator does, and nothing that it never does.

use std::collections::BTreeSet;

use kube::api::{DeleteParams, Patch, PatchParams};
use serde_json::{Value, json};
use testbed::{Action, Matcher, RecordedRequest};

use crate::support::{World, create, sweeps, world};

/// Allowed, and never seen as a call.
const NOT_CALLED: [(&str, &str); 1] =
    // Asked for by the admission plugin OwnerReferencesPermissionEnforcement, for `blockOwnerDeletion` on our Secrets.
    [("technicalusers/finalizers", "update")];

/// What a call needs: resource (with its subresource) and verb.
fn needed(call: &RecordedRequest) -> Option<(String, String)> {
    let (path, query) = call.target.split_once('?').unwrap_or((&call.target, ""));
    let mut parts: Vec<&str> = path.split('/').filter(|part| !part.is_empty()).collect();
    // Every authenticated user may read what there is.
    if parts.first() == Some(&"openapi") {
        return None;
    }
    // /api/v1/… and /apis/<group>/<version>/…
    let skip = if parts.first() == Some(&"api") { 2 } else { 3 };
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
    Some((resource, verb.to_owned()))
}

async fn granted(world: &World) -> BTreeSet<(String, String)> {
    let roles = world.plane.kubectl(&["get", "roles", "-n", &world.namespace, "-o", "json"]).await.unwrap();
    let roles: Value = serde_json::from_str(&roles.success().unwrap()).unwrap();
    let mut granted = BTreeSet::new();
    for rule in roles["items"].as_array().unwrap().iter().flat_map(|role| role["rules"].as_array().unwrap()) {
        for resource in rule["resources"].as_array().unwrap() {
            for verb in rule["verbs"].as_array().unwrap() {
                granted.insert((resource.as_str().unwrap().to_owned(), verb.as_str().unwrap().to_owned()));
            }
        }
    }
    granted
}

#[tokio::test]
async fn every_permission_of_the_chart_is_used() {
    let world = world().value("leaderElection.enabled=true").env("TUO_LEADER_ELECTION", "true").start().await;
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
    let lost = world.proxy.on(attempt).nth(1).action(Action::DropAfter);
    let mut kept = create("kept", &world.namespace, "Dataspace Discovery");
    kept["spec"]["deletionPolicy"] = json!("Retain");
    world.apply(&kept).await;
    world.ready("kept").await;
    assert_eq!(lost.hits(), 1);
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
        .filter(|(resource, verb)| !NOT_CALLED.contains(&(resource.as_str(), verb.as_str())))
        .filter(|permission| !used.contains(permission))
        .collect();
    assert_eq!(unused, [], "the chart grants what nothing uses; used were {used:#?}");
    world.assert_nothing_leaked().await;
}
