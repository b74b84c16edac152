//! Resources of namespaces that a Portal's access does not serve: they neither keep the Portal nor learn of it.

use kube::api::{Api, DynamicObject, Patch, PatchParams};
use portal_simulator::role_names::DATASPACE_DISCOVERY;
use serde_json::json;
use technical_user_operator::controller::objects::technical_users;

use crate::support::{FINALIZER, FULL_LOGIN, PORTAL, create, create_from, message, user_status, world};

#[tokio::test]
async fn a_resource_without_access_neither_keeps_a_portal_nor_learns_of_it() {
    let world = world().neighbour("dataspace=yes").neighbour("").start().await;
    let (home, friend, stranger) =
        (world.namespace.as_str(), world.neighbours[0].as_str(), world.neighbours[1].as_str());
    let same = json!({"namespaces": {"from": "Same"}});
    let labelled = json!({"namespaces": {"from": "Selector", "selector": {"matchLabels": {"dataspace": "yes"}}},
        "roles": [DATASPACE_DISCOVERY]});
    world.patch_portal(&json!({"spec": {"access": [same, labelled]}})).await;
    world.apply(&create("edc", home, DATASPACE_DISCOVERY)).await;
    world.apply(&create_from("edc", friend, home, DATASPACE_DISCOVERY)).await;
    world.ready("edc").await;
    world.ready(&format!("{friend}/edc")).await;
    // Forged: a finalizer, and a status that names a user of another owner.
    let forged = format!("{stranger}/edc");
    world.apply(&create_from("edc", stranger, home, DATASPACE_DISCOVERY)).await;
    world.because(&forged, "AccessDenied").await;
    world.patch_user(&forged, &json!({"metadata": {"finalizers": [FINALIZER]}})).await;
    let portal = user_status(&world.user("edc").await.unwrap()).portal;
    let user = json!({"id": world.user_of("edc").id, "generation": 1, "name": "forged"});
    let api: Api<DynamicObject> = Api::namespaced_with(world.client.clone(), stranger, &technical_users());
    let status = json!({"status": {"portal": portal, "user": user}});
    api.patch_status("edc", &PatchParams::default(), &Patch::Merge(&status)).await.unwrap();

    // Not every namespace may read what is wrong with the Portal.
    world.login(FULL_LOGIN.wrong()).await;
    world.sweep_soon().await;
    world.portal_because("LoginRefused").await;
    let waiting = create_from("waiting", stranger, home, DATASPACE_DISCOVERY);
    world.apply(&waiting).await;
    world.apply(&create("waiting", home, DATASPACE_DISCOVERY)).await;
    let repeats = |user: &DynamicObject| message(user).contains("LoginRefused");
    let here = message(&world.until("waiting", "it repeats what its Portal says", repeats).await);
    assert!(here.contains("login Secret"), "{here}");
    let there = world.until(&format!("{stranger}/waiting"), "it names the reason alone", repeats).await;
    assert!(!message(&there).contains("login Secret"), "{there:#?}");
    assert!(!message(&there).contains("127.0.0.1"), "{there:#?}");
    assert!(!message(&there).contains("portal-login"), "{there:#?}");
    world.delete("waiting").await;
    world.login(FULL_LOGIN).await;
    world.sweep_soon().await;
    world.portal_ready().await;

    // The grant of one that has a user is removed; the other never had one.
    world.patch_portal(&json!({"spec": {"access": [same]}})).await;
    world.portals_api().delete(PORTAL, &kube::api::DeleteParams::default()).await.unwrap();
    world.delete("edc").await;
    world.gone("edc").await;
    world
        .portal_until("the one with a user keeps the Portal", |portal| {
            let words = message(portal);
            words.contains(&format!("{friend}/edc")) && !words.contains(stranger)
        })
        .await;
    world.delete(&format!("{friend}/edc")).await;
    world.gone(&format!("{friend}/edc")).await;
    world.eventually("the Portal is gone", async || world.portal().await.is_none()).await;
    assert!(world.user(&forged).await.is_some());
    assert!(world.ours().is_empty());
}
