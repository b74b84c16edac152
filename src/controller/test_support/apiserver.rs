//! The Secrets of an apiserver in memory, as far as an output uses them: GET, POST, merge PATCH and DELETE with their
//! preconditions, and dry runs; and objects of the operator's own kinds, to read and patch. The end-to-end tests show that a real one answers the same.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use http::{Method, Request, Response, StatusCode};
use kube::Client;
use kube::client::Body;
use parking_lot::Mutex;
use serde_json::{Value, json};
use testbed::service_account_token;
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::{Users, installation};
use crate::controller::checked::kind::CheckedKind;
use crate::controller::checked::objects::CheckedObjects;
use crate::controller::context::{Caches, Context};
use crate::controller::namespaces::Namespaces;
use crate::controller::objects::Key;
use crate::controller::portal::connections::Connections;
use crate::controller::portal::kind::PortalKind;
use crate::controller::portal::memory::PortalMemory;
use crate::controller::queue::backoff::{Backoffs, Conflicts};
use crate::controller::secrets_by_owner::SecretsByOwner;
use crate::controller::technical_user::memory::Memory;
use crate::controller::users::Keep;
use crate::controller::vault::kind::VaultKind;
use crate::controller::vault::memory::VaultMemory;
use crate::k8s::events::Events;
use crate::k8s::leader::Leadership;
use crate::k8s::watch::{Cache, Refusals};
use crate::metrics::Metrics;
use crate::portal::{ClientConfig, ConfigError, Connector, PlainHttp, Portal, PortalError};
use crate::process::Process;
use crate::transport::in_memory::InMemory;

/// Namespace and name of the operator's `ServiceAccount`.
const ACCOUNT: (&str, &str) = ("ops", "technical-user-operator");

/// An apiserver that has Secrets and objects of the operator's own kinds.
#[derive(Debug, Clone, Default)]
pub struct Apiserver(Arc<Mutex<State>>);

#[derive(Debug, Default)]
struct State {
    /// By namespace and name.
    secrets: BTreeMap<(String, String), Value>,
    /// Objects of the operator's own kinds, by resource, namespace and name.
    objects: BTreeMap<(String, String, String), Value>,
    /// The operator may not read these resources.
    hidden: Vec<String>,
    /// The notes of Events.
    notes: Vec<String>,
    /// Why every write is denied.
    denied: Option<String>,
    versions: u64,
}

impl Apiserver {
    /// A client of it.
    pub fn client(&self) -> Client {
        let apiserver = self.clone();
        let service = tower::service_fn(move |request: Request<Body>| {
            let apiserver = apiserver.clone();
            async move {
                let (parts, body) = request.into_parts();
                let body = body.collect_bytes().await.unwrap();
                let body = serde_json::from_slice(&body).unwrap_or(Value::Null);
                let (status, answer) = apiserver.answer(&parts.method, &parts.uri.to_string(), body);
                let answer = Body::from(serde_json::to_vec(&answer).unwrap());
                Ok::<_, Infallible>(Response::builder().status(status).body(answer).unwrap())
            }
        });
        Client::new(service, "default")
    }

    /// A Secret as another client writes it.
    pub fn put(&self, namespace: &str, name: &str, secret: Value) {
        self.0.lock().store(namespace, name, secret);
    }

    /// Changes a Secret as another client does.
    pub fn change(&self, namespace: &str, name: &str, change: impl FnOnce(&mut Value)) {
        let mut state = self.0.lock();
        let mut secret = state.get(namespace, name).unwrap();
        change(&mut secret);
        state.store(namespace, name, secret);
    }

    /// Removes a Secret as another client does.
    pub fn remove(&self, namespace: &str, name: &str) {
        self.0.lock().secrets.remove(&(namespace.to_owned(), name.to_owned()));
    }

    /// A Secret.
    pub fn get(&self, namespace: &str, name: &str) -> Option<Value> {
        self.0.lock().get(namespace, name)
    }

    /// An object of one of the operator's own kinds, such as of the resource `vaults`.
    pub fn put_object(&self, resource: &str, namespace: &str, name: &str, mut object: Value) {
        let metadata = json!({"namespace": namespace, "name": name, "resourceVersion": "1"});
        merge(&mut object, &json!({ "metadata": metadata }));
        let key = (resource.to_owned(), namespace.to_owned(), name.to_owned());
        self.0.lock().objects.insert(key, object);
    }

    /// An object of one of the operator's own kinds.
    pub fn object(&self, resource: &str, namespace: &str, name: &str) -> Option<Value> {
        self.0.lock().objects.get(&(resource.to_owned(), namespace.to_owned(), name.to_owned())).cloned()
    }

