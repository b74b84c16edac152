//! A transport without a network: what answers is a function.

use std::sync::Arc;

use async_trait::async_trait;
use http::{HeaderMap, HeaderName, HeaderValue};
use parking_lot::Mutex;
use tokio::time::timeout;

use super::exchange::{Bounded, HttpRequest, HttpResponse, Payload, Transport, Transports};
use super::{Cause, Fault, PlainHttp, endpoint};

/// What a server does with a request: it answers, or is silent.
type Server = dyn Fn(&HttpRequest) -> Option<HttpResponse> + Send + Sync;

/// A network with one server, which records what reaches it.
#[derive(Clone)]
pub(crate) struct InMemory {
    server: Arc<Server>,
    seen: Arc<Mutex<Vec<Seen>>>,
}

/// A request that reached the server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Seen {
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) bearer: Option<String>,
    pub(crate) body: String,
}

impl InMemory {
    pub(crate) fn new(server: impl Fn(&HttpRequest) -> Option<HttpResponse> + Send + Sync + 'static) -> Self {
        Self { server: Arc::new(server), seen: Arc::default() }
    }

    /// What has reached the server so far.
    pub(crate) fn seen(&self) -> Vec<Seen> {
        self.seen.lock().clone()
    }
}

/// A response with these headers.
pub(crate) fn response(status: u16, headers: &[(HeaderName, &str)], body: &str) -> HttpResponse {
    let headers: HeaderMap =
        headers.iter().map(|(name, value)| (name.clone(), HeaderValue::from_str(value).unwrap())).collect();
    HttpResponse { status, headers, body: body.as_bytes().to_vec() }
}

impl Seen {
    fn of(request: &HttpRequest) -> Self {
        use secrecy::ExposeSecret as _;
        let body = match &request.payload {
            Payload::None => String::new(),
            Payload::Json(json) | Payload::MergePatch(json) => String::from_utf8_lossy(json).into_owned(),
            Payload::SecretJson(text) | Payload::Form(text) => text.expose_secret().to_owned(),
        };
        Self {
            method: request.method.to_string(),
            path: request.url.path().to_owned(),
            bearer: request.bearer.as_ref().map(|token| token.expose_secret().to_owned()),
            body,
        }
    }
}

#[async_trait]
impl Transport for InMemory {
    async fn send(&self, request: HttpRequest) -> Result<HttpResponse, Fault> {
        self.seen.lock().push(Seen::of(&request));
        let Some(response) = (self.server)(&request) else {
            let silent = std::future::pending::<()>();
            let _silence = timeout(request.timeout, silent).await;
            let (endpoint, reason) = (endpoint(&request.url), "no answer in time".to_owned());
            return Err(Fault { cause: Cause::Unreachable { endpoint, reason }, sent: true, brief: false });
        };
        let mut body = Bounded::new(request.limit, response.status);
        body.take(&response.body)?;
        Ok(HttpResponse { body: body.into_body(), ..response })
    }
}

impl Transports for InMemory {
    fn plain_http(&self) -> PlainHttp {
        PlainHttp::Refused
    }

    fn open(&self, _ca_bundle: Option<&str>, _plain_http: PlainHttp) -> Result<Arc<dyn Transport>, String> {
        Ok(Arc::new(self.clone()))
    }
}
