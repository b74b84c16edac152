//! Which token endpoint a user's credential is for: for users without one in the portal the kind decides.

use secrecy::SecretString;

use crate::domain::token_url;
use crate::domain::user::{Credential, UserKind};

/// The token endpoints of users that the portal names none for.
#[derive(Debug, Clone)]
pub(super) struct TokenEndpoints {
    /// The portal's central identity provider.
    pub(super) internal: String,
    /// The wallet, where it is known.
    pub(super) external: Option<String>,
}

impl TokenEndpoints {
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
            UserKind::Internal => named.unwrap_or_else(|| self.internal.clone()),
            UserKind::External => named.or_else(|| self.external.clone())?,
        };
        Some(Credential::with_secret(client_id?.clone(), secret?, token_url))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn token_url(external: Option<&str>, kind: UserKind, named: Option<&str>) -> Option<String> {
        let endpoints = TokenEndpoints {
            internal: "https://idp.example.org/token".into(),
            external: external.map(str::to_owned),
        };
        let credential = endpoints.credential(kind, named, Some(&"sa1".to_owned()), Some("secret".into()))?;
        Some(credential.token_url)
    }

    #[test]
    fn an_endpoint_that_the_portal_names_is_taken() {
        let named = Some("https://wallet.example.org");
        for kind in [UserKind::Internal, UserKind::External] {
            let url = token_url(Some("https://other.example.org/token"), kind, named);
            assert_eq!(url.as_deref(), Some("https://wallet.example.org/oauth/token"));
        }
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
        let endpoints = TokenEndpoints { internal: "https://idp.example.org/token".into(), external: None };
        let id = "sa1".to_owned();
        assert!(endpoints.credential(UserKind::Internal, None, Some(&id), None).is_none());
        assert!(endpoints.credential(UserKind::Internal, None, None, Some("secret".into())).is_none());
    }
}
