//! Namespaces that the operator may not watch, from the start or later: reported, left out, served once they may be; and
//! nothing is concluded from what is not seen.

use portal_simulator::role_names::DATASPACE_DISCOVERY;
use portal_simulator::{UserSeed, UserView};
use serde_json::{Value, json};
use technical_user_operator::domain::identity::Owner;
use testbed::Matcher;

use crate::support::{
    World, create, create_from, existing, message, one_user, portal, portal_status, recorded, world,
};

const ROLE: &str = "technical-user-operator";

/// Takes the chart's Role out of a namespace and waits until that is in force; the Role, to be put back.
async fn without_role(world: &World, namespace: &str) -> Value {
    let get = ["get", "role", ROLE, "-n", namespace, "-o", "json"];
    let mut role: Value =
        serde_json::from_str(&world.plane.kubectl(&get).await.unwrap().success().unwrap()).unwrap();
    for field in ["resourceVersion", "uid", "creationTimestamp", "managedFields"] {
        role["metadata"].as_object_mut().unwrap().remove(field);
    }
    world.plane.kubectl(&["delete", "role", ROLE, "-n", namespace]).await.unwrap().success().unwrap();
    let account = format!("system:serviceaccount:{}:{ROLE}", world.namespace);
    world
        .eventually("the Role is gone", async || {
            let asked = ["auth", "can-i", "list", "secrets", "-n", namespace, "--as", &account];
            world.plane.kubectl(&asked).await.unwrap().success().is_err()
        })
        .await;
    role
}

/// A Portal that every namespace may use.
async fn open_to_all(world: &World) {
    let access = json!([{"namespaces": {"from": "All"}, "roles": [DATASPACE_DISCOVERY], "existing": true}]);
    world.patch_portal(&json!({"spec": {"access": access}})).await;
}

/// A user in the portal that bears the mark of a resource, as it is after a restore.
async fn user_from_a_restore(world: &World, namespace: &str, name: &str) -> UserView {
    world.portal_because("LoggedIn").await;
    let owner = Owner { namespace: namespace.into(), ..world.owner(name) };
    world.seed_marked(&world.mark_of(owner).await)
}

fn unclaimed(portal: &kube::api::DynamicObject) -> Vec<String> {
    portal_status(portal).unclaimed.into_iter().map(|user| user.technical_user).collect()
}

async fn wait_for_unwatched_metric(world: &World, count: usize) {
    let line = format!("tuo_namespaces_unwatched {count}\n");
    world
        .eventually("the metric reports it", async || {
            world.ask("/metrics").await.is_some_and(|(_, text)| text.contains(&line))
        })
        .await;
}

#[tokio::test]
async fn a_namespace_without_role_is_reported_and_the_others_are_served() {
    let mut world = world().scoped().neighbour("").stopped().start().await;
    let dark = world.neighbours[0].clone();
    open_to_all(&world).await;
    let role = without_role(&world, &dark).await;
    world.apply(&create_from("hidden", &dark, &world.namespace, DATASPACE_DISCOVERY)).await;
    world.start_operator();
    world.apply(&create("edc", &world.namespace, DATASPACE_DISCOVERY)).await;
    one_user(&world, "edc").await;
    let text = world.readyz(200, &format!("namespace {dark} is not served")).await;
    for words in ["portals.technicaluser.dev", "secrets", "watchNamespaces", "cannot list resource"] {
        assert!(text.contains(words), "{words}: {text}");
    }
    let is_reported =
        |line: &str| line.contains("WARN") && line.contains(&format!("Namespace {dark} is not served"));
    world.operator().wait_for_line(is_reported).await.unwrap();
    wait_for_unwatched_metric(&world, 1).await;

    // Two users without a resource, as far as can be seen: the report of one shows that both were read.
    let theirs = user_from_a_restore(&world, &dark, "hidden").await;
    let lost = format!("{}/lost", world.namespace);
    user_from_a_restore(&world, &world.namespace, "lost").await;
    let portal = world.portal_until("the lost user is listed", |portal| !unclaimed(portal).is_empty()).await;
    assert_eq!(portal.unclaimed[0].technical_user, lost);
    world.more_lists_answered(2).await;
    assert_eq!(
        unclaimed(&world.portal().await.unwrap()),
        [lost],
        "whose resource is not seen is not unclaimed"
    );

    // Nor is a Portal absent that is not seen, and who knows whether a user that is there is its login.
    world.apply(&create_from("far", &world.namespace, &dark, DATASPACE_DISCOVERY)).await;
    let words = world.because("far", "PortalNotReady").await;
    assert!(words.contains(&dark) && words.contains("may not list"), "{words}");
    let stock = world.simulator.seed_user(UserSeed::new("One", "by-hand")).unwrap();
    world.apply(&existing("found", &world.namespace, &json!({"id": stock.id}))).await;
    let words = world.because("found", "PortalNotReady").await;
    assert!(words.contains(&dark), "{words}");

    world.kubectl_apply(&role).await;
    let hidden = world.ready(&format!("{dark}/hidden")).await;
    assert_eq!(recorded(&hidden).id, theirs.id.to_string(), "the user that was there is taken up");
    world.ready("found").await;
    world.because("far", "PortalNotFound").await;
    wait_for_unwatched_metric(&world, 0).await;
    assert!(!world.readyz(200, "ok").await.contains("namespace"));
}

