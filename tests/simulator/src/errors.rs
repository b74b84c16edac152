//! Error bodies of the portal (portal contract, section 3).

use http::{StatusCode, header};
use serde_json::{Map, Value, json};

use crate::http::{JSON, Reply};
use crate::messages;
use crate::version::Version;

/// Assembly that the business code lives in.
pub(crate) const SERVICE: &str = "Org.Eclipse.TractusX.Portal.Backend.Administration.Service";
/// Assembly that speaks to the identity provider.
pub(crate) const PROVISIONING: &str = "Org.Eclipse.TractusX.Portal.Backend.Provisioning.Library";
/// Assembly that reads JSON.
pub(crate) const SYSTEM_TEXT_JSON: &str = "System.Text.Json";
/// Assembly that speaks to the database.
pub(crate) const DATABASE: &str = "Npgsql.EntityFrameworkCore.PostgreSQL";

/// An error of the portal's business code.
#[derive(Debug)]
pub(crate) struct PortalError {
    status: StatusCode,
    errors: Vec<(String, Vec<String>)>,
    code: Option<(&'static str, Vec<(&'static str, String)>)>,
}

impl PortalError {
    /// An error with a code of the portal's tables.
    pub(crate) fn coded(status: StatusCode, code: &'static str) -> Self {
        Self { status, errors: Vec::new(), code: Some((code, Vec::new())) }
    }

    pub(crate) fn argument(code: &'static str) -> Self {
        Self::coded(StatusCode::BAD_REQUEST, code)
    }

    pub(crate) fn conflict(code: &'static str) -> Self {
        Self::coded(StatusCode::CONFLICT, code)
    }

    /// An error without a code; `key` is the assembly or the parameter that it names.
    pub(crate) fn plain(status: StatusCode, key: &str, messages: impl IntoIterator<Item = String>) -> Self {
        Self { status, errors: vec![(key.to_owned(), messages.into_iter().collect())], code: None }
    }

    /// Adds what an inner exception said.
    pub(crate) fn inner(mut self, key: &str, message: &str) -> Self {
        self.errors.push((key.to_owned(), vec![message.to_owned()]));
        self
    }

    /// The identity provider does not know the client (portal contract, section 2.3).
    pub(crate) fn client_not_found(client_id: &str) -> Self {
        Self::plain(
            StatusCode::INTERNAL_SERVER_ERROR,
            PROVISIONING,
            [format!("clientId {client_id} not found in central keycloak")],
        )
    }

    /// Another save came between (portal contract, section 2.4).
    pub(crate) fn save_conflict() -> Self {
        Self::plain(
            StatusCode::INTERNAL_SERVER_ERROR,
            DATABASE,
            ["the row was changed by someone else since it was read: one row was to change, none did"
                .to_owned()],
        )
    }

    /// Adds a parameter of the message.
    pub(crate) fn param(mut self, name: &'static str, value: impl Into<String>) -> Self {
        if let Some((_, params)) = &mut self.code {
            params.push((name, value.into()));
        }
        self
    }

    /// The answer in this version: JSON as `application/json` up to 2.3, as `text/plain` from 2.4.
    pub(crate) fn reply(self, version: Version) -> Reply {
        let (kind, title) = meta(self.status);
        let mut errors: Map<String, Value> =
            self.errors.into_iter().map(|(key, messages)| (key, json!(messages))).collect();
        let mut details = Vec::new();
        if let Some((code, params)) = self.code {
            let (table, template) = messages::find(code);
            // Argument errors name a parameter, which is never set, and the code instead of the text.
            let (key, text) = if self.status == StatusCode::BAD_REQUEST {
                ("unknown", code.to_owned())
            } else {
                (SERVICE, fill(template, &params))
            };
            errors.insert(key.to_owned(), json!([text]));
            let params: Vec<Value> =
                params.iter().map(|(name, value)| json!({"name": name, "value": value})).collect();
            details
                .push(json!({"errorCode": code, "type": table, "message": template, "parameters": params}));
        }
        let body = json!({
            "type": kind, "title": title, "status": self.status.as_u16(), "errors": errors,
            "errorId": crate::random::uuid(), "details": details,
        });
        let content_type = if version >= Version::V2_4 { "text/plain; charset=utf-8" } else { JSON };
        Reply::typed(self.status, content_type, body.to_string())
    }
}

