use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use http::{Request, Response};
use kube::client::Body;
use serde_json::{Value, json};

use super::*;
use crate::k8s::watch::WatchedKind;

/// An apiserver that answers every read of a namespace with a label, or refuses it; and the number of its calls.
fn apiserver(label: Option<&'static str>) -> (Client, Arc<AtomicUsize>) {
    let calls = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&calls);
    let service = tower::service_fn(move |request: Request<Body>| {
        count.fetch_add(1, Ordering::SeqCst);
        let name = request.uri().path().rsplit('/').next().unwrap_or_default().to_owned();
        async move {
            let (code, body) = match label {
                Some(label) => (
                    200,
                    json!({
                        "apiVersion": "meta.k8s.io/v1", "kind": "PartialObjectMetadata",
                        "metadata": {"name": name, "labels": {"from": label}},
                    }),
                ),
                None => (
                    403,
                    json!({"kind": "Status", "apiVersion": "v1", "metadata": {}, "code": 403, "message": "no"}),
                ),
            };
            let body = Body::from(body.to_string().into_bytes());
            Ok::<_, Infallible>(Response::builder().status(code).body(body).unwrap())
        }
    });
    (Client::new(service, "default"), calls)
}

fn touched(name: &str, metadata: &Value, deleted: bool) -> Touched<PartialObjectMeta<Namespace>> {
    let mut all = json!({"name": name});
    all.as_object_mut().unwrap().extend(metadata.as_object().unwrap().clone());
    let object = serde_json::from_value(json!({"metadata": all})).unwrap();
    Touched { object: Arc::new(object), deleted }
}

fn labelled(from: &str) -> Value {
    json!({"labels": {"from": from}})
}

async fn from(namespaces: &Namespaces, client: &Client, name: &str) -> Option<String> {
    namespaces.labels(client, name).await.unwrap().get("from").cloned()
}

#[tokio::test]
async fn what_the_watch_shows_is_not_read() {
    let (client, calls) = apiserver(None);
    let namespaces = Namespaces::default();
    assert!(namespaces.saw(&touched("a", &labelled("watch"), false)));
    assert_eq!(from(&namespaces, &client, "a").await.as_deref(), Some("watch"));
    assert!(!namespaces.saw(&touched("a", &labelled("watch"), false)), "nothing changed");
    assert!(namespaces.saw(&touched("a", &labelled("later"), false)));
    assert_eq!(from(&namespaces, &client, "a").await.as_deref(), Some("later"));
    assert_eq!(calls.load(Ordering::SeqCst), 0);
}

#[tokio::test(start_paused = true)]
async fn what_the_watch_does_not_show_is_read_now_and_then() {
    let (client, calls) = apiserver(Some("read"));
    let namespaces = Namespaces::default();
    assert!(!namespaces.knows("new"));
    for _ in 0..3 {
        assert_eq!(from(&namespaces, &client, "new").await.as_deref(), Some("read"));
    }
    assert!(namespaces.knows("new"));
    assert_eq!(calls.load(Ordering::SeqCst), 1);
    tokio::time::advance(READ_HOLDS).await;
    assert!(!namespaces.knows("new"));
    from(&namespaces, &client, "new").await;
    assert_eq!(calls.load(Ordering::SeqCst), 2);
    namespaces.saw(&touched("new", &labelled("watch"), false));
    assert_eq!(from(&namespaces, &client, "new").await.as_deref(), Some("watch"), "the watch is newer");
}

#[tokio::test]
async fn a_watch_that_is_refused_is_not_believed() {
    let (client, _) = apiserver(Some("read"));
    let refusals = Refusals::default();
    let namespaces = Namespaces::new(refusals.clone());
    namespaces.saw(&touched("a", &labelled("watch"), false));
    let place = WatchedKind { namespace: None, resource: "namespaces".into() };
    refusals.refused(&place, "no");
    assert_eq!(from(&namespaces, &client, "a").await.as_deref(), Some("read"));
    refusals.listed(&place);
    assert_eq!(from(&namespaces, &client, "a").await.as_deref(), Some("watch"));
}

#[tokio::test]
async fn labels_that_may_not_be_read_are_an_error_and_not_none() {
    let (client, _) = apiserver(None);
    let refused = Namespaces::default().labels(&client, "a").await;
    assert!(matches!(refused, Err(KubeError::Denied { code: 403, .. })), "{refused:?}");
}

#[test]
fn a_namespace_under_deletion_is_known() {
    let namespaces = Namespaces::default();
    assert!(!namespaces.is_ending("a"));
    namespaces.saw(&touched("a", &json!({}), false));
    assert!(!namespaces.is_ending("a"));
    let ending = json!({"deletionTimestamp": "2026-11-26T12:00:00Z"});
    assert!(!namespaces.saw(&touched("a", &ending, false)), "its labels are as before");
    assert!(namespaces.is_ending("a"));
    assert!(namespaces.saw(&touched("a", &ending, true)));
    assert!(!namespaces.is_ending("a"));
}

#[tokio::test(start_paused = true)]
async fn labels_that_are_too_old_to_be_used_are_not_kept() {
    let (client, _) = apiserver(Some("read"));
    let namespaces = Namespaces::default();
    for number in 0..100 {
        from(&namespaces, &client, &format!("n{number}")).await;
    }
    assert_eq!(lock(&namespaces.read).len(), 100);
    tokio::time::advance(READ_HOLDS).await;
    from(&namespaces, &client, "another").await;
    assert_eq!(lock(&namespaces.read).len(), 1);
}
