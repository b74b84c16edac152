//! A whole namespace is deleted, with the Portal, the login and the resources in it: it ends, as the policies say.

use portal_simulator::{Change, Endpoint, Status};
use serde_json::{Value, json};

use crate::support::{World, create, portal, world};

/// A neighbour with a Portal, its login and two published resources.
async fn furnished(world: &World, client_id: &str, secret: &str) -> String {
    let namespace = world.neighbours[0].clone();
    let login = json!({
        "apiVersion": "v1", "kind": "Secret", "metadata": {"name": "portal-login", "namespace": namespace},
        "stringData": {"client-id": client_id, "client-secret": secret},
    });
    world.kubectl_apply(&login).await;
    world.apply(&portal(&world.simulator, &namespace)).await;
    for (name, role) in [("internal", "Dataspace Discovery"), ("wallet", "Identity Wallet Management")] {
        world.apply(&create(name, &namespace, role)).await;
        world.ready(&format!("{namespace}/{name}")).await;
    }
    namespace
}

async fn deleted(world: &World, namespace: &str) {
    let ask = ["get", "namespace", namespace, "--ignore-not-found", "-o", "name"];
    world
        .eventually("the namespace is gone", async || {
            world.plane.kubectl(&ask).await.unwrap().success().unwrap().is_empty()
        })
        .await;
}

#[tokio::test]
async fn a_namespace_goes_with_its_users() {
    let world = world().neighbour("").cluster_wide().start().await;
    let namespace = furnished(&world, "sa-op", "op-secret-7f3k2").await;
    let users = world.ours();
    assert_eq!(users.len(), 2);
    world
        .plane
        .kubectl(&["delete", "namespace", &namespace, "--wait=false"])
        .await
        .unwrap()
        .success()
        .unwrap();
    deleted(&world, &namespace).await;
    assert!(world.ours().is_empty());
    assert_eq!(world.count(Endpoint::Create), 2);
    assert_eq!(world.count(Endpoint::Delete), 2);
    world.assert_nothing_leaked().await;
}

#[tokio::test]
async fn a_namespace_waits_for_a_person_where_the_login_may_not_delete() {
    let world = world().neighbour("").cluster_wide().start().await;
    let namespace = furnished(&world, "sa-cm", "cm-secret-9d4m1").await;
    let users = world.ours();
    let of = |name: &str| users.iter().find(|user| user.description.contains(&format!("/{name} "))).unwrap();
    world
        .plane
        .kubectl(&["delete", "namespace", &namespace, "--wait=false"])
        .await
        .unwrap()
        .success()
        .unwrap();
    let words = world.because(&format!("{namespace}/wallet"), "Undeletable").await;
    assert!(words.contains(of("wallet").client_id.as_deref().unwrap()), "{words}");
    world.gone(&format!("{namespace}/internal")).await;
    let revoked = world.simulator.look(|view| view.user(of("internal").id)).unwrap();
    assert_ne!(revoked.secret, of("internal").secret, "the old secret is dead");
    assert!(revoked.status == Status::Active && revoked.description.contains("retained"));
    assert_eq!(world.simulator.delete_by_hand(of("wallet").id), Change::Done);
    deleted(&world, &namespace).await;
    assert_eq!(world.ours(), []);
    let portals = ["get", "portals.technicaluser.dev", "-n", &world.namespace, "-o", "json"];
    let portals: Value =
        serde_json::from_str(&world.plane.kubectl(&portals).await.unwrap().success().unwrap()).unwrap();
    assert_eq!(portals["items"].as_array().unwrap().len(), 1, "the other Portal is not concerned");
    world.assert_nothing_leaked().await;
}
