//! The companies that a login's token names: several, in any order, none for a while, another one for a while.

use portal_simulator::role_names::DATASPACE_DISCOVERY;
use portal_simulator::{Change, Endpoint, Stage, Version};
use serde_json::{Value, json};
use technical_user_operator::api::technical_user::PinnedPortal;

use crate::support::{
    BPN_ONE, BPN_TWO, FULL_LOGIN, World, condition, create, message, one_company, portal_status, reason,
    user_status, world,
};

async fn claim(world: &World, claim: Value) {
    assert_eq!(world.simulator.set_bpn_claim(FULL_LOGIN.client_id, Some(claim)), Change::Done);
    let tokens = world.count(Endpoint::Token);
    world.simulator.expire_tokens();
    // A token in hand that is refused, or that leaves the company in doubt, is replaced.
    world.sweep_soon().await;
    world.simulator.wait_for(|view| view.answered(Endpoint::Token) > tokens).await;
}

/// What a user's status records of the portal, and whether it is ready.
async fn state(world: &World, name: &str) -> (PinnedPortal, String) {
    let user = world.user(name).await.unwrap();
    (user_status(&user).portal.unwrap(), condition(&user, "Ready").unwrap().status)
}

#[tokio::test]
async fn a_company_is_one_of_those_that_the_token_names_and_is_never_written_over() {
    let world = world().start().await;
    world.apply(&create("edc", &world.namespace, DATASPACE_DISCOVERY)).await;
    world.apply(&create("leaving", &world.namespace, DATASPACE_DISCOVERY)).await;
    world.ready("edc").await;
    world.ready("leaving").await;
    let before = state(&world, "edc").await;
    assert_eq!(before.0.bpn.as_deref(), Some(BPN_ONE));
    let company = async || portal_status(&world.portal().await.unwrap()).company.unwrap().bpn;

    // Several, in any order.
    for order in [[BPN_ONE, BPN_TWO], [BPN_TWO, BPN_ONE]] {
        claim(&world, json!(order)).await;
        let words = world.portal_because("CompanyAmbiguous").await;
        assert!(words.contains(BPN_ONE) && words.contains(BPN_TWO) && words.contains("Set bpn"), "{words}");
        world.sweep().await;
        assert_eq!(state(&world, "edc").await, before);
        assert_eq!(company().await, BPN_ONE);
    }
    world.apply(&create("ambiguous", &world.namespace, DATASPACE_DISCOVERY)).await;
    world.because("ambiguous", "CompanyAmbiguous").await;
    assert_eq!(world.count(Endpoint::Create), 2);
    // One of them is chosen.
    world.patch_portal(&json!({"spec": {"catenaX": {"bpn": BPN_ONE}}})).await;
    world.ready("ambiguous").await;
    world.portal_ready().await;
    world.patch_portal(&json!({"spec": {"catenaX": {"bpn": null}}})).await;
    claim(&world, json!(BPN_ONE)).await;
    world.portal_ready().await;
    assert_eq!(state(&world, "edc").await, before);

    // None for a while: one message, and nothing else.
    claim(&world, Value::Null).await;
    world.portal_because("CompanyUnknown").await;
    let writes = world.portal_writes();
    world.apply(&create("meanwhile", &world.namespace, DATASPACE_DISCOVERY)).await;
    world.until("meanwhile", "it waits", |user| message(user).contains("CompanyUnknown")).await;
    world.delete("leaving").await;
    world.until("leaving", "it is held", |user| message(user).contains("CompanyUnknown")).await;
    assert_eq!(state(&world, "edc").await, before);
    assert_eq!(company().await, BPN_ONE);
    assert_eq!(world.portal_writes(), writes);
    let meanwhile = world.user("meanwhile").await.unwrap();
    assert!(condition(&meanwhile, "Stalled").is_none(), "{meanwhile:#?}");

    // Another one for a while: the same.
    claim(&world, json!(BPN_TWO)).await;
    let words = world.portal_because("CompanyChanged").await;
    assert_eq!((words.matches(BPN_ONE).count(), words.matches(BPN_TWO).count()), (1, 1), "{words}");
    assert_eq!(state(&world, "edc").await, before);
    assert_eq!(world.portal_writes(), writes);

    // It returns.
    claim(&world, json!([BPN_ONE])).await;
    world.portal_ready().await;
    world.ready("meanwhile").await;
    world.gone("leaving").await;
    assert_eq!(state(&world, "edc").await, before);
    assert_eq!(state(&world, "meanwhile").await.0.bpn.as_deref(), Some(BPN_ONE));
    assert_eq!(reason(&world.user("edc").await.unwrap()), "Ready");
    assert_eq!(world.ours().len(), 3);
    assert_eq!(world.count(Endpoint::Create), 4);
}

/// Moves the login to another company, and has the Portal follow.
async fn move_to(world: &World, company: &str, bpn: &str) {
    assert_eq!(world.simulator.set_caller_company(FULL_LOGIN.client_id, Some(company)), Change::Done);
    world.simulator.expire_tokens();
    world.patch_portal(&json!({"spec": {"catenaX": {"bpn": bpn}}})).await;
    world.portal_ready().await;
}

/// Another company's portal knows no such user, and its list shows none.
#[tokio::test]
async fn a_deletion_that_began_for_one_company_concludes_nothing_from_another() {
    // Its DELETE answers 404 for a user of another company.
    let world = world().simulator(one_company(Version::V2_2)).start().await;
    world.apply(&create("edc", &world.namespace, DATASPACE_DISCOVERY)).await;
    world.ready("edc").await;
    let user = world.user_of("edc");
    let gate = world.simulator.gate(Endpoint::Delete, Stage::Arrived);
    world.delete("edc").await;
    gate.reached().await;
    move_to(&world, "Two", BPN_TWO).await;
    gate.release();
    let words = world.because("edc", "CompanyChanged").await;
    assert!(words.contains(BPN_ONE) && words.contains(BPN_TWO), "{words}");
    world.sweep().await;
    assert_eq!(reason(&world.user("edc").await.unwrap()), "CompanyChanged");
    assert_eq!(world.count(Endpoint::Delete), 1, "nothing is sent with a token of the other company");
    assert_eq!(world.user_of("edc"), user);
    move_to(&world, "One", BPN_ONE).await;
    world.gone("edc").await;
    assert!(world.ours().is_empty());
}
