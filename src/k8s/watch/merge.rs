//! Many watches, one cache and one sequence of changes.

use std::collections::BTreeSet;
use std::sync::Arc;

use futures::stream::{self, BoxStream, Stream, StreamExt};
use kube::runtime::watcher::{Error, Event};

use super::Touched;
use super::cache::{Cache, Entry, Sorted};
use super::refusals::{Refusals, WatchedKind};
use crate::k8s::words;

/// One endless watch.
pub(super) struct Scope<E> {
    /// What it watches. No two watch the same namespace.
    pub place: WatchedKind,
    /// Its events, with back-off after errors.
    pub events: BoxStream<'static, Result<Event<E>, Error>>,
}

/// Merges watches into one cache and the sequence of its changes.
///
/// The cache is filled, and its objects are yielded, when each watch was listed in full or refused, and at least one was listed.
pub(super) fn merge<E: Entry>(
    scopes: Vec<Scope<E>>,
    refusals: &Refusals,
) -> (Cache<E>, impl Stream<Item = Touched<E>> + Send + 'static) {
    let (places, streams): (Vec<_>, Vec<_>) =
        scopes.into_iter().map(|scope| (scope.place, scope.events)).unzip();
    let numbered = streams.into_iter().enumerate().map(|(n, s)| s.map(move |item| (n, item)).boxed());
    let merge = Merge::new(places, refusals);
    let cache = merge.cache.clone();
    let touched = stream::select_all(numbered)
        .scan(merge, |merge, (scope, item)| std::future::ready(Some(stream::iter(merge.take(scope, item)))))
        .flatten();
    (cache, touched)
}

struct Merge<E> {
    scopes: Vec<Watched>,
    /// The objects so far, until everything was listed once.
    initial: Option<Sorted<E>>,
    cache: Cache<E>,
}

struct Watched {
    place: WatchedKind,
    refusals: Refusals,
    state: ScopeState,
    /// Namespaces and names of the list in progress so far.
    listing: BTreeSet<(String, String)>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum ScopeState {
    /// Neither listed nor refused.
    Pending,
    Listed,
    /// 403 or 404 since it was last listed.
    Refused,
}

impl<E: Entry> Merge<E> {
    fn new(places: Vec<WatchedKind>, refusals: &Refusals) -> Self {
        let scope = |place| Watched {
            place,
            refusals: refusals.clone(),
            state: ScopeState::Pending,
            listing: BTreeSet::new(),
        };
        Self {
            scopes: places.into_iter().map(scope).collect(),
            initial: Some(Sorted::default()),
            cache: Cache::default(),
        }
    }

    fn take(&mut self, scope: usize, item: Result<Event<E>, Error>) -> Vec<Touched<E>> {
        let Some(scope) = self.scopes.get_mut(scope) else { return Vec::new() };
        let (objects, cache) = (&mut self.initial, &self.cache);
        let mut change = |change: &mut dyn FnMut(&mut Sorted<E>) -> Vec<Touched<E>>| match objects {
            Some(initial) => change(initial),
            None => cache.change(change),
        };
        let touched = match item {
            Ok(Event::Init) => {
                scope.listing.clear();
                Vec::new()
            }
            Ok(Event::InitApply(object)) => {
                scope.listing.insert((object.namespace().to_owned(), object.name().to_owned()));
                let object = Arc::new(object);
                change(&mut |objects| present(objects, &object))
            }
            Ok(Event::InitDone) => {
                scope.listed();
                let (listing, namespace) = (std::mem::take(&mut scope.listing), &scope.place.namespace);
                change(&mut |objects| vanished(objects, namespace.as_deref(), &listing))
            }
            Ok(Event::Apply(object)) => {
                let object = Arc::new(object);
                change(&mut |objects| present(objects, &object))
            }
            Ok(Event::Delete(object)) => {
                let object = Arc::new(object);
                change(&mut |objects| {
                    objects.remove(object.namespace(), object.name());
                    vec![Touched { object: Arc::clone(&object), deleted: true }]
                })
            }
            Err(error) => {
                scope.failed(&error);
                Vec::new()
            }
        };
        if self.initial.is_some() { self.begin() } else { touched }
    }

    /// Fills the cache once everything was listed that may be; until then no change is yielded.
    fn begin(&mut self) -> Vec<Touched<E>> {
        let pending = self.scopes.iter().any(|scope| scope.state == ScopeState::Pending);
        let listed = self.scopes.iter().any(|scope| scope.state == ScopeState::Listed);
        if pending || !listed {
            return Vec::new();
        }
        self.cache.fill(self.initial.take().unwrap_or_default());
        self.cache.all().into_iter().map(|object| Touched { object, deleted: false }).collect()
    }
}

/// An object is there: new, changed or listed again.
fn present<E: Entry>(objects: &mut Sorted<E>, object: &Arc<E>) -> Vec<Touched<E>> {
    objects.put(Arc::clone(object));
    vec![Touched { object: Arc::clone(object), deleted: false }]
}

/// The objects of a namespace, or of all, that a list does not show any more.
fn vanished<E: Entry>(
    objects: &mut Sorted<E>,
    namespace: Option<&str>,
    listing: &BTreeSet<(String, String)>,
) -> Vec<Touched<E>> {
    let is_listed = |object: &E| listing.contains(&(object.namespace().to_owned(), object.name().to_owned()));
    let gone: Vec<_> = objects.within(namespace).filter(|object| !is_listed(object)).cloned().collect();
    for object in &gone {
        objects.remove(object.namespace(), object.name());
    }
    gone.into_iter().map(|object| Touched { object, deleted: true }).collect()
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
