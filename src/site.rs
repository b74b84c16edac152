//! What a Portal's spec says of its portal, whichever portal it is: where it is, which logins it needs, and what its client is
//! built from. The one place that knows both the variants of the spec and the clients.

use crate::api::portal::{self, Auth, CatenaX, CofinityX, CofinityXEnvironment, PortalSpec};
use crate::domain::address;
use crate::portal::clients::catena_x::CatenaXConfig;
use crate::portal::{ClientConfig, Credentials, Limits, PORTAL_CLIENT};

/// Where Cofinity-X runs its portal.
const COFINITY_X: (&str, &str) = (
    "https://portal-backend.services.cofinity-x.com",
    "https://centralidp.services.cofinity-x.com/auth/realms/CX-Central/protocol/openid-connect/token",
);
const COFINITY_X_BETA: &str = "https://portal-backend.beta.cofinity-x.com";

/// A portal that a spec names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Site {
    /// The address of the backend, without the path of the API.
    pub url: String,
    /// The token endpoint.
    pub token_url: String,
    /// Plain http to loopback and private addresses is asked for.
    pub insecure_http: bool,
    /// The company that the login must belong to.
    pub company: Option<String>,
    /// The logins that the spec names.
    pub logins: Logins<NamedLogin>,
    /// How fast the portal may be asked.
    pub limits: Limits,
    client: Client,
}

/// Which client the portal has, and what only this client needs.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Client {
    CatenaX {
        /// The token endpoint of wallet users, for portals that do not report it.
        wallet_token_url: Option<String>,
    },
}

/// The logins into a portal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Logins<T> {
    /// For everything.
    pub main: T,
    /// For deletion alone, where it is another one.
    pub deletion: Option<T>,
}

/// A login as a spec names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NamedLogin {
    /// What the name of its session Secret ends with, after the Portal's name.
    pub session: &'static str,
    /// The Secret that it is read from; absent where the spec names none.
    pub secret: Option<LoginSecret>,
}

/// A Secret that a login is read from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LoginSecret {
    /// Its name.
    pub name: String,
    /// What it holds.
    pub form: LoginForm,
}

/// What a login Secret holds, by its keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LoginForm {
    /// A technical user.
    ClientCredentials {
        /// The key of the client ID.
        client_id: &'static str,
        /// The key of the client secret.
        client_secret: &'static str,
    },
    /// A person.
    RefreshToken {
        /// The key of the token.
        token: &'static str,
        /// The key of the client ID.
        client_id: &'static str,
        /// The client ID where the Secret names none.
        default_client_id: &'static str,
    },
}

impl NamedLogin {
    fn new(session: &'static str, auth: &Auth) -> Self {
        let secret =
            |login: &portal::LoginSecret, form| LoginSecret { name: login.secret_ref.name.clone(), form };
        let secret = match (&auth.client_credentials, &auth.refresh_token) {
            (Some(login), _) => Some(secret(
                login,
                LoginForm::ClientCredentials { client_id: "client-id", client_secret: "client-secret" },
            )),
            (None, Some(login)) => Some(secret(
                login,
                LoginForm::RefreshToken {
                    token: "refresh-token",
                    client_id: "client-id",
                    default_client_id: PORTAL_CLIENT,
                },
            )),
            (None, None) => None,
        };
        Self { session, secret }
    }

    /// Whether it is a person's login.
    #[must_use]
    pub fn is_person(&self) -> bool {
        self.secret.as_ref().is_some_and(|secret| matches!(secret.form, LoginForm::RefreshToken { .. }))
    }
}

impl Logins<NamedLogin> {
    fn new(auth: &Auth, delete_auth: Option<&Auth>) -> Self {
        Self {
            main: NamedLogin::new("session", auth),
            deletion: delete_auth.map(|auth| NamedLogin::new("delete-session", auth)),
        }
    }
}

impl Site {
    /// Whether one of its logins is a person's.
    #[must_use]
    pub fn has_person(&self) -> bool {
        self.logins.main.is_person() || self.logins.deletion.as_ref().is_some_and(NamedLogin::is_person)
    }

    /// The portal that a spec names.
    #[must_use]
    pub fn of(spec: &PortalSpec) -> Option<Self> {
        let limits = limits(spec.limits.as_ref());
        match (&spec.catena_x, &spec.cofinity_x) {
            (Some(portal), _) => Some(Self::catena_x(portal, limits)),
            (None, Some(portal)) => Self::cofinity_x(portal, limits),
            (None, None) => None,
        }
    }

    /// The portal of Catena-X at these addresses. Plain http is asked for, so that the process alone decides.
    #[must_use]
    pub fn at(url: String, token_url: String, company: Option<String>) -> Self {
        let portal = CatenaX {
            url,
            token_url,
            wallet_token_url: None,
            insecure_http: Some(true),
            bpn: company,
            auth: Auth { client_credentials: None, refresh_token: None },
            delete_auth: None,
        };
        Self::catena_x(&portal, Limits::default())
    }

    fn catena_x(portal: &CatenaX, limits: Limits) -> Self {
        Self {
            url: portal.url.trim_end_matches('/').trim_end_matches("/api/administration").to_owned(),
            token_url: portal.token_url.clone(),
            insecure_http: portal.insecure_http == Some(true),
            company: portal.bpn.clone(),
            logins: Logins::new(&portal.auth, portal.delete_auth.as_ref()),
            limits,
            client: Client::CatenaX { wallet_token_url: portal.wallet_token_url.clone() },
        }
    }

