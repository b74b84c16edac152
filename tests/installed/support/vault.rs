//! A Vault beside the cluster, and the program with which a person prepares it.

use secrecy::ExposeSecret as _;
use serde_json::{Value, json};
use testbed::Vault;

use super::Cluster;

/// Plays the program `vault`, which no package registry has.
pub const PROGRAM: &str = include_str!("vault.py");

/// A Vault that pods reach, with Kubernetes authentication at the default path: it asks the apiserver about the tokens of a login,
/// with a `ServiceAccount` of this namespace. A `ClusterRoleBinding` of the namespace's name permits that.
pub async fn start(cluster: &Cluster, namespace: &str) -> Vault {
    let vault = Vault::start_on(cluster.node.host_address().into()).await.unwrap();
    let plane = cluster.plane();
    plane.create_service_account(namespace, "vault").await.unwrap();
    let (role, account) =
        ("--clusterrole=system:auth-delegator", format!("--serviceaccount={namespace}:vault"));
    cluster.kubectl(&["create", "clusterrolebinding", namespace, role, &account]).await;
    as_root(&vault, "POST", "sys/auth/kubernetes", &json!({"type": "kubernetes"})).await;
    let apiserver = json!({
        "kubernetes_host": plane.server(),
        "kubernetes_ca_cert": std::fs::read_to_string(plane.ca()).unwrap(),
        "token_reviewer_jwt": plane.service_account_token(namespace, "vault").await.unwrap(),
    });
    as_root(&vault, "POST", "auth/kubernetes/config", &apiserver).await;
    vault
}

/// Calls the server as root; it has to succeed.
pub async fn as_root(vault: &Vault, method: &str, path: &str, body: &Value) -> Value {
    vault.as_root(method, path, Some(body)).await.unwrap().success().unwrap()
}

/// A token that may read the entries of a path in the mount `secret`, as a connector has one.
pub async fn token_to_read(vault: &Vault, path: &str) -> String {
    let policy = format!("path \"secret/data/{path}\" {{ capabilities = [\"read\"] }}");
    as_root(vault, "PUT", "sys/policies/acl/connector", &json!({"policy": policy})).await;
    let issued = as_root(vault, "POST", "auth/token/create", &json!({"policies": ["connector"]})).await;
    issued["auth"]["client_token"].as_str().unwrap().to_owned()
}

/// The key `content` of an entry in the mount `secret`; `None` where there is no entry.
pub async fn content(vault: &Vault, path: &str) -> Option<String> {
    let answer = vault.as_root("GET", &format!("secret/data/{path}"), None).await.unwrap();
    answer.body["data"]["data"]["content"].as_str().map(str::to_owned)
}

/// A `ConfigMap` with the certificate of the server.
pub fn certificate(vault: &Vault, namespace: &str) -> Value {
    json!({
        "apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "vault-ca", "namespace": namespace},
        "data": {"ca.crt": vault.ca().unwrap()},
    })
}

/// The environment with which [`PROGRAM`] is a person who may do everything.
pub fn environment(vault: &Vault, ca_file: &str) -> [(&'static str, String); 3] {
    [
        ("VAULT_ADDR", vault.address().to_owned()),
        ("VAULT_TOKEN", vault.root_token().expose_secret().to_owned()),
        ("VAULT_CACERT", ca_file.to_owned()),
    ]
}
