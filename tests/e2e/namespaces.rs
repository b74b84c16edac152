//! A namespace is deleted with the resources in it, and Kubernetes deletes the operator's `RoleBinding` there first: the
//! users are deleted in the portal, and the namespace ends.

use portal_simulator::role_names::{DATASPACE_DISCOVERY, IDENTITY_WALLET_MANAGEMENT};
use portal_simulator::{Action, Change, Endpoint, Fault, Stage, Status, UserView};
use serde_json::{Value, json};
use std::time::Duration;
use testbed::Matcher;

use crate::support::{
    CONNECTOR_LOGIN, FULL_LOGIN, Login, RELEASE, World, WorldBuilder, create, create_from, message, portal,
    reason, world,
};

const INTERNAL: &str = DATASPACE_DISCOVERY;
const EXTERNAL: &str = IDENTITY_WALLET_MANAGEMENT;

/// A world with a neighbour that the Portal of the home namespace serves by its label, and that has an internal and an
/// external user.
async fn namespace_with_users(builder: WorldBuilder) -> (World, String) {
    let world = builder.neighbour("dataspace=yes").start().await;
    let namespace = world.neighbours[0].clone();
    let selector = json!({"from": "Selector", "selector": {"matchLabels": {"dataspace": "yes"}}});
    let access = json!([{"namespaces": selector, "roles": [INTERNAL, EXTERNAL]}]);
    world.patch_portal(&json!({"spec": {"access": access}})).await;
    for (name, role) in [("internal", INTERNAL), ("wallet", EXTERNAL)] {
        world.apply(&create_from(name, &namespace, &world.namespace, role)).await;
        world.ready(&format!("{namespace}/{name}")).await;
    }
    assert_eq!(world.ours().len(), 2);
    (world, namespace)
}

/// A neighbour with a Portal, its login and two published resources.
async fn namespace_with_portal_and_users(world: &World, login: Login<'_>) -> String {
    let namespace = world.neighbours[0].clone();
    let secret = json!({
        "apiVersion": "v1", "kind": "Secret", "metadata": {"name": "portal-login", "namespace": namespace},
        "stringData": {"client-id": login.client_id, "client-secret": login.secret},
    });
    world.kubectl_apply(&secret).await;
    world.apply(&portal(&world.simulator, &namespace)).await;
    for (name, role) in [("internal", INTERNAL), ("wallet", EXTERNAL)] {
        world.apply(&create(name, &namespace, role)).await;
        world.ready(&format!("{namespace}/{name}")).await;
    }
    namespace
}

/// Each DELETE takes two seconds in the portal.
fn deletes_slowly(world: &World) {
    world.simulator.inject(Fault::at(Endpoint::Delete, Action::Delay(Duration::from_secs(2))));
}

async fn delete(world: &World, namespace: &str) {
    let delete = ["delete", "namespace", namespace, "--wait=false"];
    world.plane.kubectl(&delete).await.unwrap().success().unwrap();
}

async fn is_there(world: &World, kind: &str, name: &[&str]) -> bool {
    let ask = [&["get", kind, "--ignore-not-found", "-o", "name"], name].concat();
    !world.plane.kubectl(&ask).await.unwrap().success().unwrap().is_empty()
}

/// Waits until Kubernetes has deleted what the operator's rights in a namespace come from, and the Secrets.
async fn wait_until_rights_and_secrets_are_gone(world: &World, namespace: &str) {
    world
        .eventually("the RoleBindings and Secrets of the namespace are gone", async || {
            !is_there(world, "rolebindings,roles,secrets", &["-n", namespace]).await
        })
        .await;
}

async fn wait_until_ended(world: &World, namespace: &str) {
    world
        .eventually("the namespace is gone", async || !is_there(world, "namespace", &[namespace]).await)
        .await;
}

/// Deletes a namespace with two users while the portal takes its time: both are deleted before the namespace ends.
async fn ends_without_users(world: &World, namespace: &str) {
    deletes_slowly(world);
    delete(world, namespace).await;
    wait_until_ended(world, namespace).await;
    assert_eq!(world.ours(), []);
    assert_eq!((world.count(Endpoint::Create), world.count(Endpoint::Delete)), (2, 2));
}

/// A namespace that ends, and its users with it, while the portal takes its time.
async fn ends_with_its_users(builder: WorldBuilder) {
    let (world, namespace) = namespace_with_users(builder).await;
    ends_without_users(&world, &namespace).await;
}

#[tokio::test]
async fn a_namespace_ends_with_its_users() {
    ends_with_its_users(world()).await;
}