    fn cofinity_x(portal: &CofinityX, limits: Limits) -> Option<Self> {
        let (url, token_url) = match portal.environment {
            CofinityXEnvironment::Production => (COFINITY_X.0, Some(COFINITY_X.1.to_owned())),
            CofinityXEnvironment::PreProduction => (COFINITY_X_BETA, portal.token_url.clone()),
        };
        Some(Self {
            url: url.to_owned(),
            token_url: token_url?,
            insecure_http: false,
            company: portal.bpn.clone(),
            logins: Logins::new(&portal.auth, portal.delete_auth.as_ref()),
            limits,
            client: Client::CatenaX { wallet_token_url: None },
        })
    }

    /// What the client is built from, with these logins and certificates (PEM) to trust besides the public roots.
    #[must_use]
    pub fn client(&self, logins: Logins<Credentials>, ca_bundle: Option<String>) -> ClientConfig {
        match &self.client {
            Client::CatenaX { wallet_token_url } => ClientConfig::CatenaX(CatenaXConfig {
                api_url: self.url.clone(),
                token_url: self.token_url.clone(),
                external_token_url: wallet_token_url.clone(),
                login: logins.main,
                delete_login: logins.deletion,
                ca_bundle,
                insecure_http: self.insecure_http,
                limits: self.limits,
            }),
        }
    }

    /// Sums up what the client is built from, but for what is read from Secrets. The company is no part of it.
    #[must_use]
    pub fn fingerprint(&self) -> String {
        let Self { url, token_url, insecure_http, company: _, logins, limits, client } = self;
        let (url, token_url) = (address::portal(url), address::token_endpoint(token_url));
        format!("{url} {token_url} {insecure_http} {logins:?} {limits:?} {client:?}")
    }

    /// Whether an address is one of plain http. That it is asked for alone sends nothing unencrypted.
    #[must_use]
    pub fn uses_plain_http(&self) -> bool {
        let Client::CatenaX { wallet_token_url } = &self.client;
        let addresses = [Some(&self.url), Some(&self.token_url), wallet_token_url.as_ref()];
        self.insecure_http && addresses.into_iter().flatten().any(|address| address.starts_with("http://"))
    }
}

fn limits(limits: Option<&portal::Limits>) -> Limits {
    let limits = limits.copied();
    Limits::given(
        limits.and_then(|l| l.requests_per_second),
        limits.and_then(|l| l.burst),
        limits.and_then(|l| l.concurrency),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn site(spec: serde_json::Value) -> Option<Site> {
        Site::of(&serde_json::from_value(spec).unwrap())
    }

    #[test]
    fn the_path_of_the_api_is_accepted_and_no_part_of_the_address() {
        let auth = json!({"clientCredentials": {"secretRef": {"name": "login"}}});
        for url in
            ["https://p.example.org", "https://p.example.org/", "https://p.example.org/api/administration/"]
        {
            let spec = json!({"catenaX": {"url": url, "tokenUrl": "https://idp/token", "auth": auth}});
            assert_eq!(site(spec).unwrap().url, "https://p.example.org");
        }
    }

    #[test]
    fn cofinity_x_is_known_by_name() {
        let auth = json!({"clientCredentials": {"secretRef": {"name": "login"}}});
        let production = site(json!({"cofinityX": {"environment": "Production", "auth": auth}})).unwrap();
        assert!(production.token_url.starts_with("https://centralidp.services.cofinity-x.com/"));
        let beta = json!({"cofinityX": {"environment": "PreProduction", "tokenUrl": "https://idp/token", "auth": auth}});
        assert_eq!(site(beta).unwrap().url, COFINITY_X_BETA);
        assert_eq!(site(json!({})), None);
    }

    #[test]
    fn the_client_is_another_one_only_where_something_of_it_changed() {
        let of = |url: &str, bpn: &str, wallet: &str, secret: &str| {
            let auth = json!({"clientCredentials": {"secretRef": {"name": secret}}});
            let spec = json!({"url": url, "tokenUrl": "https://idp/token", "bpn": bpn, "walletTokenUrl": wallet, "auth": auth});
            site(json!({ "catenaX": spec })).unwrap().fingerprint()
        };
        let (url, bpn, wallet, secret) = ("https://p.example.org", "BPNL1", "https://wallet/token", "login");
        let here = of(url, bpn, wallet, secret);
        assert_eq!(of("https://P.example.org/", bpn, wallet, secret), here, "another spelling");
        assert_eq!(of(url, "BPNL2", wallet, secret), here, "the company is no part of the client");
        assert_ne!(of("https://q.example.org", bpn, wallet, secret), here);
        assert_ne!(of(url, bpn, "https://other/token", secret), here);
        assert_ne!(of(url, bpn, wallet, "other"), here);
    }

    #[test]
    fn plain_http_is_reported_where_an_address_has_it() {
        let uses = |url: &str, token_url: &str, wallet: Option<&str>, insecure: Option<bool>| {
            let spec = json!({"catenaX": {
                "url": url, "tokenUrl": token_url, "walletTokenUrl": wallet, "insecureHttp": insecure,
                "auth": {"clientCredentials": {"secretRef": {"name": "portal-login"}}},
            }});
            site(spec).unwrap().uses_plain_http()
        };
        let (https, http) = ("https://p.example/x", "http://p.example/x");
        assert!(uses(http, https, None, Some(true)));
        assert!(uses(https, http, None, Some(true)));
        assert!(uses(https, https, Some(http), Some(true)));
        assert!(!uses(https, https, Some(https), Some(true)), "nothing is sent unencrypted");
        assert!(!uses(http, https, None, None), "refused by the schema");
    }
}
