//! The token endpoint (portal contract, section 5.9).

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::{Method, StatusCode, header};
use serde_json::{Value, json};

use crate::calls::Endpoint;
use crate::core::Core;
use crate::http::{Reply, Request, field};
use crate::idp::{Idp, PORTAL_CLIENT, tokens};
use crate::state::State;

const REALMS: &str = "/auth/realms/";
const ENDPOINT: &str = "protocol/openid-connect/token";

/// Which endpoint a request to the identity provider is for.
pub(crate) fn classify(request: &Request) -> Endpoint {
    let is_token = request
        .path
        .strip_prefix(REALMS)
        .and_then(|rest| rest.split_once('/'))
        .is_some_and(|(_, rest)| rest == ENDPOINT);
    if !is_token {
        return Endpoint::Other;
    }
    match request.form().as_deref().and_then(|form| field(form, "grant_type")) {
        Some("refresh_token") => Endpoint::Refresh,
        _ => Endpoint::Token,
    }
}

/// Who asks for a token, for the log of calls.
pub(crate) fn caller(state: &State, request: &Request) -> Option<String> {
    let form = request.form().unwrap_or_default();
    if let Some(token) = field(&form, "refresh_token") {
        let session = state.idp.sessions.iter().find(|session| session.has(token));
        let human = session.and_then(|session| human(&state.idp, session.human));
        if let Some(human) = human {
            return Some(human.login.clone());
        }
    }
    credentials(request, &form).map(|(id, _)| id)
}

fn human(idp: &Idp, id: uuid::Uuid) -> Option<&crate::idp::Human> {
    idp.humans.iter().find(|human| human.id == id)
}

/// Answers a request to the identity provider.
pub(crate) fn handle(core: &Core, request: &Request) -> Reply {
    let Some((realm, rest)) =
        request.path.strip_prefix(REALMS).map(|rest| rest.split_once('/').unwrap_or((rest, "")))
    else {
        return error(StatusCode::NOT_FOUND, "HTTP 404 Not Found", None);
    };
    if realm != "CX-Central" {
        return error(StatusCode::NOT_FOUND, "Realm does not exist", None);
    }
    if rest != ENDPOINT {
        return error(StatusCode::NOT_FOUND, "HTTP 404 Not Found", None);
    }
    if request.method != Method::POST {
        return error(StatusCode::METHOD_NOT_ALLOWED, "HTTP 405 Method Not Allowed", None);
    }
    let form = request.form().unwrap_or_default();
    let Some(grant) = field(&form, "grant_type") else {
        let text = "Missing form parameter: grant_type";
        return error(StatusCode::BAD_REQUEST, "invalid_request", Some(text));
    };
    match grant {
        "client_credentials" => client_credentials(core, request, &form),
        "refresh_token" => refresh(core, request, &form),
        // People have no password here: they log in by their company's identity provider.
        "password" => error(StatusCode::UNAUTHORIZED, "invalid_grant", Some("Invalid user credentials")),
        _ => error(StatusCode::BAD_REQUEST, "unsupported_grant_type", Some("Unsupported grant_type")),
    }
}

/// Client id and secret, of the `Authorization` header or else of the body.
pub(crate) fn credentials(request: &Request, form: &[(String, String)]) -> Option<(String, Option<String>)> {
    let basic = request.header(header::AUTHORIZATION).and_then(|value| {
        let (scheme, rest) = value.split_once(' ')?;
        let decoded = STANDARD.decode(rest.trim()).ok().filter(|_| scheme.eq_ignore_ascii_case("basic"))?;
        let text = String::from_utf8(decoded).ok()?;
        let (id, secret) = text.split_once(':')?;
        Some((decoded_part(id), Some(decoded_part(secret))))
    });
    basic.or_else(|| {
        let id = field(form, "client_id")?;
        Some((id.to_owned(), field(form, "client_secret").map(str::to_owned)))
    })
}

