//! Many watches, one sequence of changes.

use std::collections::{BTreeMap, BTreeSet};

use futures::stream::{self, BoxStream, Stream, StreamExt};
use kube::runtime::watcher::{Error, Event};
use kube::{Resource, ResourceExt};

use crate::k8s::words;

use super::refusals::{Refusals, WatchedKind};

/// Namespace and name of an object.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Key {
    /// `None` for cluster-scoped kinds.
    pub namespace: Option<String>,
    /// `metadata.name`.
    pub name: String,
}

impl Key {
    pub(super) fn of<K: Resource>(object: &K) -> Self {
        Self { namespace: object.namespace(), name: object.name_any() }
    }
}

/// A change of the objects of a kind.
#[derive(Debug)]
pub(super) enum Change<K> {
    /// All objects, once, before all other changes.
    Initial(Vec<K>),
    /// The object exists: new, changed or listed again.
    Present(K),
    /// The object was deleted; with its last state if the watch reported it.
    Gone(Key, Option<K>),
}

/// One endless watch.
pub(super) struct Scope<K> {
    /// What it watches.
    pub place: WatchedKind,
    /// Its events, with back-off after errors.
    pub events: BoxStream<'static, Result<Event<K>, Error>>,
}

/// Merges watches into one sequence of changes.
///
/// [`Change::Initial`] follows when each was listed in full or refused, and at least one was listed.
pub(super) fn merge<K: Resource + Send + 'static>(
    scopes: Vec<Scope<K>>,
    refusals: &Refusals,
) -> impl Stream<Item = Change<K>> + Send + 'static {
    let (places, streams): (Vec<_>, Vec<_>) =
        scopes.into_iter().map(|scope| (scope.place, scope.events)).unzip();
    let numbered = streams.into_iter().enumerate().map(|(n, s)| s.map(move |item| (n, item)).boxed());
    stream::select_all(numbered)
        .scan(Merge::new(places, refusals), |merge, (scope, item)| {
            std::future::ready(Some(stream::iter(merge.take(scope, item))))
        })
        .flatten()
}

struct Merge<K> {
    scopes: Vec<Watched>,
    /// The objects so far, until everything was listed once.
    initial: Option<BTreeMap<Key, K>>,
}

struct Watched {
    place: WatchedKind,
    refusals: Refusals,
    state: ScopeState,
    /// The objects that were yielded as present.
    known: BTreeSet<Key>,
    /// The objects of the list in progress so far.
    listing: BTreeSet<Key>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum ScopeState {
    /// Neither listed nor refused.
    Pending,
    Listed,
    /// 403 or 404 since it was last listed.
    Refused,
}

impl<K: Resource> Merge<K> {
    fn new(places: Vec<WatchedKind>, refusals: &Refusals) -> Self {
        let scope = |place| Watched {
            place,
            refusals: refusals.clone(),
            state: ScopeState::Pending,
            known: BTreeSet::new(),
            listing: BTreeSet::new(),
        };
        Self { scopes: places.into_iter().map(scope).collect(), initial: Some(BTreeMap::new()) }
    }

    fn take(&mut self, scope: usize, item: Result<Event<K>, Error>) -> Vec<Change<K>> {
        let Some(scope) = self.scopes.get_mut(scope) else { return Vec::new() };
        let changes = match item {
            Ok(Event::Init) => {
                scope.listing.clear();
                Vec::new()
            }
            Ok(Event::InitApply(object)) => {
                let key = Key::of(&object);
                scope.listing.insert(key.clone());
                scope.known.insert(key);
                vec![Change::Present(object)]
            }
            Ok(Event::InitDone) => {
                scope.listed();
                let listing = std::mem::take(&mut scope.listing);
                let vanished: Vec<_> = scope.known.difference(&listing).cloned().collect();
                scope.known = listing;
                vanished.into_iter().map(|key| Change::Gone(key, None)).collect()
            }
            Ok(Event::Apply(object)) => {
                scope.known.insert(Key::of(&object));
                vec![Change::Present(object)]
            }
            Ok(Event::Delete(object)) => {
                let key = Key::of(&object);
                scope.known.remove(&key);
                vec![Change::Gone(key, Some(object))]
            }
            Err(error) => {
                scope.failed(&error);
                Vec::new()
            }
        };
        self.pass(changes)
    }

    /// Holds changes back until all can be yielded as one.
    fn pass(&mut self, changes: Vec<Change<K>>) -> Vec<Change<K>> {
        let Some(initial) = &mut self.initial else { return changes };
        for change in changes {
            match change {
                Change::Present(object) => drop(initial.insert(Key::of(&object), object)),
                Change::Gone(key, _) => drop(initial.remove(&key)),
                Change::Initial(_) => {}
            }
        }
        let pending = self.scopes.iter().any(|scope| scope.state == ScopeState::Pending);
        let listed = self.scopes.iter().any(|scope| scope.state == ScopeState::Listed);
        if pending || !listed {
            return Vec::new();
        }
        let objects = self.initial.take().unwrap_or_default();
        vec![Change::Initial(objects.into_values().collect())]
    }
}

impl Watched {
    fn listed(&mut self) {
        if self.state == ScopeState::Refused {
            tracing::info!("The operator can watch {} now", self.place);
        }
        self.state = ScopeState::Listed;
        self.refusals.listed(&self.place);
    }

    fn failed(&mut self, error: &Error) {
        let (code, error) = code_and_words(error);
        match (code, self.state) {
            (Some(403 | 404), _) => {
                // The task that reports the refusals logs them too.
                tracing::debug!(
                    "The operator cannot watch {}, and leaves it out until it can: {error}",
                    self.place
                );
                self.state = ScopeState::Refused;
                self.refusals.refused(&self.place, &error);
            }
            // The cluster does not keep the version that the watch had reached: a new list follows automatically.
            (Some(410), _) => {
                tracing::debug!("A watch of {} starts again with a new list: {error}", self.place);
            }
            _ => tracing::warn!("A watch of {} failed: {error}; the operator tries again", self.place),
        }
    }
}

/// Whether a watch is refused for now: by RBAC, or because there is no such kind.
pub(super) fn is_refusal(error: &Error) -> bool {
    matches!(code_and_words(error).0, Some(403 | 404))
}

/// The status code that the apiserver answered with, if it did, and what went wrong.
fn code_and_words(error: &Error) -> (Option<u16>, String) {
    match error {
        Error::InitialListFailed(error) | Error::WatchStartFailed(error) | Error::WatchFailed(error) => {
            let code = if let kube::Error::Api(status) = error { Some(status.code) } else { None };
            (code, words(error))
        }
        Error::WatchError(status) => (Some(status.code), status.message.clone()),
        Error::NoResourceVersion => (None, error.to_string()),
    }
}
