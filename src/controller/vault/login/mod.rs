//! What a client is built from, read from a Vault's spec, its Secrets and its CA bundle.

use std::sync::Arc;

use secrecy::{ExposeSecret as _, SecretString};
use serde_json::json;

pub mod jwt;

use self::jwt::OwnTokens;
use crate::api::vault::{VaultAuth, VaultSecretKey, VaultSpec};
use crate::controller::checked::ca_bundle::ca_bundle;
use crate::controller::context::Context;
use crate::controller::objects::Key;
use crate::controller::secrets::Secrets;
use crate::domain::blocker::Blocker;
use crate::domain::reason::Reason;
use crate::domain::vault::path::Mount;
use crate::vault::{Auth, VaultClient, VaultConfig, VaultConfigError};

/// Where the auth methods are by default.
const KUBERNETES: &str = "kubernetes";
const APP_ROLE: &str = "approle";
/// The keys of the Secrets by default.
const SECRET_ID: &str = "secret-id";
const TOKEN: &str = "token";

/// A client, and what it is built from.
pub struct Built {
    /// The client, with the token that it has.
    pub client: Arc<VaultClient>,
    /// A keyed digest that changes when anything does that the client is built from.
    pub fingerprint: String,
    config: VaultConfig,
}

impl Built {
    /// For the Kubernetes auth method: a client whose login Vault must refuse, as its token is for an audience of no Vault.
    pub fn refused(&self, ctx: &Context, key: &Key) -> Result<Option<VaultClient>, Blocker> {
        let Auth::Kubernetes { mount, role, .. } = &self.config.auth else { return Ok(None) };
        let jwt = Arc::new(OwnTokens::of_no_vault(&ctx.client, key));
        let auth = Auth::Kubernetes { mount: mount.clone(), role: role.clone(), jwt };
        build(ctx, VaultConfig { auth, ..self.config.clone() }).map(Some)
    }
}

/// The client of the last check, while the spec names the same server and login. What the spec refers to may have changed since:
/// the next check reads that.
pub fn known(ctx: &Context, key: &Key, spec: &VaultSpec) -> Option<Arc<VaultClient>> {
    ctx.vault_memory.client_for(key, &written(spec))
}

/// Reads everything that the client needs. One that is built already is kept while nothing of it changes.
pub async fn client(ctx: &Arc<Context>, key: &Key, spec: &VaultSpec) -> Result<Built, Blocker> {
    let secrets = Secrets::new(&ctx.client, &key.namespace);
    let mut secret = None;
    let auth = auth(ctx, key, &secrets, &spec.auth, &mut secret).await?;
    let ca_bundle = match &spec.tls {
        Some(tls) => Some(ca_bundle(ctx, key, &secrets, &tls.ca_bundle).await?),
        None => None,
    };
    let written = written(spec);
    let secret = secret.as_ref().map_or("", |secret: &SecretString| secret.expose_secret());
    let ca = ca_bundle.as_deref().unwrap_or_default();
    let parts = [("spec", written.as_bytes()), ("secret", secret.as_bytes()), ("ca", ca.as_bytes())];
    let fingerprint = ctx.installation.digest_key.digest(parts);
    let config = VaultConfig {
        address: spec.address.clone(),
        namespace: spec.namespace.clone(),
        auth,
        ca_bundle,
        insecure_http: is_insecure(spec),
    };
    let client = ctx.vault_memory.client(key, (written, &fingerprint), || build(ctx, config.clone()))?;
    Ok(Built { client, fingerprint, config })
}

fn is_insecure(spec: &VaultSpec) -> bool {
    spec.insecure_http.unwrap_or(false)
}

/// The part of a spec that a client depends on.
fn written(spec: &VaultSpec) -> String {
    json!([spec.address, spec.namespace, spec.auth, is_insecure(spec), spec.tls]).to_string()
}

fn build(ctx: &Context, config: VaultConfig) -> Result<VaultClient, Blocker> {
    VaultClient::new(config, ctx.transports.as_ref(), ctx.process.clone()).map_err(|error| unusable(&error))
}

