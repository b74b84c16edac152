//! A server that answers as a test says, for what no real portal does.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, Method, Response, Uri};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use parking_lot::Mutex;
use serde_json::{Value, json};
use tokio::sync::Semaphore;

/// A request as it came.
#[derive(Clone, Debug)]
pub(crate) struct Seen {
    pub(crate) method: Method,
    pub(crate) path: String,
    pub(crate) query: String,
    pub(crate) token: Option<String>,
    pub(crate) body: String,
    pub(crate) accept_encoding: Option<String>,
}

impl Seen {
    /// The last segment of the path: `token`, `roles`, `errormessage`, `serviceaccounts` or an id.
    pub(crate) fn what(&self) -> &str {
        self.path.rsplit('/').next().unwrap_or_default()
    }

    pub(crate) fn form(&self) -> BTreeMap<String, String> {
        url::form_urlencoded::parse(self.body.as_bytes()).into_owned().collect()
    }

    pub(crate) fn page(&self) -> usize {
        let page = url::form_urlencoded::parse(self.query.as_bytes()).find(|(key, _)| key == "page");
        page.map_or(0, |(_, page)| page.parse().unwrap())
    }
}

/// An answer.
#[derive(Clone, Debug)]
pub(crate) struct Reply {
    status: u16,
    headers: Vec<(&'static str, String)>,
    body: Content,
}

#[derive(Clone, Debug)]
enum Content {
    Whole(Vec<u8>),
    /// The answer comes when the gate is open.
    Held(Vec<u8>, Arc<Semaphore>),
    /// This piece again and again, with this pause between.
    Endless(Vec<u8>, Duration),
}

impl Reply {
    pub(crate) fn json(status: u16, body: &Value) -> Self {
        Self {
            status,
            headers: vec![("content-type", "application/json".into())],
            body: Content::Whole(body.to_string().into()),
        }
    }

    pub(crate) fn text(status: u16, body: &str) -> Self {
        Self {
            status,
            headers: vec![("content-type", "text/plain".into())],
            body: Content::Whole(body.into()),
        }
    }

    pub(crate) fn html(status: u16) -> Self {
        let body = format!("<!doctype html><html><body>{SECRET}</body></html>");
        let body = Content::Whole(body.into());
        Self { status, headers: vec![("content-type", "text/html; charset=utf-8".into())], body }
    }

    pub(crate) fn bytes(status: u16, body: &[u8]) -> Self {
        Self { status, headers: Vec::new(), body: Content::Whole(body.to_vec()) }
    }

    /// A body that never ends.
    pub(crate) fn endless(status: u16, piece: &[u8], pause: Duration) -> Self {
        Self { status, headers: Vec::new(), body: Content::Endless(piece.to_vec(), pause) }
    }

    /// The answer comes when the gate has a permit.
    pub(crate) fn held_by(mut self, gate: &Arc<Semaphore>) -> Self {
        if let Content::Whole(bytes) = self.body {
            self.body = Content::Held(bytes, Arc::clone(gate));
        }
        self
    }

