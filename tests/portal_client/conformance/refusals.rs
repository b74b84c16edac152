//! What a portal refuses, and how callers recognise it.

use technical_user_operator::domain::user::{RoleKind, UserId};
use technical_user_operator::portal::{CreateFailure, Effect, Lane, PortalError, Refusal};

use super::{World, create, details, internal_user, wanted, works};

/// An id that no user has.
const UNKNOWN: &str = "0b6c1f4e-2222-4444-8888-1234567890ab";

/// Unknown ids are not found, and what is no id reaches no other resource.
pub(super) async fn unknown_users(world: &impl World) {
    let portal = world.portal();
    let id = UserId::new(UNKNOWN);
    assert_eq!(portal.details(&id, Lane::Interactive).await.unwrap_err(), PortalError::NotFound);
    assert_eq!(portal.update(&id, "name", "description").await, Err(PortalError::NotFound));
    assert_eq!(portal.reset(&id).await, Err(PortalError::NotFound));
    assert_eq!(portal.delete(&id).await, Err(PortalError::NotFound));
    for text in ["", "..", "../connectors", "a/b", "a?b"] {
        let id = UserId::new(text);
        for error in [
            portal.details(&id, Lane::Interactive).await.map(drop).unwrap_err(),
            portal.update(&id, "name", "description").await.unwrap_err(),
            portal.reset(&id).await.unwrap_err(),
            portal.delete(&id).await.unwrap_err(),
        ] {
            assert!(is(Refusal::Request, &error), "{text:?}: {error:?}");
        }
    }
}

/// Nothing is created, and the class of the refusal says why.
pub(super) async fn a_role_that_is_not_offered(world: &impl World) {
    let portal = world.portal();
    let mut user = wanted(portal.as_ref(), RoleKind::Internal, 1).await.unwrap();
    user.role_ids = vec![UNKNOWN.to_owned()];
    let CreateFailure { error, effect } = create(portal.as_ref(), user).await.unwrap_err();
    assert!(is(Refusal::RoleNotOffered, &error), "{error:?}");
    assert_eq!(effect, Effect::None);
    assert!(portal.scan(Lane::Interactive).await.unwrap().users.iter().all(|user| !is_ours(&user.name)));
}

fn is_ours(name: &str) -> bool {
    super::owner().generation_of(name, 0).is_some()
}

/// The user and its credential are as before.
pub(super) async fn a_linked_user_is_not_deleted(world: &impl World) {
    let portal = world.portal();
    let made = internal_user(portal.as_ref(), 1).await;
    world.link_connector(&made.id);
    let error = portal.delete(&made.id).await.unwrap_err();
    assert!(is(Refusal::ConnectorLinked, &error), "{error:?}");
    let read = details(portal.as_ref(), &made.id).await;
    assert!(read.connector.is_some());
    works(portal.as_ref(), &read).await;
}

/// Each write is forbidden, and changes nothing.
pub(super) async fn a_missing_permission(world: &impl World) {
    let (portal, reader) = (world.portal(), world.reader());
    let made = internal_user(portal.as_ref(), 1).await;
    let before = details(reader.as_ref(), &made.id).await;
    for answer in [
        reader.update(&made.id, "name", "description").await,
        reader.reset(&made.id).await,
        reader.delete(&made.id).await,
    ] {
        assert!(matches!(answer, Err(PortalError::Forbidden { .. })), "{answer:?}");
    }
    let user = wanted(reader.as_ref(), RoleKind::Internal, 2).await.unwrap();
    let CreateFailure { error, effect } = create(reader.as_ref(), user).await.unwrap_err();
    assert!(matches!(error, PortalError::Forbidden { .. }), "{error:?}");
    assert_eq!(effect, Effect::None);
    let after = details(reader.as_ref(), &made.id).await;
    assert_eq!((before.name, before.description), (after.name.clone(), after.description.clone()));
    works(portal.as_ref(), &after).await;
}

fn is(wanted: Refusal, error: &PortalError) -> bool {
    matches!(error, PortalError::Refused { refusal, .. } if *refusal == wanted)
}
