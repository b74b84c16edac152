//! Faults on demand.

use std::time::Duration;

use crate::calls::{Call, Endpoint};

/// What a fault does to a call.
#[derive(Clone, Debug)]
pub enum Action {
    /// Answers so, without doing anything.
    Status(Canned),
    /// Answers 200 with a web page, as a proxy with a login page does, without doing anything.
    HtmlInstead,
    /// Waits, then continues as usual.
    Delay(Duration),
    /// Does nothing and answers nothing, until the caller goes.
    Hang,
    /// Cuts the connection before anything is done.
    CutConnection,
    /// Does the work, then cuts the connection.
    DoneButAnswerLost,
    /// Waits for the caller to go, then for this pause, then does the work.
    DoneOnlyAfterCallerGone(Duration),
    /// Does the work, then answers so.
    DoneThen(Canned),
}

/// An answer that a fault gives.
#[derive(Clone, Debug)]
pub struct Canned {
    pub(crate) status: u16,
    pub(crate) body: CannedBody,
    pub(crate) headers: Vec<(String, String)>,
}

/// Body of an answer that a fault gives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CannedBody {
    /// The portal's own error body without an error code.
    PortalError,
    /// A web page, as a proxy answers.
    Html,
    /// None.
    Empty,
}

impl Canned {
    /// This status with the portal's own error body.
    #[must_use]
    pub fn error(status: u16) -> Self {
        Self { status, body: CannedBody::PortalError, headers: Vec::new() }
    }

    /// This status with a web page.
    #[must_use]
    pub fn html(status: u16) -> Self {
        Self { status, body: CannedBody::Html, headers: Vec::new() }
    }

    /// This status without a body.
    #[must_use]
    pub fn empty(status: u16) -> Self {
        Self { status, body: CannedBody::Empty, headers: Vec::new() }
    }

    /// Adds a header, such as `Retry-After`.
    #[must_use]
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }
}

/// A fault at one endpoint. Of several that fit a call the one injected first acts.
#[derive(Clone, Debug)]
pub struct Fault {
    endpoint: Option<Endpoint>,
    pub(crate) action: Action,
    times: Option<usize>,
    skip: usize,
    caller: Option<String>,
    path_contains: Option<String>,
}

impl Fault {
    /// A fault at this endpoint, for ever and for every caller.
    #[must_use]
    pub fn at(endpoint: Endpoint, action: Action) -> Self {
        Self { endpoint: Some(endpoint), action, times: None, skip: 0, caller: None, path_contains: None }
    }

    /// A fault at every endpoint.
    #[must_use]
    pub fn anywhere(action: Action) -> Self {
        Self { endpoint: None, action, times: None, skip: 0, caller: None, path_contains: None }
    }

    /// Only this many times.
    #[must_use]
    pub fn times(mut self, times: usize) -> Self {
        self.times = Some(times);
        self
    }

    /// Only once.
    #[must_use]
    pub fn once(self) -> Self {
        self.times(1)
    }

    /// Lets this many calls pass first.
    #[must_use]
    pub fn skip(mut self, calls: usize) -> Self {
        self.skip = calls;
        self
    }

    /// Only for the caller with this client id.
    #[must_use]
    pub fn caller(mut self, client_id: &str) -> Self {
        self.caller = Some(client_id.to_owned());
        self
    }

    /// Only where path and query contain this text.
    #[must_use]
    pub fn path_contains(mut self, text: &str) -> Self {
        self.path_contains = Some(text.to_owned());
        self
    }

    fn fits(&self, call: &Call) -> bool {
        self.endpoint.is_none_or(|endpoint| endpoint == call.endpoint)
            && self.caller.as_ref().is_none_or(|caller| Some(caller) == call.caller.as_ref())
            && self.path_contains.as_ref().is_none_or(|text| call.path.contains(text.as_str()))
    }
}

/// Handle of an injected fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FaultId(u64);

/// The faults of a simulator.
#[derive(Default)]
pub(crate) struct Faults {
    next: u64,
    list: Vec<(FaultId, Fault)>,
}

impl Faults {
    pub(crate) fn inject(&mut self, fault: Fault) -> FaultId {
        self.next += 1;
        let id = FaultId(self.next);
        self.list.push((id, fault));
        id
    }

    pub(crate) fn remove(&mut self, id: FaultId) {
        self.list.retain(|(other, _)| *other != id);
    }

    pub(crate) fn clear(&mut self) {
        self.list.clear();
    }

    /// The action for an arriving call; counts down.
    pub(crate) fn take(&mut self, call: &Call) -> Option<Action> {
        for (_, fault) in &mut self.list {
            if !fault.fits(call) || fault.times == Some(0) {
                continue;
            }
            if fault.skip > 0 {
                fault.skip -= 1;
                continue;
            }
            if let Some(times) = &mut fault.times {
                *times -= 1;
            }
            return Some(fault.action.clone());
        }
        None
    }
}
