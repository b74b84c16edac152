//! Who calls the portal, and whether they may (portal contract, sections 2 and 5.1).

use tokio::time::Instant;

use http::{StatusCode, header};
use uuid::Uuid;

use crate::calls::Endpoint;
use crate::core::Core;
use crate::errors;
use crate::http::{Reply, Request};
use crate::idp::tokens::Token;
use crate::state::{Editor, State};

/// A caller that the portal knows.
#[derive(Clone, Debug)]
pub(crate) struct Identity {
    pub(crate) company: Uuid,
    pub(crate) editor: Editor,
}

/// What an endpoint asks of its caller.
enum Need {
    Nothing,
    /// Any valid token.
    Token,
    /// This permission, and a company.
    Company(&'static str),
    /// This permission, and that the caller is a technical user.
    TechnicalUser(&'static str),
}

fn need(endpoint: Endpoint) -> Need {
    match endpoint {
        Endpoint::List | Endpoint::Details => Need::Company("view_tech_user_management"),
        Endpoint::Create | Endpoint::Update | Endpoint::Reset => Need::Company("add_tech_user_management"),
        Endpoint::Delete => Need::Company("delete_tech_user_management"),
        Endpoint::Roles => Need::Company("technical_roles_management"),
        Endpoint::CallbackCreated
        | Endpoint::CallbackDeleted
        | Endpoint::RetriggerCreate
        | Endpoint::RetriggerDelete => Need::TechnicalUser("technical_roles_management"),
        Endpoint::OwnCompany | Endpoint::WalletUrls => Need::Company("view_company_data"),
        Endpoint::ConnectorList | Endpoint::ConnectorDetails => Need::Company("view_connectors"),
        Endpoint::ConnectorCreate => Need::Company("add_connectors"),
        Endpoint::ConnectorUpdate => Need::Company("modify_connectors"),
        Endpoint::ConnectorDelete => Need::Company("delete_connectors"),
        Endpoint::OperatorBpn => Need::Token,
        Endpoint::Token
        | Endpoint::Refresh
        | Endpoint::WalletToken
        | Endpoint::ErrorMessage
        | Endpoint::Other => Need::Nothing,
    }
}

/// The access token's text of a request.
pub(crate) fn bearer(request: &Request) -> Option<&str> {
    let (scheme, token) = request.header(header::AUTHORIZATION)?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

/// Name of the caller, for the log of calls.
pub(crate) fn caller(state: &State, request: &Request) -> Option<String> {
    let token = state.idp.tokens.get(bearer(request)?)?;
    token.client_id.clone().or_else(|| {
        let human = state.idp.humans.iter().find(|human| Some(human.id) == token.human)?;
        Some(human.login.clone())
    })
}

/// Lets the caller pass, or answers 401 or 403.
pub(crate) fn check(core: &Core, request: &Request, endpoint: Endpoint) -> Result<Option<Identity>, Reply> {
    let need = need(endpoint);
    if matches!(need, Need::Nothing) {
        return Ok(None);
    }
    core.read(|state| {
        let version = state.version;
        let Some(text) = bearer(request) else {
            return Err(errors::unauthorized(version, "Bearer"));
        };
        let Some(token) = state.idp.tokens.get(text) else {
            return Err(errors::unauthorized(version, "Bearer error=\"invalid_token\""));
        };
        if token.ends + core.settings.clock_skew <= Instant::now() {
            let challenge = "Bearer error=\"invalid_token\", error_description=\"The token expired\"";
            return Err(errors::unauthorized(version, challenge));
        }
        // A token without any role of the portal's client lacks its audience.
        if !token.portal_audience {
            let challenge =
                "Bearer error=\"invalid_token\", error_description=\"The audience 'account' is invalid\"";
            return Err(errors::unauthorized(version, challenge));
        }
        let forbidden = || errors::refused(StatusCode::FORBIDDEN, version);
        let (permission, technical) = match need {
            Need::Nothing | Need::Token => return Ok(None),
            Need::Company(permission) => (permission, false),
            Need::TechnicalUser(permission) => (permission, true),
        };
        if !token.permissions.iter().any(|held| held == permission) || (technical && token.human.is_some()) {
            return Err(forbidden());
        }
        identity(state, token).map(Some).ok_or_else(forbidden)
    })
}

/// The portal's own record of the caller. The status of a technical user is not asked for, so that even a deleted
/// one's tokens work to their end.
fn identity(state: &State, token: &Token) -> Option<Identity> {
    if let Some(id) = token.human {
        let human = state.idp.humans.iter().find(|human| human.id == id)?;
        let company = human.company?;
        return Some(Identity { company, editor: Editor::Person { name: human.name.clone(), company } });
    }
    let user = state.user_of_client(token.client_id.as_deref()?)?;
    Some(Identity { company: user.company, editor: Editor::User(user.id) })
}
