//! From a Portal's spec and its login Secret to a connection that was seen to work.

use std::collections::BTreeSet;
use std::sync::Arc;

use k8s_openapi::api::core::v1::ConfigMap;
use kube::Api;
use kube::api::DynamicObject;

use super::company;
use super::listener::PortalListener;
use super::logins;
use super::session::Session;
use super::sweep::ListOrigin;
use crate::api::portal::{Auth, CaBundle, Limits, PortalSpec};
use crate::api::target::Target;
use crate::controller::context::Context;
use crate::controller::kube_error::KubeError;
use crate::controller::objects::Key;
use crate::controller::portal::connections::{Connection, ConnectionState};
use crate::controller::portal::operator_logins::LoginPlace;
use crate::controller::secrets::{Secrets, Texts};
use crate::domain::address;
use crate::domain::identity::Pin;
use crate::domain::reason::Reason;
use crate::domain::roles::Blocker;
use crate::portal::hints::{CHECK_TOKEN_URL, unreachable_hint};
use crate::portal::{
    self, BundleReport, ClientConfig, ConfigError, Credentials, Lane, PORTAL_CLIENT, PortalError,
};

/// What a connection is made of, and a fingerprint that changes when any of it does.
pub struct Ingredients {
    target: Target,
    config: ClientConfig,
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

/// Whose login is read, and from where.
struct LoginOf<'a> {
    ctx: &'a Arc<Context>,
    key: &'a Key,
    object: &'a DynamicObject,
    secrets: &'a Secrets,
}

/// What the login Secrets of a Portal hold.
#[derive(Default)]
struct Seen {
    /// For the fingerprint.
    parts: Vec<(String, Vec<u8>)>,
    /// The client IDs that they name.
    client_ids: BTreeSet<String>,
    /// One of them could not be read, or is not as it should be: it may name more, and what it named before may be in use.
    unread: bool,
}

impl Seen {
    /// What the Secret of a technical user's login names.
    fn names(&mut self, client_id: Option<String>) {
        self.unread |= client_id.is_none();
        self.client_ids.extend(client_id);
    }
}

/// One login, read from its Secret.
async fn credentials(
    of: &LoginOf<'_>,
    auth: &Auth,
    session: &str,
    seen: &mut Seen,
) -> Result<Credentials, Blocker> {
    let LoginOf { ctx, key, object, secrets } = *of;
    let (reference, refresh) = match (&auth.client_credentials, &auth.refresh_token) {
        (Some(login), _) => (&login.secret_ref, false),
        (None, Some(login)) => (&login.secret_ref, true),
        (None, None) => return Err(Blocker::lasting(Reason::InvalidResource, "auth names no login")),
    };
    let name = &reference.name;
    let texts = match secrets.texts(name).await {
        Ok(Some(texts)) => texts,
        Ok(None) => {
            seen.unread = true;
            return Err(Blocker::lasting(
                Reason::LoginSecretMissing,
                format!(
                    "Secret \"{name}\" is not there; make it in namespace {} with the login's keys",
                    key.namespace
                ),
            ));
        }
        Err(error) => {
            seen.unread = true;
            return Err(kubernetes(&error));
        }
    };
    // A digest, so that no copy of a secret is left in memory.
    seen.parts.push((session.to_owned(), ctx.installation.digest_key.digest(texts.exact()).into_bytes()));
    if refresh {
        let token = required(&texts, name, "refresh-token")?;
        let client_id = texts.plain("client-id").unwrap_or_else(|| PORTAL_CLIENT.to_owned());
        let store = Session::new(ctx, secrets.clone(), object, &format!("{}-{session}", key.name), token);
        return Ok(Credentials::RefreshToken { client_id, store: Arc::new(store) });
    }
    seen.names(texts.plain("client-id"));
    Ok(Credentials::ClientCredentials {
        client_id: texts.plain("client-id").ok_or_else(|| lacks(name, "client-id"))?,
        client_secret: required(&texts, name, "client-secret")?,
    })
}

