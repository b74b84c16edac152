//! What is sent to the portal: one value per call, so that it can be sent again.

use std::time::Duration;

use http::Method;
use secrecy::ExposeSecret;
use serde_json::Value;
use url::Url;

use super::errors::Failure;
use crate::portal::caller::{self, Caller};
use crate::portal::oauth::AccessToken;
use crate::portal::observe::{CallOutcome, Operation};
use crate::portal::transport::{Answer, CALL_TIMEOUT, Limit};

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
    /// Anybody's: nothing is concluded from the answer but whether the portal answers.
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

    /// Sends it once. A pause that the answer asks for holds for all calls of the Portal.
    pub(super) async fn send(
        &self,
        caller: &Caller,
        token: Option<&AccessToken>,
        endpoint: &str,
    ) -> Result<Answer, Failure> {
        let mut builder = caller.transport.request(self.method.clone(), self.url.clone());
        if let Some(token) = token {
            builder = builder.bearer_auth(token.secret.expose_secret());
        }
        if let Some(body) = &self.body {
            builder = builder.json(body);
        }
        let (operation, timeout, limit) = (self.operation, self.timeout, limit(self.operation));
        let request = caller::Request { operation, builder, endpoint, timeout, limit };
        let read = |result: Result<Answer, _>| {
            let answer = result.map_err(Failure::of_fault)?;
            match answer.status {
                200 | 201 | 204 if !answer.is_html() => Ok(answer),
                _ => Err(Failure::of_answer(operation, &answer, endpoint)),
            }
        };
        let result = caller.send(request, read, |failure| CallOutcome::of(&failure.error)).await;
        if let Err(Failure { pause: Some(pause), .. }) = result {
            caller.gate.pause(pause);
        }
        result
    }
}

/// How much of an answer is read. A page of the list has about 10 KiB, a user with all roles about 10 KiB, the error
/// messages of all services about 100 KiB.
fn limit(operation: Operation) -> Limit {
    match operation {
        Operation::List | Operation::Roles => Limit::Whole(256 << 10),
        Operation::Version => Limit::Whole(1 << 20),
        Operation::Details | Operation::Create | Operation::Token | Operation::Verify => {
            Limit::Whole(64 << 10)
        }
        // What these answer is not looked at.
        Operation::Update | Operation::Reset | Operation::Delete => Limit::Start(64 << 10),
    }
}
