//! Which namespaces the access rules of a Portal or a Vault serve.

use kube::core::{Selector, SelectorExt as _};

use crate::api::portal::{AccessFrom, AccessNamespaces};
use crate::controller::context::Context;
use crate::controller::kube_error::KubeError;

/// Whether a rule serves a namespace. `own` is the namespace of the resource with the rule.
///
/// # Errors
/// If the labels of the namespace are not known and cannot be read.
pub async fn serves(
    ctx: &Context,
    rule: &AccessNamespaces,
    own: &str,
    namespace: &str,
) -> Result<bool, KubeError> {
    Ok(match (rule.from, &rule.selector) {
        (AccessFrom::Same, _) => own == namespace,
        (AccessFrom::All, _) => true,
        (AccessFrom::Selector, Some(selector)) => match Selector::try_from(selector.clone()) {
            Ok(selector) => selector.matches(&ctx.namespaces.labels(&ctx.client, namespace).await?),
            Err(_) => false,
        },
        (AccessFrom::Selector, None) => false,
    })
}