fn required(texts: &Texts, name: &str, key: &str) -> Result<secrecy::SecretString, Blocker> {
    texts.get(key).ok_or_else(|| lacks(name, key))
}

fn lacks(name: &str, key: &str) -> Blocker {
    Blocker::lasting(
        Reason::LoginSecretIncomplete,
        format!("Secret \"{name}\" has no key \"{key}\", or it is empty"),
    )
}

async fn ca_bundle(
    ctx: &Context,
    key: &Key,
    secrets: &Secrets,
    bundle: &CaBundle,
) -> Result<String, Blocker> {
    let missing = |what: String| Blocker::lasting(Reason::CaBundleInvalid, what);
    if let Some(reference) = &bundle.config_map_ref {
        let entry = reference.key.as_deref().unwrap_or("ca.crt");
        let api: Api<ConfigMap> = Api::namespaced(ctx.client.clone(), &key.namespace);
        let found = api.get_opt(&reference.name).await.map_err(|error| kubernetes(&error.into()))?;
        return found.and_then(|map| map.data?.remove(entry)).ok_or_else(|| {
            missing(format!("ConfigMap \"{}\" with key \"{entry}\" is not there", reference.name))
        });
    }
    let Some(reference) = &bundle.secret_ref else {
        return Err(missing("tls.caBundle names nothing".to_owned()));
    };
    let entry = reference.key.as_deref().unwrap_or("ca.crt");
    let texts = secrets.texts(&reference.name).await.map_err(|error| kubernetes(&error))?;
    texts
        .and_then(|texts| texts.plain(entry))
        .ok_or_else(|| missing(format!("Secret \"{}\" with key \"{entry}\" is not there", reference.name)))
}

fn kubernetes(error: &KubeError) -> Blocker {
    error.blocker()
}

/// Looks who the login is, what it may do and which roles there are. The user list is not read. `last_known` is the company
/// that the Portal's status names.
pub async fn connect(
    ctx: &Arc<Context>,
    key: &Key,
    ingredients: Ingredients,
    last_known: Option<&str>,
) -> Result<Connection, Blocker> {
    let Ingredients { target, config, fingerprint } = ingredients;
    let build = || ctx.connector.connect(config);
    let portal = ctx.connections.client(key, &fingerprint, build).map_err(|error| match error {
        ConfigError::Client { .. } => Blocker::lasting(Reason::CaBundleInvalid, error.to_string()),
        ConfigError::NotHttps { .. } => Blocker::lasting(Reason::InsecureHttpRefused, error.to_string()),
        other => Blocker::lasting(Reason::InvalidResource, other.to_string()),
    })?;
    let capabilities = portal.capabilities().await.map_err(|error| blocker(&error))?;
    let login = portal.login().await.map_err(|error| blocker(&error))?;
    let confirmed =
        if ctx.connections.is_confirmed(key, &login) { Ok(()) } else { portal.confirm(&login).await };
    let accepted_logins = logins::accepted(ctx, key, portal.as_ref(), &login, &confirmed).await;
    logins::in_use(ctx, key, &LoginPlace::new(&target.url, &target.token_url), &accepted_logins);
    let before = ctx.connections.companies(key);
    let known = !before.is_empty() || last_known.is_some();
    let company = match company::of_login(target.bpn.as_deref(), &login.companies, &before, known) {
        Ok(company) => company,
        Err(blocker) => {
            ctx.connections.forget_inventory(key);
            // The next token may say what this one does not.
            portal.forget_token().await;
            return Err(blocker);
        }
    };
    if company.is_none() && !login.companies.is_empty() {
        portal.forget_token().await;
    }
    if !login.permissions.view {
        return Err(Blocker::lasting(
            Reason::PermissionMissing,
            "the login may not read technical users (view_tech_user_management is missing): use a technical user with the \
             role \"Connector Management\"",
        ));
    }
    if let Err(error) = confirmed {
        portal.forget_token().await;
        return Err(blocker(&error));
    }
    ctx.connections.confirm(key, &login);
    let url = address::portal(&target.url);
    let pin = Pin::new(&url, company.as_deref().or(login.companies.first().map(String::as_str)));
    // What was connected for another company is not used any more: it is bound to tokens of that one.
    let leads_elsewhere = match ctx.connections.get(key) {
        Some(ConnectionState::Up(last) | ConnectionState::Down(_, Some(last))) => {
            last.pin != pin && ctx.connections.is_client(key, &last.portal)
        }
        _ => false,
    };
    if leads_elsewhere {
        let words = format!("Portal {key} is being connected for another company");
        ctx.connections
            .set(key, ConnectionState::Down(Blocker::passing(Reason::PortalNotReady, words), None));
    }
    let companies = company.as_ref().map_or(login.companies.as_slice(), std::slice::from_ref);
    let portal = ctx.connections.bind(key, &portal, companies);
    let roles = if login.permissions.roles {
        portal.roles(Lane::Background).await.map_err(|error| blocker(&error))?
    } else {
        Vec::new()
    };
    ctx.connections.accept(key, &login.companies);
    let listener =
        PortalListener::create(ctx, key, ListOrigin { url: url.clone(), companies: login.companies.clone() });
    let inventory = ctx.connections.inventory(key, &pin, &portal, listener, &ctx.metrics);
    let (written_url, token_url) = (target.url, address::token_endpoint(&target.token_url));
    let roles = Arc::new(roles);
    Ok(Connection {
        portal,
        url,
        written_url,
        token_url,
        pin,
        company,
        login,
        accepted_logins,
        capabilities,
        roles,
        inventory,
    })
}

