//! One HTTP client per Portal: sends a request, reads an answer of bounded size in bounded time.
//!
//! TLS as in [`tls`]; proxies from the environment (`HTTPS_PROXY`, `HTTP_PROXY`, `NO_PROXY`); no redirects, so that a
//! token never goes elsewhere; no retries, which are [`super::resilient`]'s to decide.

mod address;
mod fault;
mod retry_after;
mod tls;

use std::time::Duration;

use http::Method;
use reqwest::header::{CONTENT_TYPE, DATE, RETRY_AFTER};
use reqwest::redirect::Policy;
use reqwest::{Client, RequestBuilder};
use url::Url;

use super::PortalError;

pub(crate) use address::{endpoint, is_safe};
pub(crate) use fault::Fault;

/// How long a connection may take to stand, TLS included.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// A connection that was idle for longer is not used again: what stands in between may have dropped it, and a create that
/// goes into such a connection ends with an unknown effect.
const IDLE_TIMEOUT: Duration = Duration::from_secs(15);

/// How long a call other than a create may take, from connecting to the last byte.
pub(crate) const CALL_TIMEOUT: Duration = Duration::from_secs(30);

/// The longest answer to a list of users.
pub(crate) const LIST_LIMIT: usize = 4 << 20;

/// The longest of all other answers.
pub(crate) const ANSWER_LIMIT: usize = 1 << 20;

/// What came back, whole.
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
    client: Client,
}

impl Transport {
    /// Trusts the public roots and `ca_bundle`. The error is in words.
    pub(crate) fn new(ca_bundle: Option<&str>) -> Result<Self, String> {
        let client = Client::builder()
            .tls_backend_preconfigured(tls::client_config(ca_bundle)?)
            .redirect(Policy::none())
            .referer(false)
            .retry(reqwest::retry::never())
            .connect_timeout(CONNECT_TIMEOUT)
            .pool_idle_timeout(IDLE_TIMEOUT)
            .user_agent(concat!("technical-user-operator/", env!("CARGO_PKG_VERSION")))
            .build()
            .map_err(|_| {
                "the HTTP client cannot be built with the environment's proxy settings".to_owned()
            })?;
        Ok(Self { client })
    }

    pub(crate) fn request(&self, method: Method, url: Url) -> RequestBuilder {
        self.client.request(method, url)
    }

    pub(crate) fn post(&self, url: Url) -> RequestBuilder {
        self.client.post(url)
    }

    /// Sends, and reads an answer of at most `limit` bytes. `endpoint` names the server in errors.
    pub(crate) async fn send(
        &self,
        request: RequestBuilder,
        endpoint: &str,
        timeout: Duration,
        limit: usize,
    ) -> Result<Answer, Fault> {
        let fault = |error: &reqwest::Error| Fault::of(error, endpoint);
        let mut response = request.timeout(timeout).send().await.map_err(|error| fault(&error))?;
        let html_type = header(&response, CONTENT_TYPE)
            .is_some_and(|value| value.trim_start().to_ascii_lowercase().starts_with("text/html"));
        let retry_after = header(&response, RETRY_AFTER)
            .and_then(|value| retry_after::pause(value, header(&response, DATE)));
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(|error| fault(&error))? {
            if body.len() + chunk.len() > limit {
                let error = PortalError::BadAnswer { reason: "it is too long" };
                return Err(Fault { error, sent: true, brief: false });
            }
            body.extend_from_slice(&chunk);
        }
        Ok(Answer { status: response.status().as_u16(), retry_after, html_type, body })
    }
}

fn header(response: &reqwest::Response, name: reqwest::header::HeaderName) -> Option<&str> {
    response.headers().get(name)?.to_str().ok()
}
