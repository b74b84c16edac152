//! What a refused create depends on. The portal is not asked again before its time while this is the same.

use std::hash::{DefaultHasher, Hash, Hasher};

use crate::api::keys;
use crate::controller::objects::annotation;
use crate::domain::plan::PortalFacts;
use crate::k8s::stored::StoredObject;

/// The spec, the requests for a rotation, the Portal, its company, the permission of its login and the roles on offer, as a hash.
/// Equal ones mean that a refused create would be refused again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RefusalFingerprint(u64);

impl RefusalFingerprint {
    /// The fingerprint of what a create of this resource would be based on.
    #[must_use]
    pub fn of(object: &StoredObject, portal: Option<&StoredObject>, facts: Option<&PortalFacts>) -> Self {
        let mut hasher = DefaultHasher::new();
        object.metadata.generation.hash(&mut hasher);
        // A person who asks once more wants to know.
        for request in [keys::ROTATE, keys::COMPROMISED] {
            annotation(object, request).hash(&mut hasher);
        }
        portal.and_then(|portal| portal.metadata.generation).hash(&mut hasher);
        if let Some(facts) = facts {
            facts.may_create.hash(&mut hasher);
            (&facts.url, &facts.bpn).hash(&mut hasher);
            let mut roles: Vec<_> = facts.roles.iter().map(|role| (&role.name, role.provider_only)).collect();
            roles.sort();
            roles.hash(&mut hasher);
        }
        Self(hasher.finish())
    }
}

#[cfg(test)]
impl RefusalFingerprint {
    /// One for tests.
    #[must_use]
    pub fn test(number: u64) -> Self {
        Self(number)
    }
}
