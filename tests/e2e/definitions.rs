//! Custom resource definitions that are older or newer than the operator, of another version, or not there.

use portal_simulator::Endpoint;
use portal_simulator::role_names::DATASPACE_DISCOVERY;
use serde_json::{Value, json};
use testbed::{ControlPlane, Matcher};
use tokio::sync::{Mutex, MutexGuard, OnceCell};

use crate::support::{World, create, one_user, portal, world};

/// Definitions belong to the whole cluster: these tests have one of their own, one after the other.
pub async fn plane() -> (MutexGuard<'static, ()>, &'static ControlPlane) {
    static PLANE: OnceCell<ControlPlane> = OnceCell::const_new();
    static TURN: Mutex<()> = Mutex::const_new(());
    (TURN.lock().await, PLANE.get_or_init(async || ControlPlane::start().await.unwrap()).await)
}

pub fn definition(file: &str) -> Value {
    let text = std::fs::read_to_string(format!("{}/crds/{file}.yaml", env!("CARGO_MANIFEST_DIR"))).unwrap();
    serde_saphyr::from_str(&text).unwrap()
}

/// Where a definition has its fields.
pub fn fields<'a>(definition: &'a mut Value, part: &str) -> &'a mut serde_json::Map<String, Value> {
    let schema = &mut definition["spec"]["versions"][0]["schema"]["openAPIV3Schema"];
    schema["properties"][part]["properties"].as_object_mut().unwrap()
}

/// Changes a definition and waits until the apiserver reports its fields.
pub async fn install(world: &World, definition: &Value, is_served: impl Fn(&str) -> bool) {
    world.kubectl_apply(definition).await;
    wait_for_discovery(world, "/openapi/v3/apis/technicaluser.dev/v1alpha1", is_served).await;
}

async fn wait_for_discovery(world: &World, path: &str, is_served: impl Fn(&str) -> bool) {
    world
        .eventually("the definition is reported", async || {
            is_served(
                &world.plane.kubectl(&["get", "--raw", path]).await.unwrap().success().unwrap_or_default(),
            )
        })
        .await;
}

/// Nothing was written, and no request was sent.
fn assert_nothing_was_requested(world: &World) {
    assert_eq!(world.writes(), 0);
    assert_eq!(world.proxy.count(&Matcher::any().path("/leases/")), 0, "it does not apply for the lease");
    assert_eq!(world.count(Endpoint::Token), 0);
}

/// Goes on without a restart, and does its work.
async fn works_without_a_restart(world: &World) {
    world.readyz(200, "ok").await;
    world.apply(&create("edc", &world.namespace, DATASPACE_DISCOVERY)).await;
    one_user(world, "edc").await;
}

/// Takes the finalizers off what other tests left: their operators are gone.
async fn release_all(plane: &ControlPlane, kind: &str) {
    let list = ["get", kind, "-A", "-o", "json"];
    let list: Value = serde_json::from_str(&plane.kubectl(&list).await.unwrap().success().unwrap()).unwrap();
    for object in list["items"].as_array().unwrap() {
        let text = |field: &str| object["metadata"][field].as_str().unwrap().to_owned();
        let (namespace, name) = (text("namespace"), text("name"));
        let patch = [
            "patch",
            kind,
            &name,
            "-n",
            &namespace,
            "--type=merge",
            "-p",
            r#"{"metadata":{"finalizers":null}}"#,
        ];
        plane.kubectl(&patch).await.unwrap().success().unwrap();
    }
}

#[tokio::test]
async fn an_older_definition_is_reported_field_by_field_and_waited_for() {
    let (_turn, plane) = plane().await;
    let mut world = world().elected().plane(plane).stopped().start().await;
    let mut older = definition("technicalusers");
    fields(&mut older, "status").remove("credential").unwrap();
    install(&world, &older, |found| !found.contains("firstVerifiedAt")).await;
    world.start_operator();
    let words = "kind TechnicalUser lacks the field .status.credential";
    let text = world.readyz(503, words).await;
    assert!(text.contains("crds.install"), "{text}");
    world.operator().wait_for_line(|line| line.contains(words) && line.contains("ERROR")).await.unwrap();
    assert_nothing_was_requested(&world);
    install(&world, &definition("technicalusers"), |found| found.contains("firstVerifiedAt")).await;
    works_without_a_restart(&world).await;
}

#[tokio::test]
async fn a_newer_definition_is_reported_and_delays_nothing() {
    let (_turn, plane) = plane().await;
    let mut world = world().plane(plane).stopped().start().await;
    let mut newer = definition("portals");
    fields(&mut newer, "spec").insert("fashion".into(), json!({"type": "string"}));
    install(&world, &newer, |found| found.contains("fashion")).await;
    world.start_operator();
    let words = "kind Portal has the field .spec.fashion";
    world.readyz(200, words).await;
    world.operator().wait_for_line(|line| line.contains(words) && line.contains("WARN")).await.unwrap();
    works_without_a_restart(&world).await;
    install(&world, &definition("portals"), |found| !found.contains("fashion")).await;
}

#[tokio::test]
async fn a_version_that_is_not_served_is_reported() {
    let (_turn, plane) = plane().await;
    let mut world = world().plane(plane).stopped().start().await;
    for file in ["portals", "technicalusers", "vaults"] {
        let mut other = definition(file);
        let versions = other["spec"]["versions"].as_array_mut().unwrap();
        let mut next = versions[0].clone();
        next["name"] = "v1alpha2".into();
        next["storage"] = false.into();
        versions[0]["served"] = false.into();
        versions.push(next);
        world.kubectl_apply(&other).await;
        let served = format!("\"name\":\"{file}\"");
        wait_for_discovery(&world, "/apis/technicaluser.dev/v1alpha1", |found| !found.contains(&served))
            .await;
    }
    world.start_operator();
    let words = "version v1alpha1 of technicaluser.dev is not served, only v1alpha2";
    world.readyz(503, words).await;
    assert_nothing_was_requested(&world);
    for file in ["portals", "technicalusers", "vaults"] {
        install(&world, &definition(file), |found| found.contains(&format!("{{namespace}}/{file}"))).await;
    }
    works_without_a_restart(&world).await;
}

#[tokio::test]
async fn definitions_that_come_later_are_waited_for() {
    let (_turn, plane) = plane().await;
    let mut world = world().plane(plane).stopped().start().await;
    for kind in ["portals", "technicalusers", "vaults"] {
        let name = format!("{kind}.technicaluser.dev");
        release_all(plane, &name).await;
        let delete = ["delete", "crd", &name, "--timeout=60s"];
        plane.kubectl(&delete).await.unwrap().success().unwrap();
    }
    world
        .eventually("the group is gone", async || {
            plane.kubectl(&["get", "--raw", "/apis/technicaluser.dev"]).await.unwrap().success().is_err()
        })
        .await;
    world.start_operator();
    world.readyz(503, "absent").await;
    assert_nothing_was_requested(&world);
    for file in ["portals", "technicalusers", "vaults"] {
        install(&world, &definition(file), |found| found.contains(&format!("{{namespace}}/{file}"))).await;
    }
    world.readyz(200, "ok").await;
    world.apply(&portal(&world.simulator, &world.namespace)).await;
    works_without_a_restart(&world).await;
}
