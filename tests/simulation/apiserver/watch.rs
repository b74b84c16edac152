//! Watches: a stream of the changes of one kind, in order, as late as its lag.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use futures::stream::{self, Stream};
use hyper::body::{Bytes, Frame};
use parking_lot::Mutex;
use serde_json::{Value, json};
use tokio::sync::watch;
use tokio::time::{Instant, sleep_until};

use super::read::{Selector, shown};
use super::refusal::Refusal;
use super::request::Call;
use super::state::State;
use super::store::Change;
use super::{BoxError, Fault};

/// A watch that asks for bookmarks gets one after this time, and one before its end.
const BOOKMARK_AFTER: Duration = Duration::from_mins(1);
/// How long a watch lasts that does not say it.
const LASTS: Duration = Duration::from_mins(30);

/// A watch.
pub struct Watching {
    call: Call,
    /// That of the call.
    resource: String,
    selector: Selector,
    state: Arc<Mutex<State>>,
    changed: watch::Receiver<u64>,
    /// The restores of the store before it began.
    restores: u64,
    /// Changes up to this version were sent.
    position: u64,
    /// Lines of events.
    waiting: VecDeque<String>,
    next_bookmark: Option<Instant>,
    ends: Instant,
    /// The fault that it meets, and when.
    fault: Option<(Fault, Instant)>,
    ended: bool,
}

/// What a watch does next.
enum Next {
    Send(String),
    WaitUntil(Instant),
    End,
    Fail,
}

impl Watching {
    /// Begins a watch.
    pub fn begin(state: &Arc<Mutex<State>>, call: Call, fault: Option<Fault>) -> Self {
        let now = Instant::now();
        let lasts = call.number("timeoutSeconds").map_or(LASTS, Duration::from_secs);
        let bookmarks = call.query.get("allowWatchBookmarks").is_some_and(|allowed| allowed == "true");
        let (changed, version, compacted, restores, cut_after) = {
            let mut state = state.lock();
            let cut_after = state.faults.part_of(lasts);
            (
                state.store.subscribe_to(&call.kind.resource()),
                state.store.version(),
                state.store.compacted(),
                state.store.restores(),
                cut_after,
            )
        };
        let selector = Selector::of(&call);
        let from = call.number("resourceVersion").unwrap_or_default();
        let mut waiting = VecDeque::new();
        if from == 0 {
            let state = state.lock();
            let all = state.store.at(version, &call.kind.resource(), call.namespace_name());
            let matching = all.iter().filter(|(_, object)| selector.matches(object));
            waiting.extend(matching.map(|(_, object)| event("ADDED", &shown(&call, Arc::clone(object)))));
        } else if from < compacted {
            let refusal = Refusal::expired(format!("too old resource version: {from} ({compacted})"));
            waiting.push_back(event("ERROR", &refusal.body()));
        }
        Self {
            resource: call.kind.resource(),
            selector,
            state: Arc::clone(state),
            changed,
            restores,
            position: if from == 0 { version } else { from },
            ended: from != 0 && from < compacted,
            waiting,
            next_bookmark: bookmarks.then(|| now + BOOKMARK_AFTER),
            ends: now + lasts,
            fault: fault.map(|fault| (fault, now + cut_after)),
            call,
        }
    }

    /// The events, one a frame.
    pub fn stream(self) -> impl Stream<Item = Result<Frame<Bytes>, BoxError>> + Send {
        stream::unfold(Some(self), |watching| async move {
            let mut watching = watching?;
            loop {
                match watching.next() {
                    Next::Send(event) => return Some((Ok(Frame::data(event.into())), Some(watching))),
                    Next::End => return None,
                    Next::Fail => return Some((Err("the connection was cut".into()), None)),
                    Next::WaitUntil(time) => {
                        let Watching { changed, .. } = &mut watching;
                        tokio::select! {
                            biased;
                            // The store exists as long as the watch.
                            _ = changed.changed() => {}
                            () = sleep_until(time) => {}
                        }
                    }
                }
            }
        })
    }

