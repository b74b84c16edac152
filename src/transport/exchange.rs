//! The seam between the clients and the network: one request in, one response of bounded size out.
//!
//! Limiter, circuit breaker, tokens and retries are above it. A test that puts another [`Transport`] in its place exercises all
//! of them without a socket.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use http::{HeaderMap, Method};
use secrecy::SecretString;
use url::Url;

use super::{Fault, PlainHttp};

/// How much is read of an answer that is no success.
const ERROR_LIMIT: usize = 64 << 10;

/// A request as it is sent. It has no `Debug`: its parts are secret.
pub struct HttpRequest {
    /// The method.
    pub method: Method,
    /// Where it is sent.
    pub url: Url,
    /// The token of its `Authorization` header.
    pub bearer: Option<SecretString>,
    /// Further headers; none of them is secret.
    pub headers: HeaderMap,
    /// What it carries.
    pub payload: Payload,
    /// How long it may take, from connecting to the last byte of the response.
    pub timeout: Duration,
    /// How much of the response is read.
    pub limit: Limit,
}

/// What a request carries.
pub enum Payload {
    /// Nothing.
    None,
    /// A JSON document.
    Json(Vec<u8>),
    /// A JSON merge patch (RFC 7396).
    MergePatch(Vec<u8>),
    /// A JSON document that contains secrets.
    SecretJson(SecretString),
    /// A form, as `application/x-www-form-urlencoded`.
    Form(SecretString),
}

impl Payload {
    /// A form with these fields.
    pub(crate) fn form(fields: &[(&str, &str)]) -> Self {
        let mut form = url::form_urlencoded::Serializer::new(String::new());
        form.extend_pairs(fields);
        Self::Form(form.finish().into())
    }
}

/// What came back: of the body no more than the request's limit.
#[derive(Debug, Clone)]
pub struct HttpResponse {
    /// The status code.
    pub status: u16,
    /// The headers.
    pub headers: HeaderMap,
    /// The body.
    pub body: Vec<u8>,
}

/// How much of a successful response is read, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Limit {
    /// All of it: a longer one cannot be used.
    Whole(usize),
    /// The start, for a response that is not evaluated.
    Start(usize),
}

/// Takes in a body of bounded size, part by part.
pub struct Bounded {
    limit: Limit,
    body: Vec<u8>,
}

impl Bounded {
    /// For the body of a response with this status. Of a failure the start is enough, and the caller must get
    /// the status whatever the body holds.
    #[must_use]
    pub fn new(limit: Limit, status: u16) -> Self {
        let success = (200..300).contains(&status);
        Self { limit: if success { limit } else { Limit::Start(ERROR_LIMIT) }, body: Vec::new() }
    }

    /// Takes the next part. False where no more is to be read.
    ///
    /// # Errors
    /// The body is longer than what can be used.
    pub fn take(&mut self, part: &[u8]) -> Result<bool, Fault> {
        let (Limit::Whole(most) | Limit::Start(most)) = self.limit;
        let space = most.saturating_sub(self.body.len());
        if let Some(start) = part.get(..space).filter(|_| part.len() > space) {
            if let Limit::Whole(_) = self.limit {
                return Err(Fault::too_long());
            }
            self.body.extend_from_slice(start);
            return Ok(false);
        }
        self.body.extend_from_slice(part);
        Ok(true)
    }

    /// What was taken.
    #[must_use]
    pub fn into_body(self) -> Vec<u8> {
        self.body
    }
}

/// Sends requests.
#[async_trait]
pub trait Transport: Send + Sync {
    /// Sends the request once and reads the response, within its time and limit. Follows no redirect.
    async fn send(&self, request: HttpRequest) -> Result<HttpResponse, Fault>;
}

/// Opens transports, one per Portal.
pub trait Transports: Send + Sync {
    /// Whether plain http may be used by Portals that request it.
    fn plain_http(&self) -> PlainHttp;

    /// A transport that trusts these certificates (PEM) besides the public roots, for one Portal.
    ///
    /// # Errors
    /// What is wrong with the certificates, in words.
    fn open(&self, ca_bundle: Option<&str>, plain_http: PlainHttp) -> Result<Arc<dyn Transport>, String>;
}
