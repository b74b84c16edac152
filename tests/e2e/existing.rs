//! Users that are there already: found, waited for, published, and never changed.

use portal_simulator::role_names::DATASPACE_DISCOVERY;
use portal_simulator::{Endpoint, OfferSeed, Status, UserSeed};
use serde_json::json;

use crate::support::{create, existing, recorded, secret_value, world};

#[tokio::test]
async fn an_existing_user_is_published_by_id_client_id_or_name_and_never_changed() {
    let world = world().start().await;
    let namespace = world.namespace.as_str();
    let seed =
        |name: &str| world.simulator.seed_user(UserSeed::new("One", name).description("by hand")).unwrap();
    let (one, two, three) = (seed("one"), seed("two"), seed("three"));
    world.apply(&existing("by-id", namespace, &json!({"id": one.id.to_string().to_uppercase()}))).await;
    world.apply(&existing("by-client-id", namespace, &json!({"clientId": two.client_id}))).await;
    world.apply(&existing("by-name", namespace, &json!({"name": "three"}))).await;
    for (name, user) in [("by-id", &one), ("by-client-id", &two), ("by-name", &three)] {
        let ready = world.ready(name).await;
        assert_eq!(recorded(&ready).client_id, user.client_id, "{name}");
        assert_eq!(world.token_with(name).await, 200, "{name}");
        let secret = world.get_secret(name).await.unwrap();
        assert_eq!(Some(secret_value(&secret, "client-secret")), user.secret, "{name}");
    }
    for name in ["by-id", "by-client-id", "by-name"] {
        world.delete(name).await;
        world.gone(name).await;
    }
    world.two_sweeps().await;
    assert_eq!(world.portal_writes(), 0);
    let there = world.simulator.users("One");
    assert!([one, two, three].iter().all(|user| there.contains(user)), "they are as they were");
}

#[tokio::test]
async fn a_user_that_cannot_be_identified_or_used_is_waited_for() {
    let world = world().start().await;
    let namespace = world.namespace.as_str();
    let seed = |name: &str| world.simulator.seed_user(UserSeed::new("One", name)).unwrap();
    let (_, twin) = (seed("twin"), seed("twin"));
    let offer = OfferSeed { provider: "Two".into(), name: "SAP app".into(), subscription_active: false };
    let managed = UserSeed::new("One", "subscribed").managed(offer).disabled();
    let managed = world.simulator.seed_user(managed).unwrap();
    world.apply(&create("made", namespace, DATASPACE_DISCOVERY)).await;
    world.ready("made").await;
    let made = world.user_of("made");
    let before = world.portal_writes();
    world.apply(&existing("twin", namespace, &json!({"name": "twin"}))).await;
    world.apply(&existing("later", namespace, &json!({"name": "later"}))).await;
    let nobody = "00000000-0000-4000-8000-000000000000";
    world.apply(&existing("nobody", namespace, &json!({"id": nobody}))).await;
    world.apply(&existing("subscribed", namespace, &json!({"clientId": managed.client_id}))).await;
    world.apply(&existing("made-again", namespace, &json!({"id": made.id}))).await;

    let words = world.because("twin", "UserAmbiguous").await;
    assert!(words.contains("2 users have name \"twin\"") && words.contains("id or clientId"), "{words}");
    let words = world.because("later", "UserNotFound").await;
    assert!(words.contains("name \"later\"") && words.contains("when it appears"), "{words}");
    let words = world.because("nobody", "UserGone").await;
    assert!(words.contains(nobody), "{words}");
    let words = world.because("subscribed", "CredentialRefused").await;
    assert!(words.contains("when the subscription is active"), "{words}");
    let words = world.because("made-again", "ManagedElsewhere").await;
    assert!(words.contains(&format!("e2e/{namespace}/made")), "{words}");
    world.two_sweeps().await;
    for name in ["twin", "later", "nobody", "subscribed", "made-again"] {
        assert!(world.get_secret(name).await.is_none(), "{name}");
    }

    assert_eq!(world.simulator.delete_by_hand(twin.id), portal_simulator::Change::Done);
    seed("later");
    assert_eq!(world.simulator.set_subscription(managed.id, true), portal_simulator::Change::Done);
    world.sweep().await;
    for name in ["twin", "later", "subscribed"] {
        world.ready(name).await;
        assert_eq!(world.token_with(name).await, 200, "{name}");
    }
    world.delete("made-again").await;
    world.gone("made-again").await;
    world.two_sweeps().await;
    assert_eq!(world.portal_writes(), before);
    assert_eq!(world.count(Endpoint::Create), 1);
    assert_eq!(world.user_of("made"), made);
    // A user that was deleted is reported, and its Secret is kept for a person to judge.
    assert_eq!(world.simulator.delete_by_hand(managed.id), portal_simulator::Change::Done);
    world.sweep().await;
    world.because("subscribed", "UserNotFound").await;
}

/// Wallet users that wait have no client ID, so no filter shows those that equal names hide.
#[tokio::test]
async fn a_client_id_selects_its_user_where_the_list_hides_users_of_equal_names() {
    let world = world().start().await;
    let namespace = world.namespace.as_str();
    for _ in 0..60 {
        let waiting = UserSeed::new("One", "dim-twin").external().status(Status::Pending);
        world.simulator.seed_user(waiting).unwrap();
    }
    let user = world.simulator.seed_user(UserSeed::new("One", "one")).unwrap();
    let client_id = user.client_id.as_deref().unwrap();
    world.apply(&existing("by-name", namespace, &json!({"name": "one"}))).await;
    world.because("by-name", "ListIncomplete").await;
    world.apply(&existing("by-client-id", namespace, &json!({"clientId": client_id}))).await;
    let ready = world.ready("by-client-id").await;
    assert_eq!(recorded(&ready).id, user.id.to_string());
    assert_eq!(world.token_with("by-client-id").await, 200);
    let narrowed = format!("clientId={client_id}");
    let lists = world.simulator.calls_of(Endpoint::List);
    assert!(lists.iter().any(|call| call.path.contains(&narrowed)), "the list is narrowed by the client ID");
}

#[tokio::test]
async fn a_user_of_another_company_is_as_if_it_were_not_there() {
    let world = world().start().await;
    let foreign = world.simulator.seed_user(UserSeed::new("Two", "theirs").description("by hand")).unwrap();
    let namespace = world.namespace.as_str();
    world.apply(&existing("by-id", namespace, &json!({"id": foreign.id}))).await;
    world.apply(&existing("by-client-id", namespace, &json!({"clientId": foreign.client_id}))).await;
    let words = world.because("by-id", "UserGone").await;
    assert!(words.contains(&foreign.id.to_string()), "{words}");
    world.because("by-client-id", "UserNotFound").await;
    world.two_sweeps().await;
    assert_eq!(world.portal_writes(), 0);
    for name in ["by-id", "by-client-id"] {
        assert!(world.get_secret(name).await.is_none(), "{name}");
    }
}
