//! A cluster whose policy wants a label on whatever is created.

use k8s_openapi::api::coordination::v1::Lease;
use kube::Api;
use portal_simulator::Version;
use portal_simulator::role_names::DATASPACE_DISCOVERY;
use serde_json::json;

use crate::support::{
    IDENTITY_SECRET, PERSON, SESSION_SECRET, WITHOUT_DELETION, World, create, one_company, world,
};

const NAME: &str = IDENTITY_SECRET;
const REFUSAL: &str = "everything needs the label team";

/// Refuses what the operator writes into the world's namespace without the label `team`, and waits until that works.
async fn require_label(world: &World) {
    let name = format!("label-{}", world.namespace);
    let account = format!("system:serviceaccount:{}:technical-user-operator", world.namespace);
    let rule = |group: &str, resource: &str| json!({"apiGroups": [group], "apiVersions": ["v1"], "operations": ["CREATE", "UPDATE"], "resources": [resource]});
    world
        .kubectl_apply(&json!({
            "apiVersion": "admissionregistration.k8s.io/v1", "kind": "ValidatingAdmissionPolicy",
            "metadata": {"name": name},
            "spec": {
                "matchConstraints": {"resourceRules": [rule("", "secrets"), rule("coordination.k8s.io", "leases")]},
                "matchConditions": [{"name": "operator", "expression": format!("request.userInfo.username == '{account}'")}],
                "validations": [{
                    "expression": "has(object.metadata.labels) && 'team' in object.metadata.labels", "message": REFUSAL,
                }],
            },
        }))
        .await;
    world
        .kubectl_apply(&json!({
            "apiVersion": "admissionregistration.k8s.io/v1", "kind": "ValidatingAdmissionPolicyBinding",
            "metadata": {"name": name},
            "spec": {"policyName": name, "validationActions": ["Deny"]},
        }))
        .await;
    let namespace = &world.namespace;
    let ask = ["create", "secret", "generic", "probe", "--dry-run=server", "-n", namespace, "--as", &account];
    world
        .eventually("the policy is enforced", async || {
            format!("{:?}", world.plane.kubectl(&ask).await.unwrap()).contains(REFUSAL)
        })
        .await;
}

async fn remove_policy(world: &World) {
    let name = format!("label-{}", world.namespace);
    let kind = "validatingadmissionpolicybinding";
    world.plane.kubectl(&["delete", kind, &name]).await.unwrap().success().unwrap();
}

#[tokio::test]
async fn a_refused_identity_is_reported_and_waited_for() {
    let mut world = world().stopped().start().await;
    require_label(&world).await;
    world.start_operator();
    let words = world.readyz(503, REFUSAL).await;
    assert!(words.contains(&format!("Secret \"{NAME}\"")), "{words}");
    assert!(world.operator().try_wait().unwrap().is_none(), "the process continues");
    remove_policy(&world).await;
    let words = world.readyz(200, "ok").await;
    assert!(!words.contains(NAME), "{words}");
    world.portal_because("LoggedIn").await;
}

#[tokio::test]
async fn common_labels_are_on_everything_that_the_operator_creates() {
    let person = PERSON.with_permissions(WITHOUT_DELETION).of("One").human();
    let config = one_company(Version::Main).caller(person);
    let mut world = world()
        .simulator(config)
        .elected()
        .env("TUO_COMMON_LABELS", "team=connector,example.org/cost-center=4711")
        .stopped()
        .start()
        .await;
    require_label(&world).await;
    world.login_by_refresh_token(PERSON.secret).await;
    let mut with_label = create("own-label", &world.namespace, DATASPACE_DISCOVERY);
    with_label["spec"]["outputs"] = json!([{"secret": {"name": "own-label", "labels": {"team": "other"}}}]);
    world.apply(&with_label).await;
    world.apply(&create("edc", &world.namespace, DATASPACE_DISCOVERY)).await;
    world.start_operator();
    world.ready("edc").await;
    world.ready("own-label").await;
    for (secret, team) in
        [(NAME, "connector"), (SESSION_SECRET, "connector"), ("edc", "connector"), ("own-label", "other")]
    {
        let labels = world.get_secret(secret).await.unwrap().metadata.labels.unwrap_or_default();
        assert_eq!(labels.get("team").map(String::as_str), Some(team), "{secret}: {labels:?}");
        assert_eq!(labels.get("example.org/cost-center").map(String::as_str), Some("4711"), "{secret}");
    }
    let lease = Api::<Lease>::namespaced(world.client.clone(), &world.namespace).get(NAME).await.unwrap();
    assert_eq!(lease.metadata.labels.unwrap_or_default()["team"], "connector");
    remove_policy(&world).await;
}

#[tokio::test]
async fn published_secrets_get_labels_that_are_added_later() {
    let mut world = world().start().await;
    world.apply(&create("edc", &world.namespace, DATASPACE_DISCOVERY)).await;
    world.ready("edc").await;
    world.stop_operator().await;
    world.set_env("TUO_COMMON_LABELS", "team=connector");
    world.start_operator();
    world
        .eventually("the published Secret has the label", async || {
            let labels = world.get_secret("edc").await.unwrap().metadata.labels.unwrap_or_default();
            labels.get("team").is_some_and(|team| team == "connector")
        })
        .await;
    assert_eq!(world.ours().len(), 1);
}

#[tokio::test]
async fn a_refused_lease_is_reported() {
    let mut world = world().elected().stopped().start().await;
    world.start_operator();
    world.portal_because("LoggedIn").await;
    world.stop_operator().await;
    require_label(&world).await;
    world.start_operator();
    let words = world.readyz(200, REFUSAL).await;
    assert!(words.contains(&format!("the lease \"{NAME}\"")), "{words}");
    remove_policy(&world).await;
    world.portal_because("LoggedIn").await;
}
