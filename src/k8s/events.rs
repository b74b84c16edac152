//! Kubernetes Events, published by a task of their own.
//!
//! An event never delays what it reports, and never makes it fail. Normal events are best effort under a token bucket.
//! Warning events wait without a limit, and are sent again if the apiserver could not process them.

use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use governor::clock::Clock;
use governor::middleware::NoOpMiddleware;
use governor::state::{InMemoryState, NotKeyed};
use governor::{Quota, RateLimiter};
use k8s_openapi::api::core::v1::ObjectReference;
use kube::Client;
use kube::runtime::events::{Event, EventType, Recorder, Reporter};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio::time::{Instant, timeout};
use tokio_util::sync::CancellationToken;

use super::words;
use crate::metrics::Metrics;
use crate::process::Spawner;

/// The `reportingController` of our events.
const CONTROLLER: &str = "technical-user-operator";
/// Normal events per second, on average …
const PER_SECOND: NonZeroU32 = NonZeroU32::new(10).unwrap();
/// … and at once.
const BURST: NonZeroU32 = NonZeroU32::new(50).unwrap();
/// The API's bound on a note, in bytes (events.k8s.io/v1).
const NOTE_BYTES: usize = 1024;
/// Normal events that may wait; more are dropped.
const NORMAL_WAITING: usize = 200;
/// How long one call may delay the other events.
const PUBLISH_WITHIN: Duration = Duration::from_secs(10);
/// A Warning event that the apiserver could not process is sent again after these waits, then dropped with a log line.
const RETRY_AFTER: [Duration; 4] =
    [Duration::from_secs(2), Duration::from_secs(4), Duration::from_secs(8), Duration::from_secs(16)];

/// Reports what happened to an object. Cheap to clone.
///
/// `reason` is a word in upper camel case that scripts may rely on, `action` names what the operator did, `note` is for
/// people. kube's recorder counts repetitions within six minutes on the first event, which keeps its note.
#[derive(Clone)]
pub struct Events {
    normal: mpsc::Sender<Message>,
    warning: mpsc::UnboundedSender<Message>,
    bucket: Arc<Bucket>,
    metrics: Metrics,
}

/// The task that publishes; it ends by [`Publisher::drain`].
pub struct Publisher {
    stop: CancellationToken,
    ended: CancellationToken,
    task: JoinHandle<()>,
}

/// The clock of tokio for the token bucket, whose own clock does not follow a paused runtime.
#[derive(Debug, Clone)]
struct SinceStart(Instant);

impl Clock for SinceStart {
    type Instant = Duration;

    fn now(&self) -> Duration {
        self.0.elapsed()
    }
}

type Bucket = RateLimiter<NotKeyed, InMemoryState, SinceStart, NoOpMiddleware<Duration>>;

type Message = (ObjectReference, Event);

impl Events {
    /// Starts publishing as `pod`. Needs a tokio runtime, and `create` and `patch` on `events.k8s.io/events`.
    #[must_use]
    pub fn start(client: Client, pod: &str, metrics: Metrics, tasks: &Spawner) -> (Self, Publisher) {
        let reporter = Reporter { controller: CONTROLLER.into(), instance: Some(pod.into()) };
        // One recorder for all: it counts repetitions.
        let recorder = Recorder::new(client, reporter);
        let (normal, normals) = mpsc::channel(NORMAL_WAITING);
        let (warning, warnings) = mpsc::unbounded_channel();
        let (stop, ended) = (CancellationToken::new(), CancellationToken::new());
        let publishing = publish_all(recorder, normals, warnings, stop.clone());
        // Dropped, and so cancelled, at any end of the task.
        let at_end = ended.clone().drop_guard();
        let task = tasks.spawn(async move {
            publishing.await;
            drop(at_end);
        });
        let quota = Quota::per_second(PER_SECOND).allow_burst(BURST);
        let bucket = Arc::new(RateLimiter::direct_with_clock(quota, SinceStart(Instant::now())));
        (Self { normal, warning, bucket, metrics }, Publisher { stop, ended, task })
    }

