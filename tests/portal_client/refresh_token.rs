//! A person's login: refresh tokens that change with each use.

use std::collections::VecDeque;
use std::sync::Arc;

use async_trait::async_trait;
use parking_lot::Mutex;
use secrecy::{ExposeSecret, SecretString};
use serde_json::json;
use technical_user_operator::portal::clients::catena_x::CatenaXPortal;
use technical_user_operator::portal::oauth::{Credentials, PORTAL_CLIENT, TokenStore};
use technical_user_operator::portal::{Lane, Portal, PortalError, ServerKind};

use crate::stub::{PERMISSIONS, Reply, SECRET, Stub, jwt};
use crate::support::{connection, error, portal};

/// A store that can fail and remembers what it was given.
#[derive(Default)]
struct Store {
    token: Mutex<String>,
    stored: Mutex<Vec<String>>,
    failures: Mutex<usize>,
    unreadable: Mutex<bool>,
    /// Reads still show the first token.
    stale: Mutex<Option<String>>,
}

impl Store {
    fn with(token: &str) -> Arc<Self> {
        Arc::new(Self { token: Mutex::new(token.to_owned()), ..Self::default() })
    }
}

#[async_trait]
impl TokenStore for Store {
    async fn load(&self) -> Result<SecretString, String> {
        if *self.unreadable.lock() {
            return Err("the API server is away".to_owned());
        }
        let stale = self.stale.lock().clone();
        Ok(stale.unwrap_or_else(|| self.token.lock().clone()).into())
    }

    async fn store(&self, new: &SecretString) -> Result<(), String> {
        let mut failures = self.failures.lock();
        if *failures > 0 {
            *failures -= 1;
            return Err("the API server is away".to_owned());
        }
        new.expose_secret().clone_into(&mut self.token.lock());
        self.stored.lock().push(new.expose_secret().to_owned());
        Ok(())
    }
}

/// An identity provider that trades `R<n>` for `R<n+1>`; `replies` go before that, one by one.
async fn provider(store: &Arc<Store>, replies: Vec<Option<Reply>>) -> Stub {
    let (store, replies) = (Arc::clone(store), Mutex::new(VecDeque::from(replies)));
    Stub::start(move |seen, before| {
        if seen.what() != "token" {
            let stored = store.token.lock().clone();
            assert_eq!(seen.token.as_deref().map(|token| token.starts_with("e30.")), Some(true));
            return Reply::json(200, &json!([{"roleId": stored, "roleName": "r"}]));
        }
        if let Some(reply) = replies.lock().pop_front().flatten() {
            return reply;
        }
        let token = jwt("ignored", &PERMISSIONS);
        Reply::json(
            200,
            &json!({"access_token": token, "expires_in": 12, "refresh_token": format!("R{}", before + 2)}),
        )
    })
    .await
}

fn portal_with(stub: &Stub, store: &Arc<Store>) -> CatenaXPortal {
    let store = Arc::clone(store) as Arc<dyn TokenStore>;
    let login = Credentials::RefreshToken { client_id: PORTAL_CLIENT.to_owned(), store };
    portal(connection(&stub.origin, &stub.token_url(), login))
}

fn sent(stub: &Stub) -> Vec<String> {
    let refreshes = stub.seen().into_iter().filter(|seen| seen.what() == "token");
    refreshes
        .map(|seen| {
            let form = seen.form();
            assert_eq!(
                (form["grant_type"].as_str(), form["client_id"].as_str()),
                ("refresh_token", PORTAL_CLIENT)
            );
            form["refresh_token"].clone()
        })
        .collect()
}

/// Moves the clock of the client until the last failure no longer counts, and the token of 12 s is too old. Between two calls no
/// time-out runs that would expire by that.
async fn a_while() {
    tokio::time::pause();
    tokio::time::advance(std::time::Duration::from_millis(2100)).await;
    tokio::time::resume();
}

#[tokio::test]
async fn the_new_token_is_stored_before_the_access_token_is_used() {
    let store = Store::with("R1");
    let stub = provider(&store, vec![]).await;
    let portal = portal_with(&stub, &store);
    for (stored, used) in [("R2", vec!["R1"]), ("R3", vec!["R1", "R2"])] {
        let roles = portal.roles(Lane::Interactive).await.unwrap();
        assert_eq!(roles[0].id, stored, "what was stored when the portal was asked");
        assert_eq!(sent(&stub), used);
        a_while().await;
    }
}

#[tokio::test]
async fn a_token_that_cannot_be_stored_is_not_used_and_stored_first_of_all_later() {
    let store = Store::with("R1");
    *store.failures.lock() = 2;
    let stub = provider(&store, vec![]).await;
    let portal = portal_with(&stub, &store);
    for _ in 0..2 {
        assert!(matches!(error(portal.roles(Lane::Interactive).await), PortalError::TokenNotStored { .. }));
        a_while().await;
    }
    assert_eq!(stub.count("roles"), 0);
    assert_eq!(sent(&stub), ["R1"]);
    portal.roles(Lane::Interactive).await.unwrap();
    assert_eq!(store.stored.lock().first().map(String::as_str), Some("R2"));
    let sent = sent(&stub);
    assert!(sent == ["R1"] || sent == ["R1", "R2"], "{sent:?}");
}

