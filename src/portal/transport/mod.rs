//! One HTTP client per Portal: sends a request, reads an answer of bounded size in bounded time.
//!
//! TLS as in [`tls`]; a proxy as in [`proxy`] for https, and none for plain http, so that no secret reaches a proxy in the
//! clear; no redirects, so that a token never goes elsewhere; no retries, which are
//! [`super::resilient`]'s to decide.

mod address;
mod fault;
mod network;
mod proxy;
mod resolver;
mod retry_after;
mod tls;

use std::sync::Arc;
use std::time::Duration;

use http::Method;
use reqwest::header::{CONTENT_TYPE, DATE, RETRY_AFTER};
use reqwest::redirect::Policy;
use reqwest::{Client, ClientBuilder, Proxy, RequestBuilder};
use url::Url;

use super::PortalError;
use crate::process::Clock;

pub use address::PlainHttp;
pub(crate) use address::endpoint;
pub(crate) use fault::{Fault, UNRESOLVED};
pub use network::Network;
pub use proxy::Proxies;
pub use tls::BundleReport;

use resolver::PrivateResolver;

/// How long a connection may take to stand, TLS included.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// A connection that was idle for longer is not used again: what stands in between may have dropped it, and a create that
/// goes into such a connection ends with an unknown effect.
const IDLE_TIMEOUT: Duration = Duration::from_secs(15);

/// How long a call other than a create may take, from connecting to the last byte.
pub(crate) const CALL_TIMEOUT: Duration = Duration::from_secs(30);

/// How much is read of an answer that is no success.
const ERROR_LIMIT: usize = 64 << 10;

/// How much of a body that a server sends is taken in advance: by one call, and by all calls of a connection (HTTP/2).
const STREAM_WINDOW: u32 = 64 << 10;
const CONNECTION_WINDOW: u32 = 1 << 20;

/// How much of a successful answer is read, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Limit {
    /// All of it: a longer one cannot be used.
    Whole(usize),
    /// The start, for an answer that is not looked at.
    Start(usize),
}

impl Limit {
    /// The limit for an answer with this status. Of what is no success the start tells enough, and the status must get
    /// through whatever the body holds.
    fn of(self, success: bool) -> Self {
        if success { self } else { Self::Start(ERROR_LIMIT) }
    }

    fn bytes(self) -> usize {
        match self {
            Self::Whole(bytes) | Self::Start(bytes) => bytes,
        }
    }
}

/// What came back.
pub(crate) struct Answer {
    pub(crate) status: u16,
    /// `Retry-After`, as a pause from now.
    pub(crate) retry_after: Option<Duration>,
    /// The content type says HTML.
    html_type: bool,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    /// A web page, not an API's answer: by its type or by how it begins.
    pub(crate) fn is_html(&self) -> bool {
        let start = self.body.trim_ascii_start();
        let begins =
            |with: &[u8]| start.get(..with.len()).is_some_and(|head| head.eq_ignore_ascii_case(with));
        begins(b"<!doctype html") || begins(b"<html") || (self.html_type && !begins(b"{") && !begins(b"["))
    }

    pub(crate) fn is_redirect(&self) -> bool {
        (300..400).contains(&self.status)
    }

    #[cfg(test)]
    pub(crate) fn of(status: u16, body: &str) -> Self {
        Self { status, retry_after: None, html_type: false, body: body.as_bytes().to_vec() }
    }
}

/// The client.
#[derive(Clone)]
pub(crate) struct Transport {
    https: Client,
    /// Knows no proxy and no public address.
    http: Client,
    plain_http: PlainHttp,
    clock: Clock,
}

impl Transport {
    /// Trusts the public roots and `ca_bundle`. The error is in words.
    pub(crate) fn new(ca_bundle: Option<&str>, network: Network, clock: Clock) -> Result<Self, String> {
        let Network { plain_http, proxies } = network;
        let built = |builder: ClientBuilder| {
            builder.build().map_err(|_| "the HTTP client cannot be built".to_owned())
        };
        let by_proxy = Proxy::custom(move |url| proxies.proxy_for(url));
        let tls = tls::client_config(ca_bundle)?;
        Ok(Self {
            https: built(builder().tls_backend_preconfigured(tls.clone()).https_only(true).proxy(by_proxy))?,
            http: built(builder().tls_backend_preconfigured(tls).dns_resolver(Arc::new(PrivateResolver)))?,
            plain_http,
            clock,
        })
    }

    /// Whether a request may be sent there: by https, or by plain http where that is allowed.
    pub(crate) fn allows(&self, url: &Url) -> bool {
        self.plain_http.allows(url)
    }

    pub(crate) fn request(&self, method: Method, url: Url) -> RequestBuilder {
        // A plain address that is not allowed goes to the client that refuses it.
        let plain = url.scheme() == "http" && self.allows(&url);
        let client = if plain { &self.http } else { &self.https };
        client.request(method, url)
    }

    pub(crate) fn post(&self, url: Url) -> RequestBuilder {
        self.request(Method::POST, url)
    }

    /// Sends, and reads the answer within `limit`. `endpoint` names the server in errors.
    pub(crate) async fn send(
        &self,
        request: RequestBuilder,
        endpoint: &str,
        timeout: Duration,
        limit: Limit,
    ) -> Result<Answer, Fault> {
        let fault = |error: &reqwest::Error| Fault::of(error, endpoint);
        let mut response = request.timeout(timeout).send().await.map_err(|error| fault(&error))?;
        let html_type = header(&response, CONTENT_TYPE)
            .is_some_and(|value| value.trim_start().to_ascii_lowercase().starts_with("text/html"));
        let retry_after = header(&response, RETRY_AFTER)
            .and_then(|value| retry_after::pause(value, header(&response, DATE), &self.clock));
        let limit = limit.of(response.status().is_success());
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(|error| fault(&error))? {
            let space = limit.bytes() - body.len();
            if chunk.len() > space {
                if let Limit::Whole(_) = limit {
                    let error = PortalError::BadAnswer { reason: "it is too long" };
                    return Err(Fault { error, sent: true, brief: false });
                }
                body.extend(chunk.into_iter().take(space));
                break;
            }
            body.extend_from_slice(&chunk);
        }
        Ok(Answer { status: response.status().as_u16(), retry_after, html_type, body })
    }
}

fn builder() -> ClientBuilder {
    Client::builder()
        // The environment is read by `config` alone.
        .no_proxy()
        .redirect(Policy::none())
        .referer(false)
        .retry(reqwest::retry::never())
        .connect_timeout(CONNECT_TIMEOUT)
        .pool_idle_timeout(IDLE_TIMEOUT)
        .http2_initial_stream_window_size(STREAM_WINDOW)
        .http2_initial_connection_window_size(CONNECTION_WINDOW)
        .user_agent(concat!("technical-user-operator/", env!("CARGO_PKG_VERSION")))
}

fn header(response: &reqwest::Response, name: reqwest::header::HeaderName) -> Option<&str> {
    response.headers().get(name)?.to_str().ok()
}