/// What a person has to correct in the spec.
fn unusable(error: &VaultConfigError) -> Blocker {
    let reason = match error {
        VaultConfigError::NotHttps { .. } => Reason::InsecureHttpRefused,
        VaultConfigError::Client { .. } => Reason::CaBundleInvalid,
        VaultConfigError::Address { .. } | VaultConfigError::Namespace => Reason::InvalidResource,
    };
    Blocker::lasting(reason, error.to_string())
}

async fn auth(
    ctx: &Arc<Context>,
    key: &Key,
    secrets: &Secrets,
    auth: &VaultAuth,
    secret: &mut Option<SecretString>,
) -> Result<Auth, Blocker> {
    if let Some(kubernetes) = &auth.kubernetes {
        return Ok(Auth::Kubernetes {
            mount: method(kubernetes.mount.as_deref(), KUBERNETES)?,
            role: kubernetes.role.clone(),
            jwt: Arc::new(OwnTokens::new(&ctx.client, key)),
        });
    }
    if let Some(app_role) = &auth.app_role {
        let secret_id = value(key, secrets, &app_role.secret_ref, SECRET_ID).await?;
        *secret = Some(secret_id.clone());
        return Ok(Auth::AppRole {
            mount: method(app_role.mount.as_deref(), APP_ROLE)?,
            role_id: app_role.role_id.clone(),
            secret_id,
        });
    }
    let Some(reference) = &auth.token_secret_ref else {
        return Err(Blocker::lasting(Reason::InvalidResource, "spec.auth names no login"));
    };
    let token = value(key, secrets, reference, TOKEN).await?;
    *secret = Some(token.clone());
    Ok(Auth::Token(token))
}

fn method(path: Option<&str>, default: &str) -> Result<Mount, Blocker> {
    Mount::parse(path.unwrap_or(default))
        .map_err(|error| Blocker::lasting(Reason::InvalidResource, format!("spec.auth.….mount: {error}")))
}

async fn value(
    key: &Key,
    secrets: &Secrets,
    reference: &VaultSecretKey,
    default: &str,
) -> Result<SecretString, Blocker> {
    let (name, entry) = (&reference.name, reference.key.as_deref().unwrap_or(default));
    let Some(texts) = secrets.texts(name).await.map_err(|error| error.blocker())? else {
        return Err(Blocker::lasting(
            Reason::LoginSecretMissing,
            format!(
                "Secret \"{name}\" does not exist in namespace {}; create it with the key {entry}",
                key.namespace
            ),
        ));
    };
    texts.get(entry).ok_or_else(|| {
        Blocker::lasting(
            Reason::LoginSecretIncomplete,
            format!("Secret \"{name}\" has no key \"{entry}\", or it is empty"),
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::controller::objects::part;
    use crate::controller::test_support::apiserver::{Apiserver, context};
    use crate::controller::test_support::vault::Vault;
    use crate::controller::vault::view::VaultView;

    #[tokio::test]
    async fn outputs_use_the_client_of_the_check_while_the_spec_is_the_same() {
        let (apiserver, vault) = (Apiserver::default(), Vault::default());
        let mut ctx = context(apiserver.client());
        vault.serve(&mut ctx, "ops");
        let ctx = Arc::new(ctx);
        let key = Key { namespace: "ops".into(), name: "vault".into() };
        let mut spec: VaultSpec = part(&ctx.vaults.get(&key).unwrap(), "spec").unwrap();
        let token = |text: &str| apiserver.put("ops", "vault-token", json!({"data": {"token": text}}));
        token("aHZzLmE=");
        let checked = client(&ctx, &key, &spec).await.unwrap();
        token("aHZzLmI=");
        let view = VaultView::of(&ctx, &key, "ops").await.unwrap().unwrap();
        let used = view.client(&ctx).await.unwrap();
        assert!(Arc::ptr_eq(&used, &checked.client), "the Secret is read by the check alone");
        let next = client(&ctx, &key, &spec).await.unwrap();
        assert!(!Arc::ptr_eq(&next.client, &checked.client) && next.fingerprint != checked.fingerprint);
        assert!(Arc::ptr_eq(&view.client(&ctx).await.unwrap(), &next.client));
        spec.address = "https://other.example.org".to_owned();
        assert!(known(&ctx, &key, &spec).is_none(), "another server");
    }
}
