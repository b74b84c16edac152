//! Whether too many users are missing from a portal's user list at once to believe it.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;

use super::{ListOrigin, is_pinned_to, users_of};
use crate::api::conditions::READY;
use crate::api::keys;
use crate::api::portal::PortalStatus;
use crate::controller::context::Context;
use crate::controller::objects::{Key, annotation, has_finalizer, is_deleting, lenient};
use crate::controller::portal::holders::{Access, expected_user};
use crate::controller::portal::inventory::Inventory;
use crate::domain::inventory::{Coverage, Snapshot, is_mass_disappearance};
use crate::domain::reason::Reason;
use crate::domain::user::UserId;
use crate::k8s::stored::StoredObject;

/// How many users that statuses name are missing from a list that showed all users; `None` below the number that is
/// suspicious.
#[must_use]
pub async fn suspected_mass_disappearance(
    ctx: &Context,
    key: &Key,
    portal: &StoredObject,
    origin: &ListOrigin,
    inventory: &Inventory,
) -> Option<usize> {
    // A list that moved while it was read shows neither who is missing nor who is back.
    if inventory.with(|list| list.coverage() == Coverage::Partial).unwrap_or(true) {
        return inventory.mass_disappearance();
    }
    // Anybody can name a Portal, and a user that is in no list: only resources in namespaces that the Portal serves count. The
    // worst that a forged status leads to there is a suspicion, which a person accepts.
    let mut access = Access::of(ctx, key, portal);
    let mut holders = Vec::new();
    for object in users_of(ctx, key).iter().map(|user| user.open()).filter(has_finalizer) {
        if is_pinned_to(&object, origin)
            && access.serves(&object).await
            && let Some(user) = expected_user(ctx, &object, inventory)
        {
            let misses = |list: &Snapshot| list.misses(&UserId::new(&user.id), &user.name);
            let missing = inventory.with(misses).unwrap_or(false);
            holders.push(Holder { deleting: is_deleting(&object), missing });
        }
    }
    let accepted =
        annotation(portal, keys::ACCEPT_LOSS).and_then(|count| count.trim().parse().ok()).unwrap_or(0);
    let suspected_before =
        inventory.mass_disappearance().is_some() || was_suspected(&lenient(portal, "status"));
    judge(&holders, suspected_before).filter(|missing| *missing > accepted)
}

/// A resource whose status names a user that the portal should have.
#[derive(Debug, Clone, Copy)]
struct Holder {
    deleting: bool,
    /// The list should show that user, and does not.
    missing: bool,
}

/// How many users are missing, where that is too many to believe.
fn judge(holders: &[Holder], suspected_before: bool) -> Option<usize> {
    // Once suspected, a mass disappearance is no smaller because some of the resources are deleted meanwhile, or this process restarted.
    if suspected_before {
        return Some(holders.iter().filter(|holder| holder.missing).count());
    }
    // The users of resources under deletion go by our own doing.
    let live = || holders.iter().filter(|holder| !holder.deleting);
    let missing = live().filter(|holder| holder.missing).count();
    is_mass_disappearance(live().count(), missing).then_some(missing)
}

/// Whether a status says that a mass disappearance is suspected. Releases before `missingUsers` had the reason of `Ready`
/// alone for it, which a failure or the deletion of the Portal replaces.
fn was_suspected(status: &PortalStatus) -> bool {
    let is_ready_reason = |condition: &Condition| {
        condition.type_ == READY && condition.reason == Reason::UsersVanished.as_str()
    };
    status.missing_users.is_some() || status.conditions.iter().any(is_ready_reason)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::api::FINALIZER;
    use crate::controller::technical_user::owner;
    use crate::controller::test_support::apiserver::{Apiserver, context, technical_user, watch_users};
    use crate::controller::test_support::inventory_with;
    use crate::domain::test_support::listed;

    fn holders(deleting: usize, live: usize) -> Vec<Holder> {
        let missing = |deleting| Holder { deleting, missing: true };
        [vec![missing(true); deleting], vec![missing(false); live]].concat()
    }

    #[tokio::test(start_paused = true)]
    async fn a_person_accepts_that_so_many_users_are_gone_and_no_more() {
        let mut ctx = context(Apiserver::default().client());
        let resource = |n: usize| {
            let name = format!("edc-{n}");
            let key = Key { namespace: "connector".into(), name: name.clone() };
            let user = owner(&ctx, &key).user_name(1, None);
            let status = json!({"user": {"id": format!("u{n}"), "generation": 1, "name": user}});
            let spec = json!({"portalRef": {"name": "portal"}});
            technical_user(
                &name,
                &json!({"metadata": {"finalizers": [FINALIZER]}, "spec": spec, "status": status}),
            )
        };
        let resources: Vec<_> = (0..6).map(resource).collect();
        let _woken = watch_users(&mut ctx, resources);
        let inventory = inventory_with(vec![listed("other", "made-by-hand")]).await;
        let origin = ListOrigin { url: "https://portal.example.org".into(), companies: Vec::new() };
        for (accepted, suspected) in
            [(json!({}), Some(6)), (json!("5"), Some(6)), (json!("6"), None), (json!("7"), None)]
        {
            let portal = json!({
                "apiVersion": "technicaluser.dev/v1alpha1", "kind": "Portal",
                "metadata": {"namespace": "connector", "name": "portal"}, "spec": {"catenaX": null},
            });
            let mut portal: StoredObject = serde_json::from_value(portal).unwrap();
            if let Some(count) = accepted.as_str() {
                portal.metadata.annotations = Some([(keys::ACCEPT_LOSS.to_owned(), count.to_owned())].into());
            }
            let found =
                suspected_mass_disappearance(&ctx, &Key::of(&portal), &portal, &origin, &inventory).await;
            assert_eq!(found, suspected, "{accepted} are accepted");
        }
    }

    #[test]
    fn a_suspicion_does_not_shrink_while_the_resources_are_deleted() {
        assert_eq!(judge(&holders(0, 5), false), Some(5));
        for deleting in 0..=5 {
            assert_eq!(judge(&holders(deleting, 5 - deleting), true), Some(5), "{deleting} are deleted");
        }
        assert_eq!(judge(&holders(5, 0), false), None, "without a suspicion they went by our own doing");
    }

    #[test]
    fn a_suspicion_outlives_the_reason_of_ready() {
        let with = |missing: Option<i64>, reason: &str| -> PortalStatus {
            let condition = serde_json::json!({"type": READY, "status": "False", "reason": reason, "message": "",
                "lastTransitionTime": "2026-11-26T00:00:00Z"});
            serde_json::from_value(serde_json::json!({"conditions": [condition], "missingUsers": missing}))
                .unwrap()
        };
        assert!(was_suspected(&with(Some(5), "UsersVanished")));
        assert!(was_suspected(&with(Some(5), "InUse")), "the Portal is under deletion");
        assert!(was_suspected(&with(Some(5), "PortalFailing")), "the portal fails");
        assert!(was_suspected(&with(None, "UsersVanished")), "written by an earlier release");
        assert!(!was_suspected(&with(None, "PortalFailing")));
    }
}
