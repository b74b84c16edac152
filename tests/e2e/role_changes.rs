//! The roles of a resource change: another user replaces the one that has the former roles.

use kube::api::DynamicObject;
use portal_simulator::role_names::{
    DATASPACE_DISCOVERY, IDENTITY_WALLET_MANAGEMENT, SEMANTIC_MODEL_MANAGEMENT,
};
use portal_simulator::{Action, Canned, Endpoint, Fault, UserView, Version, WalletDelay};
use serde_json::json;

use crate::rotation::{NAME, annotate, retiring, token_of, with_rotation};
use crate::support::{
    CONNECTOR_LOGIN, CREATING, ROTATE, World, condition, create, is_ready, message, one_company,
    portal_status, reason, recorded, world,
};

pub async fn set_roles(world: &World, roles: &[&str]) {
    world.patch_user(NAME, &json!({"spec": {"user": {"create": {"roles": roles}}}})).await;
}

/// Waits until a user serves that was created with these roles, and no former one is left.
pub async fn only_user_with(world: &World, roles: &[&str]) -> UserView {
    let with = |user: &DynamicObject| {
        recorded(user).requested_roles == roles && is_ready(user) && retiring(user).is_empty()
    };
    // The portal's side is of a later moment than the status.
    let found = async || {
        let user = world.user(NAME).await.unwrap();
        let ours = world.ours().into_iter().find(|ours| ours.id.to_string() == recorded(&user).id);
        ours.filter(|_| with(&user)).ok_or(user)
    };
    world.wait_for("a user has the roles", found).await
}

/// The user that the status names, as the portal has it.
async fn in_use(world: &World) -> UserView {
    let id = recorded(&world.user(NAME).await.unwrap()).id;
    world.ours().into_iter().find(|user| user.id.to_string() == id).unwrap()
}

/// Waits until the condition Rotating has this status and reason, and these words. Ready is True meanwhile.
async fn rotating(world: &World, status: &str, reason: &str, words: &str) {
    let reported = |user: &DynamicObject| {
        condition(user, "Rotating")
            .is_some_and(|one| one.status == status && one.reason == reason && one.message.contains(words))
    };
    let user = world.until(NAME, &format!("Rotating is {status}: {reason}, {words}"), reported).await;
    assert!(is_ready(&user), "{user:?}");
}

#[tokio::test]
async fn other_roles_replace_a_user_that_serves_all_the_time() {
    let world = world().start().await;
    world.apply(&with_rotation(&world, DATASPACE_DISCOVERY, &json!({"overlap": "1h"}))).await;
    let ready = world.ready(NAME).await;
    let (first, since) = (world.user_of(NAME), condition(&ready, "Ready").unwrap().last_transition_time);
    assert_eq!(recorded(&ready).requested_roles, [DATASPACE_DISCOVERY]);

    let both = [DATASPACE_DISCOVERY, SEMANTIC_MODEL_MANAGEMENT];
    set_roles(&world, &both).await;
    let with_both =
        |user: &DynamicObject| recorded(user).requested_roles == both && retiring(user).len() == 1;
    world.until(NAME, "a user with both roles serves", with_both).await;
    let second = in_use(&world).await;
    assert_eq!(second.roles, both);
    assert_eq!((token_of(&world, &first).await, world.token_with(NAME).await), (200, 200), "it is kept");

    // The order does not matter, and the same roles are no change.
    set_roles(&world, &[SEMANTIC_MODEL_MANAGEMENT, DATASPACE_DISCOVERY]).await;
    world.two_sweeps().await;
    assert_eq!(world.count(Endpoint::Create), 2);

    set_roles(&world, &[SEMANTIC_MODEL_MANAGEMENT]).await;
    let third = only_user_with(&world, &[SEMANTIC_MODEL_MANAGEMENT]).await;
    assert_eq!(third.roles, [SEMANTIC_MODEL_MANAGEMENT]);
    assert_eq!(world.ours().into_iter().map(|user| user.id).collect::<Vec<_>>(), [third.id]);
    assert_eq!((token_of(&world, &second).await, world.token_with(NAME).await), (401, 200));
    let user = world.user(NAME).await.unwrap();
    assert_eq!(condition(&user, "Ready").unwrap().last_transition_time, since, "it was ready all the time");
    assert_eq!(condition(&user, "Rotating"), None);
    assert_eq!((world.count(Endpoint::Create), world.count(Endpoint::Delete)), (3, 2));
    world.two_sweeps().await;
    let writes = world.writes();
    world.two_sweeps().await;
    assert_eq!(world.writes(), writes);
}

