//! Which Secrets of other owners take the keys of a `TechnicalUser`, and why another one takes none.

use k8s_openapi::api::core::v1::Secret;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;

use crate::api::{FIELD_MANAGER, keys};
use crate::controller::context::Context;
use crate::controller::marks;
use crate::controller::objects::Key;
use crate::domain::blocker::Blocker;
use crate::domain::reason::Reason;
use crate::site::{NamedLogin, Site};

/// The types of Secrets whose keys give access to the cluster. The definition refuses them for a Secret that the operator owns.
const ACCESS_TO_THE_CLUSTER: [&str; 2] =
    ["kubernetes.io/service-account-token", "bootstrap.kubernetes.io/token"];

/// Whose Secret it is, if a `TechnicalUser` or a Portal owns all of it.
pub(super) fn owned(metadata: &ObjectMeta) -> Option<String> {
    let marked = metadata.annotations.as_ref().is_some_and(|shown| shown.contains_key(keys::OWNER));
    marked.then(|| marks::words(metadata))
}

/// Whether the operator manages it without a mark: the Secret of an installation.
fn is_managed(metadata: &ObjectMeta) -> bool {
    let manager = metadata.labels.as_ref().and_then(|labels| labels.get("app.kubernetes.io/managed-by"));
    manager.is_some_and(|manager| manager == FIELD_MANAGER)
}

/// The Portal that reads a login from this Secret.
pub(super) fn portal_with_login(ctx: &Context, secret: &Key) -> Option<Key> {
    let reads = |login: &NamedLogin| login.secret.as_ref().is_some_and(|login| login.name == secret.name);
    ctx.portals.all().into_iter().find_map(|portal| {
        let key = Key::of(&portal);
        let parsed = ctx.portal_memory.parsed.get(&key, &portal);
        let logins = Site::of(parsed.spec.as_ref()?)?.logins;
        let named = reads(&logins.main) || logins.deletion.as_ref().is_some_and(reads);
        (named && key.namespace == secret.namespace).then_some(key)
    })
}

/// Why a Secret takes no keys, whatever they are named. `portal` reads a login from it.
pub(super) fn refusal(name: &str, secret: &Secret, portal: Option<&Key>) -> Option<Blocker> {
    let access = secret.type_.as_deref().filter(|type_| ACCESS_TO_THE_CLUSTER.contains(type_));
    let message = if let Some(owner) = owned(&secret.metadata) {
        format!(
            "The Secret \"{name}\" belongs to {owner}, which removes other keys from it, so the operator adds none. Name another \
             Secret in outputs."
        )
    } else if is_managed(&secret.metadata) {
        format!(
            "The Secret \"{name}\" belongs to an installation of the operator, which adds no keys to it. Name another Secret in \
             outputs."
        )
    } else if let Some(portal) = portal {
        format!(
            "The Secret \"{name}\" has a login of the Portal {portal}, so the operator adds no keys to it. Name another Secret in \
             outputs."
        )
    } else if let Some(access) = access {
        format!(
            "The Secret \"{name}\" has the type {access}, which gives access to the cluster, so the operator adds no keys to it. \
             Name another Secret in outputs."
        )
    } else {
        return None;
    };
    Some(Blocker::lasting(Reason::OutputNotOurs, message))
}

/// Why no keys are added: there is no Secret.
pub(super) fn missing(name: &str) -> Blocker {
    Blocker::lasting(
        Reason::MergeTargetMissing,
        format!(
            "The Secret \"{name}\" does not exist, and creationPolicy Merge adds keys only to a Secret of another owner. Create the \
             Secret, or set creationPolicy to Owner. The operator adds the keys within a few minutes."
        ),
    )
}

/// Why a key is not written: the Secret has it already, by the `TechnicalUser` that is named, or by another client.
pub(super) fn taken(name: &str, key: &str, by: Option<&String>) -> Blocker {
    let whose = by.map_or_else(|| "another client".to_owned(), |owner| format!("the TechnicalUser {owner}"));
    Blocker::lasting(
        Reason::KeyTaken,
        format!(
            "The Secret \"{name}\" has the key {key:?} already, which {whose} wrote. The operator does not overwrite it. Choose \
             other names for the keys of this output, or remove the key."
        ),
    )
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn why(secret: Value, portal: Option<&Key>) -> Option<String> {
        let secret: Secret = serde_json::from_value(secret).unwrap();
        refusal("app", &secret, portal).map(|blocker| blocker.message)
    }

    #[test]
    fn a_secret_of_the_operator_or_with_access_to_more_takes_no_keys() {
        let portal = Key { namespace: "dataspace".into(), name: "catena-x".into() };
        let owner = json!({"annotations": {keys::OWNER: "prod/connector/other"}});
        let installation = json!({"labels": {"app.kubernetes.io/managed-by": FIELD_MANAGER}});
        for (secret, portal, words) in [
            (json!({"metadata": owner}), None, "the TechnicalUser prod/connector/other"),
            (json!({"metadata": installation}), None, "an installation of the operator"),
            (json!({"metadata": {}}), Some(&portal), "a login of the Portal dataspace/catena-x"),
            (json!({"metadata": {}, "type": "bootstrap.kubernetes.io/token"}), None, "access to the cluster"),
            (json!({"metadata": {}, "type": "kubernetes.io/service-account-token"}), None, "access"),
        ] {
            let found = why(secret, portal).unwrap();
            assert!(found.contains(words), "{found}");
        }
        let of_helm =
            json!({"metadata": {"labels": {"app.kubernetes.io/managed-by": "Helm"}}, "type": "Opaque"});
        assert_eq!(why(of_helm, None), None);
    }
}
