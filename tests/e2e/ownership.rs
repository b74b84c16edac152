//! Who may write statuses can name any user of the company there: nothing is published, changed or deleted for that.

use kube::api::{DeleteParams, Patch, PatchParams};
use portal_simulator::role_names::DATASPACE_DISCOVERY;
use portal_simulator::{Change, Endpoint, Stage as PortalStage, UserSeed, UserView};
use serde_json::{Value, json};

use crate::support::{
    FINALIZER, FULL_LOGIN, Login, RELEASE, WRONG_SECRET, World, condition, create, existing, one_user,
    recorded, stored_status, world,
};

const ROLE: &str = DATASPACE_DISCOVERY;

/// Writes a status that names a user, the rest as the operator wrote it for a neighbour.
async fn forge(world: &World, name: &str, neighbour: &str, user: &UserView) {
    let mut copied = stored_status(&world.user(neighbour).await.unwrap()).clone();
    copied["user"]["id"] = json!(user.id);
    copied["user"]["name"] = json!(user.name);
    copied["user"]["clientId"] = json!(user.client_id);
    copied["user"]["roles"] = json!([ROLE]);
    copied["outputs"] = Value::Null;
    copied["credential"] = Value::Null;
    let forged = json!({"status": copied});
    let api = world.users_api();
    api.patch_status(name, &PatchParams::default(), &Patch::Merge(&forged)).await.unwrap();
}

fn retained_mark(world: &World, name: &str) -> String {
    format!(
        "No longer managed from Kubernetes. [technicaluser.dev/1 retained e2e/{}/{name} g1 abcdef]",
        world.namespace
    )
}

#[tokio::test]
async fn a_forged_status_and_a_deletion_touch_no_user() {
    let mut world = world().start().await;
    let namespace = world.namespace.clone();
    world.apply(&create("neighbour", &namespace, ROLE)).await;
    let neighbour = one_user(&world, "neighbour").await;
    let seed = |seed: UserSeed| world.simulator.seed_user(seed.roles([ROLE])).unwrap();
    let by_hand = seed(UserSeed::new("One", "by-hand").description("by hand"));
    let retained = seed(UserSeed::new("One", "kept").description(&retained_mark(&world, "former")));
    let login =
        world.simulator.users("One").into_iter().find(|user| user.name == FULL_LOGIN.client_id).unwrap();
    // The mark of the neighbour's second user was removed: it bears a name of another resource and no mark.
    let unmarked = seed(UserSeed::new("One", &neighbour.name).description(""));
    let targets = [
        ("by-hand", &by_hand, Some("UserNotOurs")),
        ("login", &login, Some("OperatorLogin")),
        ("unmarked", &unmarked, Some("UserNotOurs")),
        // The mark says whose these are: there is nothing to hold the resource for.
        ("retained", &retained, None),
        ("neighbours", &neighbour, None),
    ];
    world.stop_operator().await;
    let writes = world.portal_writes();
    for (name, user, _) in targets {
        let mut resource = create(name, &namespace, ROLE);
        resource["metadata"]["finalizers"] = json!([FINALIZER]);
        world.apply(&resource).await;
        forge(&world, name, "neighbour", user).await;
        world.delete(name).await;
    }
    world.start_operator();
    for (name, _, reason) in targets {
        match reason {
            Some(reason) => drop(world.because(name, reason).await),
            None => world.gone(name).await,
        }
    }
    world.two_sweeps().await;
    assert_eq!(world.portal_writes(), writes, "nothing was written to the portal");
    let there = world.simulator.users("One");
    assert!([by_hand, retained, login, unmarked].iter().all(|user| there.contains(user)), "{there:#?}");
    let words = world.because("by-hand", "UserNotOurs").await;
    assert!(words.contains(RELEASE), "{words}");
    for name in ["by-hand", "login", "unmarked"] {
        let release = json!({"metadata": {"annotations": {RELEASE: ""}}});
        world.patch_user(name, &release).await;
        world.gone(name).await;
    }
    assert_eq!(world.portal_writes(), writes);
}

#[tokio::test]
async fn a_forged_status_publishes_and_marks_no_user() {
    let mut world = world().start().await;
    let namespace = world.namespace.clone();
    world.apply(&create("neighbour", &namespace, ROLE)).await;
    one_user(&world, "neighbour").await;
    world.stop_operator().await;
    let by_hand = UserSeed::new("One", "by-hand").description("by hand").roles([ROLE]);
    let by_hand = world.simulator.seed_user(by_hand).unwrap();
    let writes = world.portal_writes();
    world.apply(&create("edc", &namespace, ROLE)).await;
    forge(&world, "edc", "neighbour", &by_hand).await;
    world.start_operator();
    let words = world.because("edc", "UserNotOurs").await;
    assert!(words.contains(&by_hand.id.to_string()) && words.contains("status.user"), "{words}");
    let object = world.user("edc").await.unwrap();
    assert_eq!(condition(&object, "Stalled").unwrap().status, "True");
    world.two_sweeps().await;
    assert_eq!(world.portal_writes(), writes);
    assert!(world.get_secret("edc").await.is_none());
    assert!(world.simulator.users("One").contains(&by_hand), "it bears no mark of ours");
    // What the message says helps.
    let removed = Patch::Merge(json!({"status": {"user": null}}));
    world.users_api().patch_status("edc", &PatchParams::default(), &removed).await.unwrap();
    let own = one_user(&world, "edc").await;
    assert_ne!(own.id, by_hand.id);
    assert!(recorded(&world.ready("edc").await).proof.is_some());
}