    pub(crate) fn header(mut self, name: &'static str, value: &str) -> Self {
        self.headers.push((name, value.into()));
        self
    }
}

/// A text that no error may hold.
pub(crate) const SECRET: &str = "s3cret-of-the-body";

/// The permissions of the role Connector Management that matter here.
pub(crate) const PERMISSIONS: [&str; 3] =
    ["view_tech_user_management", "add_tech_user_management", "technical_roles_management"];

/// A token that says who it is for.
pub(crate) fn jwt(client_id: &str, permissions: &[&str]) -> String {
    jwt_of("BPNL00000003CRHK", client_id, permissions)
}

/// The same of a company.
pub(crate) fn jwt_of(bpn: &str, client_id: &str, permissions: &[&str]) -> String {
    let payload = json!({
        "bpn": bpn, "client_id": client_id, "nonce": uuid::Uuid::new_v4(),
        "resource_access": {"Cl2-CX-Portal": {"roles": permissions}},
    });
    format!("e30.{}.c2ln", URL_SAFE_NO_PAD.encode(payload.to_string()))
}

/// The token endpoint's answer.
pub(crate) fn tokens(access_token: &str, expires_in: u64) -> Reply {
    Reply::json(200, &json!({"access_token": access_token, "expires_in": expires_in, "token_type": "Bearer"}))
}

/// An empty page of the user list.
pub(crate) fn empty_page() -> Reply {
    page(0, 0, &[])
}

/// A page of users with these ids, all of one name.
pub(crate) fn page(total: usize, pages: usize, ids: &[usize]) -> Reply {
    let users: Vec<Value> = ids
        .iter()
        .map(|id| {
            json!({"serviceAccountId": format!("id-{id}"), "clientId": format!("sa{id}"), "name": "same",
                "userType": "INTERNAL", "serviceAccountType": "OWN", "status": "ACTIVE", "isOwner": true})
        })
        .collect();
    let meta = json!({"totalElements": total, "totalPages": pages, "page": 0, "contentSize": users.len()});
    Reply::json(200, &json!({"meta": meta, "content": users}))
}

/// The error messages of 2.6.
pub(crate) fn messages() -> Reply {
    let codes = |codes: &[&str]| -> Vec<Value> {
        codes.iter().map(|code| json!({"errorCode": code, "message": "m"})).collect()
    };
    Reply::json(
        200,
        &json!([
            {"errorType": "AdministrationServiceAccountErrors",
             "errorMessages": codes(&["SERVICE_ACCOUNT_NOT_FOUND", "SERVICE_ACCOUNT_NOT_ACTIVE"])},
            {"errorType": "AdministrationConnectorErrors",
             "errorMessages": codes(&["CONNECTOR_ARGUMENT_TECH_USER_IN_USE"])},
        ]),
    )
}

type Answer = dyn Fn(&Seen, usize) -> Reply + Send + Sync;

/// The server. It is portal and identity provider in one.
pub(crate) struct Stub {
    pub(crate) origin: String,
    seen: Arc<Mutex<Vec<Seen>>>,
}

#[derive(Clone)]
struct Shared {
    seen: Arc<Mutex<Vec<Seen>>>,
    answer: Arc<Answer>,
}

impl Stub {
    /// Starts it. `answer` gets the request and how many came to the same [`Seen::what`] before it.
    pub(crate) async fn start(answer: impl Fn(&Seen, usize) -> Reply + Send + Sync + 'static) -> Self {
        let seen = Arc::default();
        let shared = Shared { seen: Arc::clone(&seen), answer: Arc::new(answer) };
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let origin = format!("http://{}", listener.local_addr().unwrap());
        let app = Router::new().fallback(handle).with_state(shared);
        tokio::spawn(async move { axum::serve(listener, app).await.unwrap() });
        Self { origin, seen }
    }

    pub(crate) fn token_url(&self) -> String {
        format!("{}/token", self.origin)
    }

    pub(crate) fn seen(&self) -> Vec<Seen> {
        self.seen.lock().clone()
    }

    /// How many requests came to it.
    /// Waits until this many requests of a kind have come.
    pub(crate) async fn until_count(&self, what: &str, count: usize) {
        testbed::eventually("requests", || async { (self.count(what) >= count).then_some(()) })
            .await
            .unwrap();
    }

    pub(crate) fn count(&self, what: &str) -> usize {
        self.seen().iter().filter(|seen| seen.what() == what).count()
    }
}

async fn handle(
    State(shared): State<Shared>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: String,
) -> Response<Body> {
    let token = headers.get("authorization").and_then(|value| value.to_str().ok());
    let seen = Seen {
        method,
        path: uri.path().to_owned(),
        query: uri.query().unwrap_or_default().to_owned(),
        token: token.and_then(|value| value.strip_prefix("Bearer ")).map(str::to_owned),
        body,
        accept_encoding: headers
            .get("accept-encoding")
            .map(|value| String::from_utf8_lossy(value.as_bytes()).into()),
    };
    let before = {
        let mut all = shared.seen.lock();
        let before = all.iter().filter(|other| other.what() == seen.what()).count();
        all.push(seen.clone());
        before
    };
    let reply = (shared.answer)(&seen, before);
    let mut response = Response::builder().status(reply.status);
    for (name, value) in reply.headers {
        response = response.header(name, value);
    }
    let body = match reply.body {
        Content::Whole(bytes) => Body::from(bytes),
        Content::Held(bytes, gate) => {
            gate.acquire().await.unwrap().forget();
            Body::from(bytes)
        }
        Content::Endless(piece, pause) => Body::from_stream(futures::stream::unfold((), move |()| {
            let piece = piece.clone();
            async move {
                tokio::time::sleep(pause).await;
                Some((Ok::<_, std::io::Error>(piece), ()))
            }
        })),
    };
    response.body(body).unwrap()
}