/// The `ClusterRole` shows the resources of a namespace whose Role is missing: they say what is missing, and nothing is
/// created for them.
#[tokio::test]
async fn resources_whose_secrets_are_refused_say_so_and_get_no_user() {
    let mut world = world().neighbour("").stopped().start().await;
    let dark = world.neighbours[0].clone();
    open_to_all(&world).await;
    let role = without_role(&world, &dark).await;
    world.apply(&create_from("edc", &dark, &world.namespace, DATASPACE_DISCOVERY)).await;
    world.apply(&portal(&world.simulator, &dark)).await;
    world.start_operator();
    let name = format!("{dark}/edc");
    let refused = |object: &kube::api::DynamicObject| message(object).contains("secrets");
    world.until(&name, "it names what is refused", refused).await;
    let text = world.readyz(200, &format!("namespace {dark} is not served")).await;
    assert!(text.contains("secrets are refused") && !text.contains("ClusterRoleBinding"), "{text}");
    world.portal_because("LoggedIn").await;
    world.more_lists_answered(2).await;
    assert_eq!(world.portal_writes(), 0);
    world.kubectl_apply(&role).await;
    world.ready(&name).await;
    assert_eq!(world.count(portal_simulator::Endpoint::Create), 1);
    wait_for_unwatched_metric(&world, 0).await;
}

#[tokio::test]
async fn a_role_that_is_deleted_while_it_runs_excludes_its_namespace_until_it_is_created_again() {
    let world = world().scoped().neighbour("").start().await;
    let dark = world.neighbours[0].clone();
    open_to_all(&world).await;
    let name = format!("{dark}/edc");
    world.apply(&create_from("edc", &dark, &world.namespace, DATASPACE_DISCOVERY)).await;
    world.ready(&name).await;
    let users = world.ours();
    let role = without_role(&world, &dark).await;
    // Watches that are open are kept; they end automatically after five minutes.
    world.proxy.drop_connections();
    world.readyz(200, &format!("namespace {dark} is not served")).await;
    world.apply(&create("here", &world.namespace, DATASPACE_DISCOVERY)).await;
    one_user(&world, "here").await;
    world.more_lists_answered(2).await;
    assert_eq!(unclaimed(&world.portal().await.unwrap()), Vec::<String>::new());
    assert!(users.iter().all(|user| world.ours().contains(user)), "nothing is taken back");

    // A Portal under deletion waits for what it cannot see.
    world.delete("here").await;
    world.gone("here").await;
    world.portals_api().delete(crate::support::PORTAL, &kube::api::DeleteParams::default()).await.unwrap();
    let held = world
        .portal_until("the Portal is held", |portal| message(portal).contains("cannot see whether"))
        .await;
    assert_eq!(held.conditions[0].status, "False", "{held:?}");
    world.delete(&name).await;
    world.more_lists_answered(2).await;
    assert!(world.user(&name).await.is_some(), "the operator may not remove the finalizer");
    world.kubectl_apply(&role).await;
    world.gone(&name).await;
    assert_eq!(world.ours(), []);
    world.readyz(200, "ok").await;
    wait_for_unwatched_metric(&world, 0).await;
}

#[tokio::test]
async fn nothing_to_watch_is_not_ready() {
    let mut world = world().scoped().neighbour("").stopped().start().await;
    let other = world.neighbours[0].clone();
    let role = without_role(&world, &world.namespace).await;
    without_role(&world, &other).await;
    world.start_operator();
    let text = world.readyz(503, &format!("namespace {other} is not served")).await;
    assert!(text.contains(&format!("namespace {} is not served", world.namespace)), "{text}");
    wait_for_unwatched_metric(&world, 2).await;
    assert_eq!(world.proxy.count(&Matcher::any().method("PATCH")), 0);
    world.kubectl_apply(&role).await;
    world.readyz(200, &format!("namespace {other} is not served")).await;
    without_role(&world, &world.namespace).await;
    world.proxy.drop_connections();
    world.readyz(503, &format!("namespace {} is not served", world.namespace)).await;
    world.kubectl_apply(&role).await;
    world.readyz(200, "ok").await;
}
