//! The apiserver as a command sees it that changes nothing: manifests come before what is stored, and a request that would change
//! something is refused before it is sent. Dry runs change nothing.

use std::collections::BTreeMap;
use std::sync::Arc;

use http::{Method, Request, Response, StatusCode};
use kube::Client;
use kube::api::DynamicObject;
use kube::client::Body;
use serde_json::{Value, json};

/// Resource, namespace and name.
pub(super) type Place = (String, String, String);

/// The objects that come before those of the cluster.
pub(super) type Objects = BTreeMap<Place, DynamicObject>;

/// What answers.
struct Apiserver {
    objects: Objects,
    cluster: Option<Client>,
}

/// A client that changes nothing. Without a cluster there is nothing but `objects`, and a dry run succeeds.
pub(super) fn client(objects: Objects, cluster: Option<Client>) -> Client {
    let apiserver = Arc::new(Apiserver { objects, cluster });
    let service = tower::service_fn(move |request: Request<Body>| {
        let apiserver = Arc::clone(&apiserver);
        async move { apiserver.answer(request).await }
    });
    Client::new(service, "default")
}

impl Apiserver {
    async fn answer(&self, request: Request<Body>) -> Result<Response<Body>, kube::Error> {
        let path = request.uri().path().to_owned();
        if *request.method() == Method::GET
            && let Some(object) = place(&path).and_then(|place| self.objects.get(&place))
        {
            return Ok(answer(StatusCode::OK, &json!(object)));
        }
        if !changes_nothing(request.method(), &path, request.uri().query().unwrap_or_default()) {
            let words = "this command changes nothing in the cluster";
            return Ok(answer(StatusCode::FORBIDDEN, &failure(StatusCode::FORBIDDEN, "Forbidden", words)));
        }
        match &self.cluster {
            Some(cluster) => cluster.send(request).await,
            None => Ok(self.alone(request).await),
        }
    }

    /// The answer where there is no cluster.
    async fn alone(&self, request: Request<Body>) -> Response<Body> {
        let is_list = place(request.uri().path()).is_none();
        match *request.method() {
            Method::GET if is_list => answer(
                StatusCode::OK,
                &json!({"kind": "List", "apiVersion": "v1", "metadata": {}, "items": []}),
            ),
            Method::GET => {
                let words = "it is not in the manifests";
                answer(StatusCode::NOT_FOUND, &failure(StatusCode::NOT_FOUND, "NotFound", words))
            }
            _ => {
                let body = request.into_body().collect_bytes().await.unwrap_or_default();
                answer(StatusCode::CREATED, &serde_json::from_slice(&body).unwrap_or(Value::Null))
            }
        }
    }
}

/// Reads, dry runs, and questions about permissions.
fn changes_nothing(method: &Method, path: &str, query: &str) -> bool {
    let asks = *method == Method::POST && path.starts_with("/apis/authorization.k8s.io/");
    *method == Method::GET || asks || query.split('&').any(|part| part == "dryRun=All")
}

/// Which object a path names.
fn place(path: &str) -> Option<Place> {
    let (_, rest) = path.split_once("/namespaces/")?;
    match rest.split('/').collect::<Vec<_>>().as_slice() {
        [name] => Some(("namespaces".to_owned(), String::new(), (*name).to_owned())),
        [namespace, resource, name] => {
            Some(((*resource).to_owned(), (*namespace).to_owned(), (*name).to_owned()))
        }
        _ => None,
    }
}

fn failure(code: StatusCode, reason: &str, message: &str) -> Value {
    json!({
        "kind": "Status", "apiVersion": "v1", "status": "Failure", "metadata": {},
        "code": code.as_u16(), "reason": reason, "message": message,
    })
}

fn answer(status: StatusCode, body: &Value) -> Response<Body> {
    let mut response = Response::new(Body::from(body.to_string().into_bytes()));
    *response.status_mut() = status;
    response
}

#[cfg(test)]
mod tests {
    use k8s_openapi::api::core::v1::Secret;
    use kube::api::{Api, DeleteParams, PostParams};

    use super::*;

    fn secrets() -> Api<Secret> {
        let secret =
            json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "login", "namespace": "a"}});
        let secret = serde_json::from_value(secret).unwrap();
        let place = ("secrets".to_owned(), "a".to_owned(), "login".to_owned());
        Api::namespaced(client(Objects::from([(place, secret)]), None), "a")
    }

    #[tokio::test]
    async fn a_manifest_is_read_and_nothing_is_changed() {
        let api = secrets();
        assert_eq!(api.get("login").await.unwrap().metadata.name.as_deref(), Some("login"));
        assert!(api.get_opt("other").await.unwrap().is_none());
        assert!(api.list(&kube::api::ListParams::default()).await.unwrap().items.is_empty());
        let dry_run = PostParams { dry_run: true, ..PostParams::default() };
        api.create(&dry_run, &Secret::default()).await.unwrap();
        for error in [
            api.create(&PostParams::default(), &Secret::default()).await.map(drop),
            api.delete("login", &DeleteParams::default()).await.map(drop),
        ] {
            assert!(error.unwrap_err().to_string().contains("changes nothing"));
        }
    }

    #[test]
    fn a_token_is_no_question() {
        let post = |path: &str, query: &str| changes_nothing(&Method::POST, path, query);
        assert!(!post("/api/v1/namespaces/a/serviceaccounts/b/token", ""));
        assert!(!post("/api/v1/namespaces/a/secrets", "dryRun=All2"));
        assert!(post("/api/v1/namespaces/a/secrets", "fieldManager=x&dryRun=All"));
        assert!(post("/apis/authorization.k8s.io/v1/selfsubjectaccessreviews", ""));
    }
}
