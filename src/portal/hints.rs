//! What to do about failures that have their cause in the addresses of a Portal.

use crate::transport::UNRESOLVED;

/// What to do where the token URL leads to something else.
pub const CHECK_TOKEN_URL: &str = "check the whole address, path included, such as \
     https://<host>/auth/realms/<realm>/protocol/openid-connect/token, and that no proxy answers in its place";

/// What to do where nothing answers, by the reason that [`super::PortalError::Unreachable`] gives.
#[must_use]
pub fn unreachable_hint(reason: &str) -> &'static str {
    if reason == UNRESOLVED {
        "check the host name in url and tokenUrl; if it is correct, DNS, an egress rule or a proxy setting may be missing"
    } else {
        "an egress rule or a proxy setting may be missing"
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_does_not_resolve_is_checked_first() {
        assert!(unreachable_hint(UNRESOLVED).starts_with("check the host name in url and tokenUrl"));
        assert!(unreachable_hint("the connection was refused").starts_with("an egress rule"));
    }
}
