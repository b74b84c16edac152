//! Where the portal of a spec is, whichever variant says so.

use crate::api::portal::{Auth, CofinityXEnvironment, PortalSpec};

/// Where Cofinity-X runs its portal.
const COFINITY_X: (&str, &str) = (
    "https://portal-backend.services.cofinity-x.com",
    "https://centralidp.services.cofinity-x.com/auth/realms/CX-Central/protocol/openid-connect/token",
);
const COFINITY_X_BETA: &str = "https://portal-backend.beta.cofinity-x.com";

/// Where a portal is and who logs in, whichever variant of the spec says so.
#[derive(Debug, Clone, PartialEq)]
pub struct Target {
    /// The address of the backend, without the path of the API.
    pub url: String,
    /// The token endpoint.
    pub token_url: String,
    /// The token endpoint of wallet users, for portals that do not tell it.
    pub wallet_token_url: Option<String>,
    /// Plain http to loopback and private addresses is asked for.
    pub insecure_http: bool,
    /// The company that the login must belong to.
    pub bpn: Option<String>,
    /// The login.
    pub auth: Auth,
    /// The login for deletion.
    pub delete_auth: Option<Auth>,
}

impl Target {
    /// What a spec names.
    #[must_use]
    pub fn of(spec: &PortalSpec) -> Option<Self> {
        if let Some(x) = &spec.catena_x {
            let url = x.url.trim_end_matches('/').trim_end_matches("/api/administration").to_owned();
            return Some(Self {
                url,
                token_url: x.token_url.clone(),
                wallet_token_url: x.wallet_token_url.clone(),
                insecure_http: x.insecure_http == Some(true),
                bpn: x.bpn.clone(),
                auth: x.auth.clone(),
                delete_auth: x.delete_auth.clone(),
            });
        }
        let x = spec.cofinity_x.as_ref()?;
        let (url, token_url) = match x.environment {
            CofinityXEnvironment::Production => (COFINITY_X.0, Some(COFINITY_X.1.to_owned())),
            CofinityXEnvironment::PreProduction => (COFINITY_X_BETA, x.token_url.clone()),
        };
        Some(Self {
            url: url.to_owned(),
            token_url: token_url?,
            wallet_token_url: None,
            insecure_http: false,
            bpn: x.bpn.clone(),
            auth: x.auth.clone(),
            delete_auth: x.delete_auth.clone(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn target(spec: serde_json::Value) -> Option<Target> {
        Target::of(&serde_json::from_value(spec).unwrap())
    }

    #[test]
    fn the_path_of_the_api_is_accepted_and_no_part_of_the_address() {
        let auth = json!({"clientCredentials": {"secretRef": {"name": "login"}}});
        for url in
            ["https://p.example.org", "https://p.example.org/", "https://p.example.org/api/administration/"]
        {
            let spec = json!({"catenaX": {"url": url, "tokenUrl": "https://idp/token", "auth": auth}});
            assert_eq!(target(spec).unwrap().url, "https://p.example.org");
        }
    }

    #[test]
    fn cofinity_x_is_known_by_name() {
        let auth = json!({"clientCredentials": {"secretRef": {"name": "login"}}});
        let production = target(json!({"cofinityX": {"environment": "Production", "auth": auth}})).unwrap();
        assert!(production.token_url.starts_with("https://centralidp.services.cofinity-x.com/"));
        let beta = json!({"cofinityX": {"environment": "PreProduction", "tokenUrl": "https://idp/token", "auth": auth}});
        assert_eq!(target(beta).unwrap().url, COFINITY_X_BETA);
        assert_eq!(target(json!({})), None);
    }
}
