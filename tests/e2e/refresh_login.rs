//! A person's login: each refresh token is written down before the access token that came with it is used.

use kube::api::DeleteParams;
use portal_simulator::role_names::DATASPACE_DISCOVERY;
use portal_simulator::{Endpoint, Version};
use serde_json::json;
use testbed::{Matcher, Stage};

use crate::support::{
    ALL_PERMISSIONS, DEPUTY, PERSON, SESSION_SECRET, WITHOUT_DELETION, World, create, one_company, reason,
    secret_value, world,
};

#[tokio::test]
async fn a_persons_login_is_renewed_written_down_and_survives_a_restart() {
    let config = one_company(Version::Main)
        .token_lifetime(std::time::Duration::from_secs(30))
        .caller(PERSON.with_permissions(ALL_PERMISSIONS).of("One").human())
        .caller(DEPUTY.with_permissions(ALL_PERMISSIONS).of("One").human());
    let mut world = world().simulator(config).stopped().start().await;
    world.login_by_refresh_token(PERSON.secret).await;
    world.apply(&create("edc", &world.namespace, DATASPACE_DISCOVERY)).await;
    let session = format!("^/api/v1/namespaces/{}/secrets$", world.namespace);
    // The first is the installation's own.
    let gate = world
        .proxy
        .on(Matcher::any().method("POST").path_regex(&session).unwrap())
        .nth(2)
        .hold(Stage::Before);
    world.start_operator();
    gate.reached().await.unwrap();
    assert_eq!(world.count(Endpoint::Refresh), 1);
    assert_eq!(
        world.count(Endpoint::List) + world.count(Endpoint::Roles),
        0,
        "the token waits for the Secret"
    );
    gate.release();
    world.ready("edc").await;
    let live = async || secret_value(&world.get_secret(SESSION_SECRET).await.unwrap(), "refresh-token");
    let stored = live().await;
    assert!(stored != PERSON.secret && stored.len() > 20);
    assert_eq!(
        secret_value(&world.get_secret("person").await.unwrap(), "refresh-token"),
        PERSON.secret,
        "it is only read"
    );

    world.stop_operator().await;
    world.start_operator();
    let refreshes = world.count(Endpoint::Refresh);
    world.simulator.wait_for(|view| view.answered(Endpoint::Refresh) > refreshes).await;
    world.apply(&create("after-restart", &world.namespace, DATASPACE_DISCOVERY)).await;
    world.ready("after-restart").await;
    let renewed = secret_value(&world.get_secret(SESSION_SECRET).await.unwrap(), "refresh-token");
    assert_ne!(renewed, stored, "the session went on with its live token");

    // The session ends, say by a logout everywhere; a new token starts another one.
    world.secret("person", &[("refresh-token", "no-such-token-any-more")]).await;
    world.portal_because("LoginRefused").await;
    assert_eq!(reason(&world.user("edc").await.unwrap()), "Ready");
    world.secret("person", &[("refresh-token", DEPUTY.secret)]).await;
    world.sweep().await;
    world.portal_ready().await;
    world.apply(&create("by-deputy", &world.namespace, DATASPACE_DISCOVERY)).await;
    world.ready("by-deputy").await;
}

#[tokio::test]
async fn a_session_secret_of_another_owner_is_not_changed() {
    let config =
        one_company(Version::Main).caller(PERSON.with_permissions(WITHOUT_DELETION).of("One").human());
    let mut world = world().simulator(config).stopped().start().await;
    world.login_by_refresh_token(PERSON.secret).await;
    world.secret(SESSION_SECRET, &[("refresh-token", "refresh-token-of-another")]).await;
    let before = world.get_secret(SESSION_SECRET).await;
    world.apply(&create("edc", &world.namespace, DATASPACE_DISCOVERY)).await;
    world.start_operator();
    let words = world.portal_because("TokenNotStored").await;
    assert!(words.contains(SESSION_SECRET) && words.contains("another client"), "{words}");
    assert_eq!(world.count(Endpoint::List), 0);
    assert_eq!(world.get_secret(SESSION_SECRET).await, before);
    // The identity provider ends the session at the third use of one refresh token.
    let given = format!("/api/v1/namespaces/{}/secrets/person$", world.namespace);
    let given = Matcher::any().method("GET").path_regex(&given).unwrap();
    world
        .eventually("the login was tried again and again", async || world.proxy.matching(&given).len() >= 5)
        .await;
    assert_eq!(world.count(Endpoint::Refresh), 1, "the refresh token is used once");
    world.secrets_api().delete(SESSION_SECRET, &DeleteParams::default()).await.unwrap();
    world.ready("edc").await;
    assert_eq!(world.count(Endpoint::Refresh), 1, "what came of that one use is stored in the end");
}

#[tokio::test]
async fn a_technical_user_named_as_the_portal_does_not_get_its_session() {
    let config =
        one_company(Version::Main).caller(PERSON.with_permissions(WITHOUT_DELETION).of("One").human());
    let mut world = world().simulator(config).stopped().start().await;
    world.login_by_refresh_token(PERSON.secret).await;
    world.start_operator();
    world.portal_ready().await;
    let before = live(&world).await;
    let mut twin = create("catena-x", &world.namespace, DATASPACE_DISCOVERY);
    twin["spec"]["outputs"] = json!([{"secret": {"name": SESSION_SECRET}}]);
    world.apply(&twin).await;
    let words = world.because("catena-x", "OutputNotOurs").await;
    assert!(words.contains(SESSION_SECRET) && words.contains("the Portal"), "{words}");
    assert_eq!(live(&world).await, before);
    assert_eq!(world.count(Endpoint::Create), 0);

    // A session that the release before wrote, with the mark that its TechnicalUser would have, is the Portal's too.
    let former = format!("e2e/{}/catena-x", world.namespace);
    world.stop_operator().await;
    let patch = json!({"metadata": {"annotations": {"technicaluser.dev/owner": former}}});
    world
        .secrets_api()
        .patch(SESSION_SECRET, &kube::api::PatchParams::default(), &kube::api::Patch::Merge(&patch))
        .await
        .unwrap();
    let refreshes = world.count(Endpoint::Refresh);
    world.start_operator();
    world.simulator.wait_for(|view| view.answered(Endpoint::Refresh) > refreshes).await;
    world
        .eventually("the session has the new mark", async || {
            let session = world.get_secret(SESSION_SECRET).await.unwrap();
            session.metadata.annotations.unwrap()["technicaluser.dev/owner"] == format!("portal/{former}")
        })
        .await;
    assert_ne!(live(&world).await, before, "the session went on with its live token");
    world.because("catena-x", "OutputNotOurs").await;
}

/// The token in the session.
async fn live(world: &World) -> String {
    secret_value(&world.get_secret(SESSION_SECRET).await.unwrap(), "refresh-token")
}
