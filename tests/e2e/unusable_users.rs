//! Users whose client is missing, that are stuck, doubled or gone: a successor where that is certain, a person's word where it is not.

use kube::api::{DeleteParams, Patch, PatchParams};
use portal_simulator::role_names::{DATASPACE_DISCOVERY, IDENTITY_WALLET_MANAGEMENT};
use portal_simulator::{
    Action, Canned, Change, Endpoint, Fault, Status, UserSeed, UserView, Version, WalletDelay,
};
use serde_json::json;
use technical_user_operator::api::portal::PortalStatus;

use crate::support::{
    ACCEPT_LOSS, CONNECTOR_LOGIN, FULL_LOGIN, ROTATE, World, create, one_company, portal_status, reason,
    recorded, world,
};

fn retained_ids(status: PortalStatus) -> Vec<String> {
    status.retained.into_iter().map(|entry| entry.id).collect()
}

async fn successor(world: &World, name: &str, of: &UserView) -> UserView {
    let user = world.until(name, "its second user is there", |u| recorded(u).generation == Some(2)).await;
    assert_ne!(recorded(&user).id, of.id.to_string());
    world.ready(name).await;
    assert_eq!(world.token_with(name).await, 200);
    let new =
        world.simulator.users("One").into_iter().find(|u| u.id.to_string() == recorded(&user).id).unwrap();
    assert!(new.description.contains(&format!("/{name} g2 ")), "{}", new.description);
    new
}

/// Waits for the Event of a create.
async fn creation_is_reported(world: &World, name: &str, user: &UserView) {
    let id = user.id.to_string();
    world
        .eventually("an Event names the new user", async || {
            world.notes(name, "UserCreated").await.iter().any(|note| note.contains(&id))
        })
        .await;
}

#[tokio::test]
async fn a_user_whose_client_is_missing_gets_a_successor_on_request() {
    let world = world().start().await;
    world.patch_portal(&json!({"spec": {"verification": {"interval": "10s"}}})).await;
    world.apply(&create("edc", &world.namespace, DATASPACE_DISCOVERY)).await;
    world.ready("edc").await;
    let former = world.user_of("edc");
    assert_eq!(world.simulator.remove_idp_client(former.client_id.as_deref().unwrap()), Change::Done);
    let words = world.because("edc", "IdentityLost").await;
    assert!(words.contains(ROTATE) && words.contains("being restored, wait"), "{words}");
    world.two_sweeps().await;
    assert_eq!(world.count(Endpoint::Create), 1, "a restore of the identity provider shows the same");
    // It comes back by a restore: nothing else is needed.
    assert_eq!(world.simulator.restore_idp_client(former.client_id.as_deref().unwrap()), Change::Done);
    world.sweep().await;
    world.ready("edc").await;

    assert_eq!(world.simulator.remove_idp_client(former.client_id.as_deref().unwrap()), Change::Done);
    world.because("edc", "IdentityLost").await;
    world.patch_user("edc", &json!({"metadata": {"annotations": {ROTATE: "1"}}})).await;
    successor(&world, "edc", &former).await;
    let status = world.portal_ready().await;
    assert_eq!(retained_ids(status), [former.id.to_string()]);
    world.two_sweeps().await;
    assert_eq!(world.count(Endpoint::Create), 2, "one request, one successor");
    world.delete("edc").await;
    world.gone("edc").await;
}

#[tokio::test]
async fn a_stuck_wallet_user_is_stepped_around_on_request() {
    let world = world().simulator(one_company(Version::Main).wallet_delay(WalletDelay::Never)).start().await;
    world.apply(&create("edc", &world.namespace, IDENTITY_WALLET_MANAGEMENT)).await;
    let words = world.because("edc", "Pending").await;
    assert!(words.contains("wallet service"), "{words}");
    let stuck = world.user_of("edc");
    world.two_sweeps().await;
    assert!(world.get_secret("edc").await.is_none());
    assert_eq!(world.count(Endpoint::Create), 1);
    world.patch_user("edc", &json!({"metadata": {"annotations": {ROTATE: "now"}}})).await;
    world.until("edc", "its second user is there", |u| recorded(u).generation == Some(2)).await;
    world.simulator.activate_wallet_users();
    world.sweep().await;
    successor(&world, "edc", &stuck).await;
    // The stuck one got through after all: it is one too many.
    world.eventually("the first one is gone", async || world.ours().len() == 1).await;
    assert_eq!(world.count(Endpoint::Create), 2);
}

