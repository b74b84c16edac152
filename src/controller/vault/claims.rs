//! Which resource is about to write to a place in a Vault: of two that name one place at the same moment, the second one knows that
//! before the portal is asked for a user. A process remembers it; Vault decides who writes first.

use std::collections::BTreeMap;

use parking_lot::Mutex;

use crate::controller::context::Context;
use crate::controller::objects::{Key, is_deleting};

/// A resource with one spec.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claimant {
    key: Key,
    uid: String,
    generation: i64,
}

impl Claimant {
    /// The resource as the cache shows it; `None` if it is not there or under deletion.
    #[must_use]
    pub fn of(ctx: &Context, key: &Key) -> Option<Self> {
        let object = ctx.cached_user(key).filter(|object| !is_deleting(object))?;
        let metadata = &object.metadata;
        let (uid, generation) = (metadata.uid.clone()?, metadata.generation.unwrap_or_default());
        Some(Self { key: key.clone(), uid, generation })
    }
}

/// The places that resources are about to write to, by Vault and path.
#[derive(Default)]
pub struct Claims(Mutex<BTreeMap<(Key, String), Claimant>>);

impl Claims {
    /// Claims a place for a resource. A claim ends with the resource, and with the spec that named the place.
    ///
    /// # Errors
    /// The resource that has the place.
    pub fn claim(&self, ctx: &Context, vault: &Key, place: &str, key: &Key) -> Result<(), Key> {
        let is_current = |claimant: &Claimant| Claimant::of(ctx, &claimant.key).as_ref() == Some(claimant);
        Claimant::of(ctx, key).map_or(Ok(()), |claimant| self.put(vault, place, &claimant, is_current))
    }

    fn put(
        &self,
        vault: &Key,
        place: &str,
        claimant: &Claimant,
        is_current: impl Fn(&Claimant) -> bool,
    ) -> Result<(), Key> {
        let mut claims = self.0.lock();
        claims.retain(|_, claimant| is_current(claimant));
        let holder = claims.entry((vault.clone(), place.to_owned())).or_insert_with(|| claimant.clone());
        if holder.key == claimant.key { Ok(()) } else { Err(holder.key.clone()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(name: &str) -> Key {
        Key { namespace: "tenant".into(), name: name.into() }
    }

    fn claimant(name: &str, generation: i64) -> Claimant {
        Claimant { key: key(name), uid: "u".into(), generation }
    }

    #[test]
    fn a_place_has_one_resource_until_that_has_another_spec() {
        let (claims, vault) = (Claims::default(), key("vault"));
        let put = |name: &str, place: &str, current: i64| {
            claims.put(&vault, place, &claimant(name, 1), |claimant| claimant.generation == current)
        };
        assert_eq!(put("one", "a", 1), Ok(()));
        assert_eq!(put("two", "a", 1), Err(key("one")));
        assert_eq!(put("two", "b", 1), Ok(()));
        assert_eq!(put("one", "a", 1), Ok(()), "a claim can be repeated");
        assert_eq!(put("two", "a", 2), Ok(()), "the spec of the first one is another");
    }
}
