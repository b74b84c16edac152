//! What is sent to a server, and what its answers mean.

use std::collections::BTreeMap;
use std::sync::Arc;

use parking_lot::Mutex;
use serde_json::json;

use super::{DATA, LOGIN, answer, client, config, entry, issued, network, seen, version};
use crate::process::Process;
use crate::transport::in_memory::{InMemory, response};
use crate::vault::{Fields, LoginRefusal, VaultClient, VaultConfig, VaultConfigError, VaultError};

#[tokio::test(start_paused = true)]
async fn a_namespace_is_sent_with_all_but_the_question_for_health() {
    let headers = Arc::new(Mutex::new(BTreeMap::new()));
    let recorded = Arc::clone(&headers);
    let network = InMemory::new(move |request| {
        let namespace =
            request.headers.get("x-vault-namespace").map(|value| value.to_str().unwrap().to_owned());
        recorded.lock().insert(request.url.path().to_owned(), namespace);
        Some(match request.url.path() {
            LOGIN => issued("t1", 60, true),
            DATA => version(1, &json!({})),
            _ => answer(200, &json!({"initialized": true, "sealed": false, "version": "1.21.4"})),
        })
    });
    let config = VaultConfig { namespace: Some("team/blue".into()), ..config() };
    let client = VaultClient::new(config, &network, Process::system()).unwrap();
    assert_eq!(client.health().await.unwrap().version, "1.21.4");
    client.read(&entry()).await.unwrap().unwrap();
    let team = Some("team/blue".to_owned());
    let expected = [(LOGIN, team.clone()), (DATA, team), ("/v1/sys/health", None)];
    assert_eq!(*headers.lock(), expected.map(|(path, value)| (path.to_owned(), value)).into());
}

#[tokio::test(start_paused = true)]
async fn a_redirect_is_not_followed() {
    for (status, expected) in [
        (307, VaultError::Standby),
        (302, VaultError::NotVault { endpoint: "vault.example.org:8200".into() }),
    ] {
        let network = network(3600, true, move |_| {
            let elsewhere = "https://elsewhere.example.org/v1/secret/data/wallet";
            Some(response(status, &[(http::header::LOCATION, elsewhere)], ""))
        });
        assert_eq!(client(&network).read(&entry()).await.unwrap_err(), expected);
        assert_eq!(seen(&network).len(), 2, "the login and the call");
    }
}

#[tokio::test(start_paused = true)]
async fn health_is_a_class_of_its_own() {
    let state = |initialized, sealed| json!({"initialized": initialized, "sealed": sealed, "version": "1.2"});
    let html = json!("<html>");
    for (status, body, expected) in [
        (200, state(true, false), Ok(false)),
        (429, state(true, false), Ok(true)),
        (473, state(true, false), Ok(true)),
        (472, state(true, false), Err(VaultError::Standby)),
        (501, state(false, true), Err(VaultError::NotInitialized)),
        (503, state(true, true), Err(VaultError::Sealed)),
        (200, json!("hello"), Err(VaultError::NotVault { endpoint: "vault.example.org:8200".into() })),
        (404, json!("hello"), Err(VaultError::NotVault { endpoint: "vault.example.org:8200".into() })),
        (503, json!("busy"), Err(VaultError::Other { status: 503, words: None })),
        (502, json!("busy"), Err(VaultError::Other { status: 502, words: None })),
        (502, html.clone(), Err(VaultError::Other { status: 502, words: None })),
        (503, html.clone(), Err(VaultError::Other { status: 503, words: None })),
        (504, html.clone(), Err(VaultError::Other { status: 504, words: None })),
        (200, html, Err(VaultError::NotVault { endpoint: "vault.example.org:8200".into() })),
    ] {
        let page = body == json!("<html>");
        let network = InMemory::new(move |_| {
            Some(if page { response(status, &[], "<html>an ingress</html>") } else { answer(status, &body) })
        });
        let found = client(&network).health().await.map(|health| health.standby);
        assert_eq!(found, expected, "{status}");
    }
}

#[tokio::test(start_paused = true)]
async fn no_error_repeats_a_secret_of_an_answer() {
    // A server that repeats what it was sent, with each status.
    for status in [200, 204, 302, 307, 400, 401, 403, 404, 405, 412, 429, 472, 500, 502, 503] {
        let network = InMemory::new(move |request| {
            use crate::transport::Payload;
            use secrecy::ExposeSecret as _;
            if request.url.path() == LOGIN && status != 401 {
                return Some(issued("tok3n", 3600, true));
            }
            let said = match &request.payload {
                Payload::SecretJson(text) => text.expose_secret().to_owned(),
                _ => String::new(),
            };
            Some(answer(status, &json!({ "errors": [said, "invalid role name \"s3cret-id\""] })))
        });
        let client = client(&network);
        let fields = Fields::default().with("content", &"s3cret-value".into());
        let error = client.write(&entry(), &fields, 0).await.unwrap_err();
        let shown = format!("{error} {error:?}");
        assert!(!shown.contains("s3cret") && !shown.contains("tok3n"), "{status}: {shown}");
        if status == 401 {
            assert_eq!(error, VaultError::LoginRefused(LoginRefusal::Role));
        }
    }
}

#[test]
fn a_client_is_not_built_from_what_cannot_work() {
    let build = |config| VaultClient::new(config, &InMemory::new(|_| None), Process::system()).err().unwrap();
    let plain = VaultConfig { address: "http://127.0.0.1:8200".into(), insecure_http: true, ..config() };
    assert_eq!(build(plain), VaultConfigError::NotHttps { endpoint: "127.0.0.1:8200".into() });
    for namespace in ["a b", "..", "x\r\ny"] {
        let config = VaultConfig { namespace: Some(namespace.into()), ..config() };
        assert_eq!(build(config), VaultConfigError::Namespace);
    }
}
