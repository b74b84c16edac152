//! What a connection is built from, read from a Portal's spec, its login Secrets and its CA bundle.

use std::sync::Arc;

use crate::api::portal::PortalSpec;
use crate::controller::checked::ca_bundle::ca_bundle;
use crate::controller::context::Context;
use crate::controller::objects::Key;
use crate::controller::portal::logins;
use crate::controller::portal::logins::credentials::{LoginOf, Seen, credentials};
use crate::controller::portal::logins::operator_logins::LoginPlace;
use crate::controller::secrets::Secrets;
use crate::domain::blocker::Blocker;
use crate::domain::reason::Reason;
use crate::k8s::stored::StoredObject;
use crate::portal::{BundleReport, ClientConfig};
use crate::site::{Logins, NamedLogin, Site};

/// What a connection is built from, and a fingerprint that changes when any of it does.
pub struct Ingredients {
    pub(super) site: Site,
    pub(super) config: ClientConfig,
    /// A keyed digest. Another one means that the spec or the Secrets require another client.
    pub fingerprint: String,
}

/// Reads everything that a connection needs.
pub async fn ingredients(
    ctx: &Arc<Context>,
    key: &Key,
    object: &StoredObject,
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
    object: &StoredObject,
    spec: &PortalSpec,
) -> Result<Ingredients, Blocker> {
    let site = Site::of(spec).ok_or_else(|| {
        Blocker::lasting(Reason::InvalidResource, "The Portal names no address that is known")
    })?;
    let secrets = Secrets::new(&ctx.client, &key.namespace);
    let mut seen = Seen::default();
    let of = LoginOf { ctx, key, object, secrets: &secrets };
    // Both are read before either is refused: what they name is never published, whether the Portal works or not.
    let main = credentials(&of, &site.logins.main, &mut seen).await;
    let deletion = match &site.logins.deletion {
        Some(login) => Some(credentials(&of, login, &mut seen).await),
        None => None,
    };
    let place = LoginPlace::new(&site.url, &site.token_url);
    logins::configured(ctx, key, &place, &seen.client_ids, !seen.unread);
    let mut content = |login: &NamedLogin| seen.logins.remove(login.session);
    let contents =
        Logins { main: content(&site.logins.main), deletion: site.logins.deletion.as_ref().map(content) };
    ctx.portal_memory.logins.read(key, contents);
    let mut parts = seen.parts;
    parts.push(("spec".to_owned(), site.fingerprint().into_bytes()));
    let logins = Logins { main: main?, deletion: deletion.transpose()? };
    let ca_bundle = match &spec.tls {
        Some(tls) => Some(ca_bundle(ctx, key, &secrets, &tls.ca_bundle).await?),
        None => None,
    };
    ctx.portal_memory.bundles.read(key, ca_bundle.as_deref().map(BundleReport::of));
    parts.extend(ca_bundle.iter().map(|pem| ("ca".to_owned(), pem.clone().into_bytes())));
    let fingerprint = ctx
        .installation
        .digest_key
        .digest(parts.iter().map(|(name, value)| (name.as_str(), value.as_slice())));
    Ok(Ingredients { config: site.client(logins, ca_bundle), site, fingerprint })
}
