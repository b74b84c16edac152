//! Which token endpoint a user's credential is for: that of the Portal for an internal user, that of its wallet for an external
//! one.

use std::sync::Arc;

use parking_lot::Mutex;
use secrecy::SecretString;

use crate::domain::token_url;
use crate::domain::user::{Credential, UserKind};

/// The token endpoints of users. Clones share what the portal named.
#[derive(Debug, Clone)]
pub(super) struct TokenEndpoints {
    /// The portal's central identity provider, as the Portal names it: internal users have it, whatever the portal names.
    internal: String,
    /// The wallet, for external users whose endpoint the portal does not name.
    external: Option<String>,
    /// What the portal named last for an internal user.
    named: Arc<Mutex<Option<String>>>,
}

impl TokenEndpoints {
    pub(super) fn new(internal: String, external: Option<String>) -> Self {
        Self { internal, external, named: Arc::default() }
    }

    /// The endpoint that the portal named last for an internal user.
    pub(super) fn named_for_internal_users(&self) -> Option<String> {
        self.named.lock().clone()
    }

    /// The credential of a user, whose token endpoint the portal names or does not; `None` while a part of it is missing.
    pub(super) fn credential(
        &self,
        kind: UserKind,
        named: Option<&str>,
        client_id: Option<&String>,
        secret: Option<SecretString>,
    ) -> Option<Credential> {
        let named = named.and_then(token_url::normalise);
        let token_url = match kind {
            UserKind::Internal => {
                if named.is_some() {
                    *self.named.lock() = named;
                }
                self.internal.clone()
            }
            UserKind::External => named.or_else(|| self.external.clone())?,
        };
        Some(Credential::with_secret(client_id?.clone(), secret?, token_url))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn token_url(external: Option<&str>, kind: UserKind, named: Option<&str>) -> Option<String> {
        let endpoints =
            TokenEndpoints::new("https://idp.example.org/token".into(), external.map(str::to_owned));
        let credential = endpoints.credential(kind, named, Some(&"sa1".to_owned()), Some("secret".into()))?;
        Some(credential.token_url)
    }

    #[test]
    fn an_endpoint_that_the_portal_names_is_taken_for_external_users() {
        let named = Some("https://wallet.example.org");
        let url = token_url(Some("https://other.example.org/token"), UserKind::External, named);
        assert_eq!(url.as_deref(), Some("https://wallet.example.org/oauth/token"));
    }

    #[test]
    fn internal_users_have_the_endpoint_of_the_portal_resource_and_that_of_the_portal_is_reported() {
        let endpoints = TokenEndpoints::new("https://proxy.example.org/token".into(), None);
        let shared = endpoints.clone();
        let url = |kind, named: &str| {
            let secret = Some("secret".to_owned().into());
            Some(endpoints.credential(kind, Some(named), Some(&"sa1".to_owned()), secret)?.token_url)
        };
        let wallet = url(UserKind::External, "https://wallet.example.org/oauth/token");
        assert_eq!(wallet.as_deref(), Some("https://wallet.example.org/oauth/token"));
        assert_eq!(shared.named_for_internal_users(), None);
        let internal = url(UserKind::Internal, "https://idp.example.org/oauth/token");
        assert_eq!(internal.as_deref(), Some("https://proxy.example.org/token"));
        assert_eq!(shared.named_for_internal_users().as_deref(), Some("https://idp.example.org/oauth/token"));
    }

    #[test]
    fn a_user_without_a_named_endpoint_has_that_of_its_kind() {
        let wallet = Some("https://wallet.example.org/oauth/token");
        let internal = token_url(wallet, UserKind::Internal, None);
        assert_eq!(internal.as_deref(), Some("https://idp.example.org/token"));
        assert_eq!(token_url(wallet, UserKind::External, Some("pending")).as_deref(), wallet);
        assert_eq!(token_url(None, UserKind::External, None), None, "it is not known");
    }

    #[test]
    fn half_a_credential_is_none() {
        let endpoints = TokenEndpoints::new("https://idp.example.org/token".into(), None);
        let id = "sa1".to_owned();
        assert!(endpoints.credential(UserKind::Internal, None, Some(&id), None).is_none());
        assert!(endpoints.credential(UserKind::Internal, None, None, Some("secret".into())).is_none());
    }
}
