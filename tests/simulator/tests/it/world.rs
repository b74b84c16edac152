//! A simulator with two companies and a caller of each sort, and an HTTP client for it.

use portal_simulator::role_names::{CONNECTOR_MANAGEMENT, OFFER_MANAGEMENT};
use portal_simulator::{Caller, Company, CompanyRole, Config, Simulator, UserView, Version, WalletDelay};
use reqwest::{Method, header};
use serde_json::{Value, json};
use std::time::Duration;

pub(crate) const USERS: &str = "/serviceaccount/owncompany/serviceaccounts";
pub(crate) const DISCOVERY: &str = "607818be-4978-41f4-bf63-fa8d2de51165";
pub(crate) const WALLET: &str = "607818be-4978-41f4-bf63-fa8d2de51157";
pub(crate) const CONNECTORS: &str = "607818be-4978-41f4-bf63-fa8d2de51169";
pub(crate) const POOL_CONSUMER: &str = "607818be-4978-41f4-bf63-fa6d2de51262";
pub(crate) const NOBODY: &str = "11111111-1111-1111-1111-111111111111";

/// Every permission that an endpoint asks for.
pub(crate) const ALL: [&str; 9] = [
    "view_tech_user_management",
    "add_tech_user_management",
    "delete_tech_user_management",
    "technical_roles_management",
    "view_company_data",
    "view_connectors",
    "add_connectors",
    "modify_connectors",
    "delete_connectors",
];

pub(crate) struct World {
    pub(crate) sim: Simulator,
    pub(crate) http: reqwest::Client,
}

/// An answer, read whole.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: header::HeaderMap,
    pub(crate) text: String,
}

impl Answer {
    pub(crate) async fn of(response: reqwest::Response) -> Self {
        let status = response.status().as_u16();
        let headers = response.headers().clone();
        Self { status, headers, text: response.text().await.unwrap() }
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|_| panic!("no JSON: {self:?}"))
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    pub(crate) fn media(&self) -> &str {
        self.header("content-type").split(';').next().unwrap()
    }

    /// The portal's error code, empty without one.
    pub(crate) fn code(&self) -> String {
        self.json()["details"][0]["errorCode"].as_str().unwrap_or_default().to_owned()
    }

    /// Status and error code.
    pub(crate) fn verdict(&self) -> (u16, String) {
        (self.status, self.code())
    }

    /// The keys of `errors`.
    pub(crate) fn keys(&self) -> Vec<String> {
        self.json()["errors"].as_object().unwrap().keys().cloned().collect()
    }

    /// Id of the first user in a create's answer.
    pub(crate) fn id(&self) -> String {
        let body = self.json();
        let user = if body.is_array() { &body[0] } else { &body };
        user["serviceAccountId"].as_str().unwrap_or_else(|| panic!("no user: {self:?}")).to_owned()
    }
}

pub(crate) fn config(version: Version) -> Config {
    let all = [
        CompanyRole::ActiveParticipant,
        CompanyRole::ServiceProvider,
        CompanyRole::AppProvider,
        CompanyRole::Operator,
    ];
    Config::new(version)
        .company(Company::new("One", "BPNL000000000ONE").roles(all))
        .company(Company::new("Two", "BPNL000000000TWO"))
        .caller(Caller::with_permissions("admin", "admin-secret", ALL).of("One"))
        .caller(Caller::with_permissions("viewer", "viewer-secret", ["view_tech_user_management"]).of("One"))
        .caller(Caller::with_permissions("noperm", "noperm-secret", ["something_else"]).of("One"))
        .caller(Caller::with_permissions("unknown", "unknown-secret", ALL))
        .caller(Caller::with_permissions("other", "other-secret", ALL).of("Two"))
        .caller(Caller::with_permissions("empty", "empty-secret", []).of("One"))
        .caller(Caller::with_role("op", "op-secret", CONNECTOR_MANAGEMENT).of("One"))
        .caller(Caller::with_role("offer", "offer-secret", OFFER_MANAGEMENT).of("One"))
        .caller(Caller::with_permissions("person", "first-refresh-token", ALL).of("One").human())
        .wallet_delay(WalletDelay::Never)
}

impl World {
    pub(crate) async fn new(version: Version) -> Self {
        Self::with(config(version)).await
    }

    pub(crate) async fn main() -> Self {
        Self::new(Version::Main).await
    }

    pub(crate) async fn with(config: Config) -> Self {
        let sim = Simulator::start(config).await.unwrap();
        let http = reqwest::Client::builder().no_proxy().build().unwrap();
        Self { sim, http }
    }

