//! Which resources have entries in a Vault.

use std::collections::BTreeMap;

use kube::Api;
use kube::api::ListParams;
use serde_json::Value;

use super::access::folders;
use super::vault_key;
use crate::api::technical_user::{OutputKind, VaultRef};
use crate::api::vault::VaultSpec;
use crate::controller::context::Context;
use crate::controller::kube_error::KubeError;
use crate::controller::objects::{Key, has_finalizer, technical_users};
use crate::k8s::stored::StoredObject;

/// The resources that keep a Vault.
pub enum Holders {
    /// All of them.
    Seen(Vec<Key>),
    /// Not all namespaces may be listed.
    Hidden {
        /// Which, in words.
        namespace: String,
        /// What the apiserver says.
        why: String,
    },
}

/// The resources that have an entry in the Vault, or may have one, read from the apiserver. `spec` is that of the Vault, if it can
/// be read.
pub async fn seen(ctx: &Context, vault: &Key, spec: Option<&VaultSpec>) -> Result<Holders, KubeError> {
    let mut access = Access::of(ctx, vault, spec);
    let mut holders = Vec::new();
    for namespace in &ctx.watched {
        let api: Api<StoredObject> = match namespace {
            Some(namespace) => Api::namespaced_with(ctx.client.clone(), namespace, &technical_users()),
            None => Api::all_with(ctx.client.clone(), &technical_users()),
        };
        match api.list(&ListParams::default()).await.map_err(KubeError::from) {
            Ok(list) => {
                for object in list.iter() {
                    if access.holds(object).await {
                        holders.push(Key::of(object));
                    }
                }
            }
            Err(KubeError::Denied { message, .. }) => {
                let place = |name: &String| format!("namespace {name}");
                let namespace = namespace.as_ref().map_or_else(|| "all namespaces".to_owned(), place);
                return Ok(Holders::Hidden { namespace, why: message });
            }
            Err(error) => return Err(error),
        }
    }
    Ok(Holders::Seen(holders))
}

/// The same as far as the cache shows it: it may lack some, and may have some that are deleted.
pub async fn cached(ctx: &Context, vault: &Key, spec: Option<&VaultSpec>) -> Vec<Key> {
    let mut access = Access::of(ctx, vault, spec);
    let mut holders = Vec::new();
    for object in ctx.caches.all_users() {
        if access.holds(&object).await {
            holders.push(Key::of(&object));
        }
    }
    holders
}

/// What distinguishes the users of a Vault from resources that only name it, which each person may create who may create a
/// `TechnicalUser` in some namespace.
struct Access<'a> {
    ctx: &'a Context,
    vault: &'a Key,
    spec: Option<&'a VaultSpec>,
    served: BTreeMap<String, bool>,
}

impl<'a> Access<'a> {
    fn of(ctx: &'a Context, vault: &'a Key, spec: Option<&'a VaultSpec>) -> Self {
        Self { ctx, vault, spec, served: BTreeMap::new() }
    }

    /// Whether a resource has an entry in the Vault, or may have one soon: the status records each place before the first write
    /// to it, and nothing is written for a namespace without access.
    async fn holds(&mut self, object: &StoredObject) -> bool {
        has_entry(object, self.vault)
            || (has_finalizer(object)
                && names(object, self.vault)
                && self.serves(&Key::of(object).namespace).await)
    }

    /// Whether the rules of the Vault serve a namespace. Yes where that cannot be known at the moment.
    async fn serves(&mut self, namespace: &str) -> bool {
        // Nothing is written in a Vault whose spec cannot be read.
        let Some(spec) = self.spec else { return false };
        if let Some(served) = self.served.get(namespace) {
            return *served;
        }
        let found = folders(self.ctx, spec, self.vault, namespace).await;
        let served = found.map_or(true, |folders| !folders.is_empty());
        self.served.insert(namespace.to_owned(), served);
        served
    }
}

/// Whether a resource names the Vault in an output, or has an entry there by its status.
pub(super) fn names(object: &StoredObject, vault: &Key) -> bool {
    if has_entry(object, vault) {
        return true;
    }
    named(object).any(|named| named == *vault)
}

/// The Vaults that the outputs of a resource name.
pub fn named(object: &StoredObject) -> impl Iterator<Item = Key> + use<> {
    let outputs: Option<Vec<Value>> = object.at("/spec/outputs");
    let namespace = Key::of(object).namespace;
    let references = outputs.into_iter().flatten().filter_map(|output| VaultRef::of_output(&output));
    references.map(move |reference| vault_key(&reference, &namespace))
}

/// Whether an output of a resource names a Vault, also one whose name cannot be read.
pub(super) fn names_a_vault(object: &StoredObject) -> bool {
    let outputs: Option<Vec<Value>> = object.at("/spec/outputs");
    let names = |output: &Value| {
        output.as_object().is_some_and(|all| all.values().any(|one| one.get("vaultRef").is_some()))
    };
    outputs.is_some_and(|outputs| outputs.iter().any(names))
}

