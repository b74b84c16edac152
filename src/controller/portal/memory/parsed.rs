//! What the objects of the Portals say.

use std::collections::BTreeMap;
use std::sync::Arc;

use parking_lot::Mutex;

use crate::api::portal::{PortalSpec, PortalStatus};
use crate::controller::objects::{Key, lenient, part};
use crate::k8s::stored::StoredObject;

/// What a Portal's object says, parsed once for all resources that use it.
#[derive(Debug)]
pub struct Parsed {
    resource_version: Option<String>,
    uid: Option<String>,
    /// The spec; absent where it does not parse.
    pub spec: Option<PortalSpec>,
    /// The status, with what does not parse left out.
    pub status: PortalStatus,
}

/// The objects as they were parsed last.
#[derive(Debug, Default)]
pub struct ParsedPortals(Mutex<BTreeMap<Key, Arc<Parsed>>>);

impl ParsedPortals {
    /// What a Portal's object says.
    #[must_use]
    pub fn get(&self, key: &Key, object: &StoredObject) -> Arc<Parsed> {
        let metadata = &object.metadata;
        let is_this = |parsed: &&Arc<Parsed>| {
            parsed.resource_version.is_some()
                && (&parsed.resource_version, &parsed.uid) == (&metadata.resource_version, &metadata.uid)
        };
        let mut all = self.0.lock();
        if let Some(parsed) = all.get(key).filter(is_this) {
            return Arc::clone(parsed);
        }
        let parsed = Arc::new(Parsed {
            resource_version: metadata.resource_version.clone(),
            uid: metadata.uid.clone(),
            spec: part(object, "spec").ok(),
            status: lenient(object, "status"),
        });
        all.insert(key.clone(), Arc::clone(&parsed));
        parsed
    }

    /// Forgets a Portal that is gone.
    pub fn forget(&self, key: &Key) {
        self.0.lock().remove(key);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_portal_is_parsed_once_for_each_state_of_it() {
        let (memory, key) = (ParsedPortals::default(), Key { namespace: "n".into(), name: "p".into() });
        let object = |version: &str, interval: &str| -> StoredObject {
            serde_json::from_value(serde_json::json!({
                "apiVersion": "technicaluser.dev/v1alpha1", "kind": "Portal",
                "metadata": {"name": "p", "namespace": "n", "uid": "1", "resourceVersion": version},
                "spec": {"suspend": interval == "yes"}, "status": {"version": version},
            }))
            .unwrap()
        };
        let first = memory.get(&key, &object("1", "no"));
        assert!(Arc::ptr_eq(&first, &memory.get(&key, &object("1", "no"))));
        assert_eq!(first.spec.as_ref().unwrap().suspend, Some(false));
        let second = memory.get(&key, &object("2", "yes"));
        assert_eq!(second.spec.as_ref().unwrap().suspend, Some(true));
        assert_eq!(second.status.version.as_deref(), Some("2"));
        memory.forget(&key);
        assert!(!Arc::ptr_eq(&second, &memory.get(&key, &object("2", "yes"))));
    }
}