    /// Asks for a token.
    pub(crate) async fn login(&self, id: &str, secret: &str) -> Answer {
        let form = [("grant_type", "client_credentials"), ("client_id", id), ("client_secret", secret)];
        Answer::of(self.http.post(self.sim.token_url()).form(&form).send().await.unwrap()).await
    }

    /// Status and error of a login.
    pub(crate) async fn login_verdict(&self, id: &str, secret: &str) -> (u16, String) {
        let answer = self.login(id, secret).await;
        (answer.status, answer.json()["error"].as_str().unwrap_or_default().to_owned())
    }

    /// A token of a seeded caller; `none` has none.
    pub(crate) async fn token(&self, caller: &str) -> Option<String> {
        if caller == "none" {
            return None;
        }
        let answer = self.login(caller, &format!("{caller}-secret")).await;
        Some(answer.json()["access_token"].as_str().unwrap_or_else(|| panic!("{answer:?}")).to_owned())
    }

    pub(crate) fn request(&self, method: &str, path: &str, token: Option<&str>) -> reqwest::RequestBuilder {
        let method = Method::from_bytes(method.as_bytes()).unwrap();
        let request = self.http.request(method, format!("{}{path}", self.sim.api_url()));
        match token {
            Some(token) => request.bearer_auth(token),
            None => request,
        }
    }

    /// Calls with a token and, perhaps, a JSON body.
    pub(crate) async fn call_with(&self, token: Option<&str>, call: &str, body: Option<&str>) -> Answer {
        let (method, path) = call.split_once(' ').unwrap();
        let mut request = self.request(method, path, token);
        if let Some(body) = body {
            request = request.header(header::CONTENT_TYPE, "application/json").body(body.to_owned());
        }
        Answer::of(request.send().await.unwrap()).await
    }

    /// Calls as a seeded caller.
    pub(crate) async fn call(&self, caller: &str, call: &str, body: Option<Value>) -> Answer {
        let token = self.token(caller).await;
        self.call_with(token.as_deref(), call, body.map(|body| body.to_string()).as_deref()).await
    }

    pub(crate) async fn create(&self, name: &str, roles: &[&str]) -> Answer {
        self.call("admin", &format!("POST {USERS}"), Some(creation(name, roles))).await
    }

    /// Creates one user with the role Dataspace Discovery.
    pub(crate) async fn user(&self, name: &str) -> UserView {
        let id = self.create(name, &[DISCOVERY]).await.id();
        self.view(&id)
    }

    /// Creates a wallet user and lets it become ACTIVE.
    pub(crate) async fn wallet_user(&self, name: &str) -> UserView {
        let id = self.create(name, &[WALLET]).await.id();
        self.sim.activate_wallet_users();
        self.view(&id)
    }

    pub(crate) fn view(&self, id: &str) -> UserView {
        self.sim.view(|view| view.user(id.parse().unwrap())).unwrap()
    }

    pub(crate) async fn details(&self, id: impl ToString) -> Answer {
        self.call("admin", &format!("GET {USERS}/{}", id.to_string()), None).await
    }

    pub(crate) async fn delete(&self, id: impl ToString) -> Answer {
        self.call("admin", &format!("DELETE {USERS}/{}", id.to_string()), None).await
    }

    pub(crate) async fn reset(&self, id: impl ToString) -> Answer {
        self.call("admin", &format!("POST {USERS}/{}/resetCredentials", id.to_string()), None).await
    }

    pub(crate) async fn update(&self, id: impl ToString, name: &str) -> Answer {
        let id = id.to_string();
        self.call("admin", &format!("PUT {USERS}/{id}"), Some(change(&id, name))).await
    }

    pub(crate) async fn list(&self, query: &str) -> Answer {
        self.call("admin", &format!("GET {USERS}?{query}"), None).await
    }
}

pub(crate) fn creation(name: &str, roles: &[&str]) -> Value {
    json!({"name": name, "description": format!("about {name}"), "authenticationType": "SECRET", "roleIds": roles})
}

pub(crate) fn change(id: &str, name: &str) -> Value {
    json!({"serviceAccountId": id, "name": name, "description": "new", "authenticationType": "SECRET"})
}

/// The condition must come true; the limit only keeps a broken test from waiting for ever.
pub(crate) async fn soon<T>(future: impl Future<Output = T>) -> T {
    tokio::time::timeout(Duration::from_mins(1), future).await.expect("this should have happened")
}
