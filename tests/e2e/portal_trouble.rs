//! Logins that do not work and portals that fail: the status reports them, the operator recovers automatically, and what is
//! published is kept.

use kube::api::DeleteParams;
use portal_simulator::role_names::{CONNECTOR_MANAGEMENT, DATASPACE_DISCOVERY, IDENTITY_WALLET_MANAGEMENT};
use portal_simulator::{Action, Canned, Endpoint, Fault, Part, UserSeed, Version};
use serde_json::json;

use crate::support::{
    CONNECTOR_LOGIN, FULL_LOGIN, Login, PORTAL, READ_LOGIN, USELESS_LOGIN, World, condition, create,
    existing, message, one_company, portal, reason, world,
};

#[tokio::test]
async fn a_login_that_does_not_work_is_reported_and_read_again_automatically() {
    let mut world = world().stopped().start().await;
    world.secrets_api().delete("portal-login", &DeleteParams::default()).await.unwrap();
    world.apply(&create("edc", &world.namespace, DATASPACE_DISCOVERY)).await;
    world.start_operator();
    let words = world.portal_because("LoginSecretMissing").await;
    assert!(words.contains("\"portal-login\"") && words.contains(&world.namespace), "{words}");
    world
        .until("edc", "it says what its Portal says", |user| message(user).contains("LoginSecretMissing"))
        .await;
    world.secret("portal-login", &[("client-id", FULL_LOGIN.client_id)]).await;
    let words = world.portal_because("LoginSecretIncomplete").await;
    assert!(words.contains("\"client-secret\""), "{words}");
    world.login(FULL_LOGIN.wrong()).await;
    let words = world.portal_because("LoginRefused").await;
    assert!(words.contains("\"portal-login\"") && words.contains("client-secret"), "{words}");
    world.login(USELESS_LOGIN).await;
    let words = world.portal_because("PermissionMissing").await;
    assert!(words.contains("view_tech_user_management") && words.contains(CONNECTOR_MANAGEMENT), "{words}");
    assert_eq!(world.portal_writes(), 0);
    // People create Secrets with `echo`.
    let with_line_end = format!("{}\n", FULL_LOGIN.secret);
    world.login(Login { secret: &with_line_end, ..FULL_LOGIN }).await;
    world.ready("edc").await;
}

#[tokio::test]
async fn a_login_that_may_only_read_publishes_what_exists_and_reports_why_it_creates_nothing() {
    let world = world().login(READ_LOGIN).start().await;
    world.simulator.seed_user(UserSeed::new("One", "by-hand")).unwrap();
    let words = world.portal_because("PermissionMissing").await;
    assert!(words.contains("add_tech_user_management") && words.contains(CONNECTOR_MANAGEMENT), "{words}");
    world.apply(&existing("by-hand", &world.namespace, &json!({"name": "by-hand"}))).await;
    world.apply(&create("edc", &world.namespace, DATASPACE_DISCOVERY)).await;
    world.ready("by-hand").await;
    let words = world.because("edc", "PermissionMissing").await;
    assert!(words.contains(CONNECTOR_MANAGEMENT), "{words}");
    world.two_sweeps().await;
    assert_eq!(world.portal_writes(), 0);
    world.login(CONNECTOR_LOGIN).await;
    world.ready("edc").await;
    world.portal_ready().await;
}

/// Makes some resources and waits until they are ready.
async fn published(world: &World, count: usize) -> Vec<String> {
    let names: Vec<String> = (1..=count).map(|number| format!("edc-{number}")).collect();
    for name in &names {
        world.apply(&create(name, &world.namespace, DATASPACE_DISCOVERY)).await;
    }
    for name in &names {
        world.ready(name).await;
    }
    names
}

