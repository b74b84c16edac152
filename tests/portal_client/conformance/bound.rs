//! A portal that is bound to companies answers for no other.

use std::sync::Arc;

use technical_user_operator::portal::{Lane, PortalError};

use super::{World, internal_user};

pub(super) async fn a_login_of_another_company(world: &impl World) {
    let portal = world.portal();
    let made = internal_user(portal.as_ref(), 1).await;
    let companies = portal.login().await.unwrap().companies;
    let same = Arc::clone(&portal).bound_to(&companies);
    assert!(same.details(&made.id, Lane::Interactive).await.is_ok());
    let other = Arc::clone(&portal).bound_to(&["BPNL0000000OTHER".to_owned()]);
    for answer in [
        other.scan(Lane::Interactive).await.map(drop),
        other.details(&made.id, Lane::Interactive).await.map(drop),
        other.create_slot().await.map(drop),
        other.update(&made.id, "name", "description").await,
        other.reset(&made.id).await,
        other.delete(&made.id).await,
    ] {
        assert_eq!(answer, Err(PortalError::OtherCompany));
    }
    // The identity of the login is reported all the same.
    assert_eq!(other.login().await.unwrap().companies, companies);
    assert!(same.details(&made.id, Lane::Interactive).await.is_ok(), "nothing was changed");
}
