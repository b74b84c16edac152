//! The certificates that a Portal or a Vault trusts besides the public roots.

use k8s_openapi::api::core::v1::ConfigMap;
use kube::Api;

use crate::api::portal::CaBundle;
use crate::controller::context::Context;
use crate::controller::kube_error::KubeError;
use crate::controller::objects::Key;
use crate::controller::secrets::Secrets;
use crate::domain::blocker::Blocker;
use crate::domain::reason::Reason;

/// Reads the bundle that a Portal or a Vault names.
pub(in crate::controller) async fn ca_bundle(
    ctx: &Context,
    key: &Key,
    secrets: &Secrets,
    bundle: &CaBundle,
) -> Result<String, Blocker> {
    let missing = |what: String| Blocker::lasting(Reason::CaBundleInvalid, what);
    if let Some(reference) = &bundle.config_map_ref {
        let entry = reference.key.as_deref().unwrap_or("ca.crt");
        let api: Api<ConfigMap> = Api::namespaced(ctx.client.clone(), &key.namespace);
        let found = api.get_opt(&reference.name).await.map_err(|error| KubeError::from(error).blocker())?;
        return found.and_then(|map| map.data?.remove(entry)).ok_or_else(|| {
            missing(format!("ConfigMap \"{}\" with key \"{entry}\" is not there", reference.name))
        });
    }
    let Some(reference) = &bundle.secret_ref else {
        return Err(missing("tls.caBundle names nothing".to_owned()));
    };
    let entry = reference.key.as_deref().unwrap_or("ca.crt");
    let texts = secrets.texts(&reference.name).await.map_err(|error| error.blocker())?;
    texts
        .and_then(|texts| texts.plain(entry))
        .ok_or_else(|| missing(format!("Secret \"{}\" with key \"{entry}\" is not there", reference.name)))
}