/// Id and secret in a Basic header are form-encoded (RFC 6749, 2.3.1); many clients send them bare.
fn decoded_part(text: &str) -> String {
    if !text.contains('%') {
        return text.to_owned();
    }
    form_urlencoded::parse(text.replace('&', "%26").replace('=', "%3D").as_bytes())
        .next()
        .map_or_else(String::new, |(key, _)| key.into_owned())
}

fn client_credentials(core: &Core, request: &Request, form: &[(String, String)]) -> Reply {
    let Some((id, secret)) = credentials(request, form) else {
        return refused("invalid_client");
    };
    if id == PORTAL_CLIENT {
        let text = "Public client not allowed to retrieve service account";
        return error(StatusCode::UNAUTHORIZED, "unauthorized_client", Some(text));
    }
    let issuer = core.issuer();
    core.change(|state| {
        let Some(client) = state.idp.client(&id).filter(|client| client.enabled) else {
            return refused("invalid_client");
        };
        if secret.as_deref() != Some(client.secret.as_str()) {
            return refused("unauthorized_client");
        }
        let fresh = tokens::for_client(client, state.idp.token_scopes, &issuer, core.settings.token_lifetime);
        let answer = json!({
            "access_token": fresh.text, "expires_in": fresh.expires_in, "refresh_expires_in": 0,
            "token_type": "Bearer", "not-before-policy": 1_700_000_000, "scope": "email profile",
        });
        keep(state, fresh);
        reply(&answer)
    })
}

fn refresh(core: &Core, request: &Request, form: &[(String, String)]) -> Reply {
    let Some((client_id, _)) = credentials(request, form) else {
        return refused("invalid_client");
    };
    let issuer = core.issuer();
    core.change(|state| {
        let public =
            client_id == PORTAL_CLIENT || state.idp.humans.iter().any(|human| human.login == client_id);
        if !public && state.idp.client(&client_id).is_none() {
            return refused("invalid_client");
        }
        let Some(token) = field(form, "refresh_token") else {
            return error(StatusCode::BAD_REQUEST, "invalid_request", Some("No refresh token"));
        };
        let session = state.idp.sessions.iter_mut().find(|session| session.has(token)).filter(|_| public);
        let Some(session) = session else {
            return error(StatusCode::BAD_REQUEST, "invalid_grant", Some("Invalid refresh token"));
        };
        let id = session.human;
        let next = match session.refresh(token, &issuer) {
            Ok(next) => next,
            Err(why) => return error(StatusCode::BAD_REQUEST, "invalid_grant", Some(why)),
        };
        let Some(human) = human(&state.idp, id) else {
            return error(StatusCode::BAD_REQUEST, "invalid_grant", Some("Invalid refresh token"));
        };
        let bpn = human.company.and_then(|company| state.company(company)).and_then(|c| c.bpn.as_deref());
        let fresh = tokens::for_human(human, bpn, &issuer, core.settings.token_lifetime);
        let answer = json!({
            "access_token": fresh.text, "expires_in": fresh.expires_in, "refresh_expires_in": 0,
            "refresh_token": next, "token_type": "Bearer", "not-before-policy": 1_700_000_000,
            "session_state": id, "scope": "openid email profile offline_access",
        });
        state.note_secret(&next);
        keep(state, fresh);
        reply(&answer)
    })
}

fn keep(state: &mut State, issued: tokens::Issued) {
    state.note_secret(&issued.text);
    state.idp.tokens.insert(issued.text, issued.token);
}

fn refused(error: &str) -> Reply {
    self::error(StatusCode::UNAUTHORIZED, error, Some("Invalid client or Invalid client credentials"))
}

fn error(status: StatusCode, error: &str, description: Option<&str>) -> Reply {
    let body = match description {
        Some(description) => json!({"error": error, "error_description": description}),
        None => json!({"error": error}),
    };
    Reply::typed(status, "application/json", body.to_string()).with(header::CACHE_CONTROL, "no-store")
}

fn reply(body: &Value) -> Reply {
    Reply::typed(StatusCode::OK, "application/json", body.to_string()).with(header::CACHE_CONTROL, "no-store")
}
