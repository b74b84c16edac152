use futures::channel::mpsc::{UnboundedReceiver, UnboundedSender, unbounded};
use futures::stream::BoxStream;
use futures::{FutureExt, StreamExt, stream};
use k8s_openapi::api::core::v1::ConfigMap;
use kube::ResourceExt as _;
use kube::core::{DynamicObject, Status};
use kube::discovery::ApiResource;
use kube::runtime::watcher::Error;

use super::*;

mod silence;

type Item = watcher::Result<Event<ConfigMap>>;

fn object(namespace: &str, name: &str, version: &str) -> ConfigMap {
    let mut object = ConfigMap::default();
    object.metadata.namespace = Some(namespace.into());
    object.metadata.name = Some(name.into());
    object.metadata.resource_version = Some(version.into());
    object
}

fn refused(code: u16) -> Item {
    let status = Status { code, message: "no".into(), ..Status::default() };
    Err(Error::InitialListFailed(kube::Error::Api(Box::new(status))))
}

/// A complete list.
fn list(objects: impl IntoIterator<Item = ConfigMap>) -> Vec<Item> {
    let applied = objects.into_iter().map(|o| Ok(Event::InitApply(o)));
    std::iter::once(Ok(Event::Init)).chain(applied).chain([Ok(Event::InitDone)]).collect()
}

/// Two namespaces, `a` and `b`, whose watches are scripted.
struct World {
    a: UnboundedSender<Item>,
    b: UnboundedSender<Item>,
    cache: Cache<ConfigMap>,
    touched: BoxStream<'static, Touched<ConfigMap>>,
    refusals: Refusals,
}

fn place(namespace: &str) -> WatchedKind {
    WatchedKind { namespace: Some(namespace.into()), resource: "configmaps".into() }
}

impl World {
    fn new() -> Self {
        let ((a, from_a), (b, from_b)) = (unbounded(), unbounded());
        let scope =
            |name: &str, from: UnboundedReceiver<Item>| Scope { place: place(name), events: from.boxed() };
        let refusals = Refusals::default();
        let (cache, touched) = merge(vec![scope("a", from_a), scope("b", from_b)], &refusals);
        Self { a, b, cache, touched: touched.boxed(), refusals }
    }

    /// The changes that follow from `items`, as `+name` and `-name`, sorted.
    fn after(&mut self, to: &UnboundedSender<Item>, items: Vec<Item>) -> Vec<String> {
        for item in items {
            to.unbounded_send(item).unwrap();
        }
        let mut seen = Vec::new();
        while let Some(Some(touched)) = self.touched.next().now_or_never() {
            seen.push(format!("{}{}", if touched.deleted { '-' } else { '+' }, touched.object.name()));
        }
        seen.sort();
        seen
    }

    fn a(&mut self, items: Vec<Item>) -> Vec<String> {
        self.after(&self.a.clone(), items)
    }

    fn b(&mut self, items: Vec<Item>) -> Vec<String> {
        self.after(&self.b.clone(), items)
    }

    fn ready(&self) -> bool {
        self.cache.filled().now_or_never().is_some()
    }

    fn cached(&self) -> Vec<String> {
        let mut names: Vec<_> = self.cache.all().iter().map(|o| o.name_any()).collect();
        names.sort();
        names
    }
}

#[test]
fn nothing_is_reported_before_every_namespace_was_listed_once() {
    let mut world = World::new();
    assert!(world.a(list([object("a", "a1", "1"), object("a", "a2", "1")])).is_empty());
    assert!(world.a(vec![Ok(Event::Delete(object("a", "a2", "2")))]).is_empty());
    assert!(world.a(vec![Ok(Event::Apply(object("a", "a3", "3")))]).is_empty());
    assert!(!world.ready() && world.cached().is_empty());
    assert_eq!(world.b(list([object("b", "b1", "1")])), ["+a1", "+a3", "+b1"]);
    assert!(world.ready());
    assert_eq!(world.cached(), ["a1", "a3", "b1"]);
}

#[test]
fn a_relist_is_reported_as_changes_and_does_not_change_other_namespaces() {
    let mut world = World::new();
    world.a(list([object("a", "a1", "1"), object("a", "a2", "1")]));
    world.b(list([object("b", "a1", "1")]));
    let seen = world.a(list([object("a", "a2", "5"), object("a", "a3", "6")]));
    assert_eq!(seen, ["+a2", "+a3", "-a1"]);
    assert_eq!(world.cached(), ["a1", "a2", "a3"], "a1 of the namespace b is kept");
    assert_eq!(world.a(list([])), ["-a2", "-a3"]);
    assert_eq!(world.cached(), ["a1"]);
}

#[test]
fn a_relist_that_breaks_off_removes_nothing() {
    let mut world = World::new();
    world.a(list([object("a", "a1", "1"), object("a", "a2", "1")]));
    world.b(list([]));
    let broken = vec![Ok(Event::Init), Ok(Event::InitApply(object("a", "a3", "2"))), refused(500)];
    assert_eq!(world.a(broken), ["+a3"]);
    assert_eq!(world.cached(), ["a1", "a2", "a3"]);
    assert_eq!(world.a(list([object("a", "a1", "1")])), ["+a1", "-a2", "-a3"]);
}

