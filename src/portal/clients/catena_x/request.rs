//! What is sent to the portal: one value per call, so that it can be sent again.

use std::time::Duration;

use http::{HeaderMap, Method};
use serde_json::Value;
use url::Url;

use super::errors::FailedCall;
use crate::portal::caller::Caller;
use crate::portal::oauth::AccessToken;
use crate::portal::observe::Operation;
use crate::transport::{Answer, CALL_TIMEOUT, HttpRequest, Limit, Payload};

/// A call of the portal's API.
pub(super) struct Call {
    pub(super) operation: Operation,
    method: Method,
    url: Url,
    body: Option<Value>,
    timeout: Duration,
    pub(super) bearer: Bearer,
}

/// Whose token a call may be sent with.
#[derive(Debug, Clone, Default)]
pub(super) enum Bearer {
    /// Of the companies that the client is bound to.
    #[default]
    Accepted,
    /// Any token: the answer shows only whether the portal answers.
    Any,
    /// One that says the same of the login.
    Like { companies: Vec<String>, client_id: Option<String> },
    /// One that names this client ID.
    Of(String),
}

impl Call {
    pub(super) fn new(operation: Operation, method: Method, url: Url) -> Self {
        Self { operation, method, url, body: None, timeout: CALL_TIMEOUT, bearer: Bearer::default() }
    }

    pub(super) fn by(self, bearer: Bearer) -> Self {
        Self { bearer, ..self }
    }

    pub(super) fn get(operation: Operation, url: Url) -> Self {
        Self::new(operation, Method::GET, url)
    }

    pub(super) fn with_body(self, body: Value) -> Self {
        Self { body: Some(body), ..self }
    }

    pub(super) fn within(self, timeout: Duration) -> Self {
        Self { timeout, ..self }
    }

    /// Sends it once. A pause that the answer requests is in force for all calls of the portal.
    pub(super) async fn send(
        &self,
        caller: &Caller,
        token: Option<&AccessToken>,
        endpoint: &str,
    ) -> Result<Answer, FailedCall> {
        let operation = self.operation;
        let request = HttpRequest {
            method: self.method.clone(),
            url: self.url.clone(),
            bearer: token.map(|token| token.secret.clone()),
            headers: HeaderMap::new(),
            payload: self
                .body
                .as_ref()
                .map_or(Payload::None, |body| Payload::Json(body.to_string().into_bytes())),
            timeout: self.timeout,
            limit: limit(operation),
        };
        let read = |result: Result<Answer, _>| {
            let answer = result.map_err(FailedCall::of_fault)?;
            match answer.status {
                200 | 201 | 204 if !answer.is_html() => Ok(answer),
                _ => Err(FailedCall::of_answer(operation, &answer, endpoint)),
            }
        };
        caller.send(caller.portal(), operation, request, read).await
    }
}

/// How much of an answer is read. A page of the list has about 10 KiB, a user with all roles about 10 KiB, the error
/// messages of all services about 100 KiB.
fn limit(operation: Operation) -> Limit {
    match operation {
        Operation::List | Operation::Roles => Limit::Whole(256 << 10),
        Operation::Version => Limit::Whole(1 << 20),
        Operation::Details
        | Operation::Create
        | Operation::Token
        | Operation::Verify
        | Operation::Dataspace => Limit::Whole(64 << 10),
        // The answers to these are not read.
        Operation::Update | Operation::Reset | Operation::Delete => Limit::Start(64 << 10),
    }
}
