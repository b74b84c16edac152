//! A real Vault, and the resource that describes it.

use kube::api::{Api, DynamicObject, Patch, PatchParams};
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::{Value, json};
use testbed::{ApiProxy, Vault};

use super::manifests::create;
use super::objects::{condition, message, reason};
use super::site::Site;
use super::world::World;

/// The name of the Vault resource in every test.
pub const NAME: &str = "vault";

/// What the documentation asks for, below a path of the mount `secret`.
pub fn policy(path: &str) -> Value {
    let rule =
        |part: &str, verbs: &str| format!("path \"secret/{part}/{path}*\" {{ capabilities = [{verbs}] }}\n");
    let data = rule("data", "\"create\", \"read\", \"update\"");
    json!({"policy": data + &rule("metadata", "\"create\", \"read\", \"patch\", \"delete\"")})
}

/// Calls the server as root.
pub async fn set_up(vault: &Vault, method: &str, path: &str, body: &Value) -> Value {
    vault.as_root(method, path, Some(body)).await.unwrap().success().unwrap()
}

/// A token with the policy for a path.
pub async fn token_for(vault: &Vault, path: &str) -> SecretString {
    set_up(vault, "PUT", "sys/policies/acl/writer", &policy(path)).await;
    let issued = set_up(vault, "POST", "auth/token/create", &json!({"policies": ["writer"]})).await;
    issued["auth"]["client_token"].as_str().unwrap().into()
}

/// A Vault resource that logs in by the Secret `vault-token`; `spec` has more of it.
pub fn manifest(vault: &Vault, spec: &Value) -> Value {
    let mut manifest = json!({
        "apiVersion": "technicaluser.dev/v1alpha1", "kind": "Vault", "metadata": {"name": NAME},
        "spec": {
            "address": vault.address(), "mount": "secret", "insecureHttp": true,
            "auth": {"tokenSecretRef": {"name": "vault-token"}},
        },
    });
    let target = manifest["spec"].as_object_mut().unwrap();
    target.extend(spec.as_object().unwrap().clone());
    manifest
}

pub fn api(site: &Site) -> Api<DynamicObject> {
    site.api("Vault", &site.namespace)
}

pub async fn apply(site: &Site, manifest: &Value) {
    let mut manifest = manifest.clone();
    manifest["metadata"]["namespace"] = json!(site.namespace);
    site.apply(&manifest).await;
}

/// Waits until the Vault has this reason for its present spec.
pub async fn because(site: &Site, wanted: &str) -> DynamicObject {
    let is_so = |object: &DynamicObject| {
        let ready = condition(object, "Ready");
        ready.is_some_and(|ready| {
            ready.reason == wanted && ready.observed_generation == object.metadata.generation
        })
    };
    site.wait_for(&format!("the Vault has the reason {wanted}"), async || {
        match api(site).get_opt(NAME).await.unwrap() {
            Some(object) if is_so(&object) => Ok(object),
            seen => Err(seen.map(|object| (reason(&object), message(&object)))),
        }
    })
    .await
}

pub async fn store(site: &Site, token: &SecretString) {
    site.secret("vault-token", &[("token", token.expose_secret())]).await;
}

/// A Vault in which the namespace of the test may have entries below `connectors/`, and a short interval between comparisons.
pub async fn prepared(site: &Site) -> Vault {
    prepared_with(site, "PerGeneration").await
}

/// The same with this `aliasMode`.
pub async fn prepared_with(site: &Site, alias_mode: &str) -> Vault {
    let vault = Vault::start().await.unwrap();
    store(site, &token_for(&vault, "connectors/").await).await;
    let spec = json!({"access": [rule("Same", "connectors")], "aliasMode": alias_mode});
    apply(site, &manifest(&vault, &spec)).await;
    because(site, "VaultReady").await;
    vault
}

/// The operator reaches the Vault through a proxy from now on.
pub async fn put_a_proxy_before(vault: &Vault, world: &mut World) {
    let proxy = ApiProxy::in_front_of(vault.address(), None).await.unwrap();
    let address = json!({"spec": {"address": proxy.url()}});
    api(world).patch(NAME, &PatchParams::default(), &Patch::Merge(&address)).await.unwrap();
    because(world, "VaultReady").await;
    world.vault_proxy = Some(proxy);
}

pub fn rule(from: &str, prefix: &str) -> Value {
    json!({"namespaces": {"from": from}, "prefix": prefix})
}

/// An output that is an entry in the Vault, of this path.
pub fn entry(path: Option<&str>) -> Value {
    let mut entry = json!({"vault": {"vaultRef": {"name": NAME}}});
    if let Some(path) = path {
        entry["vault"]["path"] = json!(path);
    }
    entry
}

/// An output that adds these keys to the entry of another owner at this path.
pub fn merged(path: &str, keys: &Value) -> Value {
    json!({"vault": {"vaultRef": {"name": NAME}, "path": path, "creationPolicy": "Merge", "keys": keys}})
}

/// A resource with these outputs.
pub fn with_outputs(world: &World, name: &str, role: &str, outputs: &Value) -> Value {
    let mut manifest = create(name, &world.namespace, role);
    manifest["spec"]["outputs"] = outputs.clone();
    manifest
}

/// The metadata of an entry; `None` if there is none.
pub async fn metadata(vault: &Vault, path: &str) -> Option<Value> {
    let answer = vault.as_root("GET", &format!("secret/metadata/{path}"), None).await.unwrap();
    Some(answer.success().ok()?["data"].clone())
}

/// The names of the entries in a folder.
pub async fn entries(vault: &Vault, folder: &str) -> Vec<String> {
    let answer = vault.as_root("GET", &format!("secret/metadata/{folder}/?list=true"), None).await.unwrap();
    let Ok(listed) = answer.success() else { return Vec::new() };
    let keys = listed["data"]["keys"].as_array().cloned().unwrap_or_default();
    keys.iter().filter_map(|key| key.as_str().map(str::to_owned)).collect()
}
