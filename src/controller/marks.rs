//! Whose a Secret is, by the annotation that we write on it.
//!
//! A published Secret bears `<instance>/<namespace>/<name>` of its `TechnicalUser`, the session of a person's login
//! `portal/<instance>/<namespace>/<name>` of its Portal: a `TechnicalUser` named as the Portal has another mark. Up to
//! 0.1 a session bore the first form too; such a Secret is recognised by its ownerReference, and gets the new mark with the next
//! write.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use kube::Resource as _;

use crate::api::{GROUP, Portal, keys};
use crate::domain::identity::Owner;
use crate::domain::text::printable;

/// What the mark of a Portal's session begins with.
const SESSION: &str = "portal/";

/// Longer than any mark.
const LONGEST: usize = 400;

/// The mark of the session of a Portal.
#[must_use]
pub fn of_session(portal: &Owner) -> String {
    format!("{SESSION}{portal}")
}

/// Whether a Secret was published for this `TechnicalUser`.
#[must_use]
pub fn is_published_for(secret: &ObjectMeta, owner: &Owner) -> bool {
    mark(secret) == Some(&owner.to_string()) && !belongs_to_a_portal(secret)
}

/// Whether a Secret is the session of this Portal.
#[must_use]
pub fn is_session_of(secret: &ObjectMeta, portal: &Owner) -> bool {
    mark(secret) == Some(&of_session(portal))
        || (bears_former_mark(secret, portal) && belongs_to_a_portal(secret))
}

/// Whether a Secret bears the mark that the session of this Portal had up to 0.1.
#[must_use]
pub fn bears_former_mark(secret: &ObjectMeta, portal: &Owner) -> bool {
    mark(secret) == Some(&portal.to_string())
}

/// Whose a Secret is, in words.
#[must_use]
pub fn words(secret: &ObjectMeta) -> String {
    let Some(mark) = mark(secret) else { return "another client".to_owned() };
    // A client that may write the Secret may write anything there.
    let mark = printable(mark, LONGEST);
    match mark.strip_prefix(SESSION) {
        Some(portal) => format!("the Portal {portal}"),
        None if belongs_to_a_portal(secret) => format!("the Portal {mark}"),
        None => format!("the TechnicalUser {mark}"),
    }
}

fn mark(secret: &ObjectMeta) -> Option<&String> {
    secret.annotations.as_ref()?.get(keys::OWNER)
}

fn belongs_to_a_portal(secret: &ObjectMeta) -> bool {
    let (kind, group) = (Portal::kind(&()), format!("{GROUP}/"));
    secret.owner_references.iter().flatten().any(|owner| {
        owner.kind == kind && owner.api_version.starts_with(&group) && owner.controller == Some(true)
    })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use k8s_openapi::apimachinery::pkg::apis::meta::v1::OwnerReference;

    use super::*;

    /// A Portal and a `TechnicalUser` of one name.
    fn named_alike() -> Owner {
        Owner { instance: "prod".into(), namespace: "dataspace".into(), name: "catena-x".into() }
    }

    fn secret(mark: &str, kind: Option<&str>) -> ObjectMeta {
        let owner = |kind: &str| OwnerReference {
            api_version: format!("{GROUP}/v1alpha1"),
            kind: kind.to_owned(),
            name: "catena-x".to_owned(),
            controller: Some(true),
            ..OwnerReference::default()
        };
        ObjectMeta {
            annotations: Some(BTreeMap::from([(keys::OWNER.to_owned(), mark.to_owned())])),
            owner_references: kind.map(|kind| vec![owner(kind)]),
            ..ObjectMeta::default()
        }
    }

    #[test]
    fn a_technical_user_named_as_the_portal_and_its_session_are_distinct() {
        let owner = named_alike();
        for kind in [None, Some("Portal"), Some("TechnicalUser")] {
            let session = secret(&of_session(&owner), kind);
            assert!(is_session_of(&session, &owner) && !is_published_for(&session, &owner), "{kind:?}");
            assert_eq!(words(&session), "the Portal prod/dataspace/catena-x");
        }
        let published = secret(&owner.to_string(), Some("TechnicalUser"));
        assert!(is_published_for(&published, &owner) && !is_session_of(&published, &owner));
        assert_eq!(words(&published), "the TechnicalUser prod/dataspace/catena-x");
        assert_eq!(Owner::parse(&of_session(&owner)), None, "no mark of a TechnicalUser has this form");
    }

    #[test]
    fn a_session_of_an_earlier_release_is_the_portals() {
        let owner = named_alike();
        let session = secret(&owner.to_string(), Some("Portal"));
        assert!(is_session_of(&session, &owner) && !is_published_for(&session, &owner));
        assert_eq!(words(&session), "the Portal prod/dataspace/catena-x");
        let other = Owner { name: "other".into(), ..named_alike() };
        assert!(
            !is_session_of(&session, &other) && !is_session_of(&secret(&of_session(&owner), None), &other)
        );
    }

    #[test]
    fn a_secret_whose_ownerreference_was_removed_is_its_technical_users() {
        let owner = named_alike();
        let restored = secret(&owner.to_string(), None);
        assert!(is_published_for(&restored, &owner) && !is_session_of(&restored, &owner));
        assert_eq!(words(&ObjectMeta::default()), "another client");
        assert!(words(&secret(&"\u{1b}x".repeat(100_000), None)).chars().count() < 500);
    }
}