#[tokio::test]
async fn a_namespace_ends_with_its_users_where_all_are_watched() {
    ends_with_its_users(world().cluster_wide()).await;
}

#[tokio::test]
async fn a_resource_says_that_its_user_is_being_deleted() {
    let (world, namespace) = namespace_with_users(world()).await;
    let gate = world.simulator.gate(Endpoint::Delete, Stage::Arrived);
    delete(&world, &namespace).await;
    wait_until_rights_and_secrets_are_gone(&world, &namespace).await;
    for name in ["internal", "wallet"] {
        let words = world.because(&format!("{namespace}/{name}"), "Deleting").await;
        let user = world.ours().into_iter().find(|user| user.description.contains(&format!("/{name} ")));
        assert!(words.contains(&user.unwrap().id.to_string()), "{words}");
    }
    gate.release();
    wait_until_ended(&world, &namespace).await;
    assert_eq!(world.ours(), []);
}

/// Kubernetes deletes the namespace's login Secret and the operator's rights first: the login is kept in memory.
async fn ends_with_its_portal(builder: WorldBuilder) {
    let world = builder.neighbour("").start().await;
    let namespace = namespace_with_portal_and_users(&world, FULL_LOGIN).await;
    ends_without_users(&world, &namespace).await;
}

#[tokio::test]
async fn a_namespace_ends_with_its_portal_and_login() {
    ends_with_its_portal(world()).await;
}

#[tokio::test]
async fn a_namespace_ends_with_its_portal_and_login_where_all_are_watched() {
    ends_with_its_portal(world().cluster_wide()).await;
}

#[tokio::test]
async fn a_namespace_waits_for_a_person_where_the_login_may_not_delete() {
    let world = world().neighbour("").start().await;
    let namespace = namespace_with_portal_and_users(&world, CONNECTOR_LOGIN).await;
    let users = world.ours();
    let of = |name: &str| -> &UserView {
        users.iter().find(|user| user.description.contains(&format!("/{name} "))).unwrap()
    };
    world.simulator.inject(Fault::at(Endpoint::Reset, Action::Delay(Duration::from_secs(2))));
    delete(&world, &namespace).await;
    wait_until_rights_and_secrets_are_gone(&world, &namespace).await;
    let words = world.because(&format!("{namespace}/wallet"), "Undeletable").await;
    assert!(words.contains(of("wallet").client_id.as_deref().unwrap()), "{words}");
    world.gone(&format!("{namespace}/internal")).await;
    let revoked = world.simulator.view(|view| view.user(of("internal").id)).unwrap();
    assert_ne!(revoked.secret, of("internal").secret, "the old secret is dead");
    assert!(revoked.status == Status::Active && revoked.description.contains("retained"));
    assert_eq!(world.simulator.delete_by_hand(of("wallet").id), Change::Done);
    wait_until_ended(&world, &namespace).await;
    assert_eq!(world.ours(), []);
    let portals = ["get", "portals.technicaluser.dev", "-n", &world.namespace, "-o", "json"];
    let portals: Value =
        serde_json::from_str(&world.plane.kubectl(&portals).await.unwrap().success().unwrap()).unwrap();
    assert_eq!(portals["items"].as_array().unwrap().len(), 1, "the other Portal is not concerned");
}

#[tokio::test]
async fn a_namespace_ends_after_a_restart() {
    let (mut world, namespace) = namespace_with_users(world()).await;
    world.stop_operator().await;
    delete(&world, &namespace).await;
    wait_until_rights_and_secrets_are_gone(&world, &namespace).await;
    deletes_slowly(&world);
    world.start_operator();
    wait_until_ended(&world, &namespace).await;
    assert_eq!(world.ours(), []);
    assert_eq!(world.count(Endpoint::Delete), 2);
}

/// After a restart no process knows the login any more, and none can be written into a namespace that ends.
#[tokio::test]
async fn a_login_that_ended_first_is_named_and_the_resources_can_be_released() {
    let mut world = world().neighbour("").start().await;
    let namespace = namespace_with_portal_and_users(&world, FULL_LOGIN).await;
    world.stop_operator().await;
    delete(&world, &namespace).await;
    wait_until_rights_and_secrets_are_gone(&world, &namespace).await;
    world.start_operator();
    for name in ["internal", "wallet"] {
        let name = format!("{namespace}/{name}");
        let held = "it says what holds it";
        let held = world.until(&name, held, |object| message(object).contains("is being deleted")).await;
        for part in [RELEASE, "portal-login"] {
            assert!(message(&held).contains(part), "{part}: {}", message(&held));
        }
        assert_eq!(reason(&held), "PortalNotReady");
        world.patch_user(&name, &json!({"metadata": {"annotations": {RELEASE: "yes"}}})).await;
    }
    wait_until_ended(&world, &namespace).await;
    assert_eq!(world.count(Endpoint::Delete), 0);
    assert_eq!(world.ours().len(), 2, "they are kept, as a person said");
}

