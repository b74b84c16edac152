//! The HTTP client of one server and those beside it: sends a request, reads an answer of bounded size in bounded time.
//!
//! TLS as in [`super::tls`]; a proxy as in [`super::proxy`] for https, and none for plain http, so that no secret reaches a proxy
//! in the clear; no redirects, so that a token is never sent elsewhere; no retries, which
//! the clients above decide.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use reqwest::header::CONTENT_TYPE;
use reqwest::redirect::Policy;
use reqwest::{Client, ClientBuilder, Proxy};
use secrecy::ExposeSecret as _;

use super::exchange::{Bounded, HttpRequest, HttpResponse, Payload, Transport, Transports};
use super::resolver::PrivateResolver;
use super::{Fault, Network, PlainHttp, Proxies, endpoint, tls};

/// How long a connection may take to be established, TLS included.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// A connection that was idle for longer is not used again: what stands in between may have dropped it, and a create that
/// goes into such a connection ends with an unknown effect.
const IDLE_TIMEOUT: Duration = Duration::from_secs(15);

/// How much of a body that a server sends is taken in advance: by one call, and by all calls of a connection (HTTP/2).
const STREAM_WINDOW: u32 = 64 << 10;
const CONNECTION_WINDOW: u32 = 1 << 20;

/// A transport over the network.
struct HttpClient {
    https: Client,
    /// Knows no proxy and no public address.
    http: Client,
    plain_http: PlainHttp,
}

impl HttpClient {
    fn new(ca_bundle: Option<&str>, plain_http: PlainHttp, proxies: Proxies) -> Result<Self, String> {
        let built = |builder: ClientBuilder| {
            builder.build().map_err(|_| "the HTTP client cannot be built".to_owned())
        };
        let by_proxy = Proxy::custom(move |url| proxies.proxy_for(url));
        let tls = tls::client_config(ca_bundle)?;
        Ok(Self {
            https: built(builder().tls_backend_preconfigured(tls.clone()).https_only(true).proxy(by_proxy))?,
            http: built(builder().tls_backend_preconfigured(tls).dns_resolver(Arc::new(PrivateResolver)))?,
            plain_http,
        })
    }

    fn request(&self, request: HttpRequest) -> reqwest::RequestBuilder {
        let HttpRequest { method, url, bearer, headers, payload, timeout, limit: _ } = request;
        // A plain address that is not allowed goes to the client that refuses it.
        let plain = url.scheme() == "http" && self.plain_http.allows(&url);
        let client = if plain { &self.http } else { &self.https };
        let mut builder = client.request(method, url).headers(headers).timeout(timeout);
        if let Some(token) = bearer {
            builder = builder.bearer_auth(token.expose_secret());
        }
        match payload {
            Payload::None => builder,
            Payload::Json(json) => builder.header(CONTENT_TYPE, "application/json").body(json),
            Payload::MergePatch(json) => {
                builder.header(CONTENT_TYPE, "application/merge-patch+json").body(json)
            }
            Payload::SecretJson(json) => {
                builder.header(CONTENT_TYPE, "application/json").body(json.expose_secret().to_owned())
            }
            Payload::Form(form) => builder
                .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
                .body(form.expose_secret().to_owned()),
        }
    }
}

#[async_trait]
impl Transport for HttpClient {
    async fn send(&self, request: HttpRequest) -> Result<HttpResponse, Fault> {
        let (endpoint, limit) = (endpoint(&request.url), request.limit);
        let fault = |error: reqwest::Error| Fault::of(&error, &endpoint);
        let mut response = self.request(request).send().await.map_err(fault)?;
        let status = response.status().as_u16();
        let mut body = Bounded::new(limit, status);
        while let Some(part) = response.chunk().await.map_err(fault)? {
            if !body.take(&part)? {
                break;
            }
        }
        Ok(HttpResponse { status, headers: std::mem::take(response.headers_mut()), body: body.into_body() })
    }
}

impl Transports for Network {
    fn plain_http(&self) -> PlainHttp {
        self.plain_http
    }

    fn open(&self, ca_bundle: Option<&str>, plain_http: PlainHttp) -> Result<Arc<dyn Transport>, String> {
        Ok(Arc::new(HttpClient::new(ca_bundle, plain_http, self.proxies.clone())?))
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
