//! A connector in a pod: the kubelet builds its environment, and it reads its client secret from a Vault that asks the cluster
//! who the operator is.

use std::time::Duration;

use portal_simulator::role_names::DATASPACE_DISCOVERY;
use secrecy::ExposeSecret as _;
use serde_json::{Value, json};
use testbed::{Vault, eventually};

use crate::edc::{Chart, Container, Page, merge};
use crate::support::vault::{self, as_root, content, token_to_read};
use crate::support::{Release, company_one, create};

const USER: &str = "edc-wallet";
const IMAGE: &str = "registry.example.org/edc:tested";

fn page() -> Page {
    Page::read("connector.md")
}

/// A Vault that lets the operator's `ServiceAccount` in with the policy of the page.
async fn prepared_vault(release: &Release) -> Vault {
    let namespace = &release.namespace;
    let vault = vault::start(release.cluster, namespace).await;
    let policy = json!({ "policy": page().file("operator.hcl") });
    as_root(&vault, "PUT", "sys/policies/acl/operator", &policy).await;
    let role = json!({
        "bound_service_account_names": "technical-user-operator",
        "bound_service_account_namespaces": namespace,
        "audience": format!("technicaluser.dev/{namespace}/vault"),
        "token_policies": "operator",
    });
    as_root(&vault, "POST", "auth/kubernetes/role/technical-user-operator-connector", &role).await;
    vault
}

/// Applies the Vault of the page, with the address and the certificate of this one, and waits until it is ready.
async fn apply_vault(release: &Release, vault: &Vault) {
    let namespace = release.namespace.as_str();
    release.kubectl_apply(&vault::certificate(vault, namespace)).await;
    let mut manifest = page().yaml("vault.yaml");
    manifest["metadata"]["namespace"] = json!(namespace);
    manifest["spec"]["address"] = json!(vault.address());
    manifest["spec"]["tls"] = json!({"caBundle": {"configMapRef": {"name": "vault-ca", "key": "ca.crt"}}});
    release.kubectl_apply(&manifest).await;
    let ready =
        ["-n", namespace, "wait", "--for=condition=Ready", "--timeout=3m", "vault.technicaluser.dev/vault"];
    release.cluster.kubectl(&ready).await;
}

/// A pod with the container that the connector's chart renders from the values of the page.
async fn pod(release: &Release, vault: &Vault) -> Value {
    let chart = Chart::of("0.13");
    let mut values = chart.values_of_the_company();
    merge(&mut values, &page().yaml("values-0.13.yaml"));
    values["vault"]["hashicorp"]["url"] = json!(vault.address());
    values["vault"]["hashicorp"]["token"] = json!(token_to_read(vault, "connector/edc-wallet-*").await);
    let Container { env_from, env } = &chart.render(&values).unwrap()["dataplane"];
    let variable = |(name, value): &(String, String)| json!({ "name": name, "value": value });
    json!({
        "apiVersion": "v1", "kind": "Pod", "metadata": {"name": "connector", "namespace": release.namespace},
        "spec": {
            "securityContext": {"runAsNonRoot": true, "seccompProfile": {"type": "RuntimeDefault"}},
            "containers": [{
                "name": "tractusx-connector", "image": IMAGE,
                "envFrom": env_from.iter().map(|name| json!({"secretRef": {"name": name}})).collect::<Vec<_>>(),
                "env": env.iter().map(variable).collect::<Vec<_>>(),
                "securityContext": {"allowPrivilegeEscalation": false, "capabilities": {"drop": ["ALL"]}},
                "readinessProbe": {"httpGet": {"path": "/readyz", "port": 8080}},
            }],
        },
    })
}

/// Waits until the connector has obtained more tokens than before.
async fn obtains_more_than(release: &Release, before: &Value) -> Value {
    let outcome = async || release.cluster.outcome(&release.namespace, "connector").await;
    let more = async || {
        let now = outcome().await;
        (now["ready"] == true && now["obtained"].as_u64() > before["obtained"].as_u64()).then_some(now)
    };
    match eventually("the connector obtains a token", more).await {
        Ok(outcome) => outcome,
        Err(error) => panic!("{error}: {}\n{}", outcome().await, release.cluster.state().await),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_connector_in_a_pod_obtains_tokens_from_vault_without_a_restart() {
    let release = Release::prepare(company_one().token_lifetime(Duration::from_secs(12))).await;
    let vault = prepared_vault(&release).await;
    release.cluster.connector_image(IMAGE, &[&release.simulator.ca_pem(), vault.ca().unwrap()]).await;
    release.helm("install", &["vault.kubernetesAuth.enabled=true"]).await.unwrap();
    release.apply_portal().await;
    let spec = json!({
        "verification": {"interval": "10s"}, "dataspace": {"walletUrl": "https://wallet.example.org/api/sts"},
    });
    release.patch_portal(&json!({ "spec": spec })).await;
    apply_vault(&release, &vault).await;
    release.kubectl_apply(&pod(&release, &vault).await).await;

    // The pod waits for the Secret with its variables.
    let mut user = create(USER, &release.namespace, DATASPACE_DISCOVERY);
    user["spec"]["outputs"] = page().yaml("edc-wallet.yaml")["spec"]["outputs"].take();
    release.apply(&user).await;
    release.ready(USER).await;
    let started = ["wait", "--for=condition=Ready", "--timeout=3m", "pod/connector"];
    release.cluster.kubectl(&[&["-n", release.namespace.as_str()], &started[..]].concat()).await;
    let first = obtains_more_than(&release, &json!({"obtained": 0})).await;
    assert_eq!(first["clientId"], json!(release.user_of(USER).client_id), "{first}");
    assert_eq!((&first["source"], &first["failed"]), (&json!("vault"), &json!(0)), "{first}");
    obtains_more_than(&release, &first).await;

    release.simulator.reset_by_hand(release.user_of(USER).id).unwrap();
    let secret = release.user_of(USER).secret;
    release
        .eventually("Vault has the new client secret", async || {
            content(&vault, "connector/edc-wallet-1").await == secret
        })
        .await;
    let before = release.cluster.outcome(&release.namespace, "connector").await;
    obtains_more_than(&release, &before).await;
    assert!(!vault.log().contains(vault.root_token().expose_secret()));
    let restarts = "jsonpath={.status.containerStatuses[0].restartCount}";
    let namespace = release.namespace.as_str();
    let restarts =
        release.cluster.kubectl(&["-n", namespace, "get", "pod", "connector", "-o", restarts]).await;
    assert_eq!(restarts, "0");
    release.cluster.kubectl(&["delete", "clusterrolebinding", namespace]).await;
}
