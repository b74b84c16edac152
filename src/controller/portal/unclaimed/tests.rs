use std::sync::{Arc, Mutex};

use super::*;
use crate::controller::inventory::CompanyGate;
use crate::controller::portal::retained::tests::{Details, Nobody};
use crate::domain::user::{Ownership, UserKind};
use crate::metrics::Metrics;

fn listed(id: &str) -> ListedUser {
    ListedUser {
        id: UserId::new(id),
        client_id: None,
        name: format!("name-of-{id}"),
        kind: UserKind::Internal,
        status: UserStatus::Active,
        ownership: Ownership::Own,
        is_owner: true,
        connector: None,
        offer: None,
    }
}

/// What is known of three users, `u1` read before and the others not, in a portal that answers details like this; and how
/// many were asked for.
async fn marked(answer: PortalError) -> (Vec<Marked>, usize) {
    let portal = Arc::new(Details { answer, asked: Mutex::default() });
    let seen: Arc<dyn Portal> = Arc::clone(&portal) as _;
    let inventory = Inventory::new(seen, CompanyGate::default(), Arc::new(Nobody), Metrics::default());
    inventory.remember(&UserId::new("u1"), None);
    let users = ["u3", "u2", "u1"].map(listed).into();
    let marked = marks(portal.as_ref(), &inventory, users).await.into_iter().map(|(_, mark)| mark).collect();
    let asked = portal.asked.lock().unwrap().len();
    (marked, asked)
}

#[tokio::test]
async fn a_user_that_cannot_be_read_keeps_no_other_from_being_read() {
    let (read, not_read) = (|| Marked::Read(None), || Marked::NotRead);
    for answer in [PortalError::Server { status: 500 }, PortalError::BadAnswer { reason: "it is odd" }] {
        assert_eq!(marked(answer).await, (vec![not_read(), not_read(), read()], 2));
    }
    assert_eq!(marked(PortalError::NotFound).await, (vec![read(), read(), read()], 2));
}

#[tokio::test]
async fn no_more_users_are_read_where_the_portal_fails() {
    let down = PortalError::Unreachable { endpoint: "p:443".into(), reason: "refused".into() };
    for answer in [down, PortalError::Unauthorized, PortalError::OtherCompany] {
        assert_eq!(marked(answer).await, (vec![Marked::NotRead, Marked::NotRead, Marked::Read(None)], 1));
    }
}
