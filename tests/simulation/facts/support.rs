//! Requests as they are on the wire, and a custom resource of the tests' own.

use http::Request;
use http_body_util::BodyExt;
use k8s_openapi::api::core::v1::Namespace;
use kube::Client;
use kube::api::{Api, PostParams};
use serde_json::{Value, json};
use technical_user_operator::process::Clock;
use testbed::{eventually, shared};
use tokio::sync::OnceCell;

use crate::apiserver::{Apiserver, Kinds};
use crate::kill::Kill;
use crate::record::Record;

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

/// Whom the facts are asked of.
#[derive(Clone)]
pub(crate) enum Server {
    /// A real apiserver.
    Real,
    /// The simulated one.
    Simulated(Apiserver),
}

impl Server {
    /// A simulated apiserver of its own.
    pub(crate) fn simulated() -> Self {
        Self::Simulated(Apiserver::start(1, Clock::system(), Record::begin(), Kinds::default()))
    }

    /// A client with all rights.
    pub(crate) async fn client(&self) -> Client {
        match self {
            Self::Real => shared().await.admin_client().await.unwrap(),
            Self::Simulated(apiserver) => apiserver.admin(),
        }
    }

    async fn namespace(&self, prefix: &str) -> String {
        let Self::Simulated(apiserver) = self else { return shared().await.namespace(prefix).await.unwrap() };
        let namespace: Namespace = serde_json::from_value(json!({ "metadata": { "name": prefix } })).unwrap();
        let namespaces: Api<Namespace> = Api::all(apiserver.admin());
        namespaces.create(&PostParams::default(), &namespace).await.unwrap();
        prefix.to_owned()
    }

    /// A client without rights, whose service account is in this namespace.
    async fn powerless(&self, namespace: &str) -> Client {
        match self {
            Self::Real => {
                let cluster = shared().await;
                cluster.create_service_account(namespace, "powerless").await.unwrap();
                cluster.client_for_service_account(namespace, "powerless").await.unwrap()
            }
            Self::Simulated(apiserver) => {
                let user = format!("system:serviceaccount:{namespace}:powerless");
                apiserver.faults(|faults| faults.powerless.insert(user.clone()));
                apiserver.client(&user, Kill::never())
            }
        }
    }
}

/// One client in one fresh namespace.
pub(crate) struct Wire {
    pub(crate) server: Server,
    pub(crate) namespace: String,
    pub(crate) client: Client,
}

/// A server-side apply as the operator does it.
const APPLY: &str = "fieldManager=facts&force=true";

impl Wire {
    /// As admin.
    pub(crate) async fn new(server: Server, prefix: &str) -> Self {
        let (namespace, client) = (server.namespace(prefix).await, server.client().await);
        Self { server, namespace, client }
    }

    /// The same client in another namespace, which need not exist.
    pub(crate) fn elsewhere(&self, namespace: &str) -> Self {
        let (server, client) = (self.server.clone(), self.client.clone());
        Self { server, namespace: namespace.to_owned(), client }
    }

    /// A service account without rights in the same namespace.
    pub(crate) async fn powerless(&self) -> Self {
        let client = self.server.powerless(&self.namespace).await;
        Self { server: self.server.clone(), namespace: self.namespace.clone(), client }
    }

    /// Whether the server plays server-side apply, which the operator does not use.
    pub(crate) fn serves_apply(&self) -> bool {
        matches!(self.server, Server::Real)
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
        Answer { code, body: serde_json::from_slice(&bytes).unwrap_or(Value::Null) }
    }

    pub(crate) async fn get(&self, resource: &str, name: &str) -> Answer {
        self.send("GET", &self.path(resource, name), "application/json", &Value::Null).await
    }

    pub(crate) async fn list(&self, resource: &str, query: &str) -> Answer {
        let path = format!("{}?{query}", self.collection(resource));
        self.send("GET", &path, "application/json", &Value::Null).await
    }

    pub(crate) async fn delete(&self, resource: &str, name: &str) -> Answer {
        self.send("DELETE", &self.path(resource, name), "application/json", &json!({})).await
    }

    pub(crate) async fn create(&self, resource: &str, query: &str, object: &Value) -> Answer {
        let path = format!("{}?{query}", self.collection(resource));
        self.send("POST", &path, "application/json", object).await
    }

    /// A merge patch. `name` may end with a subresource.
    pub(crate) async fn merge(&self, resource: &str, name: &str, patch: &Value) -> Answer {
        self.send("PATCH", &self.path(resource, name), "application/merge-patch+json", patch).await
    }

    /// A server-side apply with force.
    pub(crate) async fn apply(&self, resource: &str, query: &str, object: &Value) -> Answer {
        let name = object["metadata"]["name"].as_str().unwrap();
        let path = format!("{}?{APPLY}&{query}", self.path(resource, name));
        self.send("PATCH", &path, "application/apply-patch+yaml", object).await
    }

    /// The path of an object.
    pub(crate) fn path(&self, resource: &str, name: &str) -> String {
        format!("{}/{name}", self.collection(resource))
    }

    /// `secrets` for the core group, `group/version/resource` for others.
    pub(crate) fn collection(&self, resource: &str) -> String {
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

/// Makes the custom resource known, once for each server.
pub(crate) async fn with_widgets(wire: &Wire) {
    static DEFINED: OnceCell<()> = OnceCell::const_new();
    match wire.server {
        Server::Real => {
            DEFINED.get_or_init(async || define_widgets(wire).await).await;
        }
        Server::Simulated(_) => define_widgets(wire).await,
    }
}

async fn define_widgets(wire: &Wire) {
    let text = json!({ "type": "string" });
    let spec = json!({ "type": "object", "properties": {
            "size": { "type": "integer", "minimum": 0, "maximum": 1000 },
            "color": { "type": "string", "default": "Red", "enum": ["Red", "Blue"] },
            "name": { "type": "string", "pattern": "^[a-z]+$", "minLength": 2, "maxLength": 5 },
            "labels": { "type": "object", "additionalProperties": text },
            "parts": { "type": "array", "maxItems": 2, "items": {
                "type": "object", "required": ["name"],
                "properties": { "name": text, "kind": { "type": "string", "default": "Plain" } } } },
        } });
    let schema = json!({ "type": "object", "properties": {
            "spec": spec,
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
}
