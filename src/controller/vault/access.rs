//! Which folders of a Vault a namespace may have entries in.

use crate::api::vault::VaultSpec;
use crate::controller::access::serves;
use crate::controller::context::Context;
use crate::controller::kube_error::KubeError;
use crate::controller::objects::Key;
use crate::domain::vault::path::{Folder, PathError, Prefix};

/// The folders that the rules of a Vault open to a namespace, in the order of the rules.
pub async fn folders(
    ctx: &Context,
    spec: &VaultSpec,
    vault: &Key,
    namespace: &str,
) -> Result<Vec<Folder>, KubeError> {
    let Some(rules) = &spec.access else {
        return Ok(if vault.namespace == namespace { vec![Folder::default()] } else { Vec::new() });
    };
    let mut folders = Vec::new();
    for rule in rules {
        let serves = serves(ctx, &rule.namespaces, &vault.namespace, namespace).await?;
        // The schema refuses a prefix that is none.
        folders.extend(serves.then(|| folder(rule.prefix.as_deref(), namespace)).and_then(Result::ok));
    }
    Ok(folders)
}

/// The folder of a prefix for a namespace; without a prefix the whole mount.
pub fn folder(prefix: Option<&str>, namespace: &str) -> Result<Folder, PathError> {
    prefix.map_or(Ok(Prefix::default()), Prefix::parse)?.in_namespace(namespace)
}
