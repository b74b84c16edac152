//! Roles that cannot be had: refused in words, as far as possible before the portal is asked, and mended.

use kube::api::DeleteParams;
use portal_simulator::role_names::{
    BPDM_POOL_CONSUMER, DATASPACE_DISCOVERY, IDENTITY_WALLET_MANAGEMENT, SEMANTIC_MODEL_MANAGEMENT,
};
use portal_simulator::{Action as Reaction, Canned, Change, Endpoint, Fault, RoleDef, TokenScopes};
use serde_json::json;
use testbed::{Action, Matcher};

use crate::support::{create, reason, world};

#[tokio::test]
async fn roles_that_cannot_be_had_are_refused_before_the_portal_is_asked() {
    let world = world().start().await;
    let namespace = world.namespace.as_str();
    world.apply(&create("unknown", namespace, "Dataspace Discoverer")).await;
    let mut mixed = create("mixed", namespace, DATASPACE_DISCOVERY);
    mixed["spec"]["user"]["create"]["roles"] = json!([DATASPACE_DISCOVERY, IDENTITY_WALLET_MANAGEMENT]);
    world.apply(&mixed).await;
    world.apply(&create("provider", namespace, BPDM_POOL_CONSUMER)).await;

    let words = world.because("unknown", "RoleNotOffered").await;
    assert!(
        words.contains("\"Dataspace Discoverer\"") && words.contains("Connector Management, "),
        "{words}"
    );
    let words = world.because("mixed", "RolesMixed").await;
    assert!(words.contains("Create two TechnicalUsers"), "{words}");
    let words = world.because("provider", "RoleProviderOnly").await;
    assert!(words.contains("\"BPDM Pool Consumer\"") && words.contains("Only providers may use"), "{words}");

    world.two_sweeps().await;
    let writes = world.writes();
    world.two_sweeps().await;
    assert_eq!(world.writes(), writes, "the same conditions are not written again");
    assert_eq!(world.portal_writes(), 0);
    assert_eq!(world.count(Endpoint::Details), 0);
    assert!(world.get_secret("unknown").await.is_none());

    world.simulator.add_role(RoleDef::new("Dataspace Discoverer"));
    let mut roles = world.simulator.roles();
    for role in &mut roles {
        role.provider_only = false;
    }
    world.simulator.set_roles(roles);
    world.sweep().await;
    world.ready("unknown").await;
    world.ready("provider").await;
    world.delete("mixed").await;
    world.gone("mixed").await;
    world.apply(&create("mixed", namespace, DATASPACE_DISCOVERY)).await;
    world.ready("mixed").await;
    assert_eq!(world.count(Endpoint::Create), 3);
}

#[tokio::test]
async fn a_portal_that_creates_no_user_and_reports_success_gets_no_endless_requests() {
    let world = world().start().await;
    world.patch_portal(&json!({"spec": {"resyncInterval": "1h"}})).await;
    world.portal_ready().await;
    let provider_only = |on: bool| {
        let mut roles = world.simulator.roles();
        roles.iter_mut().filter(|r| r.name == DATASPACE_DISCOVERY).for_each(|role| role.provider_only = on);
        world.simulator.set_roles(roles);
    };
    // What the list of roles said a moment ago is no longer true.
    provider_only(true);
    world.apply(&create("edc", &world.namespace, DATASPACE_DISCOVERY)).await;
    let words = world.because("edc", "NoUserCreated").await;
    assert!(words.contains("role"), "{words}");
    assert_eq!(world.count(Endpoint::Create), 1);
    // Another reconcile of the resource alone changes nothing.
    world.patch_user("edc", &json!({"metadata": {"labels": {"changed": "again"}}})).await;
    world.patch_user("edc", &json!({"metadata": {"labels": {"changed": "twice"}}})).await;
    world.sweep().await;
    let words = world.because("edc", "RoleProviderOnly").await;
    assert!(words.contains(DATASPACE_DISCOVERY), "{words}");
    world.two_sweeps().await;
    assert_eq!(world.count(Endpoint::Create), 1);
    assert_eq!(reason(&world.user("edc").await.unwrap()), "RoleProviderOnly");

    // The portal keeps the word that it broke before; a change of the Portal has it asked again at once.
    provider_only(false);
    world.patch_portal(&json!({"spec": {"resyncInterval": "10s"}})).await;
    world.ready("edc").await;
    assert_eq!(world.ours().len(), 1);
    assert_eq!(world.count(Endpoint::Create), 2);
    world.delete("edc").await;
    world.gone("edc").await;
}

