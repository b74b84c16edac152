//! What each login may do, and what is said of it.

use portal_simulator::role_names::{CONNECTOR_MANAGEMENT, OFFER_MANAGEMENT, SEMANTIC_MODEL_MANAGEMENT};
use portal_simulator::{Caller, Change, Company, Status, UserSeed, Version};
use serde_json::json;
use technical_user_operator::domain::identity::{Hint, Mark, Owner};

use crate::support::{
    ALL, BPN, COMPANY, SECRET, check, config, config_of_role, everything, start, with_caller,
};

#[tokio::test]
async fn a_login_with_all_permissions_lacks_nothing() {
    let said = check(&everything().await, &["--bpn", BPN]).await;
    said.is(0).has("obtained for technical user sa1").has("belongs to BPNL00000003CRHK").has("2.5 or 2.6");
    for step in ["view", "create", "delete", "roles", "offered-roles", "users", "marked-users"] {
        said.step("ok", step);
    }
    said.has("Dataspace Discovery (Internal)").has("Identity Wallet Management (External)");
    said.has("BPDM Sharing Output Consumer (Internal, for providers only)");
    said.has_not("Missing:").has_not("Notes:");
}

#[tokio::test]
async fn the_login_of_the_guides_cannot_delete_which_is_no_fault() {
    let simulator = start(config_of_role(Version::V2_6, CONNECTOR_MANAGEMENT)).await;
    let said = check(&simulator, &[]).await;
    said.is(0).has("role Connector Management").step("note", "delete");
    said.has("delete_tech_user_management: no").has("this login may not delete");
}

#[tokio::test]
async fn offer_management_may_read_only() {
    let simulator = start(config_of_role(Version::V2_6, OFFER_MANAGEMENT)).await;
    let said = check(&simulator, &["--write"]).await;
    said.is(1).step("ok", "view").step("MISS", "create").step("MISS", "roles").step("ok", "users");
    said.has("this login's role is Offer Management, which may only read").has("\"Connector Management\"");
    said.step("note", "write-create");
    let old = start(config_of_role(Version::V2_3, OFFER_MANAGEMENT)).await;
    check(&old, &[])
        .await
        .is(1)
        .has("a portal of version 2.3 or 2.4 has no role of technical users with these permissions");
}

#[tokio::test]
async fn a_login_without_a_permission_may_nothing() {
    for caller in [
        Caller::with_permissions("sa1", SECRET, []).of(COMPANY),
        Caller::with_role("sa1", SECRET, SEMANTIC_MODEL_MANAGEMENT).of(COMPANY),
    ] {
        let simulator = start(with_caller(Version::V2_6, caller)).await;
        let said = check(&simulator, &[]).await;
        said.is(1).step("MISS", "view").step("MISS", "create").step("note", "delete").step("MISS", "roles");
        said.step("note", "users").has("use a technical user with the role \"Connector Management\"");
    }
}

#[tokio::test]
async fn a_login_that_the_portal_does_not_know_is_reported() {
    let simulator = start(with_caller(Version::V2_6, Caller::with_permissions("sa1", SECRET, ALL))).await;
    let said = check(&simulator, &["--write"]).await;
    said.is(1).step("ok", "token").step("FAIL", "offered-roles").has("it does not know this login");
    said.step("note", "write-create");
}

#[tokio::test]
async fn a_refused_login_is_reported() {
    let simulator = everything().await;
    assert_eq!(simulator.set_caller_secret("sa1", "another-secret"), Change::Done);
    let said = check(&simulator, &[]).await;
    said.is(1).step("ok", "identity-provider").step("FAIL", "token").has("the client secret is wrong");
    said.step("ok", "portal").has_not("write-create");
    assert_eq!(simulator.disable_idp_client("sa1"), Change::Done);
    check(&simulator, &[]).await.is(1).has("or the client is disabled");
}

#[tokio::test]
async fn the_wrong_company_is_reported_and_nothing_done() {
    let simulator = everything().await;
    let said = check(&simulator, &["--bpn", "BPNL0000000WRONG", "--write"]).await;
    said.is(1).step("FAIL", "company").has("WrongCompany").has(BPN).has_not("offered-roles");
    assert!(simulator.calls().iter().all(|call| !call.path.contains("serviceaccount")));
}

