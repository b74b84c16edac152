//! A real Vault, and the resource that describes it.

use kube::api::{Api, DynamicObject};
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::{Value, json};
use testbed::Vault;

use super::objects::{condition, message, reason};
use super::world::World;

/// The name of the Vault resource in every test.
pub const NAME: &str = "vault";

/// What the documentation asks for, below a path of the mount `secret`.
pub fn policy(path: &str) -> Value {
    let rule =
        |part: &str, verbs: &str| format!("path \"secret/{part}/{path}*\" {{ capabilities = [{verbs}] }}\n");
    let data = rule("data", "\"create\", \"read\", \"update\"");
    json!({"policy": data + &rule("metadata", "\"create\", \"read\", \"update\", \"delete\"")})
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

pub fn api(world: &World) -> Api<DynamicObject> {
    world.api("Vault", &world.namespace)
}

pub async fn apply(world: &World, manifest: &Value) {
    let mut manifest = manifest.clone();
    manifest["metadata"]["namespace"] = json!(world.namespace);
    world.apply(&manifest).await;
}

/// Waits until the Vault has this reason for its present spec.
pub async fn because(world: &World, wanted: &str) -> DynamicObject {
    let is_so = |object: &DynamicObject| {
        let ready = condition(object, "Ready");
        ready.is_some_and(|ready| {
            ready.reason == wanted && ready.observed_generation == object.metadata.generation
        })
    };
    world
        .wait_for(&format!("the Vault has the reason {wanted}"), async || {
            match api(world).get_opt(NAME).await.unwrap() {
                Some(object) if is_so(&object) => Ok(object),
                seen => Err(seen.map(|object| (reason(&object), message(&object)))),
            }
        })
        .await
}

pub async fn store(world: &World, token: &SecretString) {
    world.secret("vault-token", &[("token", token.expose_secret())]).await;
}
