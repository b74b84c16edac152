//! Whether the login may delete users: a second login for that, and permissions that are lost.

use portal_simulator::{Action, Canned, Change, Endpoint, Fault, Status};
use serde_json::json;

use crate::deletion::{INTERNAL, resource, user_in_portal};
use crate::support::{
    CONNECTOR_LOGIN, FULL_LOGIN, TAKE_OVER, WITHOUT_DELETION, condition, portal_status, world,
};

#[tokio::test]
async fn a_deletion_waits_for_a_deletion_login_that_fails_in_passing() {
    let world = world().login(CONNECTOR_LOGIN).stopped().start().await;
    world.login_secret("delete-login", FULL_LOGIN).await;
    let auth = json!({"clientCredentials": {"secretRef": {"name": "delete-login"}}});
    world.patch_portal(&json!({"spec": {"catenaX": {"deleteAuth": auth}}})).await;
    let failing = world
        .simulator
        .inject(Fault::at(Endpoint::Token, Action::Status(Canned::html(404))).caller(FULL_LOGIN.client_id));
    let mut world = world;
    world.start_operator();
    world.apply(&resource("edc", &world, INTERNAL, None)).await;
    world.ready("edc").await;
    let user = world.user_of("edc");
    let can_delete = async |wanted: &str| {
        world
            .portal_until("CanDelete is as it should be", |portal| {
                condition(portal, "CanDelete").is_some_and(|condition| condition.status == wanted)
            })
            .await
    };
    can_delete("Unknown").await;
    world.delete("edc").await;
    let words = world.because("edc", "DeletionLoginFailing").await;
    assert!(words.contains("deleteAuth"), "{words}");
    world.two_sweeps().await;
    assert_eq!(world.count(Endpoint::Reset), 0, "nothing is revoked");
    assert_eq!(user_in_portal(&world, &user).unwrap().description, user.description, "nothing is marked");
    assert!(portal_status(&world.portal().await.unwrap()).retained.is_empty());
    world.simulator.remove_fault(failing);
    world.gone("edc").await;
    assert_eq!(user_in_portal(&world, &user).unwrap().status, Status::Deleted);
    world.sweep().await;
    can_delete("True").await;
}

#[tokio::test]
async fn can_delete_follows_a_login_that_loses_its_permissions() {
    let world = world().start().await;
    world.patch_portal(&json!({"spec": {"resyncInterval": "10s"}})).await;
    let all = WITHOUT_DELETION;
    world.portal_ready().await;
    let can_delete = async |wanted: &str, word: &str| {
        world
            .portal_until("CanDelete follows", |portal| {
                condition(portal, "CanDelete")
                    .is_some_and(|condition| condition.status == wanted && condition.message.contains(word))
            })
            .await;
    };
    can_delete("True", "deletes").await;
    for (permissions, word) in
        [(&all[..], "delete_tech_user_management"), (&all[1..], "view_tech_user_management")]
    {
        let change =
            world.simulator.set_caller_permissions(FULL_LOGIN.client_id, permissions.iter().copied());
        assert_eq!(change, Change::Done);
        world.simulator.revoke_tokens();
        // Without the permission to view, no user list is read that could be waited for.
        let annotations = json!({TAKE_OVER: word});
        world.patch_portal(&json!({"metadata": {"annotations": annotations}})).await;
        can_delete("False", word).await;
    }
}