    fn next(&mut self) -> Next {
        let now = Instant::now();
        if let Some((fault, at)) = self.fault {
            if fault == Fault::Lost && now >= at {
                return Next::Fail;
            }
            if fault == Fault::DoneSilent {
                let silent_until = self.ends + super::SILENT_FOR;
                return if now >= silent_until { Next::Fail } else { Next::WaitUntil(silent_until) };
            }
        }
        self.changed.borrow_and_update();
        // The apiserver is started again after a restore.
        if self.state.lock().store.restores() != self.restores {
            return Next::Fail;
        }
        let next_change = if self.ended { None } else { self.collect(now) };
        if let Some(event) = self.waiting.pop_front() {
            return Next::Send(event);
        }
        if self.ended || now >= self.ends {
            return Next::End;
        }
        if self.next_bookmark.is_some_and(|at| now >= at) {
            self.next_bookmark = Some(now + BOOKMARK_AFTER);
            return Next::Send(event("BOOKMARK", &self.bookmark()));
        }
        let fault_at = self.fault.map(|(_, at)| at);
        let times = [Some(self.ends), next_change, self.next_bookmark, fault_at];
        Next::WaitUntil(times.into_iter().flatten().min().unwrap_or(self.ends))
    }

    /// Takes in the changes that are visible now. Returns when the next one will be.
    fn collect(&mut self, now: Instant) -> Option<Instant> {
        let state = self.state.lock();
        let (resource, namespace) = (&self.resource, self.call.namespace_name());
        let lag = state.faults.lag(resource);
        let compacted = state.store.compacted();
        if state.store.has_forgotten(resource, self.position) {
            // Changes that it has not sent are forgotten.
            let refusal =
                Refusal::expired(format!("too old resource version: {} ({compacted})", self.position));
            self.waiting.push_back(event("ERROR", &refusal.body()));
            self.ended = true;
            return None;
        }
        self.position = self.position.max(compacted);
        let log = state.store.log();
        let start = log.partition_point(|change| change.version <= self.position);
        for change in log.iter().skip(start) {
            if change.at + lag > now {
                return Some(change.at + lag);
            }
            self.position = change.version;
            let concerns =
                change.id.resource == *resource && (namespace.is_empty() || change.id.namespace == namespace);
            if concerns && let Some(event) = self.event_of(change) {
                self.waiting.push_back(event);
            }
        }
        None
    }

    /// What a watch with this selector is sent about a change.
    fn event_of(&self, change: &Change) -> Option<String> {
        let before = change.before.as_ref().is_some_and(|before| self.selector.matches(before));
        let after = !change.deleted && self.selector.matches(&change.after);
        let kind = match (before, after) {
            (false, false) => return None,
            (false, true) => "ADDED",
            (true, true) => "MODIFIED",
            (true, false) => "DELETED",
        };
        let mut object = Arc::clone(&change.after);
        // An object that loses the labels is shown as it was when it had them.
        if let (true, false, Some(before)) = (before, change.deleted || after, &change.before) {
            let mut shown = Value::clone(before);
            shown["metadata"]["resourceVersion"] = json!(change.version.to_string());
            object = Arc::new(shown);
        }
        Some(event(kind, &shown(&self.call, object)))
    }

    fn bookmark(&self) -> Value {
        let (kind, api_version) = if self.call.metadata_only {
            ("PartialObjectMetadata".to_owned(), "meta.k8s.io/v1".to_owned())
        } else {
            (self.call.kind.name.clone(), self.call.kind.api_version())
        };
        let metadata = json!({ "resourceVersion": self.position.to_string(), "creationTimestamp": null });
        json!({ "kind": kind, "apiVersion": api_version, "metadata": metadata })
    }
}

fn event(kind: &str, object: &Value) -> String {
    format!("{{\"type\":\"{kind}\",\"object\":{object}}}\n")
}