#[tokio::test]
async fn roles_that_are_taken_away_in_the_portal_are_seen_at_the_next_verification() {
    let world = world().start().await;
    world.patch_portal(&json!({"spec": {"verification": {"interval": "10s"}}})).await;
    world.apply(&create("edc", &world.namespace, DATASPACE_DISCOVERY)).await;
    world.ready("edc").await;
    let user = world.user_of("edc").id;
    let verified = async |more: usize| {
        let before = world.count(Endpoint::Token);
        world.simulator.wait_for(|view| view.count(Endpoint::Token) >= before + more).await;
    };
    let details = world.count(Endpoint::Details);
    verified(2).await;
    assert_eq!(world.count(Endpoint::Details), details, "no call per user while nothing changes");
    assert_eq!(world.simulator.set_roles_of_user(user, [BPDM_POOL_CONSUMER]), Change::Done);
    let words = world.because("edc", "RolesMissing").await;
    assert!(words.contains(DATASPACE_DISCOVERY), "{words}");
    assert_eq!(world.simulator.set_roles_of_user(user, [DATASPACE_DISCOVERY]), Change::Done);
    world.patch_user("edc", &json!({"metadata": {"annotations": {"example.org/changed": "again"}}})).await;
    world.ready("edc").await;
}

#[tokio::test]
async fn roles_that_are_changed_in_the_identity_provider_alone_are_seen_in_the_token() {
    let world = world().start().await;
    let access = json!([{"namespaces": {"from": "Same"}, "roles": [DATASPACE_DISCOVERY]}]);
    let often = json!({"interval": "10s"});
    world.patch_portal(&json!({"spec": {"verification": often, "access": access}})).await;
    world.portal_ready().await;
    world.apply(&create("edc", &world.namespace, DATASPACE_DISCOVERY)).await;
    world.ready("edc").await;
    let user = world.user_of("edc");
    let set = |roles: &[&'static str]| {
        let roles = roles.iter().copied();
        assert_eq!(world.simulator.set_roles_in_identity_provider(user.id, roles), Change::Done);
    };
    set(&[]);
    let words = world.because("edc", "RolesMissing").await;
    assert!(words.contains("\"Dataspace Discovery\" in the identity provider"), "{words}");
    assert!(words.contains(&user.client_id.clone().unwrap()), "{words}");
    // Nobody touches the resource: the next verification sees it.
    set(&[DATASPACE_DISCOVERY]);
    world.ready("edc").await;
    set(&[DATASPACE_DISCOVERY, SEMANTIC_MODEL_MANAGEMENT]);
    let words = world.because("edc", "AccessDenied").await;
    assert!(words.contains("portal does not show: \"Semantic Model Management\""), "{words}");
    // A Secret that is gone is not written again with more than is granted.
    world.secrets_api().delete("edc", &DeleteParams::default()).await.unwrap();
    let tokens = world.count(Endpoint::Token);
    world.simulator.wait_for(|view| view.answered(Endpoint::Token) >= tokens + 2).await;
    assert!(world.get_secret("edc").await.is_none());
    set(&[DATASPACE_DISCOVERY]);
    world.ready("edc").await;
    assert!(world.get_secret("edc").await.is_some());
}

