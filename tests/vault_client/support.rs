//! Policies and clients for the tests.

use std::collections::BTreeMap;

use secrecy::SecretString;
use serde_json::{Value, json};
use technical_user_operator::domain::vault::path::{Alias, EntryPath, Mount, Prefix};
use technical_user_operator::portal::{Network, PlainHttp, Transports};
use technical_user_operator::process::Process;
use technical_user_operator::vault::{Auth, Fields, VaultClient, VaultConfig, VaultError};

use crate::server::Server;

/// What the policy of the operator needs for entries below `connectors/`.
pub const POLICY: &str = r#"
path "secret/data/connectors/*" { capabilities = ["create", "read", "update"] }
path "secret/metadata/connectors/*" { capabilities = ["create", "read", "patch", "delete"] }
"#;

/// Marks an entry as the operator does: once it knows what metadata are there.
pub async fn mark_as_found(
    client: &VaultClient,
    path: &EntryPath,
    marks: &BTreeMap<String, String>,
) -> Result<(), VaultError> {
    let found = client.metadata(path).await?;
    client.mark(path, found.as_ref(), marks).await
}

/// A client at a server.
pub fn client(vault: &Server, auth: Auth) -> VaultClient {
    match vault {
        Server::Real(vault) => client_at(vault.address(), vault.ca(), auth),
        Server::Simulated(wire) => client_by(wire, "https://vault.example.org:8200", None, auth),
    }
}

/// A client at an address, which permits plain http.
pub fn client_at(address: &str, ca: Option<&str>, auth: Auth) -> VaultClient {
    let network = Network { plain_http: PlainHttp::PrivateAddresses, ..Network::default() };
    client_by(&network, address, ca, auth)
}

fn client_by(network: &dyn Transports, address: &str, ca: Option<&str>, auth: Auth) -> VaultClient {
    let config = VaultConfig {
        address: address.to_owned(),
        namespace: None,
        auth,
        ca_bundle: ca.map(str::to_owned),
        insecure_http: true,
    };
    VaultClient::new(config, network, Process::system()).unwrap()
}

/// A client that may do everything.
pub fn root(vault: &Server) -> VaultClient {
    client(vault, Auth::Token(vault.root_token()))
}

/// Calls the server as root; the call must succeed.
pub async fn set_up(vault: &Server, method: &str, path: &str, body: &Value) -> Value {
    vault.as_root(method, path, Some(body)).await.unwrap().success().unwrap()
}

/// A policy with this name and text.
pub async fn policy(vault: &Server, name: &str, text: &str) {
    set_up(vault, "PUT", &format!("sys/policies/acl/{name}"), &json!({ "policy": text })).await;
}

/// A token with one policy, and with these settings.
pub async fn token(vault: &Server, policy: &str, settings: Value) -> SecretString {
    let mut body = json!({ "policies": [policy] });
    body.as_object_mut().unwrap().extend(settings.as_object().unwrap().clone());
    let issued = set_up(vault, "POST", "auth/token/create", &body).await;
    issued["auth"]["client_token"].as_str().unwrap().into()
}

/// A login by AppRole, whose role has the policy `writer` and these settings.
pub async fn app_role(vault: &Server, settings: Value) -> Auth {
    policy(vault, "writer", POLICY).await;
    set_up(vault, "POST", "sys/auth/approle", &json!({"type": "approle"})).await;
    let path = "auth/approle/role/writer";
    let mut role = json!({"token_policies": "writer"});
    role.as_object_mut().unwrap().extend(settings.as_object().unwrap().clone());
    set_up(vault, "POST", path, &role).await;
    let id = vault.as_root("GET", &format!("{path}/role-id"), None).await.unwrap().success().unwrap();
    let secret = set_up(vault, "POST", &format!("{path}/secret-id"), &json!({})).await;
    Auth::AppRole {
        mount: mount("approle"),
        role_id: id["data"]["role_id"].as_str().unwrap().to_owned(),
        secret_id: secret["data"]["secret_id"].as_str().unwrap().into(),
    }
}

/// A mount.
pub fn mount(path: &str) -> Mount {
    Mount::parse(path).unwrap()
}

/// An entry below `connectors/` of a mount.
pub fn entry_in(mount_path: &str, alias: &str) -> EntryPath {
    let folder = Prefix::parse("connectors").unwrap().in_namespace("any").unwrap();
    EntryPath::new(&mount(mount_path), &folder, &Alias::parse(alias).unwrap())
}

/// An entry of `secret/connectors/`.
pub fn entry(alias: &str) -> EntryPath {
    entry_in("secret", alias)
}

/// The field that a connector reads.
pub fn content(text: &str) -> Fields {
    Fields::default().with("content", &text.into())
}