/// The Secret says whose credential it holds: the status is corrected by it.
#[tokio::test]
async fn a_forged_status_of_a_published_resource_is_corrected() {
    let world = world().start().await;
    let namespace = world.namespace.clone();
    world.apply(&create("edc", &namespace, ROLE)).await;
    let own = one_user(&world, "edc").await;
    let by_hand = UserSeed::new("One", "by-hand").description("by hand").roles([ROLE]);
    let by_hand = world.simulator.seed_user(by_hand).unwrap();
    let writes = world.portal_writes();
    forge(&world, "edc", "edc", &by_hand).await;
    let id = own.id.to_string();
    world.until("edc", "its status names its own user", |object| recorded(object).id == id).await;
    assert_eq!(one_user(&world, "edc").await.id, own.id);
    assert_eq!(world.portal_writes(), writes);
    assert!(world.simulator.users("One").contains(&by_hand));
}

#[tokio::test]
async fn a_user_that_loses_its_mark_and_its_name_is_the_resources_by_its_proof() {
    let world = world().start().await;
    world.apply(&create("edc", &world.namespace, ROLE)).await;
    let user = one_user(&world, "edc").await;
    assert_eq!(world.simulator.edit_by_hand(user.id, "renamed", ""), Change::Done);
    world.delete("edc").await;
    world.gone("edc").await;
    let gone = |view: &portal_simulator::View<'_>| {
        view.user(user.id).is_none_or(|user| user.status == portal_simulator::Status::Deleted)
    };
    assert!(world.simulator.view(gone), "it is deleted with its resource");
}

/// A second Portal of the same portal, its address spelled otherwise.
fn second_portal(world: &World, secret: &str) -> Value {
    let mut portal = crate::support::portal(&world.simulator, &world.namespace);
    portal["metadata"]["name"] = json!("second");
    portal["spec"]["catenaX"]["url"] = json!(format!("{}/api/administration/", world.simulator.portal_url()));
    portal["spec"]["catenaX"]["auth"]["clientCredentials"]["secretRef"]["name"] = json!(secret);
    portal
}

#[tokio::test]
async fn the_login_of_a_portal_that_does_not_work_is_not_published() {
    let world = world().start().await;
    let namespace = world.namespace.clone();
    // Published before anybody says that it is a login.
    let before = world.simulator.seed_user(UserSeed::new("One", "before").roles([ROLE])).unwrap();
    world.apply(&existing("before", &namespace, &json!({"clientId": before.client_id}))).await;
    world.ready("before").await;
    let client_id = before.client_id.clone().unwrap();
    world.login_secret("second-login", Login { client_id: &client_id, secret: WRONG_SECRET }).await;
    world.apply(&second_portal(&world, "second-login")).await;
    let words = world.because("before", "OperatorLogin").await;
    assert!(words.contains("own login"), "{words}");
    world.apply(&existing("after", &namespace, &json!({"clientId": client_id}))).await;
    world.because("after", "OperatorLogin").await;
    world.two_sweeps().await;
    assert!(world.get_secret("after").await.is_none());
    assert_eq!(world.portal_writes(), 0);
}

#[tokio::test]
async fn a_client_id_that_was_named_as_a_login_by_mistake_is_free_again() {
    let world = world().start().await;
    let user = world.simulator.seed_user(UserSeed::new("One", "by-hand").roles([ROLE])).unwrap();
    let client_id = user.client_id.unwrap();
    world.apply(&existing("by-hand", &world.namespace, &json!({"clientId": client_id}))).await;
    world.ready("by-hand").await;
    let login = async |client_id: &str| {
        world.login_secret("second-login", Login { client_id, secret: WRONG_SECRET }).await;
    };
    login(&client_id).await;
    world.apply(&second_portal(&world, "second-login")).await;
    let words = world.because("by-hand", "OperatorLogin").await;
    assert!(words.contains("correct the Secret"), "{words}");
    login("sa-another").await;
    world.ready("by-hand").await;

    login(&client_id).await;
    world.because("by-hand", "OperatorLogin").await;
    world.api("Portal", &world.namespace).delete("second", &DeleteParams::default()).await.unwrap();
    world.ready("by-hand").await;
    assert_eq!(world.portal_writes(), 0);
}