#[tokio::test]
async fn what_is_published_is_ready_while_the_portal_fails() {
    let world = world().start().await;
    let names = published(&world, 4).await;
    let transition = |user: &kube::api::DynamicObject| condition(user, "Ready").unwrap().last_transition_time;
    let mut since = Vec::new();
    for name in &names {
        since.push(transition(&world.user(name).await.unwrap()));
    }
    // Gone altogether.
    world.simulator.stop(Part::Portal).await;
    let words = world.portal_because("Unreachable").await;
    assert!(words.contains("127.0.0.1:") && words.contains("egress rule or a proxy"), "{words}");
    world.apply(&create("new", &world.namespace, DATASPACE_DISCOVERY)).await;
    world.until("new", "it says what its Portal says", |user| message(user).contains("(Unreachable)")).await;
    world.simulator.restart(Part::Portal).await.unwrap();
    world.ready("new").await;
    // A proxy before it answers with web pages; the resources do not join in.
    let bad = world.simulator.inject(Fault::at(Endpoint::List, Action::Status(Canned::html(502))));
    world.portal_because("PortalFailing").await;
    let (details, token) = (world.count(Endpoint::Details), world.count(Endpoint::Token));
    for name in &names {
        world.patch_user(name, &json!({"metadata": {"labels": {"changed": "again"}}})).await;
    }
    for number in 1..=20 {
        world.apply(&create(&format!("late-{number}"), &world.namespace, DATASPACE_DISCOVERY)).await;
    }
    for number in 1..=20 {
        world.because(&format!("late-{number}"), "PortalNotReady").await;
    }
    let probes = world.count(Endpoint::List);
    world.lists_answered(probes + 2).await;
    assert_eq!(world.count(Endpoint::Details), details, "no single user is read meanwhile");
    assert!(world.count(Endpoint::Token) <= token + 2, "nor for tokens");
    for (name, since) in names.iter().zip(&since) {
        let user = world.user(name).await.unwrap();
        assert_eq!((reason(&user).as_str(), &transition(&user)), ("Ready", since), "{name}");
        assert_eq!(world.token_with(name).await, 200);
    }
    world.simulator.remove_fault(bad);
    for number in 1..=20 {
        world.ready(&format!("late-{number}")).await;
    }
    assert_eq!(world.ours().len(), 25);
}

#[tokio::test]
async fn a_portal_that_hangs_answers_nonsense_or_is_slow_is_got_over() {
    let world = world().start().await;
    let names = published(&world, 2).await;
    world.simulator.inject(Fault::at(Endpoint::List, Action::HtmlInstead).times(2));
    world.portal_because("NotThePortalBackend").await;
    world.portal_ready().await;
    world.simulator.inject(Fault::at(Endpoint::List, Action::Hang).once());
    world.portal_because("Unreachable").await;
    world.portal_ready().await;
    world.simulator.inject(Fault::at(Endpoint::List, Action::CutConnection).times(3));
    world.simulator.inject(Fault::anywhere(Action::Delay(std::time::Duration::from_secs(2))).times(20));
    world.apply(&create("new", &world.namespace, DATASPACE_DISCOVERY)).await;
    world.ready("new").await;
    for name in &names {
        assert_eq!(reason(&world.user(name).await.unwrap()), "Ready", "{name}");
    }
    assert_eq!(world.ours().len(), 3);
}

#[tokio::test]
async fn a_hang_at_one_user_holds_up_no_other() {
    let world = world().start().await;
    let names = published(&world, 2).await;
    let hanging = world.user_of(&names[0]);
    let id = hanging.id.to_string();
    let fault = world.simulator.inject(Fault::at(Endpoint::Details, Action::Hang).path_contains(&id));
    for name in &names {
        world.secrets_api().delete(name, &DeleteParams::default()).await.unwrap();
    }
    world.apply(&create("new", &world.namespace, DATASPACE_DISCOVERY)).await;
    world.ready("new").await;
    world.eventually("the other Secret is back", async || world.get_secret(&names[1]).await.is_some()).await;
    let words = world.until(&names[0], "it is reported", |user| reason(user) != "Ready").await;
    assert!(!message(&words).is_empty(), "{words:#?}");
    assert!(world.get_secret(&names[0]).await.is_none());
    world.simulator.remove_fault(fault);
    world.eventually("its Secret is back", async || world.get_secret(&names[0]).await.is_some()).await;
    world.ready(&names[0]).await;
    assert_eq!(world.token_with(&names[0]).await, 200);
    assert_eq!(world.ours().len(), 3);
}

