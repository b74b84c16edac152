//! The objects of a kind as its watch last showed them.

use std::sync::Arc;

use kube::Resource;
use parking_lot::RwLock;
use tokio_util::sync::CancellationToken;

/// What a cache keeps of an object.
pub trait Entry: Send + Sync + 'static {
    /// Its namespace; empty for a kind without namespaces.
    fn namespace(&self) -> &str;

    /// Its name.
    fn name(&self) -> &str;
}

/// An object may be kept as it is.
impl<K: Resource + Send + Sync + 'static> Entry for K {
    fn namespace(&self) -> &str {
        self.meta().namespace.as_deref().unwrap_or_default()
    }

    fn name(&self) -> &str {
        self.meta().name.as_deref().unwrap_or_default()
    }
}

/// The objects of a kind, in the order of namespace and name. Cheap to clone.
pub struct Cache<E>(Arc<Shared<E>>);

struct Shared<E> {
    objects: RwLock<Sorted<E>>,
    filled: CancellationToken,
}

impl<E> Clone for Cache<E> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

/// Nothing was listed yet.
impl<E> Default for Cache<E> {
    fn default() -> Self {
        Self(Arc::new(Shared { objects: RwLock::default(), filled: CancellationToken::new() }))
    }
}

impl<E: Entry> Cache<E> {
    /// A cache that shows these objects, and changes no more.
    #[must_use]
    pub fn of(objects: impl IntoIterator<Item = E>) -> Self {
        let mut sorted = Sorted::default();
        for object in objects {
            sorted.put(Arc::new(object));
        }
        let cache = Self::default();
        cache.fill(sorted);
        cache
    }

    /// An object.
    #[must_use]
    pub fn get(&self, namespace: &str, name: &str) -> Option<Arc<E>> {
        self.0.objects.read().get(namespace, name).cloned()
    }

    /// Whether there is an object of this name.
    #[must_use]
    pub fn has(&self, namespace: &str, name: &str) -> bool {
        self.0.objects.read().get(namespace, name).is_some()
    }

    /// All objects, in the order of namespace and name.
    #[must_use]
    pub fn all(&self) -> Vec<Arc<E>> {
        self.0.objects.read().0.clone()
    }

    /// Waits until everything that may be listed was listed once.
    pub async fn filled(&self) {
        self.0.filled.cancelled().await;
    }

    /// Everything was listed once.
    pub(super) fn fill(&self, objects: Sorted<E>) {
        *self.0.objects.write() = objects;
        self.0.filled.cancel();
    }

    /// Changes the objects.
    pub(super) fn change<T>(&self, change: impl FnOnce(&mut Sorted<E>) -> T) -> T {
        change(&mut self.0.objects.write())
    }
}

/// Objects in the order of namespace and name. Nothing is kept of an object besides itself: no key, no node of a tree.
pub(super) struct Sorted<E>(Vec<Arc<E>>);

impl<E> Default for Sorted<E> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<E: Entry> Sorted<E> {
    /// Where an object is, or where it would be.
    fn place(&self, namespace: &str, name: &str) -> Result<usize, usize> {
        self.0.binary_search_by(|object| (object.namespace(), object.name()).cmp(&(namespace, name)))
    }

    fn get(&self, namespace: &str, name: &str) -> Option<&Arc<E>> {
        self.0.get(self.place(namespace, name).ok()?)
    }

    /// Adds an object, or replaces it.
    pub(super) fn put(&mut self, object: Arc<E>) {
        match self.place(object.namespace(), object.name()) {
            Ok(place) => self.0.iter_mut().skip(place).take(1).for_each(|old| *old = Arc::clone(&object)),
            Err(place) => self.0.insert(place, object),
        }
    }

    /// Removes an object.
    pub(super) fn remove(&mut self, namespace: &str, name: &str) -> Option<Arc<E>> {
        self.place(namespace, name).ok().map(|place| self.0.remove(place))
    }

    /// The objects of a namespace; all of them without one.
    pub(super) fn within(&self, namespace: Option<&str>) -> impl Iterator<Item = &Arc<E>> {
        self.0.iter().filter(move |object| namespace.is_none_or(|namespace| object.namespace() == namespace))
    }
}

#[cfg(test)]
mod tests {
    use k8s_openapi::api::core::v1::ConfigMap;
    use kube::core::ObjectMeta;

    use super::*;

    fn object(namespace: &str, name: &str) -> ConfigMap {
        let text = |text: &str| Some(text.to_owned()).filter(|text| !text.is_empty());
        let metadata = ObjectMeta { namespace: text(namespace), name: text(name), ..ObjectMeta::default() };
        ConfigMap { metadata, ..ConfigMap::default() }
    }

    fn names(objects: &[Arc<ConfigMap>]) -> Vec<String> {
        objects.iter().map(|object| format!("{}/{}", object.namespace(), object.name())).collect()
    }

    #[test]
    fn objects_are_in_the_order_of_namespace_and_name_and_each_is_there_once() {
        let given = [("b", "a"), ("a", "b"), ("a-b", "a"), ("a", "a"), ("", "z"), ("a", "b")];
        let cache = Cache::of(given.map(|(namespace, name)| object(namespace, name)));
        assert_eq!(names(&cache.all()), ["/z", "a/a", "a/b", "a-b/a", "b/a"]);
        assert!(cache.has("a", "b") && !cache.has("a", "c") && !cache.has("", "a"));
        let gone = cache.change(|objects| (objects.remove("a", "b"), objects.remove("a", "b")));
        assert!(gone.0.is_some() && gone.1.is_none());
        assert_eq!(
            cache.change(|objects| names(&objects.within(Some("a")).cloned().collect::<Vec<_>>())),
            ["a/a"]
        );
        assert_eq!(cache.change(|objects| objects.within(None).count()), 4);
    }

    #[test]
    fn an_object_that_changes_is_replaced() {
        let cache = Cache::of([object("a", "a")]);
        let new = ConfigMap { immutable: Some(true), ..object("a", "a") };
        cache.change(|objects| objects.put(Arc::new(new)));
        assert_eq!(cache.get("a", "a").unwrap().immutable, Some(true));
        assert_eq!(cache.all().len(), 1);
    }
}
