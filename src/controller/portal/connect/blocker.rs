//! What a failure of a portal means for its Portal.

use crate::domain::blocker::Blocker;
use crate::domain::permissions::{PermissionNames, login_advice};
use crate::domain::reason::Reason;
use crate::portal::PortalError;
use crate::portal::hints::{CHECK_TOKEN_URL, unreachable_hint};

/// What a failure means for a Portal. Where the portal did not answer yet, its names of permissions are not known.
#[must_use]
pub fn blocker(error: &PortalError, names: Option<&PermissionNames>) -> Blocker {
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
            format!("{words}. The operator changes nothing in the portal until the login is accepted again"),
        ),
        PortalError::Unauthorized | PortalError::Forbidden { .. } => Blocker::lasting(
            Reason::PermissionMissing,
            match names {
                Some(names) => format!("{words}. {}.", login_advice(names)),
                None => words,
            },
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