fn fill(template: &str, params: &[(&'static str, String)]) -> String {
    params.iter().fold(template.to_owned(), |text, (name, value)| text.replace(&format!("{{{name}}}"), value))
}

/// Type and title of an error body (portal contract, section 3.1).
fn meta(status: StatusCode) -> (&'static str, &'static str) {
    match status.as_u16() {
        400 => {
            ("https://tools.ietf.org/html/rfc7231#section-6.5.1", "One or more validation errors occurred.")
        }
        403 => (
            "https://datatracker.ietf.org/doc/html/rfc7231#section-6.5.3",
            "Access to requested resource is not permitted.",
        ),
        404 => (
            "https://datatracker.ietf.org/doc/html/rfc7231#section-6.5.4",
            "Cannot find representation of target resource.",
        ),
        409 => (
            "https://tools.ietf.org/html/rfc7231#section-6.5.8",
            "The resource is in conflict with the current request.",
        ),
        415 => (
            "https://datatracker.ietf.org/doc/html/rfc7231#section-6.5.13",
            "The server does not support this media type.",
        ),
        502 => (
            "https://datatracker.ietf.org/doc/html/rfc7231#section-6.6.3",
            "Error accessing external resource.",
        ),
        _ => (
            "https://datatracker.ietf.org/doc/html/rfc7231#section-6.6.1",
            "The server encountered an unexpected condition.",
        ),
    }
}

/// 401 or 403 of the authorisation layer: a body only from version 2.4 on (portal contract, section 3.1).
pub(crate) fn refused(status: StatusCode, version: Version) -> Reply {
    if version < Version::V2_4 {
        return Reply::empty(status);
    }
    let (code, kind, text) = if status == StatusCode::FORBIDDEN {
        ("ForbiddenAccess", "ForbiddenException", "Access forbidden")
    } else {
        ("UnauthorizedAccess", "UnauthorizedAccessException", "Unauthorized access")
    };
    let (url, title) = meta(status);
    let body = json!({
        "type": url, "title": title, "status": status.as_u16(), "errors": {"unknown": [text]},
        "errorId": crate::random::uuid(),
        "details": [{"errorCode": code, "type": kind, "message": text, "parameters": []}],
    });
    Reply::typed(status, "application/json", body.to_string())
}

/// 401 with its challenge.
pub(crate) fn unauthorized(version: Version, challenge: &str) -> Reply {
    refused(StatusCode::UNAUTHORIZED, version).with(header::WWW_AUTHENTICATE, challenge)
}

fn trace_id() -> String {
    let span = crate::random::uuid().simple().to_string();
    format!("00-{}-{}-00", crate::random::uuid().simple(), span.get(..16).unwrap_or_default())
}

/// Errors of model binding, by key (portal contract, section 3.2).
#[derive(Clone, Debug, Default)]
pub(crate) struct ModelErrors(Map<String, Value>);

impl ModelErrors {
    pub(crate) fn add(&mut self, key: &str, message: impl Into<String>) {
        self.0.insert(key.to_owned(), json!([message.into()]));
    }

    pub(crate) fn of(key: &str, message: impl Into<String>) -> Self {
        let mut errors = Self::default();
        errors.add(key, message);
        errors
    }

    pub(crate) fn merge(&mut self, other: Self) {
        self.0.extend(other.0);
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(crate) fn reply(self) -> Reply {
        let body = json!({
            "type": "https://tools.ietf.org/html/rfc9110#section-15.5.1",
            "title": "One or more validation errors occurred.",
            "status": 400, "errors": self.0, "traceId": trace_id(),
        });
        Reply::json(StatusCode::BAD_REQUEST, &body)
    }
}

/// 415 of a call that needs a body and names no content type (portal contract, section 3.2).
pub(crate) fn no_media_type() -> Reply {
    let body = json!({
        "type": "https://tools.ietf.org/html/rfc9110#section-15.5.16",
        "title": "Unsupported Media Type", "status": 415, "traceId": trace_id(),
    });
    Reply::json(StatusCode::UNSUPPORTED_MEDIA_TYPE, &body)
}
