//! Which resources have entries in a Vault.

use kube::Api;
use kube::api::{DynamicObject, ListParams};
use serde_json::Value;

use crate::controller::context::Context;
use crate::controller::kube_error::KubeError;
use crate::controller::objects::{Key, has_finalizer, technical_users};

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

/// The resources that hold our finalizer and name the Vault in an output, read from the apiserver.
pub async fn seen(ctx: &Context, vault: &Key) -> Result<Holders, KubeError> {
    let mut holders = Vec::new();
    for namespace in &ctx.watched {
        let api: Api<DynamicObject> = match namespace {
            Some(namespace) => Api::namespaced_with(ctx.client.clone(), namespace, &technical_users()),
            None => Api::all_with(ctx.client.clone(), &technical_users()),
        };
        match api.list(&ListParams::default()).await.map_err(KubeError::from) {
            Ok(list) => {
                let holding = list.iter().filter(|object| has_finalizer(object) && names(object, vault));
                holders.extend(holding.map(Key::of));
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

/// Whether an output of a resource names the Vault.
fn names(object: &DynamicObject, vault: &Key) -> bool {
    let outputs = object.data.pointer("/spec/outputs").and_then(Value::as_array);
    let own = Key::of(object).namespace;
    outputs.into_iter().flatten().filter_map(|output| output.pointer("/vault/vaultRef")).any(|reference| {
        let text = |field: &str| reference.get(field).and_then(Value::as_str);
        text("name") == Some(vault.name.as_str())
            && text("namespace").unwrap_or(own.as_str()) == vault.namespace
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_output_names_a_vault_of_its_own_namespace_or_of_another() {
        let user = |outputs: Value| -> DynamicObject {
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
}
