//! Who may use a Portal, and for what: nothing is read or created for others.

use portal_simulator::role_names::{
    DATASPACE_DISCOVERY, IDENTITY_WALLET_MANAGEMENT, SEMANTIC_MODEL_MANAGEMENT,
};
use portal_simulator::{Endpoint, UserSeed};
use serde_json::json;

use crate::support::{CONNECTOR_LOGIN, FULL_LOGIN, create, create_from, existing, world};

#[tokio::test]
async fn a_portal_serves_the_namespaces_and_roles_that_its_access_names() {
    let world = world().neighbour("dataspace=yes").neighbour("").start().await;
    let (home, friend, stranger) =
        (world.namespace.as_str(), world.neighbours[0].as_str(), world.neighbours[1].as_str());
    world.patch_portal(&json!({"spec": {"access": [
        {"namespaces": {"from": "Same"}},
        {"namespaces": {"from": "Selector", "selector": {"matchLabels": {"dataspace": "yes"}}}, "roles": [DATASPACE_DISCOVERY]},
    ]}})).await;
    world.portal_ready().await;
    world.simulator.seed_user(UserSeed::new("One", "by-hand")).unwrap();
    world.apply(&create_from("edc", friend, home, DATASPACE_DISCOVERY)).await;
    world.apply(&create_from("wallet", friend, home, IDENTITY_WALLET_MANAGEMENT)).await;
    world.apply(&create_from("edc", stranger, home, DATASPACE_DISCOVERY)).await;
    world.apply(&create("edc", home, SEMANTIC_MODEL_MANAGEMENT)).await;
    let mut foreign = existing("by-hand", friend, &json!({"name": "by-hand"}));
    foreign["spec"]["portalRef"]["namespace"] = home.into();
    world.apply(&foreign).await;
    world.apply(&existing("by-hand", home, &json!({"name": "by-hand"}))).await;

    world.ready(&format!("{friend}/edc")).await;
    world.ready("edc").await;
    let words = world.because(&format!("{friend}/wallet"), "AccessDenied").await;
    assert!(
        words.contains("\"Identity Wallet Management\"") && words.contains("granted: Dataspace Discovery"),
        "{words}"
    );
    let words = world.because(&format!("{stranger}/edc"), "AccessDenied").await;
    assert!(
        words.contains(&format!("No rule of the Portal's access selects namespace \"{stranger}\"")),
        "{words}"
    );
    assert!(words.contains("labels") && !words.contains("Discovery"), "{words}");
    for name in [format!("{friend}/by-hand"), "by-hand".to_owned()] {
        let words = world.because(&name, "AccessDenied").await;
        assert!(words.contains("existing: true"), "{words}");
    }
    world.two_sweeps().await;
    assert_eq!(world.count(Endpoint::Create), 2);
    let by_hand = world.simulator.users("One").into_iter().find(|user| user.name == "by-hand").unwrap();
    let read =
        |id: &str| world.simulator.calls_of(Endpoint::Details).iter().any(|call| call.path.contains(id));
    assert!(!read(&by_hand.id.to_string()), "its secret is not even read");

    world
        .patch_portal(&json!({"spec": {"access": [
            {"namespaces": {"from": "All"}, "existing": true,
             "roles": [DATASPACE_DISCOVERY, IDENTITY_WALLET_MANAGEMENT, SEMANTIC_MODEL_MANAGEMENT]},
        ]}}))
        .await;
    for name in [
        format!("{friend}/wallet"),
        format!("{stranger}/edc"),
        format!("{friend}/by-hand"),
        "by-hand".to_owned(),
    ] {
        world.ready(&name).await;
    }
    // What is published is watched over only while it is granted; taking it back needs no grant.
    world.patch_portal(&json!({"spec": {"access": [{"namespaces": {"from": "Same"}}]}})).await;
    world.delete(&format!("{stranger}/edc")).await;
    world.gone(&format!("{stranger}/edc")).await;
}

#[tokio::test]
async fn the_operators_own_login_is_never_published() {
    let world = world().start().await;
    world.login_secret("delete-login", CONNECTOR_LOGIN).await;
    let auth = json!({"clientCredentials": {"secretRef": {"name": "delete-login"}}});
    world.patch_portal(&json!({"spec": {"catenaX": {"deleteAuth": auth}}})).await;
    world.portal_ready().await;
    let login =
        world.simulator.users("One").into_iter().find(|user| user.name == FULL_LOGIN.client_id).unwrap();
    let namespace = world.namespace.as_str();
    world.apply(&existing("by-client-id", namespace, &json!({"clientId": FULL_LOGIN.client_id}))).await;
    world.apply(&existing("by-id", namespace, &json!({"id": login.id.to_string()}))).await;
    world.apply(&existing("by-name", namespace, &json!({"name": FULL_LOGIN.client_id}))).await;
    world.apply(&existing("for-deletion", namespace, &json!({"clientId": CONNECTOR_LOGIN.client_id}))).await;
    for name in ["by-client-id", "by-id", "by-name", "for-deletion"] {
        let words = world.because(name, "OperatorLogin").await;
        assert!(words.contains("own login"), "{words}");
    }
    world.two_sweeps().await;
    for name in ["by-client-id", "by-id", "by-name", "for-deletion"] {
        assert!(world.get_secret(name).await.is_none(), "{name}");
        world.delete(name).await;
        world.gone(name).await;
    }
    assert_eq!(world.portal_writes(), 0);
}
