//! What Kubernetes and the portal allow: no user is created whose Secret could not be written.

use portal_simulator::role_names::{DATASPACE_DISCOVERY, IDENTITY_WALLET_MANAGEMENT};
use portal_simulator::{Action, Canned, Endpoint, Fault};
use serde_json::{Value, json};

use crate::support::{World, create, reason, world};

async fn quota(world: &World, free: usize) {
    let secrets = world.secrets_api().list(&kube::api::ListParams::default()).await.unwrap().items.len();
    world
        .kubectl_apply(&json!({
            "apiVersion": "v1", "kind": "ResourceQuota",
            "metadata": {"name": "few-secrets", "namespace": world.namespace},
            "spec": {"hard": {"count/secrets": (secrets + free).to_string()}},
        }))
        .await;
    let ask = ["get", "resourcequota", "few-secrets", "-n", &world.namespace, "-o", "json"];
    world
        .eventually("the quota counts", async || {
            let found = world.plane.kubectl(&ask).await.unwrap().success().unwrap();
            let found: Value = serde_json::from_str(&found).unwrap();
            found["status"]["hard"] == found["spec"]["hard"] && found["status"]["used"].is_object()
        })
        .await;
}

#[tokio::test]
async fn a_quota_without_a_free_place_prevents_the_create() {
    let world = world().start().await;
    world.portal_ready().await;
    quota(&world, 0).await;
    world.apply(&create("edc", &world.namespace, DATASPACE_DISCOVERY)).await;
    let words = world.because("edc", "OutputNotWritable").await;
    assert!(words.contains("exceeded quota") && words.contains("sends no request to the portal"), "{words}");
    world.two_sweeps().await;
    assert_eq!(world.portal_writes(), 0);
    quota(&world, 1).await;
    world.sweep().await;
    world.ready("edc").await;
    assert_eq!(world.ours().len(), 1);
}

#[tokio::test]
async fn no_more_users_are_created_than_a_quota_has_places() {
    let world = world().start().await;
    world.portal_ready().await;
    quota(&world, 2).await;
    let names: Vec<String> = (1..=6).map(|number| format!("edc-{number}")).collect();
    for name in &names {
        world.apply(&create(name, &world.namespace, DATASPACE_DISCOVERY)).await;
    }
    for name in &names {
        world
            .until(name, "it is ready or waits", |user| {
                ["Ready", "OutputNotWritable"].contains(&reason(user).as_str())
            })
            .await;
    }
    let settled = async |wanted: usize| {
        world
            .eventually("as many are ready as there is room for", async || {
                let mut ready = 0;
                for name in &names {
                    ready += usize::from(reason(&world.user(name).await.unwrap()) == "Ready");
                }
                ready == wanted
            })
            .await;
    };
    settled(2).await;
    world.two_sweeps().await;
    assert_eq!(world.count(Endpoint::Create), 2);
    assert_eq!(world.ours().len(), 2);
    quota(&world, 4).await;
    world.sweep().await;
    settled(6).await;
    assert_eq!(world.ours().len(), 6);
    assert_eq!(world.count(Endpoint::Create), 6);
}

#[tokio::test]
async fn a_refused_create_keeps_no_place_of_a_quota() {
    let world = world().start().await;
    world.portal_ready().await;
    quota(&world, 1).await;
    world.simulator.inject(Fault::at(Endpoint::Create, Action::Status(Canned::error(400))).once());
    world.apply(&create("refused", &world.namespace, DATASPACE_DISCOVERY)).await;
    world.because("refused", "CreateRefused").await;
    world.apply(&create("edc", &world.namespace, DATASPACE_DISCOVERY)).await;
    world.ready("edc").await;
    assert_eq!(world.count(Endpoint::Create), 2);
    assert_eq!(world.ours().len(), 1);
}

#[tokio::test]
async fn an_admission_policy_that_forbids_the_secret_prevents_the_create() {
    let world = world().start().await;
    let name = format!("no-secrets-in-{}", world.namespace);
    let selector = json!({"matchLabels": {"kubernetes.io/metadata.name": world.namespace}});
    world.kubectl_apply(&json!({
        "apiVersion": "admissionregistration.k8s.io/v1", "kind": "ValidatingAdmissionPolicy", "metadata": {"name": name},
        "spec": {
            "failurePolicy": "Fail",
            "matchConstraints": {"namespaceSelector": selector, "resourceRules": [
                {"apiGroups": [""], "apiVersions": ["v1"], "operations": ["CREATE", "UPDATE"], "resources": ["secrets"]}]},
            "validations": [{"expression": "!object.metadata.name.startsWith('edc')", "message": "ask the security team first"}],
        },
    })).await;
    world.kubectl_apply(&json!({
        "apiVersion": "admissionregistration.k8s.io/v1", "kind": "ValidatingAdmissionPolicyBinding", "metadata": {"name": name},
        "spec": {"policyName": name, "validationActions": ["Deny"]},
    })).await;
    let probe = ["create", "secret", "generic", "edc-probe", "-n", &world.namespace, "--dry-run=server"];
    world
        .eventually("the policy is in force", async || {
            !world.plane.kubectl(&probe).await.unwrap().status.success()
        })
        .await;

    world.apply(&create("edc", &world.namespace, DATASPACE_DISCOVERY)).await;
    let words = world.because("edc", "OutputNotWritable").await;
    assert!(words.contains("ask the security team first"), "{words}");
    world.two_sweeps().await;
    assert_eq!(world.portal_writes(), 0);
    let kind = "validatingadmissionpolicybinding";
    world.plane.kubectl(&["delete", kind, &name]).await.unwrap().success().unwrap();
    world
        .eventually("the policy is lifted", async || {
            world.plane.kubectl(&probe).await.unwrap().status.success()
        })
        .await;
    world.sweep().await;
    world.ready("edc").await;
    assert_eq!(world.count(Endpoint::Create), 1);
    world.plane.kubectl(&["delete", "validatingadmissionpolicy", &name]).await.unwrap().success().unwrap();
}

#[tokio::test]
async fn names_and_descriptions_may_be_as_long_as_the_schema_says() {
    let world = world().start().await;
    let long = "n".repeat(253);
    let mut manifest = create(&long, &world.namespace, DATASPACE_DISCOVERY);
    manifest["spec"]["user"]["create"]["name"] = "a".repeat(68).into();
    manifest["spec"]["user"]["create"]["description"] = "ä".repeat(512).into();
    world.apply(&manifest).await;
    let mut wallet = create("wallet", &world.namespace, IDENTITY_WALLET_MANAGEMENT);
    wallet["spec"]["user"]["create"]["name"] = "b".repeat(68).into();
    world.apply(&wallet).await;
    world.ready(&long).await;
    world.ready("wallet").await;
    assert_eq!(world.token_with(&long).await, 200);
    let user = world.user_of(&long);
    assert_eq!(user.name.len(), 80);
    assert!(user.description.ends_with(&"ä".repeat(512)));
    for bad in
        [json!({"name": "a".repeat(69)}), json!({"description": "x".repeat(513)}), json!({"name": "Upper"})]
    {
        let mut manifest = create("too-long", &world.namespace, DATASPACE_DISCOVERY);
        for (field, value) in bad.as_object().unwrap() {
            manifest["spec"]["user"]["create"][field] = value.clone();
        }
        let refused = world.try_apply(&manifest).await.unwrap_err().to_string();
        assert!(refused.contains("spec.user.create"), "{refused}");
    }
    world.delete(&long).await;
    world.gone(&long).await;
}
