use super::*;
use crate::controller::test_support::{Users, inventory_of, inventory_with};
use crate::domain::identity::Hint;
use crate::domain::test_support::{listed, listed_for, owner};

/// What is known of three users, `u1` read before and the others not, in a portal that answers details like this; and how
/// many were asked for.
async fn marked(answer: PortalError) -> (Vec<Marked>, usize) {
    let portal = Users::none(answer);
    let inventory = inventory_of(portal.clone());
    inventory.remember(&UserId::new("u1"), None);
    let users = ["u3", "u2", "u1"].map(|id| listed(id, "name")).into();
    let marked = marks(portal.as_ref(), &inventory, users).await.into_iter().map(|(_, mark)| mark).collect();
    (marked, portal.asked().len())
}

#[tokio::test]
async fn a_user_that_cannot_be_read_keeps_no_other_from_being_read() {
    let (read, not_read) = (|| Marked::Read(None), || Marked::NotRead);
    for answer in [
        PortalError::Server { server: ServerKind::Portal, status: 500 },
        PortalError::BadAnswer { reason: "it is odd" },
    ] {
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

#[tokio::test(start_paused = true)]
async fn a_renamed_user_is_among_them_where_its_mark_was_read_and_a_login_never() {
    let mark = |name: &str, retained| {
        Some(Mark { owner: owner(name), generation: 1, hint: Hint::read("here"), retained, login: false })
    };
    let named = listed_for("named", &owner("gone"));
    let login = mark("gone", false).map(|mark| Mark { login: true, ..mark });
    let users = [
        listed("renamed", "by-hand"),
        listed("claimed", "mine"),
        listed("unread", "other"),
        listed("login", "l0a1b2c3d01-catena-x"),
        named,
    ];
    let inventory = inventory_with(users.into()).await;
    for (id, mark) in [
        ("renamed", mark("gone", false)),
        ("claimed", mark("edc", false)),
        ("named", mark("gone", false)),
        ("login", login),
    ] {
        inventory.remember(&UserId::new(id), mark);
    }
    let claimed = BTreeSet::from([owner("edc").name_prefix()]);
    let found = |instance| renamed(&inventory, instance, &claimed).into_iter().map(|user| user.id);
    assert_eq!(found("prod").collect::<Vec<_>>(), [UserId::new("renamed")]);
    assert_eq!(found("other").count(), 0);
}
