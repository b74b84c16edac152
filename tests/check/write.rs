//! `--write`: a user comes and goes.

use portal_simulator::role_names::CONNECTOR_MANAGEMENT;
use portal_simulator::{Action, Canned, Endpoint, Fault, Simulator, Stage, Status, UserView, Version};
use serde_json::json;

use crate::support::{
    ALL, COMPANY, SECRET, Scratch, addresses, check, check_at, config, config_of_role, everything, quick,
    start,
};

const ALL_STEPS: [&str; 8] = [
    "write-create",
    "write-details",
    "write-credential",
    "write-update",
    "write-reset",
    "write-old-secret",
    "write-new-secret",
    "write-delete",
];

/// The users that are no logins.
fn made(simulator: &Simulator) -> Vec<UserView> {
    simulator.users(COMPANY).into_iter().filter(|user| user.client_id.as_deref() != Some("sa1")).collect()
}

fn is_gone(user: &UserView) -> bool {
    matches!(user.status, Status::Deleted | Status::Inactive)
}

#[tokio::test]
async fn on_each_release_a_user_is_created_and_deleted() {
    for version in Version::ALL {
        let simulator = start(config(version, &ALL)).await;
        let said = check(&simulator, &["--write"]).await;
        said.is(0).has("its credential does not work any more").has_not("Left in the portal");
        for step in ALL_STEPS {
            said.step("ok", step);
        }
        let users = made(&simulator);
        assert!(users.len() == 1 && is_gone(&users[0]), "{version:?} {users:?}");
    }
}

#[tokio::test]
async fn what_cannot_be_deleted_is_revoked_marked_and_named() {
    let simulator = start(config_of_role(Version::V2_6, CONNECTOR_MANAGEMENT)).await;
    let said = check(&simulator, &["--write", "-o", "json"]).await;
    let document = said.is(0).json();
    let users = made(&simulator);
    let user = &users[0];
    assert_eq!((users.len(), user.status), (1, Status::Active));
    assert!(user.description.contains("[technicaluser.dev/1 retained check/check/"), "{user:?}");
    assert_ne!(user.roles, [CONNECTOR_MANAGEMENT]);
    let left = &document["left"][0];
    assert_eq!(
        (&left["id"], &left["name"], &left["clientId"], &left["revoked"]),
        (&json!(user.id.to_string()), &json!(user.name), &json!(user.client_id), &json!(true))
    );
    assert!(left["words"].as_str().unwrap().contains("a person of the company has to delete it"));
    // The exercise reset it once, the end once more; no client read the last secret.
    assert_eq!(simulator.count(Endpoint::Reset), 2);
    let reads = simulator.calls();
    let last_reset = reads.iter().rposition(|call| call.endpoint == Endpoint::Reset).unwrap();
    assert!(reads[last_reset..].iter().all(|call| call.endpoint != Endpoint::Details));
    // The next check finds it and says so.
    check(&simulator, &[]).await.is(0).has("an earlier check --write left the user").has(&user.name);
}

#[tokio::test]
async fn a_create_whose_answer_is_lost_is_found_by_name() {
    for action in [Action::DoneButAnswerLost, Action::DoneThen(Canned::html(504))] {
        let simulator = everything().await;
        simulator.inject(Fault::at(Endpoint::Create, action).once());
        let said = check(&simulator, &["--write"]).await;
        said.is(0).step("note", "write-create").has("found by its name").step("ok", "write-delete");
        let users = made(&simulator);
        assert!(users.len() == 1 && is_gone(&users[0]), "{users:?}");
        assert_eq!(simulator.count(Endpoint::Create), 1, "a create is never repeated");
    }
}

#[tokio::test]
async fn a_create_without_effect_is_proved_so() {
    for (action, words) in [
        (Action::CutConnection, "and created no user"),
        (Action::Status(Canned::error(502)), "and created no user"),
        (Action::Status(Canned::error(403)), "no user was created"),
    ] {
        let simulator = everything().await;
        simulator.inject(Fault::at(Endpoint::Create, action).once());
        let said = check(&simulator, &["--write"]).await;
        said.is(1).step("FAIL", "write-create").has(words).has_not("write-details").has_not("Left in");
        assert!(made(&simulator).is_empty());
    }
}

#[tokio::test]
async fn a_user_that_may_or_may_not_be_there_is_named() {
    let simulator = everything().await;
    simulator.inject(Fault::at(Endpoint::Create, Action::DoneButAnswerLost).once());
    simulator.inject(Fault::at(Endpoint::List, Action::Status(Canned::error(500))).skip(1));
    let said = check(&simulator, &["--write"]).await;
    said.is(1).step("FAIL", "write-create").has("check could not search for the user");
    said.has("search for its name in the portal and delete it").has(&made(&simulator)[0].name);
}

#[tokio::test]
async fn a_delete_that_fails_for_a_moment_is_tried_again() {
    for action in
        [Action::Status(Canned::html(502)), Action::DoneThen(Canned::html(502)), Action::CutConnection]
    {
        let simulator = everything().await;
        simulator.inject(Fault::at(Endpoint::Delete, action).once());
        check(&simulator, &["--write"]).await.is(0).step("ok", "write-delete");
        assert!(is_gone(&made(&simulator)[0]));
    }
}

#[tokio::test]
async fn a_delete_that_fails_for_good_leaves_a_user_without_a_credential() {
    let simulator = everything().await;
    simulator.inject(Fault::at(Endpoint::Delete, Action::Status(Canned::html(502))));
    let said = check(&simulator, &["--write"]).await;
    said.is(1).step("FAIL", "write-delete").step("ok", "write-revoke").has("Left in the portal");
    let users = made(&simulator);
    said.has(&users[0].id.to_string()).has("it could not be deleted (the portal answered 502)");
    assert!(users[0].description.contains("retained check/check/"));
}

#[tokio::test]
async fn whatever_fails_the_user_is_removed() {
    for (endpoint, step) in [
        (Endpoint::Update, "write-update"),
        (Endpoint::Reset, "write-reset"),
        (Endpoint::Details, "write-details"),
    ] {
        let simulator = everything().await;
        simulator.inject(Fault::at(endpoint, Action::Status(Canned::error(500))));
        let said = check(&simulator, &["--write"]).await;
        said.is(1).step("FAIL", step).step("ok", "write-delete").has_not("Left in the portal");
        assert!(is_gone(&made(&simulator)[0]), "{endpoint:?}");
    }
}

#[tokio::test]
async fn a_person_who_ends_the_check_leaves_nothing_behind() {
    let simulator = everything().await;
    let gate = simulator.gate(Endpoint::Update, Stage::Arrived);
    let scratch = Scratch::new();
    let secret = scratch.file("secret", SECRET);
    let mut arguments = addresses(&simulator);
    arguments.extend(["--client-id", "sa1", "--client-secret-file", &secret, "--write"].map(str::to_owned));
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let pace = quick();
    let stop = pace.stop.clone();
    let (said, ()) = tokio::join!(check_at(pace, &arguments), async {
        gate.reached().await;
        stop.cancel();
        gate.release();
    });
    said.is(1)
        .step("ok", "write-update")
        .has_not("write-reset")
        .step("ok", "write-delete")
        .step("FAIL", "interrupted");
    assert!(is_gone(&made(&simulator)[0]));
}
