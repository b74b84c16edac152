//! Vault resources against a real Vault: what a person has prepared there, and what is missing.

use kube::api::{DeleteParams, Patch, PatchParams};
use serde_json::{Value, json};
use technical_user_operator::api::vault::VaultStatus;
use testbed::Vault;

use crate::support::vault::{NAME, api, apply, because, manifest, policy, set_up, store, token_for};
use crate::support::{FINALIZER, World, condition, message, part, world};

const ACCOUNT: &str = "technical-user-operator";

/// The mount of a Vault cannot be changed: deletes the Vault and applies another one.
async fn again(world: &World, manifest: &Value) {
    api(world).delete(NAME, &DeleteParams::default()).await.unwrap();
    world
        .eventually("the Vault is deleted", async || api(world).get_opt(NAME).await.unwrap().is_none())
        .await;
    apply(world, manifest).await;
}

#[tokio::test]
async fn a_vault_that_is_prepared_is_ready_and_a_restart_writes_nothing() {
    let vault = Vault::start().await.unwrap();
    let mut world = world().start().await;
    world.portal_because("LoggedIn").await;
    let access = json!([
        {"namespaces": {"from": "Same"}, "prefix": "connectors/{namespace}"},
        {"namespaces": {"from": "All"}, "prefix": "teams/{namespace}"},
    ]);
    apply(&world, &manifest(&vault, &json!({ "access": access }))).await;
    let missing = because(&world, "LoginSecretMissing").await;
    assert!(message(&missing).contains("\"vault-token\"") && message(&missing).contains("key token"));
    assert_eq!(condition(&missing, "Reconciling").unwrap().status, "True", "the Secret may follow");
    store(&world, &token_for(&vault, &format!("connectors/{}/", world.namespace)).await).await;
    let ready = because(&world, "VaultReady").await;
    let status: VaultStatus = part(&ready, "status").unwrap();
    assert!(status.version.unwrap().starts_with("1."));
    assert_eq!(status.audience, None, "it is for the Kubernetes auth method");
    assert_eq!(condition(&ready, "InsecureHttp").unwrap().reason, "InsecureHttpAllowed");
    assert!(condition(&ready, "Reconciling").is_none() && condition(&ready, "Stalled").is_none());
    assert_eq!(ready.metadata.finalizers.as_deref(), Some(&[FINALIZER.to_owned()][..]));

    world.stop_operator().await;
    let before = world.writes();
    world.start_operator();
    let touched = json!({"metadata": {"annotations": {"example.org/touched": "1"}}});
    api(&world).patch(NAME, &PatchParams::default(), &Patch::Merge(&touched)).await.unwrap();
    world.operator().wait_for_line(|line| line.contains("Ready")).await.unwrap();
    // The change of the spec is checked after what the restart has checked.
    let elsewhere = json!([{"namespaces": {"from": "Same"}, "prefix": "elsewhere"}]);
    apply(&world, &manifest(&vault, &json!({ "access": elsewhere }))).await;
    because(&world, "PolicyTooNarrow").await;
    let written = world.writes() - before;
    assert!(written <= 1, "one write for the new spec, none for the restart: {written}");

    api(&world).delete(NAME, &DeleteParams::default()).await.unwrap();
    world
        .eventually("the Vault is deleted", async || api(&world).get_opt(NAME).await.unwrap().is_none())
        .await;
}

