//! An internal user, from its create to its deletion.

use technical_user_operator::domain::identity::NAME_LIMIT;
use technical_user_operator::domain::user::{RoleKind, UserDetails, UserKind, UserStatus};
use technical_user_operator::portal::{Lane, Portal, PortalError, Refusal};

use super::{World, create, details, internal_user, is_dead, is_gone, mark, owner, secret, wanted, works};

pub(super) async fn from_create_to_delete(world: &impl World) {
    let portal = world.portal();
    let portal = portal.as_ref();
    let made = internal_user(portal, 1).await;
    is_created(portal, &made).await;
    is_described(portal, &made).await;
    is_reset(portal, &made).await;
    is_deleted(portal, &made).await;
}

/// The answer to the create, the list and the details say the same.
async fn is_created(portal: &dyn Portal, made: &UserDetails) {
    assert_eq!((made.kind, made.status), (UserKind::Internal, UserStatus::Active));
    assert!(owner().is_name_of(1, &made.name), "a search does not find {}", made.name);
    let scan = portal.scan(Lane::Interactive).await.unwrap();
    assert!(scan.stable && scan.complete);
    let listed = scan.users.iter().find(|user| user.id == made.id).unwrap();
    assert_eq!((&listed.name, &listed.client_id), (&made.name, &made.client_id));
    assert_eq!((listed.kind, listed.status, listed.is_owner), (UserKind::Internal, UserStatus::Active, true));
    let client_id = made.client_id.as_ref().unwrap();
    let narrowed = portal.narrow(client_id, Lane::Interactive).await.unwrap();
    assert!(narrowed.users.iter().any(|user| user.id == made.id), "{narrowed:?}");

    let read = details(portal, &made.id).await;
    assert_eq!((&read.id, &read.name, &read.client_id), (&made.id, &made.name, &made.client_id));
    assert_eq!((read.kind, read.status), (UserKind::Internal, UserStatus::Active));
    assert_eq!((&read.roles, read.roles.len()), (&made.roles, 1));
    assert_eq!((&read.description, &read.mark), (&made.description, &made.mark));
    assert_eq!((read.roles_in_tokens, read.ownership), (made.roles_in_tokens, made.ownership));
    assert_eq!(read.description, mark(1).describe(Some("for a test")));
    assert_eq!(read.mark, Some(mark(1)));
    let (answered, shown) = (made.credential.as_ref().unwrap(), read.credential.as_ref().unwrap());
    assert_eq!((&answered.client_id, secret(answered)), (&shown.client_id, secret(shown)));
    assert_eq!((&shown.client_id, &shown.token_url), (client_id, &answered.token_url));
    works(portal, &read).await;
}

/// Name and description change, and nothing else does.
async fn is_described(portal: &dyn Portal, made: &UserDetails) {
    let before = details(portal, &made.id).await;
    let name = owner().user_name(1, Some("other"));
    let retained = technical_user_operator::domain::identity::Mark { retained: true, ..mark(1) };
    portal.update(&made.id, &name, &retained.describe(None)).await.unwrap();
    let after = details(portal, &made.id).await;
    assert_eq!((&after.name, after.mark), (&name, Some(retained)));
    assert_eq!((after.client_id, after.roles), (before.client_id, before.roles));
    assert_eq!(secret(&after.credential.unwrap()), secret(&before.credential.unwrap()));
    // A user without a mark belongs to no resource.
    portal.update(&made.id, &name, "written by a person").await.unwrap();
    assert_eq!(details(portal, &made.id).await.mark, None);
}

/// The old secret is refused at once, and the details show the new one.
async fn is_reset(portal: &dyn Portal, made: &UserDetails) {
    let old = details(portal, &made.id).await.credential.unwrap();
    portal.reset(&made.id).await.unwrap();
    is_dead(portal, &old).await;
    let read = details(portal, &made.id).await;
    let new = read.credential.as_ref().unwrap();
    assert_ne!(secret(new), secret(&old));
    assert_eq!(new.client_id, old.client_id);
    works(portal, &read).await;
}

/// The user and its credential are gone, and a second deletion says so.
async fn is_deleted(portal: &dyn Portal, made: &UserDetails) {
    let credential = details(portal, &made.id).await.credential.unwrap();
    portal.delete(&made.id).await.unwrap();
    is_gone(portal, &made.id).await;
    is_dead(portal, &credential).await;
    let scan = portal.scan(Lane::Interactive).await.unwrap();
    assert!(scan.complete);
    let listed = scan.users.iter().find(|user| user.id == made.id).map(|user| user.status);
    assert!(matches!(listed, None | Some(UserStatus::Inactive | UserStatus::Deleted)), "{listed:?}");
    let again = portal.delete(&made.id).await.unwrap_err();
    let says_so =
        matches!(again, PortalError::NotFound | PortalError::Refused { refusal: Refusal::NotActive, .. });
    assert!(says_so, "{again:?}");
    is_gone(portal, &made.id).await;
}

/// The longest name that the operator gives to a user is kept.
pub(super) async fn a_name_of_the_greatest_length(world: &impl World) {
    let portal = world.portal();
    let name = owner().user_name(2, Some(&"x".repeat(NAME_LIMIT)));
    assert_eq!(name.len(), NAME_LIMIT);
    let mut user = wanted(portal.as_ref(), RoleKind::Internal, 2).await.unwrap();
    user.name.clone_from(&name);
    let made = create(portal.as_ref(), user).await.unwrap();
    assert_eq!(details(portal.as_ref(), &made[0].id).await.name, name);
}
