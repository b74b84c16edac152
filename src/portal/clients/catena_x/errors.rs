//! From an answer that is no success to an error: by status and by the body, never by its content type, which changed
//! between releases and is wrong in most.

use serde::Deserialize;
use serde::de::IgnoredAny;

use super::codes::{OTHER, known, means_not_found, refusal_of};
use super::permissions;
use crate::portal::bounds::{Gather, Gathered};
use crate::portal::observe::Operation;
use crate::portal::resilient::Verdict;
use crate::portal::{PortalError, ServerKind};
use crate::transport::{Answer, Fault};

/// How the portal says that a user's client is gone from the identity provider (2.0 and later).
const MISSING_CLIENT: &str = "not found in central keycloak";

/// A request that failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct FailedCall {
    pub(super) error: PortalError,
    /// What it shows about the portal as a whole.
    pub(super) verdict: Verdict,
    /// The portal may have acted on the request.
    pub(super) acted: bool,
    /// A read may be repeated at once.
    pub(super) repeatable: bool,
}

impl FailedCall {
    pub(super) fn of_fault(fault: Fault) -> Self {
        let verdict = Verdict::of_fault(&fault);
        Self { error: fault.cause.into(), verdict, acted: fault.sent, repeatable: fault.brief }
    }

    /// Nothing was sent.
    pub(super) fn unsent(error: PortalError) -> Self {
        Self { error, verdict: Verdict::Unclear, acted: false, repeatable: false }
    }

    /// A success that cannot be read.
    pub(super) fn unreadable(reason: &'static str) -> Self {
        let error = PortalError::BadAnswer { reason };
        Self { error, verdict: Verdict::Alive, acted: true, repeatable: false }
    }

    /// The error that an answer means.
    pub(super) fn of_answer(operation: Operation, answer: &Answer, endpoint: &str) -> Self {
        let status = answer.status;
        let said = Said::read(&answer.body);
        let error = error_of(operation, answer, &said, endpoint);
        Self {
            verdict: verdict_of(operation, status, &error, &said),
            acted: !is_refusal(status),
            repeatable: matches!(error, PortalError::Server { status: 500 | 502 | 503 | 504, .. }),
            error,
        }
    }
}

impl AsRef<PortalError> for FailedCall {
    fn as_ref(&self) -> &PortalError {
        &self.error
    }
}

/// A 4xx is a refusal: nothing was done. Those that a proxy answers while the portal may still be at work are not.
fn is_refusal(status: u16) -> bool {
    (400..500).contains(&status) && !matches!(status, 408 | 425 | 499)
}

fn verdict_of(operation: Operation, status: u16, error: &PortalError, said: &Said) -> Verdict {
    let about_one_user = matches!(
        operation,
        Operation::Details | Operation::Create | Operation::Update | Operation::Reset | Operation::Delete
    );
    match error {
        PortalError::NotThePortalBackend { .. } | PortalError::Unreachable { .. } => Verdict::Unclear,
        PortalError::Throttled { .. } => {
            // A 503 may mean that the backend is down, but the requested pause is enough protection.
            if status == 503 { Verdict::Unclear } else { Verdict::Alive }
        }
        PortalError::Server { status, .. } => {
            let may_be_the_users_fault = *status == 500 && about_one_user && said.by_the_portal;
            if *status >= 500 && !may_be_the_users_fault { Verdict::Down } else { Verdict::Unclear }
        }
        // Also a user's missing client: the client of the next user may exist.
        _ => Verdict::Alive,
    }
}

fn error_of(operation: Operation, answer: &Answer, said: &Said, endpoint: &str) -> PortalError {
    let code = said.code.unwrap_or(OTHER);
    let status = answer.status;
    let for_a_user =
        !matches!(operation, Operation::Create | Operation::Roles | Operation::List | Operation::Dataspace);
    match status {
        // A redirect goes to a login page or to another host; the backend itself sends none.
        200..400 | 404 | 405 if answer.is_html() || answer.is_redirect() => {
            PortalError::NotThePortalBackend { endpoint: endpoint.to_owned() }
        }
        401 => PortalError::Unauthorized,
        // The backend refuses without a page: this one is of a proxy or a firewall, and shows nothing about the login.
        403 if answer.is_html() && operation != Operation::Version => {
            PortalError::BadAnswer { reason: "a 403 with a web page is not the portal's" }
        }
        403 if said.code.is_none_or(|code| code == "ForbiddenAccess") => {
            PortalError::Forbidden { permission: permissions::needed_by(operation) }
        }
        404 | 409 if for_a_user && means_not_found(code) => PortalError::NotFound,
        407 => PortalError::Unreachable {
            endpoint: endpoint.to_owned(),
            reason: "the proxy requires a login".to_owned(),
        },
        429 | 503 if status == 429 || answer.retry_after.is_some() => {
            PortalError::Throttled { server: ServerKind::Portal, retry_after: answer.retry_after }
        }
        500 if said.client_missing => PortalError::ClientMissing,
        408 | 425 | 499 | 500.. => PortalError::Server { server: ServerKind::Portal, status },
        400..500 => PortalError::Refused { refusal: refusal_of(operation, status, code), status, code },
        _ => PortalError::BadAnswer { reason: "its status means nothing here" },
    }
}

/// What a body says: the portal's own error shape, or the framework's for requests that it cannot read.
#[derive(Default)]
struct Said {
    /// The first known error code, `other` for an unknown one.
    code: Option<&'static str>,
    /// The body has one of the two shapes, so it is the portal's and not a proxy's.
    by_the_portal: bool,
    client_missing: bool,
}

/// The two shapes of a body. Nothing of it is kept but what [`Said`] needs: a body may be as nested as it likes.
#[derive(Deserialize, Default)]
#[serde(default)]
struct ErrorDto {
    errors: Option<Gathered<Texts>>,
    details: Option<Gathered<Codes>>,
    #[serde(rename = "errorId")]
    error_id: Option<IgnoredAny>,
}

/// The texts of `errors`. A 400 of the portal names its code there as well.
#[derive(Default)]
struct Texts {
    code: Option<&'static str>,
    client_missing: bool,
}

impl Gather for Texts {
    fn text(&mut self, _: &str, text: &str) {
        self.code = self.code.or_else(|| known(text));
        self.client_missing |= text.contains(MISSING_CLIENT);
    }
}

/// The codes of `details`.
#[derive(Default)]
struct Codes {
    known: Option<&'static str>,
    any: bool,
}

impl Gather for Codes {
    fn text(&mut self, key: &str, text: &str) {
        if key == "errorCode" {
            self.known = self.known.or_else(|| known(text));
            self.any = true;
        }
    }
}

impl Said {
    fn read(body: &[u8]) -> Self {
        let Ok(body) = serde_json::from_slice::<ErrorDto>(body) else { return Self::default() };
        let by_the_portal = body.errors.is_some() || body.error_id.is_some();
        let Gathered(texts) = body.errors.unwrap_or_default();
        let Gathered(detail) = body.details.unwrap_or_default();
        Self {
            code: detail.known.or(texts.code).or(detail.any.then_some(OTHER)),
            by_the_portal,
            client_missing: texts.client_missing,
        }
    }
}

#[cfg(test)]
mod tests;
