//! One cache per kind, whether one namespace, several or all are watched.
//!
//! kube's `Controller` takes one `Api`, that is one namespace or all of them. Its hooks for ready-made streams are
//! behind `unstable-runtime` features, which may change in any release. So the operator uses the public layer below,
//! [`watcher()`], which is stable.
//!
//! A reflector's store is replaced as a whole by `Init … InitDone`. With several namespaces in one store, the re-list
//! of one would empty the others; so a re-list is turned into the changes that it shows (module `merge`). And a store keeps
//! with each object names that take more memory than what the operator needs of it; so the cache is our own.

use std::fmt::Debug;
use std::sync::Arc;
use std::time::Duration;

use futures::stream::{self, BoxStream, Stream, StreamExt};
use kube::runtime::WatchStreamExt;
use kube::runtime::utils::Backoff;
use kube::runtime::watcher::{self, Event, watcher};
use kube::{Api, Resource};
use serde::de::DeserializeOwned;
use tokio::time::Instant;

use crate::process::Random;

mod cache;
mod merge;
mod refusals;

pub use cache::{Cache, Entry};
use merge::{Scope, is_refusal, merge};
pub use refusals::{Refusals, WatchedKind};

/// An object that was created, changed or deleted.
#[derive(Debug)]
pub struct Touched<E> {
    /// The object as it is in the cache, or as it last was.
    pub object: Arc<E>,
    /// It was deleted in the cluster.
    pub deleted: bool,
}

/// Watches `apis` (one per namespace, or a single one for all) into one cache. `keep` makes of an object what is kept of it.
///
/// The cache changes only while the stream is polled, and shows a change before the stream yields it. The stream never ends.
/// [`Cache::filled`] returns when every namespace was listed once. A namespace that may not be watched (403)
/// or has no such kind (404) is reported to `refusals`, left out and tried again; while this holds for all of them, the cache
/// is not filled. Objects of a namespace that is refused later are kept as they were, until it is listed again.
pub fn cache<K, E>(
    apis: Vec<Api<K>>,
    config: &watcher::Config,
    kind: &K::DynamicType,
    keep: impl Fn(K) -> E + Send + Sync + Clone + 'static,
    refusals: &Refusals,
    random: &Random,
) -> (Cache<E>, impl Stream<Item = Touched<E>> + Send + 'static)
where
    K: Resource + Clone + DeserializeOwned + Debug + Send + Sync + 'static,
    K::DynamicType: Clone,
    E: Entry,
{
    let (group, plural) = (K::group(kind), K::plural(kind));
    let resource = if group.is_empty() { plural.into_owned() } else { format!("{plural}.{group}") };
    let scopes = apis
        .into_iter()
        .map(|api| Scope {
            place: WatchedKind { namespace: api.namespace().map(str::to_owned), resource: resource.clone() },
            events: watch(api, config.clone(), keep.clone(), random),
        })
        .collect();
    merge(scopes, refusals)
}

/// One namespace's endless watch with back-off.
fn watch<K, E: Entry>(
    api: Api<K>,
    config: watcher::Config,
    keep: impl Fn(K) -> E + Send + 'static,
    random: &Random,
) -> BoxStream<'static, watcher::Result<Event<E>>>
where
    K: Resource + Clone + DeserializeOwned + Debug + Send + 'static,
{
    let begin = move || watcher(api.clone(), config.clone()).boxed();
    let events = again_after_refusal(begin).backoff(WatchBackoff::new(random.clone()));
    events.map(move |event| event.map(|event| kept(event, &keep))).boxed()
}

/// An event of what is kept.
fn kept<K, E>(event: Event<K>, keep: impl Fn(K) -> E) -> Event<E> {
    match event {
        Event::Apply(object) => Event::Apply(keep(object)),
        Event::Delete(object) => Event::Delete(keep(object)),
        Event::Init => Event::Init,
        Event::InitApply(object) => Event::InitApply(keep(object)),
        Event::InitDone => Event::InitDone,
    }
}

/// A watch that begins with a list again after it was refused.
///
/// Once the watch is permitted again, kube's watcher continues at its last version, and yields nothing until an object changes.
/// The operator would not know that the watch is permitted, nor which changes it missed.
fn again_after_refusal<K: Send + 'static>(
    begin: impl Fn() -> BoxStream<'static, watcher::Result<watcher::Event<K>>> + Send + 'static,
) -> impl Stream<Item = watcher::Result<watcher::Event<K>>> + Send + 'static {
    stream::unfold((begin(), begin), |(mut events, begin)| async move {
        let item = events.next().await?;
        if item.as_ref().is_err_and(is_refusal) {
            events = begin();
        }
        Some((item, (events, begin)))
    })
}

/// The first pause of kube's default back-off; it doubles.
const FIRST_PAUSE: Duration = Duration::from_millis(800);
const LONGEST_PAUSE: Duration = Duration::from_secs(30);
/// After this time without an error the back-off starts again.
const CALM: Duration = Duration::from_mins(2);

/// The pauses of kube's default back-off, each up to twice as long by chance; kube's own has another random source.
///
/// A watcher announces each list before it requests it, and kube's own stream treats that announcement as a success: lists
/// that always fail would be repeated every second without end.
struct WatchBackoff {
    pause: Duration,
    last: Option<Instant>,
    random: Random,
}

impl WatchBackoff {
    fn new(random: Random) -> Self {
        Self { pause: FIRST_PAUSE, last: None, random }
    }
}

impl Iterator for WatchBackoff {
    type Item = Duration;

    fn next(&mut self) -> Option<Duration> {
        let now = Instant::now();
        if self.last.is_some_and(|last| now > last + CALM) {
            self.pause = FIRST_PAUSE;
        }
        self.last = Some(now);
        let pause = self.pause;
        self.pause = (pause * 2).min(LONGEST_PAUSE);
        Some(pause.mul_f64(1.0 + self.random.fraction()))
    }
}

impl Backoff for WatchBackoff {
    fn reset(&mut self) {}
}

#[cfg(test)]
mod tests;
