//! Whose portal it is: another company, another environment or another cluster stops everything, and nothing is lost.

use axum::response::Html;
use kube::api::DeleteParams;
use portal_simulator::role_names::DATASPACE_DISCOVERY;
use portal_simulator::{Endpoint, Simulator, Version};
use serde_json::json;

use crate::support::{
    BPN_ONE, BPN_TWO, FULL_LOGIN, IDENTITY_SECRET, LOGIN_OF_TWO, PORTAL_MOVED, TAKE_OVER, create, message,
    one_company, reason, user_status, world,
};

#[tokio::test]
async fn the_address_of_the_web_page_is_distinguished_from_that_of_the_backend() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let page = format!("http://{}", listener.local_addr().unwrap());
    let app = axum::Router::new().fallback(async || Html("<!doctype html><title>Portal</title>"));
    tokio::spawn(async move { axum::serve(listener, app).await });
    let mut world = world().stopped().start().await;
    world.patch_portal(&json!({"spec": {"catenaX": {"url": page}}})).await;
    world.apply(&create("edc", &world.namespace, DATASPACE_DISCOVERY)).await;
    world.start_operator();
    let words = world.portal_because("NotThePortalBackend").await;
    assert!(words.contains("not of the web page"), "{words}");
    world
        .until("edc", "it says what its Portal says", |user| message(user).contains("NotThePortalBackend"))
        .await;
    let right = format!("{}/api/administration/", world.simulator.portal_url());
    let login = world.simulator.token_url();
    world
        .patch_portal(&json!({"spec": {"catenaX": {"url": right, "tokenUrl": format!("{page}/token")}}}))
        .await;
    let words = world.portal_because("NotATokenEndpoint").await;
    assert!(words.contains("tokenUrl") && !words.contains("portal's answer"), "{words}");
    world.patch_portal(&json!({"spec": {"catenaX": {"tokenUrl": login}}})).await;
    world.ready("edc").await;
    assert_eq!(world.ours().len(), 1);
}

#[tokio::test]
async fn another_companys_login_touches_nothing() {
    let world = world().start().await;
    world.patch_portal(&json!({"spec": {"catenaX": {"bpn": BPN_TWO}}})).await;
    let words = world.portal_because("WrongCompany").await;
    assert!(words.contains(BPN_ONE) && words.contains(BPN_TWO), "{words}");
    world.patch_portal(&json!({"spec": {"catenaX": {"bpn": null}}})).await;
    world.apply(&create("edc", &world.namespace, DATASPACE_DISCOVERY)).await;
    world.apply(&create("leaving", &world.namespace, DATASPACE_DISCOVERY)).await;
    world.ready("edc").await;
    world.ready("leaving").await;
    let (writes, secret) = (world.portal_writes(), world.get_secret("edc").await);

    world.login(LOGIN_OF_TWO).await;
    let words = world.because("edc", "CompanyChanged").await;
    assert!(words.contains(BPN_ONE) && words.contains(BPN_TWO), "{words}");
    world.delete("leaving").await;
    world.because("leaving", "CompanyChanged").await;
    world.two_sweeps().await;
    assert_eq!(world.portal_writes(), writes);
    assert_eq!(world.get_secret("edc").await, secret);

    world.login(FULL_LOGIN).await;
    world.sweep().await;
    world.ready("edc").await;
    world.gone("leaving").await;
    assert_eq!(world.ours().len(), 1);
    assert_eq!(world.count(Endpoint::Create), 2);
}

#[tokio::test]
async fn a_portal_re_created_for_another_environment_creates_no_user_there() {
    let world = world().start().await;
    world.apply(&create("edc", &world.namespace, DATASPACE_DISCOVERY)).await;
    world.ready("edc").await;
    let secret = world.get_secret("edc").await;
    let other = Simulator::start(one_company(Version::Main)).await.unwrap();
    let before = other.users("One").len();
    let lead_to = async |simulator: &Simulator| {
        let place = json!({"url": simulator.portal_url(), "tokenUrl": simulator.token_url()});
        world.patch_portal(&json!({"spec": {"catenaX": place}})).await;
    };
    lead_to(&other).await;
    let words = world.because("edc", "PortalMoved").await;
    assert!(words.contains(world.simulator.portal_url()) && words.contains(other.portal_url()), "{words}");
    let swept = other.count(Endpoint::List);
    world.patch_user("edc", &json!({"metadata": {"labels": {"changed": "again"}}})).await;
    other.wait_for(|view| view.answered(Endpoint::List) >= swept + 2).await;
    assert_eq!(reason(&world.user("edc").await.unwrap()), "PortalMoved");
    // Even by a person's word: no user with this mark is there.
    let origin = world.simulator.portal_url();
    world.patch_portal(&json!({"metadata": {"annotations": {PORTAL_MOVED: origin}}})).await;
    world
        .until("edc", "its user is not found there", |user| {
            reason(user) == "PortalMoved" && message(user).contains("shows no user")
        })
        .await;
    world.patch_portal(&json!({"metadata": {"annotations": {PORTAL_MOVED: null}}})).await;
    assert_eq!(other.users("One").len(), before);
    assert_eq!(world.get_secret("edc").await, secret);
    lead_to(&world.simulator).await;
    world.ready("edc").await;
    assert_eq!(world.count(Endpoint::Create), 1);
}

#[tokio::test]
async fn a_cloned_cluster_changes_nothing_until_a_person_requests_it() {
    let mut world = world().start().await;
    world.apply(&create("edc", &world.namespace, DATASPACE_DISCOVERY)).await;
    world.apply(&create("restored", &world.namespace, DATASPACE_DISCOVERY)).await;
    world.ready("edc").await;
    world.ready("restored").await;
    let old = user_status(&world.user("edc").await.unwrap()).portal.unwrap().hint;
    world.stop_operator().await;
    world.secrets_api().delete(IDENTITY_SECRET, &DeleteParams::default()).await.unwrap();
    // This one comes from Git, without its status.
    world.patch_user("restored", &json!({"metadata": {"finalizers": null}})).await;
    world.delete("restored").await;
    world.gone("restored").await;
    world.apply(&create("restored", &world.namespace, DATASPACE_DISCOVERY)).await;
    let (writes, secret) = (world.portal_writes(), world.get_secret("edc").await);

    world.start_operator();
    for name in ["edc", "restored"] {
        let words = world.because(name, "TakenFromOtherCluster").await;
        assert!(words.contains(&format!("technicaluser.dev/take-over={old}")), "{words}");
    }
    world.two_sweeps().await;
    assert_eq!(world.portal_writes(), writes);
    assert_eq!(world.get_secret("edc").await, secret);

    world.patch_portal(&json!({"metadata": {"annotations": {TAKE_OVER: old}}})).await;
    for name in ["edc", "restored"] {
        let user = world.ready(name).await;
        let new = user_status(&user).portal.unwrap().hint;
        assert_ne!(new, old);
        assert!(
            world.user_of(name).description.contains(&format!(" g1 {new}]")),
            "{name}: {}",
            message(&user)
        );
        assert_eq!(world.token_with(name).await, 200);
    }
    // The permission is needed no longer.
    world.patch_portal(&json!({"metadata": {"annotations": {TAKE_OVER: null}}})).await;
    world.secrets_api().delete("edc", &DeleteParams::default()).await.unwrap();
    world.two_sweeps().await;
    world.ready("edc").await;
    world.eventually("the Secret is healed", async || world.get_secret("edc").await.is_some()).await;
    assert_eq!(world.count(Endpoint::Create), 2);
}
