//! Writes and marks of entries, with other clients beside them.

use std::sync::Arc;

use parking_lot::Mutex;
use serde_json::{Value, json};

use super::{DATA, FORBIDDEN, LOGIN, LOOK_UP, answer, client, entry, network, seen, version};
use crate::transport::in_memory::response;
use crate::vault::{Fields, VaultError};

const METADATA: &str = "/v1/secret/metadata/wallet";

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
    let fields = Fields::default().with("content", &"s3cret".into());
    let lost = client.write(&entry(), &fields, 0).await.unwrap_err();
    assert!(matches!(lost, VaultError::Unreachable { sent: true, .. }), "{lost:?}");
    assert_eq!(client.read(&entry()).await.unwrap().unwrap().version, 1);
    assert_eq!(
        seen(&network),
        [format!("POST {LOGIN}"), format!("POST {DATA} t1"), format!("GET {DATA} t1")]
    );
    let body = network.seen().into_iter().nth(1).unwrap().body;
    assert_eq!(body, r#"{"options":{"cas":0},"data":{"content":"s3cret"}}"#);
}

/// Another client creates the metadata between the read and the POST, which a policy without `update` then forbids.
#[tokio::test(start_paused = true)]
async fn metadata_that_another_client_creates_meanwhile_are_patched() {
    let exists = Mutex::new(false);
    let network = network(3600, true, move |request| {
        let exists = std::mem::replace(&mut *exists.lock(), true);
        Some(match request.method.as_str() {
            _ if request.url.path() == LOOK_UP => answer(200, &json!({"data": {"ttl": 3600}})),
            _ if request.url.path() != METADATA => response(404, &[], ""),
            "GET" if exists => {
                answer(200, &json!({"data": {"current_version": 0, "custom_metadata": {"theirs": "x"}}}))
            }
            "GET" => answer(404, &json!({"errors": []})),
            "PATCH" => response(204, &[], ""),
            _ => response(403, &[], FORBIDDEN),
        })
    });
    let marks = [("owner".to_owned(), "me".to_owned())].into();
    client(&network).mark(&entry(), None, &marks).await.unwrap();
    let patch = network.seen().pop().unwrap();
    assert_eq!((&*patch.method, &*patch.body), ("PATCH", r#"{"custom_metadata":{"owner":"me"}}"#));
}

/// The entry is deleted before its metadata are patched.
#[tokio::test(start_paused = true)]
async fn metadata_that_another_client_deletes_meanwhile_are_overtaken() {
    let network = network(3600, true, |request| {
        Some(match request.method {
            http::Method::GET => answer(200, &json!({"data": {"current_version": 1}})),
            _ => response(404, &[], ""),
        })
    });
    let (client, marks) = (client(&network), [("owner".to_owned(), "me".to_owned())].into());
    let found = client.metadata(&entry()).await.unwrap();
    let marked = client.mark(&entry(), found.as_ref(), &marks).await;
    assert_eq!(marked, Err(VaultError::CasMismatch));
    assert_eq!(client.unmark(&entry(), &["owner"]).await, Ok(()));
}