#[tokio::test]
async fn a_user_that_is_being_created_when_its_namespace_ends_is_deleted() {
    for role in [INTERNAL, EXTERNAL] {
        let world = world().neighbour("").start().await;
        let namespace = world.neighbours[0].clone();
        let access = json!([{"namespaces": {"from": "All"}, "roles": [role]}]);
        world.patch_portal(&json!({"spec": {"access": access}})).await;
        world.portal_ready().await;
        let gate = world.simulator.gate(Endpoint::Create, Stage::Working);
        world.apply(&create_from("edc", &namespace, &world.namespace, role)).await;
        gate.reached().await;
        delete(&world, &namespace).await;
        wait_until_rights_and_secrets_are_gone(&world, &namespace).await;
        gate.release();
        wait_until_ended(&world, &namespace).await;
        assert_eq!(world.ours(), [], "{role}");
        assert_eq!(world.count(Endpoint::Create), 1);
    }
}

/// What selects a namespace by its labels needs them; what deletes a user does not.
#[tokio::test]
async fn labels_that_cannot_be_read_keep_no_user_from_being_deleted() {
    let (mut world, namespace) = namespace_with_users(world()).await;
    world.stop_operator().await;
    let refused = testbed::Action::status(403, "Forbidden", "no namespace for you");
    let namespaces = Matcher::any().path_regex("^/api/v1/namespaces(/[^/]+)?$").unwrap();
    let rule = world.proxy.on(namespaces).action(refused);
    for name in ["internal", "wallet"] {
        world.delete(&format!("{namespace}/{name}")).await;
    }
    world.start_operator();
    for name in ["internal", "wallet"] {
        world.gone(&format!("{namespace}/{name}")).await;
    }
    assert_eq!(world.ours(), []);
    rule.remove();
}

/// Without the `ClusterRole` Kubernetes deletes the rights before the resources: the namespace is stuck until a person grants
/// them again.
#[tokio::test]
async fn with_roles_only_a_cluster_role_binding_frees_a_namespace_that_is_stuck() {
    let (mut world, namespace) = namespace_with_users(world().scoped()).await;
    // No user is deleted before the rights are, however long that takes.
    let hanging = world.simulator.inject(Fault::at(Endpoint::Delete, Action::Hang));
    delete(&world, &namespace).await;
    wait_until_rights_and_secrets_are_gone(&world, &namespace).await;
    world.simulator.remove_fault(hanging);
    // Neither the process that knew the resources nor one that does not can free it.
    world.proxy.drop_connections();
    let words = world.readyz(200, &format!("namespace {namespace} is not served")).await;
    assert!(words.contains("ClusterRoleBinding") && words.contains("docs/operations.md"), "{words}");
    world.stop_operator().await;
    world.start_operator();
    world.readyz(200, &format!("namespace {namespace} is not served")).await;
    assert!(is_there(&world, "technicalusers.technicaluser.dev", &["-n", &namespace]).await);

    let name = format!("end-of-{namespace}");
    let run = async |arguments: &[&str]| world.plane.kubectl(arguments).await.unwrap().success().unwrap();
    let resources = ["technicalusers", "technicalusers/status", "portals", "portals/status"];
    let resources = resources.map(|resource| match resource.split_once('/') {
        Some((kind, part)) => format!("--resource={kind}.technicaluser.dev/{part}"),
        None => format!("--resource={resource}.technicaluser.dev"),
    });
    let role = ["create", "clusterrole", &name, "--verb=get,list,watch,patch"];
    let resources: Vec<_> = resources.iter().map(String::as_str).collect();
    run(&[&role[..], &resources].concat()).await;
    let account = format!("--serviceaccount={}:technical-user-operator", world.namespace);
    let grants = format!("--clusterrole={name}");
    run(&["create", "clusterrolebinding", &name, &grants, &account]).await;
    wait_until_ended(&world, &namespace).await;
    assert_eq!(world.ours(), []);
    for kind in ["clusterrolebinding", "clusterrole"] {
        run(&["delete", kind, &name]).await;
    }
}
