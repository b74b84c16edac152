//! Objects that a backup restores as Velero does: without status, owner and all that the apiserver gives an object; with labels,
//! annotations and finalizers.

use kube::api::{DeleteParams, DynamicObject};
use portal_simulator::role_names::DATASPACE_DISCOVERY;
use portal_simulator::{Endpoint, UserView};
use serde_json::{Value, json};

use crate::rotation::token_of;
use crate::support::{
    FINALIZER, IDENTITY_SECRET, World, create, one_user, portal_status, recorded, secret_value, world,
};

const NAME: &str = "edc";

/// What a backup of a namespace has. The identity of the operator is in a namespace of its own otherwise.
async fn backed_up(world: &World) -> Vec<Value> {
    let kinds = "portals.technicaluser.dev,technicalusers.technicaluser.dev,secrets";
    let command = ["-n", &world.namespace, "get", kinds, "-o", "json"];
    let printed = world.plane.kubectl(&command).await.unwrap().success().unwrap();
    let list: Value = serde_json::from_str(&printed).unwrap();
    let is_identity = |object: &Value| object["metadata"]["name"] == IDENTITY_SECRET;
    let objects = list["items"].as_array().unwrap().iter();
    objects.filter(|object| !is_identity(object)).map(without_what_is_reset).collect()
}

fn without_what_is_reset(object: &Value) -> Value {
    let mut object = object.clone();
    object.as_object_mut().unwrap().remove("status");
    let kept = ["name", "namespace", "labels", "annotations", "finalizers"];
    object["metadata"].as_object_mut().unwrap().retain(|field, _| kept.contains(&field.as_str()));
    object["metadata"]["labels"]["velero.io/restore-name"] = json!("nightly");
    object
}

/// Whether it is a Secret that the operator wrote, not one that it reads.
fn is_output(object: &Value) -> bool {
    object["kind"] == "Secret" && object["metadata"]["name"] != "portal-login"
}

/// The objects are lost while no operator runs.
async fn lose(world: &World, objects: &[Value]) {
    let run = async |arguments: &[&str]| {
        let command = [&["-n", &world.namespace], arguments].concat();
        world.plane.kubectl(&command).await.unwrap().success().unwrap();
    };
    for object in objects {
        let name = object["metadata"]["name"].as_str().unwrap();
        let kind = match object["kind"].as_str().unwrap() {
            "Secret" => "secrets",
            "Portal" => "portals.technicaluser.dev",
            _ => "technicalusers.technicaluser.dev",
        };
        // Nothing but the operator's kinds has a finalizer here. A Secret may be gone with its owner.
        if kind != "secrets" {
            run(&["patch", kind, name, "--type=merge", "-p", r#"{"metadata":{"finalizers":null}}"#]).await;
        }
        run(&["delete", kind, name, "--ignore-not-found"]).await;
    }
}

async fn restore(world: &World, objects: impl IntoIterator<Item = &Value>) {
    for object in objects {
        world.kubectl_apply(object).await;
    }
}

async fn published() -> (World, UserView) {
    let world = world().neighbour("").start().await;
    world.apply(&create(NAME, &world.namespace, DATASPACE_DISCOVERY)).await;
    let user = one_user(&world, NAME).await;
    (world, user)
}

#[tokio::test]
async fn a_namespace_that_was_lost_and_restored_has_the_same_users() {
    for (finalizers, outputs) in [(true, true), (false, true), (true, false)] {
        let (mut world, user) = published().await;
        let mut backup = backed_up(&world).await;
        world.stop_operator().await;
        lose(&world, &backup).await;
        assert_eq!(token_of(&world, &user).await, 200, "the user is still in the portal");
        for object in &mut backup {
            if !finalizers {
                object["metadata"].as_object_mut().unwrap().remove("finalizers");
            }
        }
        restore(&world, backup.iter().filter(|object| outputs || !is_output(object))).await;
        world.start_operator();

        assert_eq!(one_user(&world, NAME).await, user);
        assert_eq!(world.count(Endpoint::Create), 1, "no other user is created");
        let has_it =
            |object: &DynamicObject| object.metadata.finalizers.iter().flatten().any(|f| f == FINALIZER);
        let object = world.until(NAME, "the finalizer is there", has_it).await;
        let uid = object.metadata.uid;
        let owner = async || {
            let owners = world.get_secret(NAME).await.unwrap().metadata.owner_references;
            owners.into_iter().flatten().next().map(|owner| owner.uid)
        };
        world
            .eventually("the Secret belongs to the resource that was restored", async || owner().await == uid)
            .await;
        world.delete(NAME).await;
        world.gone(NAME).await;
        assert_eq!(world.ours(), []);
    }
}

/// The user of the namespace of before stays in the portal, for programs that use it still, and a person deletes it.
#[tokio::test]
async fn a_namespace_that_is_restored_under_another_name_gets_users_of_its_own() {
    let (mut world, user) = published().await;
    let mut backup = backed_up(&world).await;
    world.stop_operator().await;
    lose(&world, &backup).await;
    let other = world.neighbours[0].clone();
    for object in &mut backup {
        object["metadata"]["namespace"] = json!(other);
    }
    restore(&world, &backup).await;
    world.start_operator();
    let there = format!("{other}/{NAME}");
    let words = world.because(&there, "OutputNotOurs").await;
    assert!(words.contains(NAME), "{words}");
    assert_eq!(world.count(Endpoint::Create), 1);

    // The Secrets that the operator wrote are not part of such a restore.
    let secrets = kube::Api::<k8s_openapi::api::core::v1::Secret>::namespaced(world.client.clone(), &other);
    secrets.delete(NAME, &DeleteParams::default()).await.unwrap();
    let object = world.ready(&there).await;
    assert_ne!(recorded(&object).id, user.id.to_string());
    let secret = world.get_secret(&there).await.unwrap();
    assert_ne!(Some(secret_value(&secret, "client-secret")), user.secret);
    assert_eq!((token_of(&world, &user).await, world.count(Endpoint::Create)), (200, 2));
    let listed = async || {
        let portal = world.api("Portal", &other).get("catena-x").await.unwrap();
        portal_status(&portal).unclaimed.iter().any(|one| one.id == user.id.to_string())
    };
    world.eventually("the user of before is listed", listed).await;
}

#[tokio::test]
async fn a_backup_in_another_cluster_takes_nothing_from_the_first() {
    let (mut world, user) = published().await;
    let backup = backed_up(&world).await;
    world.stop_operator().await;
    lose(&world, &backup).await;
    world.secrets_api().delete(IDENTITY_SECRET, &DeleteParams::default()).await.unwrap();
    restore(&world, &backup).await;
    world.start_operator();
    let words = world.because(NAME, "TakenFromOtherCluster").await;
    assert!(words.contains("technicaluser.dev/take-over"), "{words}");
    assert_eq!(world.token_with(NAME).await, 200, "the restored Secret is kept");
    assert_eq!((world.portal_writes(), token_of(&world, &user).await), (1, 200));
}