    /// Waits for an Event with such a note.
    pub async fn eventually_event(&self, is_it: impl Fn(&str) -> bool) {
        let seen = async {
            while !self.0.lock().notes.iter().any(|note| is_it(note)) {
                tokio::time::sleep(std::time::Duration::from_millis(10)).await;
            }
        };
        let waited = tokio::time::timeout(std::time::Duration::from_mins(1), seen).await;
        assert!(waited.is_ok(), "{:?}", self.0.lock().notes);
    }

    /// The notes of all Events so far.
    pub fn events(&self) -> Vec<String> {
        self.0.lock().notes.clone()
    }

    /// Denies every read of a resource from now on.
    pub fn hide(&self, resource: &str) {
        self.0.lock().hidden.push(resource.to_owned());
    }

    /// Denies every write from now on, as a quota or an admission policy does.
    pub fn deny(&self, why: &str) {
        self.0.lock().denied = Some(why.to_owned());
    }

    fn answer(&self, method: &Method, uri: &str, body: Value) -> (StatusCode, Value) {
        let (path, query) = uri.split_once('?').unwrap_or((uri, ""));
        let path: Vec<&str> = path.split('/').skip_while(|part| *part != "namespaces").collect();
        let mut state = self.0.lock();
        match (path.as_slice(), method) {
            (["namespaces", namespace, "secrets", name], method) => {
                state.secret(method, namespace, name, query.contains("dryRun=All"), &body)
            }
            (["namespaces", namespace, "secrets"], &Method::POST) => {
                let name = body["metadata"]["name"].as_str().unwrap().to_owned();
                if state.get(namespace, &name).is_some() {
                    return failure(StatusCode::CONFLICT, "AlreadyExists");
                }
                state.write(namespace, &name, body, query.contains("dryRun=All"))
            }
            ([], &Method::POST) if uri.contains("/selfsubjectreviews") => {
                let user = json!({"username": format!("system:serviceaccount:{}:{}", ACCOUNT.0, ACCOUNT.1)});
                (StatusCode::CREATED, json!({"metadata": {}, "status": {"userInfo": user}}))
            }
            (["namespaces", namespace, "serviceaccounts", name, "token"], &Method::POST) => {
                let audience = body["spec"]["audiences"][0].as_str().unwrap();
                let token = service_account_token(namespace, name, audience);
                let status = json!({"token": token, "expirationTimestamp": "2030-01-01T00:00:00Z"});
                (StatusCode::CREATED, json!({"metadata": {}, "spec": body["spec"], "status": status}))
            }
            (["namespaces", _, "events"], &Method::POST) => {
                state.notes.push(body["note"].as_str().unwrap_or_default().to_owned());
                (StatusCode::CREATED, body)
            }
            (["namespaces", _, "resourcequotas"], &Method::GET) => {
                let list =
                    json!({"kind": "ResourceQuotaList", "apiVersion": "v1", "metadata": {}, "items": []});
                (StatusCode::OK, list)
            }
            (["namespaces", namespace, resource, name], &Method::GET)
            | (["namespaces", namespace, resource, name, "status"], &Method::PATCH) => {
                let key = ((*resource).to_owned(), (*namespace).to_owned(), (*name).to_owned());
                if state.hidden.contains(&key.0) {
                    return failure(StatusCode::FORBIDDEN, "Forbidden");
                }
                let Some(object) = state.objects.get_mut(&key) else {
                    return failure(StatusCode::NOT_FOUND, "NotFound");
                };
                if *method == Method::PATCH {
                    merge(object, &body);
                }
                (StatusCode::OK, object.clone())
            }
            _ => failure(StatusCode::NOT_FOUND, "NotFound"),
        }
    }
}

impl State {
    fn get(&self, namespace: &str, name: &str) -> Option<Value> {
        self.secrets.get(&(namespace.to_owned(), name.to_owned())).cloned()
    }

    fn store(&mut self, namespace: &str, name: &str, mut secret: Value) -> Value {
        self.versions += 1;
        let metadata = &mut secret["metadata"];
        (metadata["namespace"], metadata["name"]) = (json!(namespace), json!(name));
        metadata["resourceVersion"] = json!(self.versions.to_string());
        if metadata["uid"].is_null() {
            metadata["uid"] = json!(format!("uid-{}", self.versions));
        }
        self.secrets.insert((namespace.to_owned(), name.to_owned()), secret.clone());
        secret
    }

