//! Deletion: what the policy, the login and the kind of the user allow, and never a user that no status names.

use kube::api::{DeleteParams, DynamicObject, Patch, PatchParams};
use portal_simulator::role_names::{DATASPACE_DISCOVERY, IDENTITY_WALLET_MANAGEMENT};
use portal_simulator::{Action, Canned, Change, ConnectorStatus, Endpoint, Fault, Stage, Status, UserView};
use serde_json::{Value, json};

use crate::support::{
    CONNECTOR_LOGIN, FULL_LOGIN, RELEASE, World, create, portal_status, secret_value, world,
};

pub const INTERNAL: &str = DATASPACE_DISCOVERY;
const EXTERNAL: &str = IDENTITY_WALLET_MANAGEMENT;

/// A resource with this deletion policy.
pub fn resource(name: &str, world: &World, role: &str, policy: Option<&str>) -> Value {
    let mut manifest = create(name, &world.namespace, role);
    if let Some(policy) = policy {
        manifest["spec"]["deletionPolicy"] = policy.into();
    }
    manifest
}

/// The user as the portal shows it now.
pub fn user_in_portal(world: &World, user: &UserView) -> Option<UserView> {
    world.simulator.view(|view| view.user(user.id))
}

/// Waits until the Portal lists the user as retained. Returns the reason.
async fn wait_until_retained(world: &World, user: &UserView) -> String {
    let id = user.id.to_string();
    let listed = |portal: &DynamicObject| portal_status(portal).retained.iter().any(|entry| entry.id == id);
    let status = world.portal_until("the Portal lists it as retained", listed).await;
    let entry = status.retained.into_iter().find(|entry| entry.id == id).unwrap();
    assert!(entry.technical_user.starts_with(&world.namespace), "{entry:?}");
    entry.reason
}

#[tokio::test]
async fn each_policy_does_what_it_says() {
    let world = world().start().await;
    for (name, role, policy) in [
        ("delete", INTERNAL, None),
        ("delete-wallet", EXTERNAL, Some("Delete")),
        ("revoke", INTERNAL, Some("Revoke")),
        ("retain", INTERNAL, Some("Retain")),
        ("retain-wallet", EXTERNAL, Some("Retain")),
    ] {
        world.apply(&resource(name, &world, role, policy)).await;
    }
    let mut users = std::collections::BTreeMap::new();
    for name in ["delete", "delete-wallet", "revoke", "retain", "retain-wallet"] {
        world.ready(name).await;
        users.insert(name, world.user_of(name));
        world.delete(name).await;
    }
    for name in users.keys() {
        world.gone(name).await;
    }
    assert_eq!(user_in_portal(&world, &users["delete"]).unwrap().status, Status::Deleted);
    world
        .simulator
        .wait_for(|view| {
            view.user(users["delete-wallet"].id).is_none_or(|user| user.status != Status::Active)
        })
        .await;
    let revoked = user_in_portal(&world, &users["revoke"]).unwrap();
    assert_eq!(revoked.status, Status::Active);
    assert_ne!(revoked.secret, users["revoke"].secret, "the old secret is dead");
    for name in ["retain", "retain-wallet"] {
        let kept = user_in_portal(&world, &users[name]).unwrap();
        assert_eq!((kept.status, &kept.secret), (Status::Active, &users[name].secret), "{name}");
    }
    for name in ["revoke", "retain", "retain-wallet"] {
        let user = &users[name];
        assert!(
            user_in_portal(&world, user).unwrap().description.contains("[technicaluser.dev/1 retained e2e/"),
            "{name}"
        );
        let why = wait_until_retained(&world, user).await;
        assert!(why.contains("deletionPolicy"), "{why}");
        let (kind, note) = world.event(name, "UserRetained").await;
        assert!(kind == "Warning" && note.contains(&user.id.to_string()), "{note}");
    }
    // A new resource of the same name gets a user of its own.
    world.apply(&resource("retain", &world, INTERNAL, None)).await;
    world.ready("retain").await;
    assert_ne!(world.user_of("retain").id, users["retain"].id);
}

