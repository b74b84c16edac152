//! One request to Vault, and what its answer means.

use std::sync::Arc;

use http::{HeaderMap, HeaderName, HeaderValue, Method};
use secrecy::SecretString;
use url::Url;

use super::VaultError;
use super::answer::{Called, failure};
use crate::process::Process;
use crate::transport::{Answer, CALL_TIMEOUT, HttpRequest, Limit, Payload, Transport, endpoint};

/// How much of an answer is read. An entry may have as many bytes as Vault accepts in a request by default (32 MiB); what holds
/// credentials has a few hundred.
const LIMIT: Limit = Limit::Whole(1 << 20);

const NAMESPACE: HeaderName = HeaderName::from_static("x-vault-namespace");
/// Proxies of Vault that guard against forged requests want it.
const REQUEST: HeaderName = HeaderName::from_static("x-vault-request");

/// The way to one server.
pub(super) struct Caller {
    pub(super) transport: Arc<dyn Transport>,
    pub(super) origin: Url,
    pub(super) namespace: Option<HeaderValue>,
    pub(super) process: Process,
}

/// What is sent.
pub(super) struct Call {
    pub(super) method: Method,
    /// What follows `/v1/`.
    pub(super) path: String,
    pub(super) body: Body,
}

/// The body of a call.
#[derive(Clone)]
pub(super) enum Body {
    None,
    Plain(Vec<u8>),
    /// A JSON merge patch (RFC 7396).
    MergePatch(Vec<u8>),
    Secret(SecretString),
}

impl Call {
    pub(super) fn get(path: impl Into<String>) -> Self {
        Self { method: Method::GET, path: path.into(), body: Body::None }
    }

    pub(super) fn delete(path: impl Into<String>) -> Self {
        Self { method: Method::DELETE, path: path.into(), body: Body::None }
    }

    pub(super) fn post(path: impl Into<String>, body: &serde_json::Value) -> Self {
        Self { method: Method::POST, path: path.into(), body: Body::Plain(body.to_string().into_bytes()) }
    }

    pub(super) fn merge_patch(path: impl Into<String>, body: &serde_json::Value) -> Self {
        let body = Body::MergePatch(body.to_string().into_bytes());
        Self { method: Method::PATCH, path: path.into(), body }
    }

    pub(super) fn post_secret(path: impl Into<String>, body: SecretString) -> Self {
        Self { method: Method::POST, path: path.into(), body: Body::Secret(body) }
    }
}

impl Caller {
    /// `host:port`.
    pub(super) fn endpoint(&self) -> String {
        endpoint(&self.origin)
    }

    /// Sends it and returns the answer, whatever it says. A read whose connection broke is sent once more.
    pub(super) async fn send(&self, call: &Call, token: Option<&SecretString>) -> Result<Answer, VaultError> {
        let mut result = self.transport.send(self.request(call, token)).await;
        if let Err(fault) = &result
            && fault.brief
            && (call.method == Method::GET || !fault.sent)
        {
            result = self.transport.send(self.request(call, token)).await;
        }
        match result {
            Ok(response) => Ok(Answer::of_response(response, &self.process.clock)),
            Err(fault) => Err(VaultError::of_cause(fault.cause, fault.sent)),
        }
    }

    /// Sends it and returns an answer that is a success, or that there is no such entry.
    pub(super) async fn call(&self, call: &Call, token: Option<&SecretString>) -> Result<Answer, VaultError> {
        let answer = self.send(call, token).await?;
        self.failure(call, &answer).map_or(Ok(answer), Err)
    }

    /// The error that the answer to a call means.
    pub(super) fn failure(&self, call: &Call, answer: &Answer) -> Option<VaultError> {
        let called = Called {
            endpoint: &self.endpoint(),
            method: &call.method,
            path: &call.path,
            secret: matches!(call.body, Body::Secret(_)),
        };
        failure(answer, &called)
    }

    fn request(&self, call: &Call, token: Option<&SecretString>) -> HttpRequest {
        let mut url = self.origin.clone();
        url.set_path(&format!("/v1/{}", call.path));
        let mut headers = HeaderMap::new();
        headers.insert(REQUEST, HeaderValue::from_static("true"));
        // Whether the server is healthy is no question to a namespace.
        if let Some(namespace) = self.namespace.as_ref().filter(|_| call.path != super::sys::HEALTH) {
            headers.insert(NAMESPACE, namespace.clone());
        }
        HttpRequest {
            method: call.method.clone(),
            url,
            bearer: token.cloned(),
            headers,
            payload: match &call.body {
                Body::None => Payload::None,
                Body::Plain(json) => Payload::Json(json.clone()),
                Body::MergePatch(json) => Payload::MergePatch(json.clone()),
                Body::Secret(json) => Payload::SecretJson(json.clone()),
            },
            timeout: CALL_TIMEOUT,
            limit: LIMIT,
        }
    }
}