#[tokio::test]
async fn a_user_that_was_deleted_by_hand_has_a_successor() {
    let world = world().start().await;
    for (name, role) in [("edc", DATASPACE_DISCOVERY), ("wallet", IDENTITY_WALLET_MANAGEMENT)] {
        world.apply(&create(name, &world.namespace, role)).await;
        world.ready(name).await;
        let gone = world.user_of(name);
        assert_eq!(world.simulator.delete_by_hand(gone.id), Change::Done);
        world.sweep().await;
        let new = successor(&world, name, &gone).await;
        creation_is_reported(&world, name, &new).await;
        assert_eq!(world.ours().iter().filter(|u| u.description.contains(&format!("/{name} "))).count(), 1);
    }
}

#[tokio::test]
async fn a_user_that_was_disabled_by_hand_has_a_successor() {
    let world = world().start().await;
    world.apply(&create("edc", &world.namespace, DATASPACE_DISCOVERY)).await;
    world.ready("edc").await;
    let disabled = world.user_of("edc");
    assert_eq!(world.simulator.set_status(disabled.id, Status::Inactive), Change::Done);
    world.sweep().await;
    let new = successor(&world, "edc", &disabled).await;
    creation_is_reported(&world, "edc", &new).await;
    assert_eq!(world.count(Endpoint::Create), 2);
}

#[tokio::test]
async fn many_users_that_disappear_at_once_are_not_created_again_before_a_person_requests_it() {
    let world = world().start().await;
    let names: Vec<String> = (1..=5).map(|number| format!("edc-{number}")).collect();
    for name in &names {
        world.apply(&create(name, &world.namespace, DATASPACE_DISCOVERY)).await;
    }
    for name in &names {
        world.ready(name).await;
    }
    for name in &names[..4] {
        assert_eq!(world.simulator.delete_by_hand(world.user_of(name).id), Change::Done);
    }
    world.sweep().await;
    let words = world.portal_because("UsersVanished").await;
    assert!(words.contains("technicaluser.dev/accept-loss=4"), "{words}");
    for name in &names[..4] {
        let words = world.because(name, "LossSuspected").await;
        assert!(words.contains("accept-loss=4"), "{words}");
    }
    world.delete("edc-4").await;
    world.because("edc-4", "LossSuspected").await;
    world.two_sweeps().await;
    assert_eq!(world.count(Endpoint::Create), 5);
    assert_eq!(reason(&world.user("edc-5").await.unwrap()), "Ready");
    world.patch_portal(&json!({"metadata": {"annotations": {ACCEPT_LOSS: "4"}}})).await;
    for name in &names[..3] {
        world.until(name, "its second user is there", |u| recorded(u).generation == Some(2)).await;
        world.ready(name).await;
    }
    world.gone("edc-4").await;
    assert_eq!(world.ours().len(), 4);
    world.portal_ready().await;
}

/// A copy of the installation with another key, and a portal that was restored from an old backup.
#[tokio::test]
async fn many_users_without_a_proof_that_disappear_at_once_are_not_created_again() {
    let mut world = world().start().await;
    let names: Vec<String> = (1..=5).map(|number| format!("edc-{number}")).collect();
    for name in &names {
        world.apply(&create(name, &world.namespace, DATASPACE_DISCOVERY)).await;
    }
    for name in &names {
        world.ready(name).await;
    }
    world.stop_operator().await;
    for (name, proof) in names.iter().zip([None, Some("of another copy")].into_iter().cycle()) {
        let patch = Patch::Merge(json!({"status": {"user": {"proof": proof}}}));
        world.users_api().patch_status(name, &PatchParams::default(), &patch).await.unwrap();
        assert_eq!(world.simulator.delete_by_hand(world.user_of(name).id), Change::Done);
    }
    world.start_operator();
    let words = world.portal_because("UsersVanished").await;
    assert!(words.contains("technicaluser.dev/accept-loss=5"), "{words}");
    for name in &names {
        world.because(name, "LossSuspected").await;
    }
    world.two_sweeps().await;
    assert_eq!(world.count(Endpoint::Create), 5);
}

