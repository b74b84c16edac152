//! What a connection is made of, read from a Portal's spec, its login Secrets and its CA bundle.

use std::sync::Arc;

use kube::api::DynamicObject;

use super::ca_bundle::ca_bundle;
use crate::api::portal::{Limits, PortalSpec};
use crate::api::target::Target;
use crate::controller::context::Context;
use crate::controller::objects::Key;
use crate::controller::portal::logins;
use crate::controller::portal::logins::credentials::{LoginOf, Seen, credentials};
use crate::controller::portal::logins::operator_logins::LoginPlace;
use crate::controller::secrets::Secrets;
use crate::domain::address;
use crate::domain::reason::Reason;
use crate::domain::roles::Blocker;
use crate::portal::{self, BundleReport, ClientConfig};

/// What a connection is made of, and a fingerprint that changes when any of it does.
pub struct Ingredients {
    pub(super) target: Target,
    pub(super) config: ClientConfig,
    /// Tells whether a client is still the one that the spec and the Secrets ask for. A keyed digest.
    pub fingerprint: String,
}

/// Reads everything that a connection needs.
pub async fn ingredients(
    ctx: &Arc<Context>,
    key: &Key,
    object: &DynamicObject,
    spec: &PortalSpec,
) -> Result<Ingredients, Blocker> {
    let read = read_ingredients(ctx, key, object, spec).await;
    // A login Secret that is missing names no login; one that could not be read may.
    if !matches!(&read, Err(blocker) if blocker.reason == Reason::KubernetesError) {
        logins::tried(ctx, key);
    }
    read
}

async fn read_ingredients(
    ctx: &Arc<Context>,
    key: &Key,
    object: &DynamicObject,
    spec: &PortalSpec,
) -> Result<Ingredients, Blocker> {
    let target = Target::of(spec).ok_or_else(|| {
        Blocker::lasting(Reason::InvalidResource, "the Portal names no address that is known")
    })?;
    let secrets = Secrets::new(&ctx.client, &key.namespace);
    // The company that the login must belong to is no part of the client.
    let Target { url, token_url, wallet_token_url, insecure_http, auth, delete_auth, bpn: _ } = &target;
    let (url, token_url) = (address::portal(url), address::token_endpoint(token_url));
    let of_spec = format!(
        "{url} {token_url} {insecure_http} {auth:?} {delete_auth:?} {:?} {wallet_token_url:?}",
        spec.limits
    );
    let mut seen = Seen::default();
    let of = LoginOf { ctx, key, object, secrets: &secrets };
    // Both are read before either is refused: what they name is never published, whether the Portal works or not.
    let login = credentials(&of, &target.auth, "session", &mut seen).await;
    let delete_login = match &target.delete_auth {
        Some(auth) => Some(credentials(&of, auth, "delete-session", &mut seen).await),
        None => None,
    };
    let place = LoginPlace::new(&target.url, &target.token_url);
    logins::configured(ctx, key, &place, &seen.client_ids, !seen.unread);
    let mut parts = seen.parts;
    parts.push(("spec".to_owned(), of_spec.into_bytes()));
    let (login, delete_login) = (login?, delete_login.transpose()?);
    let ca_bundle = match &spec.tls {
        Some(tls) => Some(ca_bundle(ctx, key, &secrets, &tls.ca_bundle).await?),
        None => None,
    };
    ctx.portal_memory.bundles.read(key, ca_bundle.as_deref().map(BundleReport::of));
    parts.extend(ca_bundle.iter().map(|pem| ("ca".to_owned(), pem.clone().into_bytes())));
    let digest = ctx
        .installation
        .digest_key
        .digest(parts.iter().map(|(name, value)| (name.as_str(), value.as_slice())));
    Ok(Ingredients {
        config: ClientConfig {
            api_url: target.url.clone(),
            token_url: target.token_url.clone(),
            external_token_url: target.wallet_token_url.clone(),
            login,
            delete_login,
            ca_bundle,
            insecure_http: target.insecure_http,
            limits: limits(spec.limits.as_ref()),
        },
        target,
        fingerprint: digest,
    })
}

fn limits(limits: Option<&Limits>) -> portal::Limits {
    let limits = limits.copied();
    portal::Limits::given(
        limits.and_then(|l| l.requests_per_second),
        limits.and_then(|l| l.burst),
        limits.and_then(|l| l.concurrency),
    )
}
