//! The client over a transport without a network: lost answers, tokens that grow old, servers that no test can start.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use serde_json::{Value, json};

use super::{Auth, Change, Fields, LoginRefusal, VaultClient, VaultConfig, VaultConfigError, VaultError};
use crate::domain::vault_path::{Alias, EntryPath, Folder, Mount};
use crate::process::Process;
use crate::transport::in_memory::{InMemory, response};
use crate::transport::{HttpRequest, HttpResponse};

const LOGIN: &str = "/v1/auth/approle/login";
const RENEW: &str = "/v1/auth/token/renew-self";
const LOOK_UP: &str = "/v1/auth/token/lookup-self";
const DATA: &str = "/v1/secret/data/wallet";
const FORBIDDEN: &str = r#"{"errors":["1 error occurred:\n\t* permission denied\n\n"]}"#;

fn entry() -> EntryPath {
    let (mount, alias) = (Mount::parse("secret").unwrap(), Alias::parse("wallet").unwrap());
    EntryPath::new(&mount, &Folder::default(), &alias)
}

fn config() -> VaultConfig {
    VaultConfig {
        address: "https://vault.example.org:8200".into(),
        namespace: None,
        auth: Auth::AppRole {
            mount: Mount::parse("approle").unwrap(),
            role_id: "writer".into(),
            secret_id: "s3cret-id".into(),
        },
        ca_bundle: None,
        insecure_http: false,
    }
}

fn client(network: &InMemory) -> VaultClient {
    VaultClient::new(config(), network, Process::system()).unwrap()
}

fn issued(token: &str, seconds: u64, renewable: bool) -> HttpResponse {
    let auth = json!({"client_token": token, "lease_duration": seconds, "renewable": renewable});
    response(200, &[], &json!({ "auth": auth }).to_string())
}

fn answer(status: u16, body: &Value) -> HttpResponse {
    response(status, &[], &body.to_string())
}

fn version(number: u64, data: &Value) -> HttpResponse {
    answer(200, &json!({"data": {"data": data, "metadata": {"version": number, "destroyed": false}}}))
}

/// Logs in as `t1`, `t2` and so on with tokens of this life, and answers the rest like this.
fn network(
    life: u64,
    renewable: bool,
    rest: impl Fn(&HttpRequest) -> Option<HttpResponse> + Send + Sync + 'static,
) -> InMemory {
    let logins = Mutex::new(0);
    InMemory::new(move |request| {
        if request.url.path() != LOGIN {
            return rest(request);
        }
        let mut logins = logins.lock();
        *logins += 1;
        Some(issued(&format!("t{logins}"), life, renewable))
    })
}

/// What has reached the server: method, path and token of each request.
fn seen(network: &InMemory) -> Vec<String> {
    let line = |seen: crate::transport::in_memory::Seen| {
        format!("{} {} {}", seen.method, seen.path, seen.bearer.unwrap_or_default()).trim_end().to_owned()
    };
    network.seen().into_iter().map(line).collect()
}

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
async fn a_write_whose_answer_is_lost_is_not_repeated_but_read() {
    let stored = Arc::new(Mutex::new(None::<Value>));
    let store = Arc::clone(&stored);
    let network = network(3600, true, move |request| {
        let mut stored = store.lock();
        if request.method == http::Method::GET {
            return Some(match stored.as_ref() {
                Some(data) => version(1, data),
                None => answer(404, &json!({"errors": []})),
            });
        }
        *stored = Some(json!({"content": "s3cret"}));
        None
    });
    let client = client(&network);
    let change = Change { set: Fields::default().with("content", &"s3cret".into()), remove: Vec::new() };
    let lost = client.merge(&entry(), &change).await.unwrap_err();
    assert!(matches!(lost, VaultError::Unreachable { sent: true, .. }), "{lost:?}");
    assert_eq!(client.merge(&entry(), &change).await, Ok(1));
    let (get, post) = (format!("GET {DATA} t1"), format!("POST {DATA} t1"));
    assert_eq!(seen(&network), [format!("POST {LOGIN}"), get.clone(), post, get]);
    let body = network.seen().into_iter().nth(2).unwrap().body;
    assert_eq!(body, r#"{"options":{"cas":0},"data":{"content":"s3cret"}}"#);
}

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
    // Not renewable; refused; renewed for a moment only, as near the longest life.
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
async fn a_token_that_vault_forgot_is_replaced_once() {
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

#[tokio::test(start_paused = true)]
async fn a_change_beside_others_is_kept_and_tried_again() {
    // Another client writes between the first read and the first write.
    let stored = Arc::new(Mutex::new((1, json!({"theirs": "1"}))));
    let (store, raced) = (Arc::clone(&stored), Mutex::new(false));
    let network = network(3600, true, move |request| {
        use secrecy::ExposeSecret as _;
        let mut stored = store.lock();
        if request.method == http::Method::GET {
            return Some(version(stored.0, &stored.1));
        }
        if !std::mem::replace(&mut *raced.lock(), true) {
            *stored = (2, json!({"theirs": "2"}));
        }
        let crate::transport::Payload::SecretJson(body) = &request.payload else { return None };
        let body: Value = serde_json::from_str(body.expose_secret()).unwrap();
        if body["options"]["cas"] != stored.0 {
            let words = "check-and-set parameter did not match the current version";
            return Some(answer(400, &json!({ "errors": [words] })));
        }
        *stored = (stored.0 + 1, body["data"].clone());
        Some(answer(200, &json!({"data": {"version": stored.0}})))
    });
    let client = client(&network);
    let change = Change { set: Fields::default().with("content", &"s3cret".into()), remove: Vec::new() };
    assert_eq!(client.merge(&entry(), &change).await, Ok(3));
    assert_eq!(stored.lock().1, json!({"theirs": "2", "content": "s3cret"}));
    let change = Change { set: Fields::default(), remove: vec!["content".into(), "none".into()] };
    assert_eq!(client.merge(&entry(), &change).await, Ok(4));
    assert_eq!(client.merge(&entry(), &change).await, Ok(4), "nothing to change");
    assert_eq!(stored.lock().1, json!({"theirs": "2"}));
}

#[tokio::test(start_paused = true)]
async fn others_that_change_the_entry_all_the_time_end_a_change() {
    let network = network(3600, true, |request| {
        let words = "check-and-set parameter did not match the current version";
        Some(match request.method {
            http::Method::GET => version(1, &json!({})),
            _ => answer(400, &json!({ "errors": [words] })),
        })
    });
    let client = client(&network);
    let change = Change { set: Fields::default().with("a", &"b".into()), remove: Vec::new() };
    assert_eq!(client.merge(&entry(), &change).await, Err(VaultError::CasMismatch));
    assert_eq!(seen(&network).len(), 7, "one login, three reads, three writes");
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
    ] {
        let network = InMemory::new(move |_| Some(answer(status, &body)));
        let found = client(&network).health().await.map(|health| health.standby);
        assert_eq!(found, expected, "{status}");
    }
}

#[tokio::test(start_paused = true)]
async fn no_answer_makes_an_error_repeat_a_secret() {
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