#[tokio::test]
async fn a_user_that_was_created_twice_is_removed_once_the_other_is_published() {
    for (login, deletes) in [(FULL_LOGIN, true), (CONNECTOR_LOGIN, false)] {
        let world = world().login(login).start().await;
        world.apply(&create("edc", &world.namespace, DATASPACE_DISCOVERY)).await;
        world.ready("edc").await;
        let kept = world.user_of("edc");
        let double = UserSeed::new("One", &kept.name).description(&kept.description);
        let double = world.simulator.seed_user(double).unwrap();
        let read = || world.simulator.view(|view| view.user(double.id)).unwrap();
        world.sweep().await;
        world.eventually("one of them is left", async || world.ours().len() == 1).await;
        assert_eq!(world.user_of("edc"), kept);
        if deletes {
            assert_eq!(read().status, Status::Deleted);
            world.event("edc", "DuplicateRemoved").await;
        } else {
            assert_ne!(read().secret, double.secret, "its secret is dead");
            world
                .portal_until("it is listed", |p| {
                    retained_ids(portal_status(p)).contains(&double.id.to_string())
                })
                .await;
        }
        world.two_sweeps().await;
        world.ready("edc").await;
        assert_eq!(world.token_with("edc").await, 200);
        assert_eq!(world.count(Endpoint::Create), 1);
    }
}

/// Foreign users with the very name that a resource's first user would have.
fn crowd(world: &World, name: &str, count: usize) {
    let portal_name = world.owner(name).user_name(1, None);
    for _ in 0..count {
        world.simulator.seed_user(UserSeed::new("One", &portal_name)).unwrap();
    }
}

#[tokio::test]
async fn among_three_hundred_users_of_one_name_ours_is_found() {
    let world = world().start().await;
    world.portal_ready().await;
    crowd(&world, "edc", 150);
    let ours = world.seed_marked(&world.mark_of(world.owner("edc")).await);
    crowd(&world, "edc", 149);
    world.apply(&create("edc", &world.namespace, DATASPACE_DISCOVERY)).await;
    let ready = world.ready("edc").await;
    assert_eq!(recorded(&ready).id, ours.id.to_string());
    assert_eq!(world.portal_writes(), 0, "the others are not touched");
}

#[tokio::test]
async fn a_name_that_others_have_is_not_used() {
    let world = world().start().await;
    world.portal_ready().await;
    crowd(&world, "edc", 5);
    world.sweep().await;
    world.apply(&create("edc", &world.namespace, DATASPACE_DISCOVERY)).await;
    let ready = world.ready("edc").await;
    assert_eq!(recorded(&ready).generation, Some(2), "the first name is taken by others");
    assert_eq!(world.ours().len(), 1);
    world.two_sweeps().await;
    assert_eq!(world.portal_writes(), 1, "the others are not touched");
}

#[tokio::test]
async fn a_user_that_the_list_shows_is_not_gone_because_its_details_say_so() {
    let world = world().start().await;
    world.apply(&create("edc", &world.namespace, DATASPACE_DISCOVERY)).await;
    world.ready("edc").await;
    let user = world.user_of("edc");
    // Until it is reported: a reconcile that waits for a reading of the list asks again, and would find the user.
    let unknown = world.simulator.inject(Fault::at(Endpoint::Details, Action::Status(Canned::error(404))));
    world.secrets_api().delete("edc", &DeleteParams::default()).await.unwrap();
    world.until("edc", "it says that list and details disagree", |u| reason(u) == "PortalError").await;
    world.simulator.remove_fault(unknown);
    world.ready("edc").await;
    assert_eq!(world.user_of("edc").id, user.id, "the same user");
    assert_eq!(world.count(Endpoint::Create), 1);

    world.simulator.inject(Fault::at(Endpoint::Details, Action::Status(Canned::error(404))).once());
    world.delete("edc").await;
    world.gone("edc").await;
    assert_eq!(
        world.simulator.view(|view| view.user(user.id)).map(|user| user.status),
        Some(Status::Deleted)
    );
}
