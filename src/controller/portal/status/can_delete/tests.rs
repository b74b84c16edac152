use serde_json::json;

use super::*;
use crate::domain::test_support::PERMISSION_NAMES;
use crate::portal::Permissions;

fn login(delete: bool, delete_client_id: Option<&str>, trouble: Option<&str>) -> Login {
    Login {
        companies: Vec::new(),
        client_id: None,
        delete_client_id: delete_client_id.map(str::to_owned),
        technical_roles: Vec::new(),
        permissions: Permissions { view: true, create: true, delete, roles: true, dataspace: false },
        deletion_trouble: trouble.map(str::to_owned),
    }
}

fn reported(can_delete: CanDelete, old: &PortalStatus) -> Option<(Option<bool>, &'static str, String)> {
    can_delete.wanted(old).map(|wanted| (wanted.status, wanted.reason, wanted.message))
}

fn before(status: &str, reason: &str) -> PortalStatus {
    let condition = json!({"type": CAN_DELETE, "status": status, "reason": reason, "message": "as it was",
        "lastTransitionTime": "2026-11-26T00:00:00Z"});
    serde_json::from_value(json!({ "conditions": [condition] })).unwrap()
}

#[test]
fn can_delete_names_the_permission_and_the_login() {
    let none = PortalStatus::default();
    let (status, reason, _) =
        reported(CanDelete::of(&login(true, None, None), &PERMISSION_NAMES), &none).unwrap();
    assert_eq!((status, reason), (Some(true), "MayDelete"));
    let (status, reason, words) =
        reported(CanDelete::of(&login(false, None, None), &PERMISSION_NAMES), &none).unwrap();
    assert_eq!((status, reason), (Some(false), "MayNotDelete"));
    assert!(
        words.starts_with("The login may not") && words.contains("delete-users is missing, which no"),
        "{words}"
    );
    let (_, _, words) =
        reported(CanDelete::of(&login(false, Some("sa9"), None), &PERMISSION_NAMES), &none).unwrap();
    assert!(words.starts_with("The deletion login"), "{words}");
    let names = PermissionNames { deletion_role: Some("cleaner"), ..PERMISSION_NAMES };
    let (_, _, words) = reported(CanDelete::of(&login(false, None, None), &names), &none).unwrap();
    assert!(words.ends_with("the login of a technical user with the role \"cleaner\"."), "{words}");
}

#[test]
fn trouble_of_the_deletion_login_is_not_a_missing_permission() {
    let trouble = login(true, Some("sa9"), Some("its token endpoint answered 503"));
    let (status, reason, words) =
        reported(CanDelete::of(&trouble, &PERMISSION_NAMES), &before("True", "MayDelete")).unwrap();
    assert_eq!((status, reason), (None, "DeletionLoginFailing"));
    assert!(words.contains("answered 503") && words.contains("deleteAuth"), "{words}");
}

#[test]
fn can_delete_follows_when_users_cannot_be_read_and_is_kept_during_an_outage() {
    let lost_view = Blocker::lasting(Reason::PermissionMissing, "view-users is missing");
    let (status, _, words) = reported(CanDelete::after(&lost_view), &before("True", "MayDelete")).unwrap();
    assert_eq!(status, Some(false));
    assert!(words.contains("view-users"), "{words}");
    let outage = Blocker::passing(Reason::Unreachable, "down");
    for (was, reason, status) in [
        ("True", "MayDelete", Some(true)),
        ("False", "MayNotDelete", Some(false)),
        ("Unknown", "DeletionLoginFailing", None),
    ] {
        let kept = reported(CanDelete::after(&outage), &before(was, reason)).unwrap();
        assert_eq!(kept, (status, reason, "as it was".to_owned()));
    }
    assert!(reported(CanDelete::after(&outage), &PortalStatus::default()).is_none());
}