#[test]
fn changes_and_deletions_pass_with_the_object() {
    let mut world = World::new();
    world.a(list([object("a", "a1", "1")]));
    world.b(list([]));
    assert_eq!(world.a(vec![Ok(Event::Apply(object("a", "a1", "2")))]), ["+a1"]);
    assert_eq!(world.cache.all()[0].resource_version().as_deref(), Some("2"));
    world.a.unbounded_send(Ok(Event::Delete(object("a", "a1", "3")))).unwrap();
    let gone = world.touched.next().now_or_never().flatten().unwrap();
    assert!(gone.deleted && world.cached().is_empty());
    assert_eq!(gone.object.resource_version().as_deref(), Some("3"));
}

#[test]
fn a_refused_namespace_is_left_out_until_it_can_be_watched() {
    let mut world = World::new();
    world.a(vec![Ok(Event::Init), refused(403)]);
    assert_eq!(world.b(list([object("b", "b1", "1")])), ["+b1"]);
    assert!(world.ready());
    assert!(world.refusals.hide("configmaps", "a") && !world.refusals.hide("configmaps", "b"));
    assert!(world.a(vec![Ok(Event::Init), refused(403)]).is_empty());
    assert_eq!(world.a(list([object("a", "a1", "1")])), ["+a1"]);
    assert!(!world.refusals.hide("configmaps", "a"));
    assert_eq!(world.cached(), ["a1", "b1"]);
}

#[test]
fn what_was_seen_before_a_refusal_is_kept_until_the_next_list() {
    let mut world = World::new();
    world.a(list([object("a", "a1", "1"), object("a", "a2", "1")]));
    world.b(list([]));
    assert!(world.a(vec![refused(403)]).is_empty());
    assert!(world.refusals.hide("configmaps", "a"));
    assert_eq!(world.cached(), ["a1", "a2"]);
    assert_eq!(world.a(list([object("a", "a2", "1")])), ["+a2", "-a1"]);
    assert!(!world.refusals.hide("configmaps", "a"));
}

#[test]
fn a_watch_that_was_refused_begins_again_with_a_list() {
    use std::sync::atomic::{AtomicUsize, Ordering};
    let times = Arc::new(AtomicUsize::new(0));
    let count = times.clone();
    let begin = move || {
        let first = count.fetch_add(1, Ordering::SeqCst) == 0;
        let status = Status { code: if first { 403 } else { 500 }, ..Status::default() };
        let error = Err(Error::WatchStartFailed(kube::Error::Api(Box::new(status))));
        stream::iter(vec![Ok(Event::Init), Ok(Event::InitDone), error]).chain(stream::pending()).boxed()
    };
    let mut events = again_after_refusal::<ConfigMap>(begin).boxed();
    let mut seen = Vec::new();
    while let Some(Some(item)) = events.next().now_or_never() {
        seen.push(item.is_ok());
    }
    assert_eq!(seen, [true, true, false, true, true, false]);
    assert_eq!(times.load(Ordering::SeqCst), 2, "the watcher itself handles another error");
}

#[test]
fn an_unclear_error_holds_the_start_back() {
    let mut world = World::new();
    world.a(vec![Ok(Event::Init), refused(503)]);
    assert!(world.b(list([object("b", "b1", "1")])).is_empty());
    assert!(!world.ready());
    assert_eq!(world.a(list([])), ["+b1"]);
}

#[test]
fn nothing_is_ready_while_all_is_refused() {
    let mut world = World::new();
    world.a(vec![Ok(Event::Init), refused(404)]);
    world.b(vec![Ok(Event::Init), refused(404)]);
    assert!(!world.ready());
    world.b(list([]));
    assert!(world.ready());
}

#[test]
fn objects_without_a_type_are_cached_too() {
    let kind = ApiResource::erase::<ConfigMap>(&());
    let object = DynamicObject::new("x", &kind).within("a");
    let events: Vec<watcher::Result<_>> =
        vec![Ok(Event::Init), Ok(Event::InitApply(object)), Ok(Event::InitDone)];
    let scope = Scope { place: place("a"), events: stream::iter(events).chain(stream::pending()).boxed() };
    let (cache, touched) = merge(vec![scope], &Refusals::default());
    let first = touched.boxed().next().now_or_never().flatten().unwrap();
    assert_eq!((Entry::namespace(&*first.object), first.object.name()), ("a", "x"));
    assert_eq!(cache.all().len(), 1);
}

#[test]
fn lists_that_keep_failing_are_requested_more_and_more_slowly() {
    let mut backoff = WatchBackoff::new(Random::seeded(1));
    let waits: Vec<_> = std::iter::from_fn(|| {
        backoff.reset();
        backoff.next()
    })
    .take(8)
    .collect();
    assert!(waits.iter().all(|wait| *wait >= Duration::from_millis(800)));
    assert!(waits[7] >= Duration::from_secs(30) && waits[7] <= Duration::from_mins(1), "{waits:?}");
}
