//! Requests as they are on the wire, and a custom resource of the tests' own.

use http::Request;
use http_body_util::BodyExt;
use kube::Client;
use serde_json::{Value, json};
use testbed::{eventually, shared};
use tokio::sync::OnceCell;

/// An answer of the apiserver, whatever its code.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) code: u16,
    pub(crate) body: Value,
}

impl Answer {
    /// The message of a refusal.
    pub(crate) fn message(&self) -> &str {
        self.body["message"].as_str().unwrap_or_default()
    }

    /// The reason of a refusal.
    pub(crate) fn reason(&self) -> &str {
        self.body["reason"].as_str().unwrap_or_default()
    }

    pub(crate) fn version(&self) -> &str {
        self.body["metadata"]["resourceVersion"].as_str().unwrap()
    }

    pub(crate) fn uid(&self) -> &str {
        self.body["metadata"]["uid"].as_str().unwrap()
    }

    /// Asserts a refusal, with the whole answer in the message if it is another.
    #[track_caller]
    pub(crate) fn refused(&self, code: u16, reason: &str, message: &str) {
        assert!(
            self.code == code && self.reason() == reason && self.message().contains(message),
            "expected {code} {reason} {message:?}, but got {} {} {:?}",
            self.code,
            self.reason(),
            self.message()
        );
    }

    /// Asserts a success.
    #[track_caller]
    pub(crate) fn accepted(self, code: u16) -> Self {
        assert_eq!(self.code, code, "{}", self.body);
        self
    }
}

/// One client in one fresh namespace.
pub(crate) struct Wire {
    pub(crate) namespace: String,
    client: Client,
}

/// A server-side apply as the operator does it.
const APPLY: &str = "fieldManager=facts&force=true";

impl Wire {
    /// As admin.
    pub(crate) async fn new(prefix: &str) -> Self {
        let cluster = shared().await;
        Self {
            namespace: cluster.namespace(prefix).await.unwrap(),
            client: cluster.admin_client().await.unwrap(),
        }
    }

    /// The same client in another namespace, which need not exist.
    pub(crate) fn elsewhere(&self, namespace: &str) -> Self {
        Self { namespace: namespace.to_owned(), client: self.client.clone() }
    }

    /// A service account without rights in the same namespace.
    pub(crate) async fn powerless(&self) -> Self {
        let cluster = shared().await;
        cluster.create_service_account(&self.namespace, "powerless").await.unwrap();
        let client = cluster.client_for_service_account(&self.namespace, "powerless").await.unwrap();
        Self { namespace: self.namespace.clone(), client }
    }

    /// Any request. `path` is below the server's root.
    pub(crate) async fn send(&self, method: &str, path: &str, content_type: &str, body: &Value) -> Answer {
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header("content-type", content_type)
            .body(body.to_string().into_bytes().into())
            .unwrap();
        let response = self.client.send(request).await.unwrap();
        let code = response.status().as_u16();
        let bytes = response.into_body().collect().await.unwrap().to_bytes();
        Answer { code, body: serde_json::from_slice(&bytes).unwrap() }
    }

    pub(crate) async fn get(&self, resource: &str, name: &str) -> Answer {
        self.send("GET", &self.path(resource, name), "application/json", &Value::Null).await
    }

    pub(crate) async fn delete(&self, resource: &str, name: &str) -> Answer {
        self.send("DELETE", &self.path(resource, name), "application/json", &json!({})).await
    }

    pub(crate) async fn create(&self, resource: &str, query: &str, object: &Value) -> Answer {
        let path = format!("{}?{query}", self.collection(resource));
        self.send("POST", &path, "application/json", object).await
    }

    /// A merge patch. `name` may go on with a subresource.
    pub(crate) async fn merge(&self, resource: &str, name: &str, patch: &Value) -> Answer {
        self.send("PATCH", &self.path(resource, name), "application/merge-patch+json", patch).await
    }

    /// A server-side apply with force.
    pub(crate) async fn apply(&self, resource: &str, query: &str, object: &Value) -> Answer {
        let name = object["metadata"]["name"].as_str().unwrap();
        let path = format!("{}?{APPLY}&{query}", self.path(resource, name));
        self.send("PATCH", &path, "application/apply-patch+yaml", object).await
    }

    fn path(&self, resource: &str, name: &str) -> String {
        format!("{}/{name}", self.collection(resource))
    }

    /// `secrets` for the core group, `group/version/resource` for others.
    fn collection(&self, resource: &str) -> String {
        match resource.rsplit_once('/') {
            None => format!("/api/v1/namespaces/{}/{resource}", self.namespace),
            Some((group, resource)) => format!("/apis/{group}/namespaces/{}/{resource}", self.namespace),
        }
    }
}

/// The tests' own custom resource, with the status subresource.
pub(crate) const WIDGETS: &str = "facts.testbed.invalid/v1/widgets";

/// A widget.
pub(crate) fn widget(name: &str) -> Value {
    json!({ "apiVersion": "facts.testbed.invalid/v1", "kind": "Widget",
            "metadata": { "name": name }, "spec": { "size": 1 } })
}

/// A Secret.
pub(crate) fn secret(name: &str, value: &str) -> Value {
    json!({ "apiVersion": "v1", "kind": "Secret", "metadata": { "name": name },
            "type": "Opaque", "stringData": { "key": value } })
}

/// Makes the custom resource known, once in this process.
pub(crate) async fn with_widgets(wire: &Wire) {
    static DEFINED: OnceCell<()> = OnceCell::const_new();
    let define = || async {
        let text = json!({ "type": "string" });
        let schema = json!({ "type": "object", "properties": {
            "spec": { "type": "object", "properties": { "size": { "type": "integer" } } },
            "status": { "type": "object", "properties": { "phase": text } },
        } });
        let definition = json!({
            "apiVersion": "apiextensions.k8s.io/v1",
            "kind": "CustomResourceDefinition",
            "metadata": { "name": "widgets.facts.testbed.invalid" },
            "spec": {
                "group": "facts.testbed.invalid",
                "scope": "Namespaced",
                "names": { "kind": "Widget", "plural": "widgets", "singular": "widget", "listKind": "WidgetList" },
                "versions": [{ "name": "v1", "served": true, "storage": true,
                    "subresources": { "status": {} }, "schema": { "openAPIV3Schema": schema } }],
            },
        });
        let path = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";
        wire.send("POST", path, "application/json", &definition).await.accepted(201);
        let established = format!("{path}/widgets.facts.testbed.invalid");
        eventually("the custom resource is served", || async {
            let answer = wire.send("GET", &established, "application/json", &Value::Null).await;
            let conditions = answer.body["status"]["conditions"].as_array().cloned().unwrap_or_default();
            let is = |c: &Value| c["type"] == "Established" && c["status"] == "True";
            conditions.iter().any(is).then_some(())
        })
        .await
        .unwrap();
        // Established is said a moment before every handler knows it.
        eventually("a widget is accepted", || async {
            let answer = wire.create(WIDGETS, "dryRun=All", &widget("probe")).await;
            (answer.code == 201).then_some(())
        })
        .await
        .unwrap();
    };
    DEFINED.get_or_init(define).await;
}
