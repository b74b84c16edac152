//! Reads and writes of entries, with other clients beside them.

use std::sync::Arc;

use parking_lot::Mutex;
use serde_json::{Value, json};

use super::{DATA, LOGIN, answer, client, entry, network, seen, version};
use crate::vault::{Change, Fields, VaultError};

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
