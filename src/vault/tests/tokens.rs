//! Logins, and the life of a token.

use std::time::Duration;

use parking_lot::Mutex;
use serde_json::json;

use super::{DATA, FORBIDDEN, LOGIN, LOOK_UP, RENEW, answer, client, entry, issued, network, seen, version};
use crate::transport::in_memory::{InMemory, response};
use crate::vault::{LoginRefusal, VaultError};

#[tokio::test(start_paused = true)]
async fn a_login_whose_answer_is_lost_is_tried_again_after_a_pause() {
    let logins = Mutex::new(0);
    let network = InMemory::new(move |request| {
        if request.url.path() == LOGIN {
            let mut logins = logins.lock();
            *logins += 1;
            return (*logins > 1).then(|| issued("t2", 60, true));
        }
        Some(version(1, &json!({})))
    });
    let client = client(&network);
    for _ in 0..3 {
        let lost = client.read(&entry()).await.unwrap_err();
        assert!(matches!(lost, VaultError::Unreachable { sent: true, .. }), "{lost:?}");
    }
    assert_eq!(seen(&network).len(), 1, "the same failure for all who wait");
    tokio::time::advance(Duration::from_secs(3)).await;
    client.read(&entry()).await.unwrap().unwrap();
}

/// What is no answer of Vault to the login says nothing of it, and a fault of Vault is temporary.
#[tokio::test(start_paused = true)]
async fn a_login_is_refused_only_by_vault_itself() {
    let other = |status| VaultError::Other { status, words: None };
    let not_vault = || VaultError::NotVault { endpoint: "vault.example.org:8200".into() };
    let refused = |why| VaultError::LoginRefused(why);
    for (status, body, expected) in [
        (500, "internal server error", other(500)),
        (500, r#"{"errors":["internal error"]}"#, other(500)),
        (500, r#"{"errors":["service account name not authorized"]}"#, refused(LoginRefusal::ServiceAccount)),
        (400, "bad request", other(400)),
        (400, r#"{"errors":["missing client token"]}"#, refused(LoginRefusal::Unknown { status: 400 })),
        (401, "unauthorized", other(401)),
        (403, "denied by a proxy", not_vault()),
        (403, FORBIDDEN, refused(LoginRefusal::NoMethod)),
        (404, "default backend", not_vault()),
        (404, r#"{"errors":["no handler for route"]}"#, refused(LoginRefusal::NoMethod)),
    ] {
        let network = InMemory::new(move |_| Some(response(status, &[], body)));
        assert_eq!(client(&network).read(&entry()).await.unwrap_err(), expected, "{status} {body}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_token_is_renewed_before_it_expires() {
    let network = network(60, true, |request| {
        Some(if request.url.path() == RENEW { issued("t1", 60, true) } else { version(1, &json!({})) })
    });
    let client = client(&network);
    for _ in 0..3 {
        client.read(&entry()).await.unwrap();
        tokio::time::advance(Duration::from_secs(41)).await;
    }
    let (login, renew, get) = (format!("POST {LOGIN}"), format!("POST {RENEW} t1"), format!("GET {DATA} t1"));
    assert_eq!(seen(&network), [login, get.clone(), renew.clone(), get.clone(), renew, get]);
}

#[tokio::test(start_paused = true)]
async fn a_token_that_cannot_be_renewed_is_replaced() {
    let refused = || answer(403, &json!({"errors": ["permission denied"]}));
    // Not renewable; refused; renewed for a moment only, as near the longest lifetime.
    for (renewable, renewal) in [(false, refused()), (true, refused()), (true, issued("t1", 5, true))] {
        let network = network(60, renewable, move |request| {
            Some(if request.url.path() == RENEW { renewal.clone() } else { version(1, &json!({})) })
        });
        let client = client(&network);
        client.read(&entry()).await.unwrap();
        tokio::time::advance(Duration::from_secs(41)).await;
        client.read(&entry()).await.unwrap();
        assert_eq!(seen(&network).last().unwrap(), &format!("GET {DATA} t2"));
    }
}

#[tokio::test(start_paused = true)]
async fn while_vault_is_down_the_token_in_hand_serves_to_its_end() {
    let network = network(600, true, |request| (request.url.path() != RENEW).then(|| version(1, &json!({}))));
    let client = client(&network);
    client.read(&entry()).await.unwrap();
    tokio::time::advance(Duration::from_secs(410)).await;
    client.read(&entry()).await.unwrap();
    client.read(&entry()).await.unwrap();
    let (login, renew, get) = (format!("POST {LOGIN}"), format!("POST {RENEW} t1"), format!("GET {DATA} t1"));
    assert_eq!(seen(&network), [login, get.clone(), renew, get.clone(), get]);
}

#[tokio::test(start_paused = true)]
async fn a_token_that_vault_does_not_know_is_replaced_once() {
    let network = network(3600, true, |request| {
        use secrecy::ExposeSecret as _;
        let bearer = request.bearer.as_ref().map_or("", |token| token.expose_secret());
        Some(match bearer {
            "t1" => answer(403, &json!({"errors": ["permission denied", "invalid token"]})),
            _ => version(7, &json!({})),
        })
    });
    assert_eq!(client(&network).read(&entry()).await.unwrap().unwrap().version, 7);
    assert_eq!(
        seen(&network),
        [
            format!("POST {LOGIN}"),
            format!("GET {DATA} t1"),
            format!("GET {LOOK_UP} t1"),
            format!("POST {LOGIN}"),
            format!("GET {DATA} t2"),
        ]
    );
}

#[tokio::test(start_paused = true)]
async fn too_few_rights_cost_no_login_where_vault_knows_the_token() {
    let network = network(3600, true, |request| {
        Some(match request.url.path() {
            LOOK_UP => answer(200, &json!({"data": {"ttl": 60}})),
            _ => response(403, &[], FORBIDDEN),
        })
    });
    let client = client(&network);
    for _ in 0..2 {
        let error = client.read(&entry()).await.unwrap_err();
        assert_eq!(error, VaultError::Forbidden { call: "GET secret/data/wallet".into() });
    }
    let logins = seen(&network).iter().filter(|line| line.contains(LOGIN)).count();
    assert_eq!(logins, 1);
}

#[tokio::test(start_paused = true)]
async fn too_few_rights_cost_one_login_where_the_policy_forbids_the_question() {
    let network = network(3600, true, |_| Some(response(403, &[], FORBIDDEN)));
    let client = client(&network);
    for _ in 0..5 {
        let error = client.read(&entry()).await.unwrap_err();
        assert!(matches!(error, VaultError::Forbidden { .. }), "{error:?}");
    }
    let logins = |network: &InMemory| seen(network).iter().filter(|line| line.contains(LOGIN)).count();
    assert_eq!(logins(&network), 2);
    tokio::time::advance(Duration::from_secs(31)).await;
    client.read(&entry()).await.unwrap_err();
    assert_eq!(logins(&network), 3);
}