#[tokio::test]
async fn what_is_missing_in_a_vault_is_named_and_noticed_once_it_is_there() {
    let vault = Vault::start().await.unwrap();
    let world = world().start().await;
    store(&world, &token_for(&vault, "connectors/").await).await;
    apply(&world, &manifest(&vault, &json!({}))).await;
    let words = message(&because(&world, "PolicyTooNarrow").await);
    assert!(words.contains("create, read, update on secret/data/*"), "{words}");
    assert!(words.contains("create, read, patch, delete on secret/metadata/*"), "{words}");
    let below = json!([{"namespaces": {"from": "Same"}, "prefix": "connectors"}]);
    apply(&world, &manifest(&vault, &json!({ "access": below }))).await;
    because(&world, "VaultReady").await;

    set_up(&vault, "POST", "sys/mounts/old", &json!({"type": "kv", "options": {"version": "1"}})).await;
    let old = r#"path "old/*" { capabilities = ["create", "read", "update", "delete"] }"#;
    set_up(&vault, "PUT", "sys/policies/acl/writer", &json!({ "policy": old })).await;
    again(&world, &manifest(&vault, &json!({"mount": "old"}))).await;
    let words = message(&because(&world, "NotKvVersion2").await);
    assert!(words.contains("KV version 1"), "{words}");

    world.secret("vault-token", &[("token", "hvs.this-is-no-token")]).await;
    again(&world, &manifest(&vault, &json!({}))).await;
    let words = message(&because(&world, "LoginRefused").await);
    assert!(words.contains("\"vault-token\"") && !words.contains("hvs."), "{words}");

    store(&world, vault.root_token()).await;
    because(&world, "VaultReady").await;
    set_up(&vault, "PUT", "sys/seal", &json!({})).await;
    apply(&world, &manifest(&vault, &json!({"access": []}))).await;
    because(&world, "VaultSealed").await;
    let closed = vault.address().to_owned();
    drop(vault);
    let other = Vault::start_with_tls().await.unwrap();
    apply(&world, &manifest(&other, &json!({"address": closed}))).await;
    because(&world, "Unreachable").await;
    apply(&world, &manifest(&other, &json!({}))).await;
    let words = message(&because(&world, "TlsFailed").await);
    assert!(words.contains("tls.caBundle"), "{words}");
    world.secret("vault-ca", &[("ca.crt", other.ca().unwrap())]).await;
    store(&world, other.root_token()).await;
    let tls = json!({"caBundle": {"secretRef": {"name": "vault-ca"}}});
    apply(&world, &manifest(&other, &json!({ "tls": tls }))).await;
    let ready = because(&world, "VaultReady").await;
    assert!(condition(&ready, "InsecureHttp").is_none(), "it is https");
}

#[tokio::test]
async fn a_token_of_the_service_account_is_for_one_vault_alone() {
    let vault = Vault::start().await.unwrap();
    let world = world().value("vault.kubernetesAuth.enabled=true").start().await;
    set_up(&vault, "PUT", "sys/policies/acl/writer", &policy("")).await;
    set_up(&vault, "POST", "sys/auth/kubernetes", &json!({"type": "kubernetes"})).await;
    world.plane.create_service_account(&world.namespace, "reviewer").await.unwrap();
    let reviewer = format!("--serviceaccount={}:reviewer", world.namespace);
    let bind =
        ["create", "clusterrolebinding", &world.namespace, "--clusterrole=system:auth-delegator", &reviewer];
    world.plane.kubectl(&bind).await.unwrap().success().unwrap();
    let cluster = json!({
        "kubernetes_host": world.plane.server(),
        "kubernetes_ca_cert": std::fs::read_to_string(world.plane.ca()).unwrap(),
        "token_reviewer_jwt": world.plane.service_account_token(&world.namespace, "reviewer").await.unwrap(),
    });
    set_up(&vault, "POST", "auth/kubernetes/config", &cluster).await;
    let role = async |name: &str, audience: Option<&str>| {
        let mut role = json!({
            "bound_service_account_names": ACCOUNT, "bound_service_account_namespaces": world.namespace,
            "token_policies": "writer",
        });
        if let Some(audience) = audience {
            role["audience"] = json!(audience);
        }
        set_up(&vault, "POST", &format!("auth/kubernetes/role/{name}"), &role).await;
    };
    let audience = format!("technicaluser.dev/{}/{NAME}", world.namespace);
    role("ours", Some(&audience)).await;
    role("of-another-vault", Some(&format!("technicaluser.dev/{}/other", world.namespace))).await;
    role("of-every-audience", None).await;
    let with = |role: &str| manifest(&vault, &json!({"auth": {"kubernetes": {"role": role}}}));
    for refused in ["of-another-vault", "missing"] {
        apply(&world, &with(refused)).await;
        let object = because(&world, "LoginRefused").await;
        assert!(message(&object).contains(&format!("audience={audience}")), "{}", message(&object));
    }
    apply(&world, &with("of-every-audience")).await;
    let words = message(&because(&world, "AudienceNotChecked").await);
    assert!(words.contains(&format!("audience={audience}")), "{words}");
    apply(&world, &with("ours")).await;
    let status: VaultStatus = part(&because(&world, "VaultReady").await, "status").unwrap();
    assert_eq!(status.audience.as_deref(), Some(audience.as_str()));
}

#[tokio::test]
async fn a_token_of_the_service_account_needs_a_right_that_only_a_value_of_the_chart_grants() {
    let vault = Vault::start().await.unwrap();
    let world = world().start().await;
    apply(&world, &manifest(&vault, &json!({"auth": {"kubernetes": {"role": "operator"}}}))).await;
    let words = message(&because(&world, "TokenRequestDenied").await);
    assert!(words.contains("vault.kubernetesAuth.enabled"), "{words}");
}
