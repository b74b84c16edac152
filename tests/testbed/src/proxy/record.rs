//! What the proxy remembers of the requests. Never bodies or credentials: records end up in test logs.

use http::{Request, header::USER_AGENT};
use parking_lot::{Mutex, MutexGuard};

/// One request that arrived at the proxy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordedRequest {
    /// Its place in the order of arrival, from 0.
    pub sequence: usize,
    /// The method.
    pub method: String,
    /// The path with the query.
    pub target: String,
    /// The client's user agent.
    pub user_agent: String,
    /// Whether it was sent on to the apiserver.
    pub forwarded: bool,
    /// The apiserver's status code, once it answered.
    pub apiserver_code: Option<u16>,
    /// The status code that was sent to the client; none while it waits and if the answer was lost on purpose.
    pub answered_code: Option<u16>,
}

#[derive(Debug, Default)]
pub(super) struct Records(Mutex<Vec<RecordedRequest>>);

impl Records {
    /// Remembers a request; returns its place.
    pub(super) fn arrived<B>(&self, request: &Request<B>) -> usize {
        let mut records = self.lock();
        let sequence = records.len();
        let user_agent = request.headers().get(USER_AGENT).and_then(|value| value.to_str().ok());
        records.push(RecordedRequest {
            sequence,
            method: request.method().to_string(),
            target: request.uri().to_string(),
            user_agent: user_agent.unwrap_or_default().to_owned(),
            forwarded: false,
            apiserver_code: None,
            answered_code: None,
        });
        sequence
    }

    /// Adds to what is known of a request.
    pub(super) fn update(&self, sequence: usize, change: impl FnOnce(&mut RecordedRequest)) {
        if let Some(record) = self.lock().get_mut(sequence) {
            change(record);
        }
    }

    pub(super) fn all(&self) -> Vec<RecordedRequest> {
        self.lock().clone()
    }

    fn lock(&self) -> MutexGuard<'_, Vec<RecordedRequest>> {
        self.0.lock()
    }
}
