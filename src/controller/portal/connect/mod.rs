//! From what a Portal's spec and its login Secrets say to a connection that was seen to work.

mod blocker;
pub mod company;
mod ingredients;

use std::sync::Arc;

use super::logins;
use super::sweep::ListOrigin;
use super::sweep::listener::PortalListener;
use crate::controller::context::Context;
use crate::controller::objects::Key;
use crate::controller::portal::connections::{Connection, ConnectionState};
use crate::controller::portal::logins::operator_logins::LoginPlace;
use crate::domain::address;
use crate::domain::blocker::Blocker;
use crate::domain::identity::Pin;
use crate::domain::permissions::login_advice;
use crate::domain::reason::Reason;
use crate::portal::{ConfigError, Lane};

pub use blocker::blocker;
pub use ingredients::{Ingredients, ingredients};

/// Reads who the login is, what it may do and which roles the portal offers. The user list is not read. `last_known` is the company
/// that the Portal's status names.
pub async fn connect(
    ctx: &Arc<Context>,
    key: &Key,
    ingredients: Ingredients,
    last_known: Option<&str>,
) -> Result<Connection, Blocker> {
    let Ingredients { site, config, fingerprint } = ingredients;
    let build = || ctx.connector.connect(config);
    let portal = ctx.connections.client(key, &fingerprint, build).map_err(|error| match error {
        ConfigError::Client { .. } => Blocker::lasting(Reason::CaBundleInvalid, error.to_string()),
        ConfigError::NotHttps { .. } => Blocker::lasting(Reason::InsecureHttpRefused, error.to_string()),
        other => Blocker::lasting(Reason::InvalidResource, other.to_string()),
    })?;
    let capabilities = portal.capabilities().await.map_err(|error| blocker(&error, None))?;
    let names = &capabilities.permissions;
    let login = portal.login().await.map_err(|error| blocker(&error, Some(names)))?;
    let confirmed =
        if ctx.connections.is_confirmed(key, &login) { Ok(()) } else { portal.confirm(&login).await };
    let accepted_logins = logins::accepted(ctx, key, portal.as_ref(), &login, &confirmed).await;
    logins::in_use(ctx, key, &LoginPlace::new(&site.url, &site.token_url), &accepted_logins);
    let before = ctx.connections.companies(key);
    let known = !before.is_empty() || last_known.is_some();
    let company = match company::of_login(site.company.as_deref(), &login.companies, &before, known) {
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
            format!(
                "The login may not read technical users: {} is missing. {}.",
                names.view,
                login_advice(names)
            ),
        ));
    }
    if let Err(error) = confirmed {
        portal.forget_token().await;
        return Err(blocker(&error, Some(names)));
    }
    ctx.connections.confirm(key, &login);
    let url = address::portal(&site.url);
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
        portal.roles(Lane::Background).await.map_err(|error| blocker(&error, Some(names)))?
    } else {
        Vec::new()
    };
    ctx.connections.accept(key, &login.companies);
    let listener =
        PortalListener::create(ctx, key, ListOrigin { url: url.clone(), companies: login.companies.clone() });
    let inventory = ctx.connections.inventory(key, &pin, &portal, listener, &ctx.metrics);
    let (written_url, token_url) = (site.url, address::token_endpoint(&site.token_url));
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
