//! Users that the provider of a marketplace offer creates: selected by the offer, waited for, published, and never changed.

use kube::api::DynamicObject;
use portal_simulator::role_names::{DATASPACE_DISCOVERY, SEMANTIC_MODEL_MANAGEMENT};
use portal_simulator::{Change, OfferSeed, Status, UserSeed, UserView};
use serde_json::json;

use crate::support::{World, condition, existing, reason, recorded, secret_value, world};

const OFFER: &str = "SAP app";

/// A user of an offer, as the provider creates it before the subscription is active: the token endpoint refuses it.
fn user_of_offer(role: &str) -> UserSeed {
    let offer = OfferSeed { provider: "Two".into(), name: OFFER.into(), subscription_active: false };
    UserSeed::new("One", OFFER).managed(offer).roles([role]).disabled()
}

fn seed(world: &World, user: UserSeed) -> UserView {
    world.simulator.seed_user(user).unwrap()
}

fn id_of(resource: &DynamicObject) -> String {
    recorded(resource).id
}

#[tokio::test]
async fn the_user_of_an_offer_is_waited_for_and_stays_until_its_subscription_has_ended() {
    let world = world().start().await;
    let namespace = world.namespace.as_str();
    let offer = json!({"offer": {"name": OFFER}, "role": DATASPACE_DISCOVERY});
    world.apply(&existing("sap", namespace, &offer)).await;
    let words = world.because("sap", "WaitingForProvider").await;
    assert!(words.contains(OFFER) && words.contains("after this company has subscribed"), "{words}");
    let waiting = world.user("sap").await.unwrap();
    assert!(condition(&waiting, "Reconciling").is_some_and(|it| it.status == "True"));
    assert!(condition(&waiting, "Stalled").is_none());

    // The provider sets the subscription up: two users of one name, which differ by their roles.
    let user = seed(&world, user_of_offer(DATASPACE_DISCOVERY));
    seed(&world, user_of_offer(SEMANTIC_MODEL_MANAGEMENT).of_the_subscription_of(user.id));
    world.sweep().await;
    let activated = |object: &DynamicObject| {
        condition(object, "Ready").is_some_and(|ready| {
            ready.reason == "WaitingForProvider" && ready.message.contains("activated the subscription")
        })
    };
    world.until("sap", "the subscription is not active", activated).await;
    assert!(world.get_secret("sap").await.is_none());
    assert_eq!(world.simulator.set_subscription(user.id, true), Change::Done);
    assert_eq!(id_of(&world.ready("sap").await), user.id.to_string());
    assert_eq!(world.token_with("sap").await, 200);

    // Without a role both fit: both are named, and none is published.
    world.apply(&existing("any", namespace, &json!({"offer": {"name": OFFER}}))).await;
    let words = world.because("any", "UserAmbiguous").await;
    assert!(words.contains("2 users") && words.contains(user.client_id.as_deref().unwrap()), "{words}");

    // The subscription ends: the user is reported, and its Secret is kept for a person to judge.
    let secret = world.get_secret("sap").await.unwrap();
    assert_eq!(world.simulator.set_subscription(user.id, false), Change::Done);
    world.sweep().await;
    world.because("sap", "UserInactive").await;
    assert_eq!(world.get_secret("sap").await.unwrap().data, secret.data);

    // The user of another subscription may be of another environment: only a person decides that it is published there.
    let next = seed(&world, user_of_offer(DATASPACE_DISCOVERY));
    assert_eq!(world.simulator.set_subscription(next.id, true), Change::Done);
    world.sweep().await;
    assert_eq!(id_of(&world.ready("any").await), next.id.to_string());
    let sap = world.user("sap").await.unwrap();
    assert_eq!((id_of(&sap), reason(&sap)), (user.id.to_string(), "UserInactive".to_owned()));
    assert_eq!(world.simulator.set_subscription(user.id, true), Change::Done);
    world.sweep().await;
    assert_eq!(id_of(&world.ready("sap").await), user.id.to_string());
    assert_eq!(id_of(&world.ready("any").await), next.id.to_string(), "it stays, although both fit again");
    assert_eq!(world.portal_writes(), 0);
}

#[tokio::test]
async fn a_subscription_is_selected_among_several_of_an_offer() {
    let world = world().start().await;
    let namespace = world.namespace.as_str();
    let (one, two) =
        (seed(&world, user_of_offer(DATASPACE_DISCOVERY)), seed(&world, user_of_offer(DATASPACE_DISCOVERY)));
    for user in [&one, &two] {
        assert_eq!(world.simulator.set_subscription(user.id, true), Change::Done);
    }
    let (offer, subscription) = two.offer.unwrap();
    assert_eq!(one.offer.unwrap().0, offer, "they are of one offer");
    world.apply(&existing("any", namespace, &json!({"offer": {"id": offer}}))).await;
    world.because("any", "UserAmbiguous").await;
    let id = subscription.to_string().to_uppercase();
    let selected = json!({"offer": {"id": offer, "subscriptionId": id}});
    world.apply(&existing("two", namespace, &selected)).await;
    assert_eq!(id_of(&world.ready("two").await), two.id.to_string());
    let other = json!({"offer": {"name": "no such offer"}});
    world.apply(&existing("none", namespace, &other)).await;
    world.because("none", "WaitingForProvider").await;
    // The provider replaces the user of the subscription.
    assert_eq!(world.simulator.delete_by_hand(two.id), Change::Done);
    let next = seed(&world, UserSeed::new("One", OFFER).of_the_subscription_of(two.id));
    world.sweep().await;
    let is_next = |object: &DynamicObject| {
        condition(object, "Ready").is_some_and(|ready| ready.status == "True")
            && id_of(object) == next.id.to_string()
    };
    world.until("two", "the next user is published", is_next).await;
    assert_eq!(Some(secret_value(&world.get_secret("two").await.unwrap(), "client-secret")), next.secret);
    assert_eq!(world.portal_writes(), 0);
}

/// All users of an offer have one name, and the pages of the list lose users of equal names.
#[tokio::test]
async fn no_user_of_an_offer_is_published_while_the_list_hides_some() {
    let world = world().start().await;
    let namespace = world.namespace.as_str();
    let user = seed(&world, user_of_offer(DATASPACE_DISCOVERY));
    assert_eq!(world.simulator.set_subscription(user.id, true), Change::Done);
    // Those that wait for the wallet service have no client ID, so no filter shows them.
    for _ in 0..60 {
        seed(&world, UserSeed::new("One", "dim-twin").external().status(Status::Pending));
    }
    world.apply(&existing("sap", namespace, &json!({"offer": {"name": OFFER}}))).await;
    let words = world.because("sap", "ListIncomplete").await;
    assert!(words.contains("Select the user by id"), "{words}");
    // Of two that are shown one has the role, and one that is hidden may have it as well.
    seed(&world, user_of_offer(SEMANTIC_MODEL_MANAGEMENT).of_the_subscription_of(user.id));
    let with_role = json!({"offer": {"name": OFFER}, "role": DATASPACE_DISCOVERY});
    world.apply(&existing("role", namespace, &with_role)).await;
    world.because("role", "ListIncomplete").await;
    assert!(world.get_secret("sap").await.is_none());
}