#[tokio::test]
async fn the_deletion_login_is_tried_on_its_own() {
    let scratch = crate::support::Scratch::new();
    let secret = scratch.file("delete-secret", "s3cret-of-deletion");
    let (id, file) = ("--delete-client-id", "--delete-client-secret-file");
    let connector = config_of_role(Version::V2_6, CONNECTOR_MANAGEMENT);
    let deletion = |permissions: &[&'static str], company: &str| {
        let caller = Caller::with_permissions("sa2", "s3cret-of-deletion", permissions.iter().copied());
        connector.clone().company(Company::new("Other", "BPNL0000000OTHER")).caller(caller.of(company))
    };
    let deletes = ["delete_tech_user_management"];
    let right = start(deletion(&deletes, COMPANY)).await;
    check(&right, &[id, "sa2", file, &secret]).await.is(0).step("ok", "deletion-login").step("ok", "delete");
    let other = start(deletion(&deletes, "Other")).await;
    check(&other, &[id, "sa2", file, &secret]).await.is(1).has("belongs to another company");
    let powerless = start(deletion(&ALL[..1], COMPANY)).await;
    check(&powerless, &[id, "sa2", file, &secret]).await.is(1).has("which may not delete users either");
    check(&right, &[id, "sa9", file, &secret]).await.is(1).step("FAIL", "deletion-login");
}

#[tokio::test]
async fn users_and_marks_are_counted() {
    let simulator = start(config(Version::V2_6, &ALL)).await;
    let mark = |instance: &str, name: &str, retained| {
        let owner = Owner { instance: instance.into(), namespace: "n".into(), name: name.into() };
        let user_name = owner.user_name(1, None);
        (
            user_name,
            Mark { owner, generation: 1, hint: Hint::of_installation("x"), retained, login: false }
                .describe(None),
        )
    };
    for (name, description) in [mark("prod", "a", false), mark("prod", "b", true), mark("check", "c", false)]
    {
        simulator.seed_user(UserSeed::new(COMPANY, &name).description(&description)).unwrap();
    }
    let (nameless, _) = mark("prod", "d", false);
    simulator.seed_user(UserSeed::new(COMPANY, &nameless).description("by hand")).unwrap();
    simulator.seed_user(UserSeed::new(COMPANY, &mark("prod", "e", false).0).without_editor()).unwrap();
    simulator.seed_user(UserSeed::new(COMPANY, "dim-w").external().status(Status::Pending)).unwrap();
    let said = check(&simulator, &["-o", "json"]).await;
    said.is(0);
    let document = said.json();
    let step = |name: &str| {
        document["steps"].as_array().unwrap().iter().find(|step| step["name"] == name).unwrap().clone()
    };
    let users = step("users");
    assert_eq!(users["byStatus"], json!({"active": 6, "pending": 1}));
    assert_eq!(users["byKind"], json!({"internal": 6, "external": 1}));
    assert_eq!((&users["total"], &users["complete"]), (&json!(7), &json!(true)));
    let marked = step("marked-users");
    assert_eq!(marked["instances"], json!({"prod": 2, "check": 1}));
    assert_eq!(
        (&marked["retained"], &marked["withoutMark"], &marked["unreadable"]),
        (&json!(1), &json!(1), &json!(1))
    );
    assert!(document["notes"].to_string().contains("an earlier check --write left"));
}

#[tokio::test]
async fn a_list_that_hides_users_is_reported() {
    let simulator = everything().await;
    for number in 0..20 {
        simulator.seed_user(UserSeed::new(COMPANY, &format!("before-{number}"))).unwrap();
        simulator.seed_user(UserSeed::new(COMPANY, &format!("zone-{number}"))).unwrap();
    }
    for _ in 0..110 {
        simulator.seed_user(UserSeed::new(COMPANY, "offer").client_id(&letters())).unwrap();
    }
    let said = check(&simulator, &[]).await;
    said.is(0).has("the list was not complete");
}

/// A client id that no search by digits finds.
fn letters() -> String {
    let id = uuid::Uuid::new_v4().simple().to_string();
    id.chars()
        .map(|c| if c.is_ascii_digit() { char::from(b'0'.abs_diff(c as u8) + b'g') } else { c })
        .collect()
}
