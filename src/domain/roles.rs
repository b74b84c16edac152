//! Which roles a resource requests, and whether one user can have them.

use std::collections::BTreeSet;

use crate::domain::blocker::Blocker;
use crate::domain::reason::Reason;
use crate::domain::user::{Role, RoleKind};

/// Roles by name: their order does not matter, and none is there twice.
pub type RoleSet = BTreeSet<String>;

/// The names as a set.
#[must_use]
pub fn set(names: &[String]) -> RoleSet {
    names.iter().cloned().collect()
}

/// The roles that were asked for when the user of a status was created; `None` if that is not known. `has` are those that the
/// status names of the user in the portal, `wanted` those of the spec. A status of an earlier release does not have `asked`.
/// `confirmed`: it reports the user in order, for an earlier spec, so the user has all roles that were asked for.
#[must_use]
pub fn asked(asked: &[String], has: &[String], wanted: &RoleSet, confirmed: bool) -> Option<RoleSet> {
    let (asked, has) = (set(asked), set(has));
    // Whatever was asked for, the user has exactly what the spec names.
    if has == *wanted {
        return Some(has);
    }
    match asked.is_empty() {
        false => Some(asked),
        // A role that it has and nobody asked for is no reason to replace it.
        true if wanted.is_subset(&has) => Some(wanted.clone()),
        true => Some(has).filter(|has| confirmed && !has.is_empty()),
    }
}

/// Roles that one user can have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Resolved {
    /// The portal's ids, in the order of the request.
    pub ids: Vec<String>,
    /// How the user is created.
    pub kind: RoleKind,
}

/// Finds the requested roles among those on offer.
///
/// # Errors
/// `RoleNotOffered`, `RoleProviderOnly` or `RolesMixed`, with the names that matter.
pub fn resolve(requested: &[String], offered: &[Role]) -> Result<Resolved, Blocker> {
    let find = |name: &String| offered.iter().find(|role| role.name == *name);
    let unknown: Vec<&str> =
        requested.iter().filter(|name| find(name).is_none()).map(String::as_str).collect();
    if !unknown.is_empty() {
        let mut names: Vec<&str> =
            offered.iter().filter(|r| !r.provider_only).map(|r| r.name.as_str()).collect();
        names.sort_unstable();
        return Err(Blocker::lasting(
            Reason::RoleNotOffered,
            format!(
                "The portal does not offer {} to this company. It offers: {}.",
                quoted(&unknown),
                names.join(", ")
            ),
        ));
    }
    let roles: Vec<&Role> = requested.iter().filter_map(find).collect();
    let provider_only: Vec<&str> =
        roles.iter().filter(|r| r.provider_only).map(|r| r.name.as_str()).collect();
    if !provider_only.is_empty() {
        return Err(Blocker::lasting(
            Reason::RoleProviderOnly,
            format!(
                "Only providers may use {}. The portal creates no user with it, or a user without it. Create the TechnicalUser \
                 with other roles.",
                quoted(&provider_only)
            ),
        ));
    }
    let of_kind = |kind| roles.iter().filter(|r| r.kind == kind).map(|r| r.name.as_str()).collect::<Vec<_>>();
    let (internal, external) = (of_kind(RoleKind::Internal), of_kind(RoleKind::External));
    let kind = match (internal.is_empty(), external.is_empty()) {
        (false, false) => {
            return Err(Blocker::lasting(
                Reason::RolesMixed,
                format!(
                    "The portal would create two users for these roles. Create two TechnicalUsers, one with {} and one with {}.",
                    quoted(&internal),
                    quoted(&external)
                ),
            ));
        }
        (true, false) => RoleKind::External,
        _ => RoleKind::Internal,
    };
    Ok(Resolved { ids: roles.iter().map(|r| r.id.clone()).collect(), kind })
}

/// The requested names that a user lacks.
#[must_use]
pub fn missing<'a>(requested: &'a [String], actual: &[String]) -> Vec<&'a str> {
    requested.iter().filter(|name| !actual.contains(name)).map(String::as_str).collect()
}

/// Names in quotation marks, with commas between.
#[must_use]
pub fn quoted(names: &[&str]) -> String {
    names.iter().map(|n| format!("\"{n}\"")).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::test_support::role;

    fn offered() -> Vec<Role> {
        vec![
            role("Identity Wallet Management", RoleKind::External, false),
            role("Dataspace Discovery", RoleKind::Internal, false),
            role("BPDM Pool Consumer", RoleKind::Internal, true),
        ]
    }

    #[test]
    fn what_was_asked_for_is_known_by_the_status() {
        let names = |text: &str| text.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
        for (about, asked_for, has, wanted, confirmed, known) in [
            ("as asked", "a b", "a b", "a b", false, Some("a b")),
            ("in another order", "b a a", "a b", "b a", false, Some("a b")),
            ("the portal gave fewer", "a b", "a", "a b", false, Some("a b")),
            ("the spec asks for what it gave", "a b", "a", "a", false, Some("a")),
            ("the spec was changed", "a b", "a b", "b c", false, Some("a b")),
            ("not recorded, the spec was not changed", "", "a", "a b", false, None),
            ("not recorded, the user had all", "", "a", "a b", true, Some("a")),
            ("not recorded, and it has more than the spec names", "", "a b c", "a b", true, Some("a b")),
            ("nothing is recorded", "", "", "a b", true, None),
        ] {
            let found = asked(&names(asked_for), &names(has), &set(&names(wanted)), confirmed);
            assert_eq!(found, known.map(|known| set(&names(known))), "{about}");
        }
    }

    fn resolved(names: &[&str]) -> Result<Resolved, Reason> {
        let names: Vec<String> = names.iter().map(ToString::to_string).collect();
        resolve(&names, &offered()).map_err(|b| b.reason)
    }

    #[test]
    fn roles_of_one_kind_need_one_user() {
        assert_eq!(resolved(&["Dataspace Discovery"]).unwrap().kind, RoleKind::Internal);
        assert_eq!(resolved(&["Identity Wallet Management"]).unwrap().kind, RoleKind::External);
    }

    #[test]
    fn what_the_portal_would_not_do_is_refused_before_the_request() {
        assert_eq!(resolved(&["dataspace discovery"]), Err(Reason::RoleNotOffered));
        assert_eq!(resolved(&["BPDM Pool Consumer"]), Err(Reason::RoleProviderOnly));
        assert_eq!(resolved(&["Dataspace Discovery", "Identity Wallet Management"]), Err(Reason::RolesMixed));
    }

    #[test]
    fn an_unknown_role_names_those_on_offer() {
        let blocker = resolve(&["Nope".into()], &offered()).unwrap_err();
        assert!(
            blocker.message.contains("Dataspace Discovery, Identity Wallet Management"),
            "{}",
            blocker.message
        );
    }
}
