//! What tests rely on in a Vault server.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test that cannot go on has failed")]

use secrecy::SecretString;
use serde_json::{Value, json};
use testbed::{Vault, shared};

const PATH: &str = "secret/data/connectors/edc-wallet";

/// The policy and the role of a writer below `connectors/`.
async fn allow_writers(vault: &Vault) {
    let policy = json!({"policy": "path \"secret/data/connectors/*\" { capabilities = [\"create\", \"read\", \"update\"] }"});
    vault.as_root("PUT", "sys/policies/acl/writers", Some(&policy)).await.unwrap().success().unwrap();
}

async fn enable(vault: &Vault, method: &str) {
    let path = format!("sys/auth/{method}");
    vault.as_root("POST", &path, Some(&json!({"type": method}))).await.unwrap().success().unwrap();
}

/// Logs in without a token, and returns the one that is handed out.
async fn log_in(vault: &Vault, method: &str, credentials: &Value) -> SecretString {
    let path = format!("auth/{method}/login");
    let answer = vault.call(&"".into(), "POST", &path, Some(credentials)).await.unwrap().success().unwrap();
    answer["auth"]["client_token"].as_str().unwrap().into()
}

/// Writes as a user who may, and tries to write where that user may not.
async fn assert_writer(vault: &Vault, token: &SecretString) {
    let write = json!({"data": {"content": "s3cret"}});
    vault.call(token, "POST", PATH, Some(&write)).await.unwrap().success().unwrap();
    let elsewhere = vault.call(token, "POST", "secret/data/other", Some(&write)).await.unwrap();
    assert_eq!(elsewhere.status, 403);
    let error = elsewhere.success().unwrap_err().to_string();
    assert!(error.contains("POST /v1/secret/data/other") && error.contains("permission denied"), "{error}");
}

#[tokio::test]
async fn a_new_server_has_kv_version_2_with_check_and_set() {
    let vault = Vault::start().await.unwrap();
    assert!(vault.address().starts_with("http://127.0.0.1:") && vault.ca().is_none());
    let write = |cas: u32| json!({"options": {"cas": cas}, "data": {"content": "s3cret"}});
    vault.as_root("POST", PATH, Some(&write(0))).await.unwrap().success().unwrap();
    let refused = vault.as_root("POST", PATH, Some(&write(0))).await.unwrap();
    assert_eq!(refused.status, 400);
    assert!(refused.success().unwrap_err().to_string().contains("check-and-set"));
    let read = vault.as_root("GET", PATH, None).await.unwrap().success().unwrap();
    assert_eq!(read["data"]["data"], json!({"content": "s3cret"}));
    assert_eq!(vault.call(&"nobody".into(), "GET", PATH, None).await.unwrap().status, 403);
    assert!(!format!("{vault:?}").contains("token"), "{vault:?}");
}

#[tokio::test]
async fn a_server_with_tls_is_trusted_by_its_certificate_alone() {
    let (vault, other) = (Vault::start_with_tls().await.unwrap(), Vault::start_with_tls().await.unwrap());
    assert!(vault.address().starts_with("https://127.0.0.1:"));
    assert_ne!(vault.ca(), other.ca());
    vault.as_root("GET", "sys/mounts/secret", None).await.unwrap().success().unwrap();
}

#[tokio::test]
async fn a_role_of_approle_logs_in_and_has_its_policy() {
    let vault = Vault::start().await.unwrap();
    allow_writers(&vault).await;
    enable(&vault, "approle").await;
    let role = "auth/approle/role/writer";
    vault
        .as_root("POST", role, Some(&json!({"token_policies": "writers"})))
        .await
        .unwrap()
        .success()
        .unwrap();
    let id = vault.as_root("GET", &format!("{role}/role-id"), None).await.unwrap().success().unwrap();
    let secret = vault.as_root("POST", &format!("{role}/secret-id"), None).await.unwrap().success().unwrap();
    let credentials = json!({"role_id": id["data"]["role_id"], "secret_id": secret["data"]["secret_id"]});
    assert_writer(&vault, &log_in(&vault, "approle", &credentials).await).await;
}

#[tokio::test]
async fn a_service_account_logs_in_and_has_its_policy() {
    let plane = shared().await;
    let vault = Vault::start().await.unwrap();
    allow_writers(&vault).await;
    enable(&vault, "kubernetes").await;
    let namespace = plane.namespace("vault").await.unwrap();
    for account in ["reviewer", "writer", "stranger"] {
        plane.create_service_account(&namespace, account).await.unwrap();
    }
    let reviewer = format!("--serviceaccount={namespace}:reviewer");
    let bind = ["create", "clusterrolebinding", &namespace, "--clusterrole=system:auth-delegator", &reviewer];
    plane.kubectl(&bind).await.unwrap().success().unwrap();
    let config = json!({
        "kubernetes_host": plane.server(),
        "kubernetes_ca_cert": std::fs::read_to_string(plane.ca()).unwrap(),
        "token_reviewer_jwt": plane.service_account_token(&namespace, "reviewer").await.unwrap(),
    });
    vault.as_root("POST", "auth/kubernetes/config", Some(&config)).await.unwrap().success().unwrap();
    let role = json!({
        "bound_service_account_names": "writer",
        "bound_service_account_namespaces": namespace,
        "token_policies": "writers",
    });
    vault.as_root("POST", "auth/kubernetes/role/writer", Some(&role)).await.unwrap().success().unwrap();

    let writer = plane.service_account_token(&namespace, "writer").await.unwrap();
    let credentials = json!({"role": "writer", "jwt": writer});
    assert_writer(&vault, &log_in(&vault, "kubernetes", &credentials).await).await;
    let stranger = plane.service_account_token(&namespace, "stranger").await.unwrap();
    let credentials = json!({"role": "writer", "jwt": stranger});
    let refused = vault.call(&"".into(), "POST", "auth/kubernetes/login", Some(&credentials)).await.unwrap();
    assert_eq!(refused.status, 403);
}

#[tokio::test]
async fn a_dropped_server_answers_no_more() {
    let vault = Vault::start().await.unwrap();
    let address = vault.address().trim_start_matches("http://").to_owned();
    std::net::TcpStream::connect(&address).unwrap();
    drop(vault);
    std::net::TcpStream::connect(&address).unwrap_err();
}
