//! An external user, where the portal offers a role for one.

use technical_user_operator::domain::user::{RoleKind, UserDetails, UserKind, UserStatus};
use technical_user_operator::portal::{Lane, Portal, PortalError};

use super::{World, create, details, is_dead, mark, owner, wanted, works};

pub(super) async fn from_create_to_delete(world: &impl World) {
    let portal = world.portal();
    let portal = portal.as_ref();
    let Some(user) = wanted(portal, RoleKind::External, 1).await else { return };
    let made = create(portal, user).await.unwrap();
    let [made] = made.as_slice() else { panic!("{made:?}") };
    is_pending(portal, made).await;
    let is_listed_as_pending = async || {
        let scan = portal.pending(Lane::Interactive).await.unwrap();
        assert!(scan.users.iter().all(|user| user.status == UserStatus::Pending), "{scan:?}");
        scan.users.iter().any(|user| user.id == made.id)
    };
    assert!(is_listed_as_pending().await);
    world.finish_external().await;
    let read = details(portal, &made.id).await;
    assert_eq!((read.kind, read.status), (UserKind::External, UserStatus::Active));
    assert!(!is_listed_as_pending().await);
    works(portal, &read).await;
    // Its secret cannot be reset, and stays as it is.
    portal.reset(&made.id).await.unwrap_err();
    works(portal, &details(portal, &made.id).await).await;
    is_deleted(world, made).await;
}

/// Without a credential, in the answer to the create as in the details.
async fn is_pending(portal: &dyn Portal, made: &UserDetails) {
    assert_eq!((made.kind, made.status), (UserKind::External, UserStatus::Pending));
    assert!(owner().is_name_of(1, &made.name), "a search does not find {}", made.name);
    assert!(made.client_id.is_none() && made.credential.is_none());
    let read = details(portal, &made.id).await;
    assert_eq!(
        (read.kind, read.status, &read.mark),
        (UserKind::External, UserStatus::Pending, &Some(mark(1)))
    );
    assert!(read.client_id.is_none() && read.credential.is_none());
    assert_eq!((&read.name, &read.description, &read.mark), (&made.name, &made.description, &made.mark));
    assert_eq!((&read.roles, read.ownership), (&made.roles, made.ownership));
    let scan = portal.scan(Lane::Interactive).await.unwrap();
    let listed = scan.users.iter().find(|user| user.id == made.id).unwrap();
    assert_eq!(
        (listed.kind, listed.status, &listed.name),
        (UserKind::External, UserStatus::Pending, &made.name)
    );
    portal.reset(&made.id).await.unwrap_err();
}

/// As the capabilities say.
async fn is_deleted(world: &impl World, made: &UserDetails) {
    let portal = world.portal();
    let credential = details(portal.as_ref(), &made.id).await.credential.unwrap();
    let deleted = portal.delete(&made.id).await;
    if !portal.capabilities().await.unwrap().deletes_external {
        assert_eq!(deleted, Err(PortalError::ClientMissing));
        return;
    }
    deleted.unwrap();
    world.finish_external().await;
    let scan = portal.scan(Lane::Interactive).await.unwrap();
    let listed = scan.users.iter().find(|user| user.id == made.id).map(|user| user.status);
    assert!(
        matches!(
            listed,
            None | Some(UserStatus::PendingDeletion | UserStatus::Deleted | UserStatus::Inactive)
        ),
        "{listed:?}"
    );
    is_dead(portal.as_ref(), &credential).await;
}
