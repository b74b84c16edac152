//! Who the login is and what it may do.

use super::client::Client;
use super::request::{Bearer, Call};
use crate::portal::oauth::{Claims, TokenSource};
use crate::portal::observe::Operation;
use crate::portal::{Lane, Login, Permissions, PortalError};

/// Logs in with both logins.
///
/// The result of the deletion login decides as follows. Its failure does not affect other calls.
///
/// | result | it may delete | a deletion |
/// |---|---|---|
/// | a token with `delete_tech_user_management`, or one that is no JWT | yes | is sent; only the portal's 403 means "may not" |
/// | a token without that permission | no | revokes instead |
/// | a refusal, such as `invalid_client`, which a person corrects in the Secret | not known | waits |
/// | 404, a web page, 5xx, 429, no answer, failing TLS, a token that cannot be stored | not known | waits |
pub(super) async fn login(client: &Client) -> Result<Login, PortalError> {
    client.admit_write().await?;
    let token = client.login.token().await?;
    let claims = match &token.claims {
        Some(claims) => claims.clone(),
        None => Claims { permissions: probe_permissions(client).await?, ..Claims::default() },
    };
    let mut permissions = claims.permissions;
    let (mut delete_client_id, mut deletion_trouble) = (None, None);
    if let Some(delete_login) = &client.delete_login {
        delete_client_id = delete_login.client_id().map(str::to_owned);
        permissions.delete = match delete_login.token().await {
            // A token that shows nothing may do it: the portal decides.
            Ok(token) => token.claims.as_ref().is_none_or(|claims| claims.permissions.delete),
            Err(error) => {
                deletion_trouble = Some(trouble(&error));
                true
            }
        };
    }
    Ok(Login {
        companies: claims.companies,
        client_id: claims.client_id,
        delete_client_id,
        technical_roles: claims.technical_roles,
        permissions,
        deletion_trouble,
    })
}

/// A token for the deletion login, so that what fails next is not the login.
pub(super) async fn deletion_login_works(login: &TokenSource) -> Result<(), PortalError> {
    login.token().await.map(drop).map_err(|error| PortalError::DeletionLogin { reason: trouble(&error) })
}

/// One page of one user, with a token that says the same of the login.
pub(super) async fn confirm(client: &Client, login: &Login) -> Result<(), PortalError> {
    let bearer = Bearer::Like { companies: login.companies.clone(), client_id: login.client_id.clone() };
    let call = Call::get(Operation::List, client.address.page(0, 1)).by(bearer);
    client.read(&call, Lane::Interactive).await.map(drop)
}

/// One page of one user, with a token of the deletion login.
pub(super) async fn confirm_deletion_login(client: &Client, client_id: &str) -> Result<(), PortalError> {
    let Some(login) = &client.delete_login else { return Err(PortalError::Unauthorized) };
    let call = Call::get(Operation::List, client.address.page(0, 1)).by(Bearer::Of(client_id.to_owned()));
    client.read_by(login, &call, Lane::Interactive).await.map(drop)
}

/// Why no token could be obtained.
fn trouble(error: &PortalError) -> String {
    match error {
        PortalError::Server { status, .. } => format!("its token endpoint answered {status}"),
        PortalError::Throttled { .. } => "its token endpoint requests a pause".to_owned(),
        PortalError::CircuitOpen { .. } => "its token endpoint failed repeatedly".to_owned(),
        error => error.to_string(),
    }
}

/// For a token that is no JWT: what reads is tried. What writes cannot be tried without writing and counts as allowed to
/// a login that may read; the portal answers 403 where it is not.
async fn probe_permissions(client: &Client) -> Result<Permissions, PortalError> {
    let view = may(client, Call::get(Operation::List, client.address.page(0, 1))).await?;
    let roles = may(client, Call::get(Operation::Roles, client.address.roles())).await?;
    Ok(Permissions { view, create: view, delete: view, roles, dataspace: false })
}

async fn may(client: &Client, call: Call) -> Result<bool, PortalError> {
    match client.read(&call.by(Bearer::Any), Lane::Interactive).await {
        Ok(_) => Ok(true),
        Err(PortalError::Unauthorized | PortalError::Forbidden { .. }) => Ok(false),
        Err(error) => Err(error),
    }
}