#[tokio::test]
async fn with_the_login_of_the_guides_internal_users_are_revoked_and_wallet_users_held() {
    let world = world().login(CONNECTOR_LOGIN).start().await;
    for (name, role) in [
        ("internal", INTERNAL),
        ("hand", EXTERNAL),
        ("let-go", EXTERNAL),
        ("free", EXTERNAL),
        ("helped", EXTERNAL),
    ] {
        world.apply(&resource(name, &world, role, None)).await;
    }
    for name in ["internal", "hand", "let-go", "free", "helped"] {
        world.ready(name).await;
    }
    let status = world.portal_ready().await;
    let can_delete = status.conditions.iter().find(|condition| condition.type_ == "CanDelete").unwrap();
    assert_eq!(can_delete.status, "False", "{can_delete:?}");
    let internal = world.user_of("internal");
    world.delete("internal").await;
    world.gone("internal").await;
    let revoked = user_in_portal(&world, &internal).unwrap();
    assert_ne!(revoked.secret, internal.secret, "the old secret is dead");
    assert!(wait_until_retained(&world, &internal).await.contains("may not delete"));

    let users: Vec<UserView> = ["hand", "let-go", "free", "helped"].map(|name| world.user_of(name)).into();
    for (name, user) in ["hand", "let-go", "free", "helped"].iter().zip(&users) {
        world.delete(name).await;
        let words = world.because(name, "Undeletable").await;
        let client = user.client_id.clone().unwrap();
        assert!(
            words.contains(&client) && words.contains("web page") && words.contains("next sweep"),
            "{words}"
        );
    }
    world.two_sweeps().await;
    assert_eq!(world.count(Endpoint::Delete), 0);
    // A person deletes it in the web page.
    assert_eq!(world.simulator.delete_by_hand(users[0].id), Change::Done);
    world.sweep().await;
    world.gone("hand").await;
    // A person lets it go without the portal.
    world.patch_user("let-go", &json!({"metadata": {"annotations": {RELEASE: "yes"}}})).await;
    world.gone("let-go").await;
    assert!(wait_until_retained(&world, &users[1]).await.contains("released by annotation"));
    assert_eq!(user_in_portal(&world, &users[1]).unwrap().secret, users[1].secret);
    // The Portal gets a login that may delete.
    world.login_secret("delete-login", FULL_LOGIN).await;
    let auth = json!({"clientCredentials": {"secretRef": {"name": "delete-login"}}});
    world.patch_portal(&json!({"spec": {"catenaX": {"deleteAuth": auth}}})).await;
    world.gone("free").await;
    world.gone("helped").await;
    assert!(
        [&users[2], &users[3]]
            .iter()
            .all(|user| user_in_portal(&world, user).is_none_or(|u| u.status != Status::Active))
    );
    assert!(
        world
            .simulator
            .calls_of(Endpoint::Delete)
            .iter()
            .all(|call| call.caller.as_deref() == Some(FULL_LOGIN.client_id))
    );
}

#[tokio::test]
async fn what_can_be_neither_deleted_nor_revoked_is_released_if_the_portal_allows_it() {
    let world = world().login(CONNECTOR_LOGIN).start().await;
    world.apply(&resource("edc", &world, EXTERNAL, Some("Revoke"))).await;
    world.ready("edc").await;
    let user = world.user_of("edc");
    world.delete("edc").await;
    let words = world.because("edc", "Undeletable").await;
    assert!(words.contains("Revoke cannot be carried out"), "{words}");
    world.patch_portal(&json!({"spec": {"whenUndeletable": "Release"}})).await;
    world.gone("edc").await;
    assert!(wait_until_retained(&world, &user).await.contains("cannot be reset"));
    assert!(user_in_portal(&world, &user).unwrap().description.contains("retained"));
}

#[tokio::test]
async fn a_user_that_a_connector_uses_is_held_and_the_connector_named() {
    let world = world().start().await;
    world.apply(&resource("edc", &world, INTERNAL, None)).await;
    world.ready("edc").await;
    let user = world.user_of("edc");
    let connector = world.simulator.link_connector(user.id, "connector-7").unwrap();
    world.delete("edc").await;
    let words = world.because("edc", "Undeletable").await;
    assert!(
        words.contains("linked to connector \"connector-7\"") && words.contains("Delete the connector"),
        "{words}"
    );
    world.two_sweeps().await;
    assert_eq!(world.token_with("edc").await, 200, "it works until then");
    assert_eq!(world.simulator.set_connector_status(connector, ConnectorStatus::Inactive), Change::Done);
    world.sweep().await;
    world.gone("edc").await;
    assert_eq!(user_in_portal(&world, &user).unwrap().status, Status::Deleted);
}