    fn write(&mut self, namespace: &str, name: &str, secret: Value, dry_run: bool) -> (StatusCode, Value) {
        match &self.denied {
            Some(why) => failure(StatusCode::FORBIDDEN, why),
            None if dry_run => (StatusCode::OK, secret),
            None => (StatusCode::OK, self.store(namespace, name, secret)),
        }
    }

    fn secret(
        &mut self,
        method: &Method,
        namespace: &str,
        name: &str,
        dry_run: bool,
        body: &Value,
    ) -> (StatusCode, Value) {
        let Some(mut secret) = self.get(namespace, name) else {
            return failure(StatusCode::NOT_FOUND, "NotFound");
        };
        let expected = if *method == Method::PATCH { &body["metadata"] } else { &body["preconditions"] };
        let differs =
            |field: &str| !expected[field].is_null() && expected[field] != secret["metadata"][field];
        if differs("uid") || differs("resourceVersion") {
            return failure(StatusCode::CONFLICT, "Conflict");
        }
        match *method {
            Method::PATCH => {
                merge(&mut secret, body);
                self.write(namespace, name, secret, dry_run)
            }
            Method::DELETE => {
                self.secrets.remove(&(namespace.to_owned(), name.to_owned()));
                (StatusCode::OK, secret)
            }
            _ => (StatusCode::OK, secret),
        }
    }
}

/// A JSON merge patch (RFC 7396).
pub fn merge(target: &mut Value, patch: &Value) {
    let Value::Object(patch) = patch else { return target.clone_from(patch) };
    if !target.is_object() {
        *target = json!({});
    }
    for (key, value) in patch {
        if value.is_null() {
            target.as_object_mut().unwrap().remove(key);
        } else {
            merge(&mut target[key], value);
        }
    }
}

fn failure(status: StatusCode, reason: &str) -> (StatusCode, Value) {
    let body = json!({
        "kind": "Status", "apiVersion": "v1", "status": "Failure", "metadata": {},
        "code": status.as_u16(), "reason": reason, "message": reason,
    });
    (status, body)
}

/// Every Portal leads to a portal without users.
struct NoPortal;

impl Connector for NoPortal {
    fn plain_http(&self) -> PlainHttp {
        PlainHttp::Refused
    }

    fn connect(&self, _: ClientConfig) -> Result<Arc<dyn Portal>, ConfigError> {
        Ok(Users::none(PortalError::NotFound))
    }
}

/// A `TechnicalUser` of the namespace `connector`, and what else it has.
pub fn technical_user(name: &str, more: &Value) -> Value {
    let mut object = json!({
        "apiVersion": "technicaluser.dev/v1alpha1", "kind": "TechnicalUser",
        "metadata": {"namespace": "connector", "name": name, "uid": name, "generation": 1},
    });
    merge(&mut object, more);
    object
}

/// The cache shows these `TechnicalUser`s. Returns those that are woken.
pub fn watch_users(ctx: &mut Context, users: impl IntoIterator<Item = Value>) -> UnboundedReceiver<Key> {
    let keep = Keep::default();
    let kept = users.into_iter().map(|object| keep.keep(&serde_json::from_value(object).unwrap()));
    ctx.caches.users = Cache::of(kept);
    let (wake, woken) = unbounded_channel();
    ctx.wake_user = wake;
    woken
}

/// What every reconcile shares, with empty caches. Must be called in a tokio runtime.
pub fn context(client: Client) -> Context {
    let process = Process::system();
    let random = &process.random;
    let metrics = Metrics::default();
    let (events, _) = Events::start(client.clone(), "pod", metrics.clone(), &process.tasks);
    let checked = |kind: &dyn CheckedKind| {
        CheckedObjects::new(kind, Cache::default(), unbounded_channel().0, random.clone())
    };
    Context {
        installation: installation(),
        caches: Caches { users: Cache::default(), secrets: Cache::default() },
        secrets_by_owner: SecretsByOwner::default(),
        portals: checked(&PortalKind),
        vaults: checked(&VaultKind),
        connections: Connections::new(process.clone()),
        connector: Arc::new(NoPortal),
        memory: Memory::default(),
        portal_memory: PortalMemory::new(random.clone()),
        vault_memory: VaultMemory::new(random.clone()),
        transports: Arc::new(InMemory::new(|_| None)),
        watched: vec![None],
        namespaces: Namespaces::new(Refusals::default()),
        refusals: Refusals::default(),
        backoffs: Backoffs::new(random.clone()),
        conflicts: Conflicts::new(random.clone()),
        events,
        metrics,
        leadership: Leadership::without_election(),
        wake_user: unbounded_channel().0,
        listed: CancellationToken::new(),
        creates: TaskTracker::new(),
        stopping: AtomicBool::new(false),
        process,
        client,
    }
}