#[tokio::test]
async fn roles_that_cannot_be_had_leave_the_user_and_are_reported() {
    let world = world().start().await;
    let access =
        json!([{"namespaces": {"from": "Same"}, "roles": [DATASPACE_DISCOVERY, IDENTITY_WALLET_MANAGEMENT]}]);
    world.patch_portal(&json!({"spec": {"access": access}})).await;
    world.portal_ready().await;
    world.apply(&create(NAME, &world.namespace, DATASPACE_DISCOVERY)).await;
    world.ready(NAME).await;
    let user = world.user_of(NAME);
    let writes = world.portal_writes();
    for (roles, reason, words) in [
        (vec![DATASPACE_DISCOVERY, IDENTITY_WALLET_MANAGEMENT], "RolesMixed", "Create two TechnicalUsers"),
        (vec!["Dataspace Discoverer"], "AccessDenied", "Dataspace Discoverer"),
        (vec![SEMANTIC_MODEL_MANAGEMENT], "AccessDenied", SEMANTIC_MODEL_MANAGEMENT),
    ] {
        set_roles(&world, &roles).await;
        rotating(&world, "False", reason, words).await;
    }
    world.patch_portal(&json!({"spec": {"access": null}})).await;
    world.patch_user(NAME, &json!({"spec": {"rotation": {"strategy": "InPlace"}}})).await;
    rotating(&world, "False", "RoleChangeNeedsReplace", "InPlace").await;
    world.event(NAME, "RoleChangeNeedsReplace").await;
    set_roles(&world, &[DATASPACE_DISCOVERY]).await;
    world.until(NAME, "nothing is to be changed", |user| condition(user, "Rotating").is_none()).await;
    assert_eq!((world.user_of(NAME).id, world.portal_writes()), (user.id, writes), "nothing was sent");
    assert_eq!(world.token_with(NAME).await, 200);

    // The portal refuses, and the next change is another matter.
    world.patch_user(NAME, &json!({"spec": {"rotation": {"strategy": "Auto"}}})).await;
    world.simulator.inject(Fault::at(Endpoint::Create, Action::Status(Canned::error(400))));
    set_roles(&world, &[SEMANTIC_MODEL_MANAGEMENT]).await;
    let refused = |user: &DynamicObject| condition(user, "Rotating").is_some_and(|one| one.status == "False");
    let object = world.until(NAME, "the refusal is reported", refused).await;
    assert!(is_ready(&object), "{}", message(&object));
    world.simulator.clear_faults();
    set_roles(&world, &[DATASPACE_DISCOVERY]).await;
    let closed = |user: &DynamicObject| {
        let annotations = user.metadata.annotations.clone().unwrap_or_default();
        annotations.get(CREATING).is_some_and(|text| text.ends_with(" closed"))
            && condition(user, "Rotating").is_none()
    };
    world.until(NAME, "the attempt is closed", closed).await;
    assert_eq!(world.user_of(NAME).id, user.id);
    world.two_sweeps().await;
    assert_eq!(world.count(Endpoint::Delete), 0);
}

#[tokio::test]
async fn a_role_is_taken_from_a_wallet_user_only_if_that_user_can_be_deleted() {
    let world = world().login(CONNECTOR_LOGIN).start().await;
    world.apply(&create(NAME, &world.namespace, IDENTITY_WALLET_MANAGEMENT)).await;
    world.ready(NAME).await;
    let wallet = world.user_of(NAME);
    set_roles(&world, &[DATASPACE_DISCOVERY]).await;
    rotating(&world, "False", "RoleChangeNeedsDelete", IDENTITY_WALLET_MANAGEMENT).await;
    world.two_sweeps().await;
    assert_eq!((world.count(Endpoint::Create), world.user_of(NAME).id), (1, wallet.id));

    // A person decides that it is replaced all the same.
    annotate(&world, ROTATE, "1").await;
    only_user_with(&world, &[DATASPACE_DISCOVERY]).await;
    let listed =
        world.portal_until("it is listed", |portal| !portal_status(portal).retained.is_empty()).await;
    assert_eq!(listed.retained[0].id, wallet.id.to_string());

    // The secret of an internal user is reset in the place of a deletion.
    let internal = in_use(&world).await;
    set_roles(&world, &[SEMANTIC_MODEL_MANAGEMENT]).await;
    only_user_with(&world, &[SEMANTIC_MODEL_MANAGEMENT]).await;
    world.portal_until("both are listed", |portal| portal_status(portal).retained.len() == 2).await;
    assert_eq!((token_of(&world, &internal).await, world.token_with(NAME).await), (401, 200));
    assert_eq!((world.count(Endpoint::Create), world.count(Endpoint::Reset)), (3, 1));
}

/// The successor of the first change waits for the wallet service when the roles change again.
#[tokio::test]
async fn roles_that_change_again_in_the_middle_lead_to_one_user_with_the_last_ones() {
    let world = world().simulator(one_company(Version::Main).wallet_delay(WalletDelay::Never)).start().await;
    world.apply(&create(NAME, &world.namespace, DATASPACE_DISCOVERY)).await;
    world.ready(NAME).await;
    let first = world.user_of(NAME);
    set_roles(&world, &[IDENTITY_WALLET_MANAGEMENT]).await;
    rotating(&world, "True", "Pending", "wallet service").await;

    set_roles(&world, &[DATASPACE_DISCOVERY]).await;
    world.until(NAME, "it is as before", |user| condition(user, "Rotating").is_none()).await;
    assert_eq!((in_use(&world).await.id, world.count(Endpoint::Create)), (first.id, 2));
    assert_eq!(world.token_with(NAME).await, 200);

    set_roles(&world, &[IDENTITY_WALLET_MANAGEMENT]).await;
    rotating(&world, "True", "Pending", "wallet service").await;
    assert_eq!(world.count(Endpoint::Create), 2, "the user that waits has the roles");
    set_roles(&world, &[SEMANTIC_MODEL_MANAGEMENT]).await;
    let last = only_user_with(&world, &[SEMANTIC_MODEL_MANAGEMENT]).await;
    assert_eq!(
        (last.roles.as_slice(), world.count(Endpoint::Create)),
        ([SEMANTIC_MODEL_MANAGEMENT.to_owned()].as_slice(), 3)
    );

    // Nobody needs the user that waited.
    world.simulator.activate_wallet_users();
    world.simulator.wait_for(|view| view.answered(Endpoint::Delete) == 2).await;
    assert_eq!(
        (reason(&world.user(NAME).await.unwrap()), world.token_with(NAME).await),
        ("Ready".to_owned(), 200)
    );
}