/// What a failure means for a Portal.
#[must_use]
pub fn blocker(error: &PortalError) -> Blocker {
    let words = error.to_string();
    match error {
        PortalError::Unreachable { reason, .. } => {
            Blocker::passing(Reason::Unreachable, format!("{words}; {}", unreachable_hint(reason)))
        }
        PortalError::NotATokenEndpoint => {
            Blocker::lasting(Reason::NotATokenEndpoint, format!("{words}: {CHECK_TOKEN_URL}"))
        }
        PortalError::Tls { .. } => Blocker::lasting(
            Reason::TlsFailed,
            // What there is to do depends on the Portal: see `notices::tls_hint`.
            words,
        ),
        PortalError::LoginRefused { .. } => Blocker::lasting(
            Reason::LoginRefused,
            // The Portal's own condition names the Secret: see `login_secret::named`.
            format!("{words}; correct the login Secret, which the operator reads again automatically"),
        ),
        PortalError::DeletionLogin { .. } => Blocker::passing(Reason::DeletionLoginFailing, words),
        PortalError::TokenNotStored { .. } => Blocker::passing(Reason::TokenNotStored, words),
        PortalError::OtherCompany => Blocker::passing(
            Reason::CompanyUnknown,
            format!("{words}. Nothing is changed in the portal until the login is accepted again"),
        ),
        PortalError::Unauthorized | PortalError::Forbidden { .. } => Blocker::lasting(
            Reason::PermissionMissing,
            format!("{words}; use a technical user with the role \"Connector Management\""),
        ),
        PortalError::NotThePortalBackend { .. } => Blocker::lasting(
            Reason::NotThePortalBackend,
            format!(
                "{words}: url is the address of the backend (often portal-backend.…), not of the web page"
            ),
        ),
        PortalError::Refused { .. }
        | PortalError::NotFound
        | PortalError::ClientMissing
        | PortalError::Server { .. }
        | PortalError::BadAnswer { .. }
        | PortalError::CircuitOpen { .. }
        | PortalError::CreatesInProgress
        | PortalError::Throttled { .. } => Blocker::passing(Reason::PortalFailing, words),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_login_secret_without_a_client_id_is_not_one_that_names_no_login() {
        let mut seen = Seen::default();
        seen.names(Some("sa1".to_owned()));
        assert!(!seen.unread && seen.client_ids.contains("sa1"));
        seen.names(None);
        assert!(seen.unread && seen.client_ids.contains("sa1"));
    }
}