/// What a token showed is in doubt until a status says what came of it.
#[tokio::test]
async fn roles_that_are_taken_away_are_reported_also_after_a_status_that_could_not_be_written() {
    let world = world().start().await;
    world.patch_portal(&json!({"spec": {"verification": {"interval": "10s"}}})).await;
    world.apply(&create("edc", &world.namespace, DATASPACE_DISCOVERY)).await;
    world.ready("edc").await;
    let user = world.user_of("edc").id;
    let statuses = Matcher::any().method("PATCH").path("/technicalusers/edc/status");
    let fault =
        world.proxy.on(statuses.clone()).action(Action::status(503, "ServiceUnavailable", "etcd is away"));
    let before = world.proxy.count(&statuses);
    assert_eq!(world.simulator.set_roles_of_user(user, [BPDM_POOL_CONSUMER]), Change::Done);
    world.eventually("a status was refused", async || world.proxy.count(&statuses) > before).await;
    fault.remove();
    let words = world.because("edc", "RolesMissing").await;
    assert!(words.contains(DATASPACE_DISCOVERY), "{words}");
}

/// What a token showed is in doubt until a status rests on a token.
#[tokio::test]
async fn roles_that_are_taken_away_are_reported_also_after_an_outage_of_the_token_endpoint() {
    let world = world().start().await;
    world.patch_portal(&json!({"spec": {"verification": {"interval": "10s"}}})).await;
    world.apply(&create("edc", &world.namespace, DATASPACE_DISCOVERY)).await;
    world.ready("edc").await;
    let user = world.user_of("edc");
    let client_id = user.client_id.unwrap();
    let details = Fault::at(Endpoint::Details, Reaction::Status(Canned::html(404)));
    let details = world.simulator.inject(details);
    let before = world.count(Endpoint::Details);
    assert_eq!(world.simulator.set_roles_in_identity_provider(user.id, []), Change::Done);
    world.simulator.wait_for(|view| view.answered(Endpoint::Details) > before).await;
    let down = Fault::at(Endpoint::Token, Reaction::Status(Canned::html(502))).caller(&client_id);
    let down = world.simulator.inject(down);
    world.simulator.remove_fault(details);
    world.because("edc", "TokenEndpointUnreachable").await;
    world.simulator.remove_fault(down);
    let words = world.because("edc", "RolesMissing").await;
    assert!(words.contains("in the identity provider"), "{words}");
}

/// A token of a user without any role has no claim with roles at all.
#[tokio::test]
async fn a_user_whose_last_role_is_taken_away_in_the_identity_provider_is_reported() {
    let mut world = world().start().await;
    world.simulator.set_token_scopes(TokenScopes { account: false, technical_roles: true });
    world.patch_portal(&json!({"spec": {"verification": {"interval": "10s"}}})).await;
    world.apply(&create("edc", &world.namespace, DATASPACE_DISCOVERY)).await;
    world.ready("edc").await;
    let user = world.user_of("edc");
    assert_eq!(world.simulator.set_roles_in_identity_provider(user.id, []), Change::Done);
    let words = world.because("edc", "RolesMissing").await;
    assert!(words.contains("in the identity provider"), "{words}");
    world.stop_operator().await;
    let tokens = world.count(Endpoint::Token);
    world.start_operator();
    // One of the operator's login, and two of the user's credential.
    world.simulator.wait_for(|view| view.answered(Endpoint::Token) >= tokens + 3).await;
    assert_eq!(reason(&world.user("edc").await.unwrap()), "RolesMissing", "also after a restart");
    assert_eq!(world.simulator.set_roles_in_identity_provider(user.id, [DATASPACE_DISCOVERY]), Change::Done);
    world.ready("edc").await;
}

/// An identity provider can leave the roles of technical users out of all tokens.
#[tokio::test]
async fn tokens_that_never_name_the_roles_of_technical_users_take_none_away() {
    let world = world().start().await;
    world.simulator.set_token_scopes(TokenScopes { account: true, technical_roles: false });
    world.patch_portal(&json!({"spec": {"verification": {"interval": "10s"}}})).await;
    world.apply(&create("edc", &world.namespace, DATASPACE_DISCOVERY)).await;
    world.ready("edc").await;
    let tokens = world.count(Endpoint::Token);
    world.simulator.wait_for(|view| view.answered(Endpoint::Token) >= tokens + 2).await;
    world.ready("edc").await;
}
