//! What the kstatus library says of live objects, in every state that they go through: Flux and Argo CD decide by it.

use kube::api::{DeleteParams, DynamicObject};
use portal_simulator::role_names::{DATASPACE_DISCOVERY, IDENTITY_WALLET_MANAGEMENT};
use serde_json::json;

use crate::support::{
    FULL_LOGIN, Site, States, condition, create, one_user, portal, reason, stored_status, world,
};

/// The kstatus status of each state, in order, those of one kind in a row once; each with the reason of Ready.
async fn statuses(seen: &States<DynamicObject>, site: &Site) -> Vec<(String, String)> {
    let states = seen.so_far(site).await;
    let values: Vec<_> = states.iter().map(|state| serde_json::to_value(&state.object).unwrap()).collect();
    let statuses = site.plane.kstatus(&values).await.unwrap();
    assert_eq!(statuses.len(), states.len());
    let mut steps: Vec<(String, String)> = Vec::new();
    for ((status, _), state) in statuses.into_iter().zip(&states) {
        let step = (status, reason(&state.object));
        if steps.last() != Some(&step) {
            steps.push(step);
        }
    }
    steps
}

fn words(steps: &[(String, String)]) -> Vec<&str> {
    let mut words: Vec<&str> = steps.iter().map(|(status, _)| status.as_str()).collect();
    words.dedup();
    words
}

#[tokio::test]
async fn a_new_object_is_in_progress_before_anybody_has_seen_it() {
    let world = world().stopped().start().await;
    world.apply(&create("edc", &world.namespace, DATASPACE_DISCOVERY)).await;
    let objects = [world.user("edc").await.unwrap(), world.portal().await.unwrap()];
    for object in &objects {
        assert_eq!(*stored_status(object), json!({"observedGeneration": -1}), "{object:?}");
    }
    let objects = objects.map(|object| serde_json::to_value(object).unwrap());
    for (status, message) in world.plane.kstatus(&objects).await.unwrap() {
        assert_eq!(status, "InProgress", "{message}");
    }
}

#[tokio::test]
async fn an_object_is_in_progress_until_it_is_ready_failed_where_a_person_has_to_act_and_terminating_at_the_end()
 {
    let world = world().start().await;
    world.portal_because("LoggedIn").await;
    let samples = States::of(world.users_api()).await;
    // A wallet user waits for the wallet service on its way.
    world.apply(&create("edc", &world.namespace, IDENTITY_WALLET_MANAGEMENT)).await;
    one_user(&world, "edc").await;
    world.apply(&create("bad", &world.namespace, "No such role")).await;
    world.because("bad", "RoleNotOffered").await;
    for name in ["edc", "bad"] {
        world.delete(name).await;
        world.gone(name).await;
    }
    let steps = statuses(&samples, &world).await;
    let of = |name: &str| steps.iter().position(|(status, _)| status == name);
    assert_eq!(
        words(&steps),
        ["InProgress", "Current", "InProgress", "Failed", "Terminating"],
        "edc to Current, then bad to Failed, then both: {steps:?}"
    );
    assert_eq!(steps[of("Current").unwrap()].1, "Ready");
    assert_eq!(steps[of("Failed").unwrap()].1, "RoleNotOffered");
}

#[tokio::test]
async fn what_is_applied_in_any_order_never_fails_on_the_way() {
    let mut world = world().stopped().start().await;
    let login = world.get_secret("portal-login").await.unwrap();
    world.secrets_api().delete("portal-login", &DeleteParams::default()).await.unwrap();
    world.portals_api().delete(crate::support::PORTAL, &DeleteParams::default()).await.unwrap();
    let users = States::of(world.users_api()).await;
    let portals = States::of(world.portals_api()).await;
    world.start_operator();

    world.apply(&create("edc", &world.namespace, DATASPACE_DISCOVERY)).await;
    world.because("edc", "PortalNotFound").await;
    let manifest = portal(&world.simulator, &world.namespace);
    world.apply(&manifest).await;
    world.because("edc", "PortalNotReady").await;
    world.portal_because("LoginSecretMissing").await;
    let values: Vec<(String, String)> = login
        .data
        .unwrap()
        .into_iter()
        .map(|(key, value)| (key, String::from_utf8(value.0).unwrap()))
        .collect();
    let values: Vec<(&str, &str)> =
        values.iter().map(|(key, value)| (key.as_str(), value.as_str())).collect();
    // At first a placeholder, as a tool that fills Secrets in later writes it.
    world.login(FULL_LOGIN.wrong()).await;
    world.portal_because("LoginRefused").await;
    world.secret("portal-login", &values).await;
    one_user(&world, "edc").await;

    for samples in [&users, &portals] {
        let steps = statuses(samples, &world).await;
        assert!(steps.iter().all(|(status, _)| status != "Failed"), "{steps:?}");
        assert_eq!(steps.last().unwrap().0, "Current", "{steps:?}");
    }
}

#[tokio::test]
async fn what_does_not_appear_within_the_grace_period_is_stalled() {
    let world = world().start().await;
    world.portal_because("LoggedIn").await;
    let mut lonely = create("edc", &world.namespace, DATASPACE_DISCOVERY);
    lonely["spec"]["portalRef"]["name"] = "nowhere".into();
    let samples = States::of(world.users_api()).await;
    world.apply(&lonely).await;
    world.until("edc", "edc is stalled", |object| condition(object, "Stalled").is_some()).await;
    let steps = statuses(&samples, &world).await;
    assert_eq!(words(&steps), ["InProgress", "Failed"], "{steps:?}");
    assert!(steps.iter().skip(1).all(|(_, reason)| reason == "PortalNotFound"), "{steps:?}");
    let states = samples.so_far(&world).await;
    let at = |state: &DynamicObject, type_: &str| condition(state, type_).map(|it| it.last_transition_time.0);
    let began = states.iter().find_map(|state| at(&state.object, "Reconciling")).unwrap();
    let ended = states.iter().find_map(|state| at(&state.object, "Stalled")).unwrap();
    let waited = ended.duration_since(began).as_secs();
    assert!((118..150).contains(&waited), "stalled after {waited} s");
}