    /// Reports what went as it should. Dropped, and counted, when there are too many.
    pub fn normal(&self, object: ObjectReference, reason: &'static str, action: &str, note: &str) {
        let message = (object, event(EventType::Normal, reason, action, note));
        if self.bucket.check().is_err() || self.normal.try_send(message).is_err() {
            self.metrics.event_dropped();
        }
    }

    /// Reports what a person should check.
    pub fn warning(&self, object: ObjectReference, reason: &'static str, action: &str, note: &str) {
        if self.warning.send((object, event(EventType::Warning, reason, action, note))).is_err() {
            self.metrics.event_dropped();
        }
    }
}

impl Publisher {
    /// Waits until the task has ended, also by a panic.
    pub async fn ended(&self) {
        self.ended.cancelled().await;
    }

    /// Publishes the events so far, for at most `within`, then stops.
    pub async fn drain(mut self, within: Duration) {
        self.stop.cancel();
        if tokio::time::timeout(within, &mut self.task).await.is_err() {
            self.task.abort();
            tracing::warn!("Some Events were not published before the stop");
        }
    }
}

fn event(type_: EventType, reason: &str, action: &str, note: &str) -> Event {
    Event {
        type_,
        reason: reason.into(),
        note: Some(cut(note).into()),
        action: action.into(),
        secondary: None,
    }
}

async fn publish_all(
    recorder: Recorder,
    mut normals: mpsc::Receiver<Message>,
    mut warnings: mpsc::UnboundedReceiver<Message>,
    stop: CancellationToken,
) {
    loop {
        let (object, event) = tokio::select! {
            // Warnings are sent first, and all events so far before a stop.
            biased;
            Some(message) = warnings.recv() => message,
            Some(message) = normals.recv() => message,
            () = stop.cancelled() => return,
        };
        publish(&recorder, &object, &event).await;
    }
}

async fn publish(recorder: &Recorder, object: &ObjectReference, event: &Event) {
    let waits = if matches!(event.type_, EventType::Warning) { RETRY_AFTER.as_slice() } else { &[] };
    let mut waits = waits.iter();
    loop {
        let (problem, passing) = match timeout(PUBLISH_WITHIN, recorder.publish(event, object)).await {
            Ok(Ok(())) => return,
            Ok(Err(error)) => (words(&error), is_passing(&error)),
            Err(_) => ("no answer in time".into(), true),
        };
        let Some(wait) = waits.next().filter(|_| passing) else {
            let text = |part: &Option<String>| part.clone().unwrap_or_default();
            let resource = format!("{}/{}", text(&object.namespace), text(&object.name));
            tracing::warn!(resource, reason = event.reason, error = problem, "An Event was not published");
            return;
        };
        tokio::time::sleep(*wait).await;
    }
}

/// Another try may succeed: the apiserver is busy or was not reached.
fn is_passing(error: &kube::Error) -> bool {
    !matches!(error, kube::Error::Api(status) if status.code != 429 && status.code < 500)
}