#[tokio::test]
async fn a_suspended_portal_is_not_written_to_and_secrets_are_healed_all_the_same() {
    let world = world().start().await;
    for name in ["edc", "leaving"] {
        world.apply(&resource(name, &world, INTERNAL, None)).await;
        world.ready(name).await;
    }
    world.patch_portal(&json!({"spec": {"suspend": true}})).await;
    world.portal_because("Suspended").await;
    let writes = world.portal_writes();
    world.apply(&resource("new", &world, INTERNAL, None)).await;
    world.because("new", "PortalSuspended").await;
    world.delete("leaving").await;
    world.because("leaving", "PortalSuspended").await;
    world.patch_user("edc", &json!({"spec": {"user": {"create": {"description": "later"}}}})).await;
    let good = world.get_secret("edc").await.unwrap();
    world.secrets_api().delete("edc", &DeleteParams::default()).await.unwrap();
    world
        .eventually("the Secret is healed", async || {
            let healed = world.get_secret("edc").await;
            healed.is_some_and(|s| secret_value(&s, "client-secret") == secret_value(&good, "client-secret"))
        })
        .await;
    world.two_sweeps().await;
    assert_eq!(world.portal_writes(), writes);
    world.patch_portal(&json!({"spec": {"suspend": null}})).await;
    world.ready("new").await;
    world.gone("leaving").await;
    world
        .eventually("the description is written", async || {
            world.user_of("edc").description.ends_with(" later")
        })
        .await;
}

#[tokio::test]
async fn a_resource_that_was_not_ready_says_that_its_user_is_being_deleted() {
    let world = world().start().await;
    world.apply(&resource("edc", &world, INTERNAL, None)).await;
    world.ready("edc").await;
    let user = world.ours().remove(0);
    let not_ours = Patch::Merge(json!({"metadata": {"annotations": {"technicaluser.dev/owner": null}}}));
    world.secrets_api().patch("edc", &PatchParams::default(), &not_ours).await.unwrap();
    world.because("edc", "OutputNotOurs").await;
    let gate = world.simulator.gate(Endpoint::Delete, Stage::Arrived);
    world.delete("edc").await;
    let words = world.because("edc", "Deleting").await;
    assert!(words.contains(&user.id.to_string()), "{words}");
    gate.release();
    world.gone("edc").await;
    assert_eq!(world.ours(), []);
}

/// Until its description has the mark, it does not count as retained.
#[tokio::test]
async fn a_user_that_cannot_be_read_or_marked_is_not_listed_as_retained() {
    let world = world().start().await;
    world.apply(&resource("kept", &world, INTERNAL, Some("Retain"))).await;
    world.ready("kept").await;
    let user = world.user_of("kept");
    let fails = |endpoint| world.simulator.inject(Fault::at(endpoint, Action::Status(Canned::error(500))));
    let is_listed = async || !portal_status(&world.portal().await.unwrap()).retained.is_empty();
    let unreadable = fails(Endpoint::Details);
    world.delete("kept").await;
    world.because("kept", "PortalError").await;
    assert!(!is_listed().await);
    fails(Endpoint::Update);
    world.simulator.remove_fault(unreadable);
    let updates = world.count(Endpoint::Update);
    world.eventually("the mark was tried", async || world.count(Endpoint::Update) > updates).await;
    world.because("kept", "PortalError").await;
    assert!(!is_listed().await);
    world.simulator.clear_faults();
    world.gone("kept").await;
    wait_until_retained(&world, &user).await;
    assert!(
        user_in_portal(&world, &user).unwrap().description.contains("[technicaluser.dev/1 retained e2e/")
    );
}

/// The same answer is given for ids of other companies.
#[tokio::test]
async fn a_user_that_the_portal_shows_is_not_gone_because_its_deletion_finds_none() {
    let world = world().start().await;
    world.apply(&resource("edc", &world, INTERNAL, None)).await;
    world.ready("edc").await;
    let user = world.user_of("edc");
    world.simulator.inject(Fault::at(Endpoint::Delete, Action::Status(Canned::error(404))));
    world.delete("edc").await;
    world.eventually("a deletion was tried twice", async || world.count(Endpoint::Delete) > 1).await;
    assert_eq!(user_in_portal(&world, &user).unwrap().status, Status::Active);
    assert!(world.user("edc").await.is_some(), "it is held");
    world.simulator.clear_faults();
    world.gone("edc").await;
    assert_eq!(user_in_portal(&world, &user).unwrap().status, Status::Deleted);
}
