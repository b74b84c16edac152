//! Which resource is about to write to a place in a Vault: of two that name one place at the same moment, the second one knows that
//! before the portal is asked for a user. A process remembers it; Vault decides who writes first.

use std::collections::BTreeMap;

use parking_lot::Mutex;

use crate::controller::context::Context;
use crate::controller::objects::{Key, is_deleting};
use crate::domain::vault::place::Server;

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

/// A Vault, by each name that is known of it: several Vault resources may lead to one server.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Site {
    Resource(Key),
    Server(String),
}

/// The places that resources are about to write to, by Vault and path.
#[derive(Default)]
pub struct Claims(Mutex<BTreeMap<(Site, String), Claimant>>);

impl Claims {
    /// Claims a place for a resource, in a Vault and on the server that it leads to. A claim ends with the resource, and with the
    /// spec that named the place.
    ///
    /// # Errors
    /// The resource that has the place.
    pub fn claim(
        &self,
        ctx: &Context,
        (vault, server): (&Key, Option<&Server>),
        place: &str,
        key: &Key,
    ) -> Result<(), Key> {
        let is_current = |claimant: &Claimant| Claimant::of(ctx, &claimant.key).as_ref() == Some(claimant);
        Claimant::of(ctx, key)
            .map_or(Ok(()), |claimant| self.put((vault, server), place, &claimant, is_current))
    }

    fn put(
        &self,
        (vault, server): (&Key, Option<&Server>),
        place: &str,
        claimant: &Claimant,
        is_current: impl Fn(&Claimant) -> bool,
    ) -> Result<(), Key> {
        let server = server.map(|server| Site::Server(server.as_str().to_owned()));
        let sites = [Site::Resource(vault.clone())].into_iter().chain(server);
        let places: Vec<_> = sites.map(|site| (site, place.to_owned())).collect();
        let mut claims = self.0.lock();
        claims.retain(|_, claimant| is_current(claimant));
        let holders = places.iter().filter_map(|place| claims.get(place));
        if let Some(other) = holders.map(|holder| &holder.key).find(|holder| **holder != claimant.key) {
            return Err(other.clone());
        }
        claims.extend(places.into_iter().map(|place| (place, claimant.clone())));
        Ok(())
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
            claims.put((&vault, None), place, &claimant(name, 1), |claimant| claimant.generation == current)
        };
        assert_eq!(put("one", "a", 1), Ok(()));
        assert_eq!(put("two", "a", 1), Err(key("one")));
        assert_eq!(put("two", "b", 1), Ok(()));
        assert_eq!(put("one", "a", 1), Ok(()), "a claim can be repeated");
        assert_eq!(put("two", "a", 2), Ok(()), "the spec of the first one is another");
    }
    #[test]
    fn a_place_is_claimed_in_the_vault_and_on_its_server() {
        let server = |id: &str| Some(Server::new(id, None));
        let claims = Claims::default();
        let put = |name: &str, vault: &str, server: Option<Server>| {
            claims.put((&key(vault), server.as_ref()), "a", &claimant(name, 1), |_| true)
        };
        assert_eq!(put("one", "vault", None), Ok(()));
        assert_eq!(put("two", "vault", server("s")), Err(key("one")), "the server was not known");
        assert_eq!(put("two", "other", server("s")), Ok(()), "nor is it known to be the same");
        assert_eq!(put("three", "third", server("s")), Err(key("two")));
        assert_eq!(put("three", "third", server("t")), Ok(()));
        assert_eq!(put("two", "other", server("s")), Ok(()), "a claim can be repeated");
    }
}
