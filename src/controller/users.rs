//! The `TechnicalUser`s as the watch last showed them.

use std::sync::Arc;

use parking_lot::Mutex;

use crate::controller::objects::Key;
use crate::controller::portal::portal_of;
use crate::controller::technical_user::memory::places::PlaceNeed;
use crate::k8s::stored::{PackedObject, Packer, StoredObject};
use crate::k8s::watch::Entry;

/// A `TechnicalUser` in the cache: there may be many, so it is packed.
#[derive(Debug)]
pub struct CachedUser {
    object: PackedObject,
    /// The Portal that it uses. Known without opening it, as each Portal looks for its users.
    portal: Option<Arc<Key>>,
    /// What it says of the places for its Secrets.
    need: PlaceNeed,
}

impl CachedUser {
    /// The object.
    #[must_use]
    pub fn open(&self) -> StoredObject {
        self.object.open()
    }

    /// Its key.
    #[must_use]
    pub fn key(&self) -> Key {
        Key { namespace: self.namespace().to_owned(), name: self.name().to_owned() }
    }

    /// The Portal that it uses, as [`portal_of`] says.
    #[must_use]
    pub fn portal(&self) -> Option<&Key> {
        self.portal.as_deref()
    }

    /// What it says of the places for its Secrets.
    #[must_use]
    pub fn need(&self) -> PlaceNeed {
        self.need
    }
}

impl Entry for CachedUser {
    fn namespace(&self) -> &str {
        self.object.namespace()
    }

    fn name(&self) -> &str {
        self.object.name()
    }
}

/// Makes of each `TechnicalUser` what the cache keeps of it. Most use the same Portal as the one before, and share its key.
#[derive(Debug, Clone, Default)]
pub struct Keep {
    packer: Packer,
    last: Arc<Mutex<Option<Arc<Key>>>>,
}

impl Keep {
    /// What is kept of an object.
    #[must_use]
    pub fn keep(&self, object: &StoredObject) -> CachedUser {
        let portal = portal_of(object).map(|key| self.shared(key));
        CachedUser { object: self.packer.pack(object), portal, need: PlaceNeed::of(object) }
    }

    fn shared(&self, key: Key) -> Arc<Key> {
        let mut last = self.last.lock();
        match &*last {
            Some(known) if **known == key => Arc::clone(known),
            _ => Arc::clone(last.insert(Arc::new(key))),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::controller::test_support::apiserver::technical_user;

    #[test]
    fn a_cached_user_knows_its_portal_and_opens_to_the_same_object() {
        let keep = Keep::default();
        let kept = |name: &str, portal: &str| {
            let more = json!({
                "metadata": {"annotations": {"a": "\"b\" c"}}, "spec": {"portalRef": {"name": portal}, "newer": [1.5, null]},
            });
            keep.keep(&serde_json::from_value(technical_user(name, &more)).unwrap())
        };
        let (first, second, third) = (kept("a", "p"), kept("b", "p"), kept("c", "q"));
        assert_eq!(first.portal().unwrap().to_string(), "connector/p");
        assert!(std::ptr::eq(first.portal().unwrap(), second.portal().unwrap()), "one key for both");
        assert_eq!(third.portal().unwrap().to_string(), "connector/q");
        let object = first.open();
        assert_eq!((Key::of(&object), first.key().to_string()), (first.key(), "connector/a".to_owned()));
        assert_eq!(object.metadata.annotations.as_ref().unwrap()["a"], "\"b\" c");
        assert_eq!(object.value("spec"), json!({"portalRef": {"name": "p"}, "newer": [1.5, null]}));
        assert_eq!(object.text("status"), None);
    }
}