/// Whether the status records a place in the Vault. What it says of an output that was never written is only why.
fn has_entry(object: &StoredObject, vault: &Key) -> bool {
    recorded(object, vault).any(|output| {
        let begun = output.get("begun").and_then(Value::as_array);
        output.get("entry").is_some_and(Value::is_object) || begun.is_some_and(|begun| !begun.is_empty())
    })
}

/// What the status of a resource says of its outputs in the Vault.
fn recorded(object: &StoredObject, vault: &Key) -> impl Iterator<Item = Value> {
    let outputs: Option<Vec<Value>> = object.at("/status/outputs");
    outputs.into_iter().flatten().filter(move |output| {
        let text = |field: &str| output.get(field).and_then(Value::as_str).unwrap_or_default();
        OutputKind::of_name(text("kind")).is_some_and(OutputKind::is_in_vault) && is_in(text("name"), vault)
    })
}

/// Whether the output of this name is in the Vault.
pub(super) fn is_in(output: &str, vault: &Key) -> bool {
    output.strip_prefix(&vault.to_string()).is_some_and(|path| path.starts_with('/'))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::api::FINALIZER;
    use crate::controller::test_support::apiserver::{Apiserver, context};

    #[test]
    fn an_output_names_a_vault_of_its_own_namespace_or_of_another() {
        let user = |outputs: Value| -> StoredObject {
            serde_json::from_value(json!({
                "metadata": {"name": "edc", "namespace": "tenant"}, "spec": {"outputs": outputs},
            }))
            .unwrap()
        };
        let vault = |namespace: &str| Key { namespace: namespace.into(), name: "vault".into() };
        let own = json!([{"secret": {"name": "s"}}, {"vault": {"vaultRef": {"name": "vault"}}}]);
        assert!(names(&user(own.clone()), &vault("tenant")) && !names(&user(own), &vault("ops")));
        let other = json!([{"vault": {"vaultRef": {"name": "vault", "namespace": "ops"}}}]);
        assert!(names(&user(other.clone()), &vault("ops")) && !names(&user(other), &vault("tenant")));
        assert!(!names(&user(json!([{"secret": {"name": "vault"}}])), &vault("tenant")));
        assert!(!names(&user(json!(null)), &vault("tenant")));
    }

    fn user(namespace: &str, finalizer: bool, outputs: &Value) -> StoredObject {
        serde_json::from_value(json!({
            "apiVersion": "technicaluser.dev/v1alpha1", "kind": "TechnicalUser",
            "metadata": {
                "name": "edc", "namespace": namespace, "finalizers": if finalizer { vec![FINALIZER] } else { Vec::new() },
            },
            "spec": {"outputs": [{"vault": {"vaultRef": {"name": "vault", "namespace": "ops"}}}]},
            "status": {"outputs": outputs},
        }))
        .unwrap()
    }

    #[tokio::test]
    async fn a_resource_without_access_keeps_a_vault_only_where_its_status_records_a_place() {
        let ctx = context(Apiserver::default().client());
        let key = |namespace: &str| Key { namespace: namespace.into(), name: "vault".into() };
        let (ops, tenant) = (key("ops"), key("tenant"));
        let spec: VaultSpec = serde_json::from_value(json!({
            "address": "https://vault", "mount": "secret", "auth": {"tokenSecretRef": {"name": "t"}},
        }))
        .unwrap();
        let denied = json!({"kind": "VaultEntry", "name": "ops/vault/a", "conditions": [
            {"type": "Ready", "status": "False", "reason": "AccessDenied", "message": "", "lastTransitionTime": null},
        ]});
        let with = |field: &str, value: Value| {
            let mut output = denied.clone();
            output[field] = value;
            json!([output])
        };
        let place = json!({"pathsSecret": "/v1/secret", "secretAlias": "a-1", "user": "u"});
        for (object, vault, expected) in [
            (user("tenant", true, &json!([denied])), &ops, false),
            (user("tenant", true, &json!([])), &ops, false),
            (user("ops", true, &json!([])), &ops, true),
            (user("ops", false, &json!([])), &ops, false),
            (user("tenant", false, &with("entry", place.clone())), &ops, true),
            (user("tenant", false, &with("begun", json!([place]))), &ops, true),
            (user("tenant", false, &with("entry", place)), &tenant, false),
        ] {
            let held = Access::of(&ctx, vault, Some(&spec)).holds(&object).await;
            assert_eq!(held, expected, "{vault} {:?}", object.text("status"));
        }
        assert!(!Access::of(&ctx, &ops, None).holds(&user("ops", true, &json!([]))).await);
    }
}
