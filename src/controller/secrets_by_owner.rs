//! Which Secrets say to be written for a `TechnicalUser`: an index of what the watch of Secrets reports.

use std::collections::BTreeMap;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use parking_lot::Mutex;

use crate::api::keys;
use crate::controller::objects::Key;
use crate::domain::identity::Owner;

/// The Secrets that say to be written for a resource of their namespace, and under which name they do.
#[derive(Debug, Default)]
pub struct SecretsByOwner(Mutex<Index>);

/// The name of a Secret, and its proof.
type Proved = (Box<str>, Box<str>);

#[derive(Debug, Default)]
struct Index {
    /// By the resource: the names of its Secrets in their order, most often one, each with its proof.
    proofs: BTreeMap<Key, Vec<Proved>>,
    /// By the Secret: the name of the resource of its namespace at which it is listed, where that is not its own name.
    owners: BTreeMap<Key, Box<str>>,
}

impl SecretsByOwner {
    /// The watch of an instance showed a Secret.
    pub fn saw(&self, secret: &ObjectMeta, instance: &str, deleted: bool) {
        let key = Key::of_metadata(secret);
        let listed = claim(secret, instance).filter(|_| !deleted);
        self.0.lock().list(key, listed);
    }

    /// The names of the Secrets that say to be written for a resource, each with its proof. Both can be written by others.
    #[must_use]
    pub fn of(&self, resource: &Key) -> Vec<(String, String)> {
        let index = self.0.lock();
        let found = index.proofs.get(resource).into_iter().flatten();
        found.map(|(name, proof)| (name.to_string(), proof.to_string())).collect()
    }
}

impl Index {
    fn list(&mut self, secret: Key, listed: Option<(Key, String)>) {
        let before = match self.owners.remove(&secret) {
            Some(name) => Key { namespace: secret.namespace.clone(), name: name.into() },
            None => secret.clone(),
        };
        if let Some(proofs) = self.proofs.get_mut(&before) {
            proofs.retain(|(name, _)| **name != *secret.name);
            if proofs.is_empty() {
                self.proofs.remove(&before);
            }
        }
        let Some((owner, proof)) = listed else { return };
        if owner != secret {
            self.owners.insert(secret.clone(), owner.name.as_str().into());
        }
        let proofs = self.proofs.entry(owner).or_insert_with(|| Vec::with_capacity(1));
        let place = proofs.partition_point(|(name, _)| **name < *secret.name);
        proofs.insert(place, (secret.name.into(), proof.into()));
    }
}

/// For which resource a Secret says to be written, and its proof.
fn claim(secret: &ObjectMeta, instance: &str) -> Option<(Key, String)> {
    let annotations = secret.annotations.as_ref()?;
    let owner = Owner::parse(annotations.get(keys::OWNER)?)?;
    let here = owner.instance == instance && secret.namespace.as_ref() == Some(&owner.namespace);
    let key = Key { namespace: owner.namespace, name: owner.name };
    here.then_some((key, annotations.get(keys::PROOF)?.clone()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(name: &str) -> Key {
        Key { namespace: "connector".into(), name: name.into() }
    }

    fn secret(name: &str, annotations: &[(&str, &str)]) -> ObjectMeta {
        let annotation = |(key, value): &(&str, &str)| ((*key).to_owned(), (*value).to_owned());
        ObjectMeta {
            namespace: Some("connector".into()),
            name: Some(name.into()),
            annotations: Some(annotations.iter().map(annotation).collect()),
            ..ObjectMeta::default()
        }
    }

    fn of(owner: &str) -> [(&str, &str); 2] {
        [(keys::OWNER, owner), (keys::PROOF, "p")]
    }

    #[test]
    fn secrets_are_found_by_their_owner_until_they_are_gone_or_another_s() {
        let index = SecretsByOwner::default();
        let names = |owner: &str| -> Vec<String> {
            index.of(&key(owner)).into_iter().map(|(name, _)| name).collect()
        };
        for name in ["b", "a"] {
            index.saw(&secret(name, &of("prod/connector/edc")), "prod", false);
        }
        assert_eq!(names("edc"), ["a", "b"]);
        assert_eq!(index.of(&key("edc"))[0].1, "p");
        index.saw(&secret("edc", &of("prod/connector/edc")), "prod", false);
        index.saw(&secret("edc", &of("prod/connector/edc")), "prod", false);
        assert_eq!(names("edc"), ["a", "b", "edc"], "one of the resource's own name, once");
        index.saw(&secret("edc", &of("prod/connector/edc")), "prod", true);
        index.saw(&secret("a", &of("prod/connector/other")), "prod", false);
        assert_eq!((names("edc"), names("other")), (vec!["b".to_owned()], vec!["a".to_owned()]));
        index.saw(&secret("b", &of("prod/connector/edc")), "prod", true);
        index.saw(&secret("a", &[]), "prod", false);
        assert!(names("edc").is_empty() && names("other").is_empty());
        assert!(index.0.lock().proofs.is_empty() && index.0.lock().owners.is_empty());
    }

    #[test]
    fn what_is_no_secret_of_a_resource_here_is_not_listed() {
        let index = SecretsByOwner::default();
        for annotations in [
            &of("other/connector/edc")[..],
            &of("prod/elsewhere/edc"),
            &of("portal/prod/connector/edc"),
            &[(keys::OWNER, "prod/connector/edc")],
            &[(keys::PROOF, "p")],
        ] {
            index.saw(&secret("a", annotations), "prod", false);
        }
        assert!(index.of(&key("edc")).is_empty());
    }
}