/// The beginning of `note` that the API accepts, whole characters only.
fn cut(note: &str) -> &str {
    note.get(..note.floor_char_boundary(NOTE_BYTES)).unwrap_or(note)
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use http::{Request, Response};
    use kube::client::Body;
    use parking_lot::Mutex;
    use serde_json::Value;

    use super::*;

    type Answer = fn(usize) -> u16;

    /// An apiserver that stores the events that it receives, and answers the n-th call with `answer(n)`.
    fn apiserver(answer: Answer) -> (Client, Arc<Mutex<Vec<Value>>>) {
        let posted = Arc::new(Mutex::new(Vec::new()));
        let seen = posted.clone();
        let service = tower::service_fn(move |request: Request<Body>| {
            let seen = seen.clone();
            async move {
                let bytes = request.into_body().collect_bytes().await.unwrap();
                let body: Value = serde_json::from_slice(&bytes).unwrap();
                let call = {
                    let mut seen = seen.lock();
                    seen.push(body);
                    seen.len()
                };
                let status = serde_json::json!({"kind": "Status", "apiVersion": "v1", "metadata": {}, "code": answer(call)});
                let body = if answer(call) == 201 { bytes.to_vec() } else { status.to_string().into_bytes() };
                Ok::<_, Infallible>(Response::builder().status(answer(call)).body(Body::from(body)).unwrap())
            }
        });
        (Client::new(service, "default"), posted)
    }

    fn object(name: &str) -> ObjectReference {
        ObjectReference { namespace: Some("n".into()), name: Some(name.into()), ..ObjectReference::default() }
    }

    #[tokio::test(start_paused = true)]
    async fn events_are_published_as_ours() {
        let (client, posted) = apiserver(|_| 201);
        let (events, publisher) = Events::start(client, "pod-1", Metrics::default(), &Spawner::of_runtime());
        events.warning(object("a"), "Broken", "Create", "it broke");
        publisher.drain(Duration::from_secs(1)).await;
        let posted = posted.lock();
        let sent = &posted[0];
        assert_eq!(sent["reportingController"], "technical-user-operator");
        assert_eq!(sent["reportingInstance"], "pod-1");
        assert_eq!((&sent["type"], &sent["reason"]), (&"Warning".into(), &"Broken".into()));
        assert_eq!((&sent["action"], &sent["note"]), (&"Create".into(), &"it broke".into()));
        assert_eq!(sent["metadata"]["namespace"], "n");
    }

    #[tokio::test(start_paused = true)]
    async fn only_normal_events_are_dropped() {
        let (client, posted) = apiserver(|_| 201);
        let metrics = Metrics::default();
        let (events, publisher) = Events::start(client, "pod", metrics.clone(), &Spawner::of_runtime());
        for n in 0..300 {
            events.normal(object(&format!("o{n}")), "Fine", "Check", "");
            events.warning(object(&format!("o{n}")), "Bad", "Check", "");
        }
        publisher.drain(Duration::from_secs(5)).await;
        let posted = posted.lock();
        let count = |kind: &str| posted.iter().filter(|event| event["type"] == kind).count();
        assert_eq!(count("Warning"), 300);
        assert!((50..100).contains(&count("Normal")), "{}", count("Normal"));
        assert!(metrics.encode().contains("tuo_events_dropped_total 2"));
    }

    #[tokio::test(start_paused = true)]
    async fn a_warning_outlives_a_busy_apiserver_but_not_a_refusal() {
        let (client, posted) = apiserver(|call| if call < 3 { 503 } else { 201 });
        let (events, publisher) = Events::start(client, "pod", Metrics::default(), &Spawner::of_runtime());
        events.warning(object("a"), "Bad", "Check", "");
        publisher.drain(Duration::from_mins(1)).await;
        assert_eq!(posted.lock().len(), 3);

        let (client, posted) = apiserver(|_| 403);
        let (events, publisher) = Events::start(client, "pod", Metrics::default(), &Spawner::of_runtime());
        events.warning(object("a"), "Bad", "Check", "");
        publisher.drain(Duration::from_mins(1)).await;
        assert_eq!(posted.lock().len(), 1);
    }

    #[tokio::test(start_paused = true)]
    async fn a_stop_waits_only_so_long() {
        let (client, _posted) = apiserver(|_| 503);
        let (events, publisher) = Events::start(client, "pod", Metrics::default(), &Spawner::of_runtime());
        events.warning(object("a"), "Bad", "Check", "");
        let started = Instant::now();
        publisher.drain(Duration::from_secs(3)).await;
        assert_eq!(started.elapsed(), Duration::from_secs(3));
    }

    #[test]
    fn a_long_note_is_cut_between_characters() {
        assert_eq!(cut("short"), "short");
        assert_eq!(cut(&"a".repeat(2000)).len(), 1024);
        assert_eq!(cut(&"€".repeat(2000)).len(), 1023);
    }
}