#[tokio::test]
async fn a_lost_answer_is_forgiven_once() {
    let store = Store::with("R1");
    let stub = provider(&store, vec![Some(Reply::html(502))]).await;
    let portal = portal_with(&stub, &store);
    assert_eq!(
        error(portal.roles(Lane::Interactive).await),
        PortalError::Server { server: ServerKind::IdentityProvider, status: 502 }
    );
    a_while().await;
    portal.roles(Lane::Interactive).await.unwrap();
    assert_eq!(sent(&stub), ["R1", "R1"]);

    let store = Store::with("R1");
    let lost = || Some(Reply::text(200, SECRET));
    let stub = provider(&store, vec![lost(), lost()]).await;
    let portal = portal_with(&stub, &store);
    for _ in 0..2 {
        assert_eq!(error(portal.roles(Lane::Interactive).await), PortalError::NotATokenEndpoint);
        a_while().await;
    }
    let refused = PortalError::LoginRefused { code: "invalid_grant" };
    assert_eq!(error(portal.roles(Lane::Interactive).await), refused);
    assert_eq!(sent(&stub), ["R1", "R1"], "a third use would end the login");
}

#[tokio::test]
async fn a_refused_token_is_not_sent_again_until_the_store_has_another() {
    let store = Store::with("R1");
    let refusal = Reply::json(400, &json!({"error": "invalid_grant", "error_description": SECRET}));
    let stub = provider(&store, vec![Some(refusal)]).await;
    let portal = portal_with(&stub, &store);
    let refused = PortalError::LoginRefused { code: "invalid_grant" };
    for _ in 0..3 {
        assert_eq!(error(portal.roles(Lane::Interactive).await), refused);
    }
    assert_eq!(sent(&stub), ["R1"]);
}

#[tokio::test]
async fn a_store_that_lags_behind_does_not_bring_an_old_token_back() {
    let store = Store::with("R1");
    *store.stale.lock() = Some("R1".to_owned());
    let stub = provider(&store, vec![]).await;
    let portal = portal_with(&stub, &store);
    for _ in 0..2 {
        portal.roles(Lane::Interactive).await.unwrap();
        a_while().await;
    }
    assert_eq!(sent(&stub), ["R1", "R2"]);
}

#[tokio::test]
async fn a_store_that_cannot_be_read_spends_nothing() {
    let store = Store::with("R1");
    *store.unreadable.lock() = true;
    let stub = provider(&store, vec![]).await;
    let portal = portal_with(&stub, &store);
    let failure = error(portal.login().await);
    assert!(failure.to_string().contains("the store of the refresh token"), "{failure}");
    assert!(stub.seen().is_empty());
}

mod at_keycloak {
    //! The same against the simulated identity provider, which counts the uses of each token.

    use portal_simulator::{Action, Caller, Company, Config, Endpoint, Fault, Simulator, Version};

    use super::*;
    use crate::simulated::{ALL, BPN, COMPANY};

    async fn simulator() -> Simulator {
        let person = Caller::with_permissions("admin", "R1", ALL).of(COMPANY).human();
        let config = Config::new(Version::V2_6).company(Company::new(COMPANY, BPN)).caller(person);
        // Too old to be used after 2 s of the client's clock.
        Simulator::start(config.token_lifetime(std::time::Duration::from_secs(12))).await.unwrap()
    }

    fn portal_to(simulator: &Simulator, store: &Arc<Store>) -> CatenaXPortal {
        let store = Arc::clone(store) as Arc<dyn TokenStore>;
        let login = Credentials::RefreshToken { client_id: PORTAL_CLIENT.to_owned(), store };
        portal(connection(simulator.portal_url(), &simulator.token_url(), login))
    }

    #[tokio::test]
    async fn a_persons_login_lives_on() {
        let simulator = simulator().await;
        let store = Store::with("R1");
        let portal = portal_to(&simulator, &store);
        for _ in 0..3 {
            let login = portal.login().await.unwrap();
            assert_eq!((login.companies, login.client_id), (vec![BPN.to_owned()], None));
            assert!(login.permissions.delete);
            portal.roles(Lane::Interactive).await.unwrap();
            a_while().await;
        }
        assert_eq!(simulator.count(Endpoint::Refresh), 3);
        assert_eq!(store.stored.lock().len(), 3);
    }

    #[tokio::test]
    async fn one_lost_answer_is_forgiven_and_two_are_not() {
        for (lost, survives) in [(1, true), (2, false)] {
            let simulator = simulator().await;
            simulator.inject(Fault::at(Endpoint::Refresh, Action::DoneButAnswerLost).times(lost));
            let portal = portal_to(&simulator, &Store::with("R1"));
            for _ in 0..lost {
                assert!(matches!(error(portal.login().await), PortalError::Unreachable { .. }));
                a_while().await;
            }
            let result = portal.login().await;
            assert_eq!(result.is_ok(), survives);
            if survives {
                a_while().await;
                portal.login().await.unwrap();
            } else {
                assert_eq!(error(result), PortalError::LoginRefused { code: "invalid_grant" });
                assert_eq!(simulator.count(Endpoint::Refresh), 2, "the third use was not tried");
            }
        }
    }
}