#[tokio::test]
async fn a_login_that_may_not_list_roles_is_reported_with_the_missing_permission() {
    let login = Login { client_id: "sa-few", secret: "few-secret-2p9d6" };
    let caller = login.with_permissions(["view_tech_user_management", "add_tech_user_management"]);
    let config = one_company(Version::Main).caller(caller.of("One"));
    let world = world().simulator(config).login(login).start().await;
    let words = world.portal_because("PermissionMissing").await;
    assert!(words.contains("technical_roles_management"), "{words}");
    world.apply(&create("edc", &world.namespace, DATASPACE_DISCOVERY)).await;
    let words = world.because("edc", "PermissionMissing").await;
    assert!(words.contains("technical_roles_management"), "{words}");
    world.two_sweeps().await;
    assert_eq!(world.portal_writes(), 0);
    world.login(CONNECTOR_LOGIN).await;
    world.ready("edc").await;
}

#[tokio::test]
async fn a_wallet_that_cannot_be_reached_is_named() {
    let world = world().start().await;
    world.simulator.hold_wallet();
    world.apply(&create("edc", &world.namespace, IDENTITY_WALLET_MANAGEMENT)).await;
    world.because("edc", "Pending").await;
    world.simulator.release_wallet();
    world.simulator.activate_wallet_users();
    world.simulator.stop_wallet().await;
    world.sweep().await;
    let words = world.because("edc", "TokenEndpointUnreachable").await;
    let host = world.simulator.wallet_url().trim_start_matches("http://").to_owned();
    assert!(words.contains(&host) && words.contains("egress rule or a proxy"), "{words}");
    world.two_sweeps().await;
    assert!(world.get_secret("edc").await.is_none(), "nothing is published that was not proved");
    world.simulator.restart_wallet().await.unwrap();
    world.sweep().await;
    world.ready("edc").await;
    assert_eq!(world.count(Endpoint::Create), 1);
    // Once it was proved, an outage of the wallet says nothing of it.
    world.simulator.stop_wallet().await;
    world.patch_portal(&json!({"spec": {"verification": {"interval": "10s"}}})).await;
    world.two_sweeps().await;
    assert_eq!(reason(&world.user("edc").await.unwrap()), "Ready");
}

#[tokio::test]
async fn a_portal_that_is_not_there_is_waited_for() {
    let mut world = world().stopped().start().await;
    let (kind, namespace) = ("portals.technicaluser.dev", world.namespace.clone());
    world.plane.kubectl(&["delete", kind, PORTAL, "-n", &namespace]).await.unwrap().success().unwrap();
    world.apply(&create("edc", &namespace, DATASPACE_DISCOVERY)).await;
    world.start_operator();
    let words = world.because("edc", "PortalNotFound").await;
    assert!(words.contains(&format!("{namespace}/{PORTAL}")), "{words}");
    world.apply(&portal(&world.simulator, &namespace)).await;
    world.ready("edc").await;
    // Under deletion it is kept while it is needed, and accepts no new resource.
    world
        .plane
        .kubectl(&["delete", kind, PORTAL, "-n", &namespace, "--wait=false"])
        .await
        .unwrap()
        .success()
        .unwrap();
    let words = world.portal_because("InUse").await;
    assert!(words.contains(&format!("{namespace}/edc")), "{words}");
    world.apply(&create("late", &namespace, DATASPACE_DISCOVERY)).await;
    world.because("late", "PortalDeleting").await;
    world.delete("late").await;
    world.gone("late").await;
    world.delete("edc").await;
    world.gone("edc").await;
    world.eventually("the Portal goes", async || world.portal().await.is_none()).await;
    assert!(world.ours().is_empty());
    assert_eq!(world.count(Endpoint::Create), 1);
}
