//! One cache per kind, whether one namespace, several or all are watched.
//!
//! kube's `Controller` takes one `Api`, that is one namespace or all of them. Its hooks for ready-made streams are
//! behind `unstable-runtime` features, which may change in any release. So the operator uses the public layer below,
//! [`watcher()`] and [`Writer`], which are stable.
//!
//! A reflector's store is replaced as a whole by `Init … InitDone`. With several namespaces in one store, the re-list
//! of one would empty the others; so a re-list is turned into the changes that it shows (module `merge`), and the store
//! sees exactly one `Init … InitDone`, when every namespace was listed once.

use std::fmt::Debug;
use std::hash::Hash;
use std::sync::Arc;
use std::time::Duration;

use futures::stream::{self, BoxStream, Stream, StreamExt};
use kube::runtime::reflector::{ObjectRef, Store, store::Writer};
use kube::runtime::utils::Backoff;
use kube::runtime::watcher::{self, watcher};
use kube::runtime::{WatchStreamExt, reflector};
use kube::{Api, Resource, ResourceExt};
use serde::de::DeserializeOwned;
use tokio::time::Instant;

use crate::process::Random;

mod merge;
mod refusals;

use merge::{Change, Scope, is_refusal, merge};
pub use refusals::{Refusals, WatchedKind};

/// An object that was created, changed or deleted.
pub struct Touched<K: Resource> {
    /// Which object.
    pub reference: ObjectRef<K>,
    /// The object as it is in the cache, or as it last was.
    pub object: Arc<K>,
    /// It was deleted in the cluster.
    pub deleted: bool,
}

/// Watches `apis` (one per namespace, or a single one for all) into one cache.
///
/// `prune` drops what the operator does not need before the object is stored; managed fields are always dropped.
///
/// The cache changes only while the stream is polled, and shows a change before the stream yields it. The stream never ends.
/// [`Store::wait_until_ready`] returns when every namespace was listed once. A namespace that may not be watched (403)
/// or has no such kind (404) is reported to `refusals`, left out and tried again; while this holds for all of them, the cache
/// is not ready. Objects of a namespace that is refused later are kept as they were, until it is listed again.
pub fn cache<K>(
    apis: Vec<Api<K>>,
    config: &watcher::Config,
    kind: K::DynamicType,
    prune: impl Fn(&mut K) + Send + Sync + Clone + 'static,
    refusals: &Refusals,
    random: &Random,
) -> (Store<K>, impl Stream<Item = Touched<K>> + Send + 'static)
where
    K: Resource + Clone + DeserializeOwned + Debug + Send + Sync + 'static,
    K::DynamicType: Clone + Eq + Hash + Debug + Send + Sync + Unpin,
{
    let (group, plural) = (K::group(&kind), K::plural(&kind));
    let resource = if group.is_empty() { plural.into_owned() } else { format!("{plural}.{group}") };
    let scopes = apis
        .into_iter()
        .map(|api| Scope {
            place: WatchedKind { namespace: api.namespace().map(str::to_owned), resource: resource.clone() },
            events: watch(api, config.clone(), prune.clone(), random),
        })
        .collect();
    fill(Writer::new(kind.clone()), kind, merge(scopes, refusals))
}

/// One namespace's endless watch with back-off.
fn watch<K>(
    api: Api<K>,
    config: watcher::Config,
    prune: impl Fn(&mut K) + Send + 'static,
    random: &Random,
) -> BoxStream<'static, watcher::Result<watcher::Event<K>>>
where
    K: Resource + Clone + DeserializeOwned + Debug + Send + 'static,
{
    let begin = move || watcher(api.clone(), config.clone()).boxed();
    let events =
        again_after_refusal(begin).backoff(WatchBackoff::new(random.clone())).modify(move |object| {
            object.managed_fields_mut().clear();
            prune(object);
        });
    events.boxed()
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

/// Applies changes to the store, then yields them.
fn fill<K>(
    writer: Writer<K>,
    kind: K::DynamicType,
    changes: impl Stream<Item = Change<K>> + Send + 'static,
) -> (Store<K>, impl Stream<Item = Touched<K>> + Send + 'static)
where
    K: Resource + Clone + Send + Sync + 'static,
    K::DynamicType: Clone + Eq + Hash + Send + Sync,
{
    let store = writer.as_reader();
    let reader = store.clone();
    let touched = changes.scan(writer, move |writer, change| {
        let touched = apply(writer, &reader, &kind, change);
        std::future::ready(Some(stream::iter(touched)))
    });
    (store, touched.flatten())
}

/// Applies one change and returns the objects that it affects.
fn apply<K>(
    writer: &mut Writer<K>,
    store: &Store<K>,
    kind: &K::DynamicType,
    change: Change<K>,
) -> Vec<Touched<K>>
where
    K: Resource + Clone + 'static,
    K::DynamicType: Clone + Eq + Hash,
{
    let touched = |object: Arc<K>, deleted| Touched {
        reference: reflector::Lookup::to_object_ref(object.as_ref(), kind.clone()),
        object,
        deleted,
    };
    match change {
        Change::Initial(objects) => {
            writer.apply_watcher_event(&watcher::Event::Init);
            for object in objects {
                writer.apply_watcher_event(&watcher::Event::InitApply(object));
            }
            writer.apply_watcher_event(&watcher::Event::InitDone);
            // The store does not sort its objects.
            let mut all = store.state();
            all.sort_by_cached_key(|object| merge::Key::of(object.as_ref()));
            all.into_iter().map(|object| touched(object, false)).collect()
        }
        Change::Present(object) => {
            let event = watcher::Event::Apply(object);
            writer.apply_watcher_event(&event);
            let watcher::Event::Apply(object) = event else { return Vec::new() };
            vec![touched(Arc::new(object), false)]
        }
        Change::Gone(key, last) => {
            let mut reference = ObjectRef::new_with(&key.name, kind.clone());
            reference.namespace = key.namespace;
            let Some(object) = last.map(Arc::new).or_else(|| store.get(&reference)) else {
                return Vec::new();
            };
            writer.apply_watcher_event(&watcher::Event::Delete(object.as_ref().clone()));
            vec![touched(object, true)]
        }
    }
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