/// Who may write a Portal can name any client ID there.
#[tokio::test]
async fn a_deletion_login_that_does_not_work_stops_no_user_of_that_client_id() {
    let world = world().start().await;
    world.apply(&create("edc", &world.namespace, ROLE)).await;
    let client_id = one_user(&world, "edc").await.client_id.unwrap();
    world.login_secret("second-login", FULL_LOGIN).await;
    world.login_secret("delete-login", Login { client_id: &client_id, secret: WRONG_SECRET }).await;
    let mut second = second_portal(&world, "second-login");
    second["spec"]["catenaX"]["deleteAuth"] =
        json!({"clientCredentials": {"secretRef": {"name": "delete-login"}}});
    world.apply(&second).await;
    let portals = world.api("Portal", &world.namespace);
    world
        .eventually("the deletion login was refused", async || {
            let portal = portals.get("second").await.unwrap();
            condition(&portal, "CanDelete").is_some_and(|condition| condition.status == "Unknown")
        })
        .await;
    world.secrets_api().delete("edc", &DeleteParams::default()).await.unwrap();
    world.eventually("the Secret is restored", async || world.get_secret("edc").await.is_some()).await;
    world.ready("edc").await;
    world.delete("edc").await;
    world.gone("edc").await;
}

/// A user that the operator did not create may be one of its logins, whichever Portal has it.
async fn waits_for_the_logins_of_all_portals(resource: impl FnOnce(&World, &UserView) -> Value) {
    let mut world = world().stopped().start().await;
    world.login_secret("second-login", FULL_LOGIN.wrong()).await;
    world.apply(&second_portal(&world, "second-login")).await;
    let user = world.simulator.seed_user(UserSeed::new("One", "by-hand").roles([ROLE])).unwrap();
    let rule = json!({"namespaces": {"from": "Same"}, "existing": true, "adopt": true});
    world.patch_portal(&json!({"spec": {"access": [rule]}})).await;
    world.apply(&resource(&world, &user)).await;
    let secrets = testbed::Matcher::any().method("GET").path_regex("/secrets/second-login$").unwrap();
    let gate = world.proxy.on(secrets).hold(testbed::Stage::Before);
    world.start_operator();
    gate.reached().await.unwrap();
    let waits = |object: &kube::api::DynamicObject| {
        crate::support::message(object).contains("the login of Portal")
            && crate::support::message(object).contains("/second")
    };
    world.until("by-hand", "it waits for the login of the second Portal", waits).await;
    assert!(world.get_secret("by-hand").await.is_none());
    assert_eq!(world.count(Endpoint::Update), 0, "it is not marked");
    gate.release();
    world.ready("by-hand").await;
}

#[tokio::test]
async fn an_existing_user_waits_for_the_logins_of_all_portals() {
    let resource = |world: &World, user: &UserView| {
        existing("by-hand", &world.namespace, &json!({"clientId": user.client_id}))
    };
    waits_for_the_logins_of_all_portals(resource).await;
}

#[tokio::test]
async fn a_user_is_adopted_once_the_logins_of_all_portals_are_known() {
    waits_for_the_logins_of_all_portals(|world, user| {
        let mut manifest = create("by-hand", &world.namespace, ROLE);
        manifest["spec"]["user"]["create"]["adopt"] = json!({"id": user.id});
        manifest
    })
    .await;
}

#[tokio::test]
async fn a_person_who_removes_the_mark_of_a_duplicate_keeps_it() {
    let world = world().start().await;
    world.apply(&create("edc", &world.namespace, ROLE)).await;
    let user = one_user(&world, "edc").await;
    // The operator reads the duplicate's mark, and is held at its next read of it.
    let gate = world.simulator.gate_after(Endpoint::Details, PortalStage::Arrived, 1);
    let twin = UserSeed::new("One", &user.name).description(&user.description).roles([ROLE]);
    let twin = world.simulator.seed_user(twin).unwrap();
    gate.reached().await;
    assert_eq!(world.simulator.edit_by_hand(twin.id, &twin.name, "mine now"), Change::Done);
    gate.release();
    world.two_sweeps().await;
    assert_eq!(world.count(Endpoint::Delete), 0);
    assert!(
        world.simulator.view(|view| view.user(twin.id)).is_some_and(|twin| twin.description == "mine now")
    );
    assert_eq!(one_user(&world, "edc").await.id, user.id);
}

#[tokio::test]
async fn a_create_does_not_start_where_the_portal_was_suspended_during_the_search() {
    let world = world().start().await;
    world.patch_portal(&json!({"spec": {"resyncInterval": "1h"}})).await;
    world.portal_because("LoggedIn").await;
    let gate = world.simulator.gate(Endpoint::List, PortalStage::Arrived);
    world.apply(&create("edc", &world.namespace, ROLE)).await;
    gate.reached().await;
    world.patch_portal(&json!({"spec": {"suspend": true}})).await;
    // What a second resource says shows that the operator has seen it.
    world.apply(&create("probe", &world.namespace, ROLE)).await;
    world.because("probe", "PortalSuspended").await;
    gate.release();
    world.because("edc", "PortalSuspended").await;
    assert_eq!(world.count(Endpoint::Create), 0);
    let object = world.user("edc").await.unwrap();
    let creating = object.metadata.annotations.unwrap_or_default();
    assert!(!creating.contains_key(crate::support::CREATING), "no attempt was written down");
    world.patch_portal(&json!({"spec": {"suspend": false}})).await;
    one_user(&world, "edc").await;
}
