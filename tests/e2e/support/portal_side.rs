//! What the portal shows: its users, and the calls that it received.

use portal_simulator::{Endpoint, Status, UserView};

use super::site::Site;

impl Site {
    /// How often an endpoint of the simulator was called.
    pub fn count(&self, endpoint: Endpoint) -> usize {
        self.simulator.count(endpoint)
    }

    /// How often the operator asked the portal for a change.
    pub fn portal_writes(&self) -> usize {
        [Endpoint::Create, Endpoint::Update, Endpoint::Delete, Endpoint::Reset]
            .map(|endpoint| self.count(endpoint))
            .iter()
            .sum()
    }

    /// The live users of company One with a mark of this installation.
    pub fn ours(&self) -> Vec<UserView> {
        let live = |user: &UserView| {
            user.description.contains("[technicaluser.dev/1 e2e/")
                && matches!(user.status, Status::Active | Status::Pending)
        };
        self.simulator.users("One").into_iter().filter(live).collect()
    }

    /// The one live user with the mark of a resource of this namespace.
    pub fn user_of(&self, name: &str) -> UserView {
        let mark = format!("[technicaluser.dev/1 e2e/{}/{name} ", self.namespace);
        let mut found: Vec<_> =
            self.ours().into_iter().filter(|user| user.description.contains(&mark)).collect();
        assert_eq!(found.len(), 1, "one user of {name}: {found:#?}");
        found.remove(0)
    }

    /// Obtains a token with what a Secret holds, as a connector does. Returns the status code.
    pub async fn token_with(&self, secret: &str) -> u16 {
        self.token_with_keys(secret, "").await
    }

    /// The same, where the keys have this prefix.
    pub async fn token_with_keys(&self, secret: &str, prefix: &str) -> u16 {
        let secret = self.get_secret(secret).await.expect("the Secret is there");
        let value = |key| super::secret_value(&secret, &format!("{prefix}{key}"));
        let form = [
            ("grant_type", "client_credentials".to_owned()),
            ("client_id", value("client-id")),
            ("client_secret", value("client-secret")),
        ];
        self.http().post(value("token-url")).form(&form).send().await.unwrap().status().as_u16()
    }

    /// An HTTP client that trusts the simulator.
    pub fn http(&self) -> reqwest::Client {
        let mut http = reqwest::Client::builder().no_proxy();
        let authority = self.simulator.ca_pem();
        if !authority.is_empty() {
            http = http.tls_certs_merge(reqwest::Certificate::from_pem_bundle(authority.as_bytes()).unwrap());
        }
        http.build().unwrap()
    }
}
