//! Who the login is and what it may do.

use super::client::Client;
use super::request::Call;
use crate::portal::oauth::Claims;
use crate::portal::observe::Operation;
use crate::portal::{Lane, Login, Permissions, PortalError};

/// Logs in with both logins.
///
/// A deletion login that is refused means only that nothing can be deleted; the rest works without it.
pub(super) async fn login(client: &Client) -> Result<Login, PortalError> {
    client.admit_write().await?;
    let token = client.login.token().await?;
    let claims = match &token.claims {
        Some(claims) => claims.clone(),
        None => Claims { permissions: probe_permissions(client).await?, ..Claims::default() },
    };
    let mut permissions = claims.permissions;
    let mut delete_client_id = None;
    if let Some(delete_login) = &client.delete_login {
        delete_client_id = delete_login.client_id().map(str::to_owned);
        permissions.delete = match delete_login.token().await {
            // A token that tells nothing may do it: the portal will say.
            Ok(token) => token.claims.as_ref().is_none_or(|claims| claims.permissions.delete),
            Err(
                PortalError::LoginRefused { .. }
                | PortalError::TokenNotStored { .. }
                | PortalError::BadAnswer { .. },
            ) => false,
            Err(error) => return Err(error),
        };
    }
    Ok(Login {
        companies: claims.companies,
        client_id: claims.client_id,
        delete_client_id,
        technical_roles: claims.technical_roles,
        permissions,
    })
}

/// For a token that is no JWT: what reads is tried. What writes cannot be tried without writing and counts as allowed to
/// whoever may read; the portal answers 403 where it is not.
async fn probe_permissions(client: &Client) -> Result<Permissions, PortalError> {
    let view = may(client, &Call::get(Operation::List, client.address.page(0, 1))).await?;
    let roles = may(client, &Call::get(Operation::Roles, client.address.roles())).await?;
    Ok(Permissions { view, create: view, delete: view, roles })
}

async fn may(client: &Client, call: &Call) -> Result<bool, PortalError> {
    match client.read(call, Lane::Interactive).await {
        Ok(_) => Ok(true),
        Err(PortalError::Unauthorized | PortalError::Forbidden { .. }) => Ok(false),
        Err(error) => Err(error),
    }
}
