//! Lists of more users than any page has.

use std::collections::BTreeSet;

use technical_user_operator::domain::user::UserId;
use technical_user_operator::portal::Lane;

use super::{World, internal_user};

const USERS: i64 = 40;

pub(super) async fn many_users(world: &impl World) {
    let portal = world.portal();
    let before = portal.scan(Lane::Interactive).await.unwrap();
    assert!(before.stable && before.complete);
    let mut made = Vec::new();
    for generation in 1..=USERS {
        made.push(internal_user(portal.as_ref(), generation).await);
    }
    let scan = portal.scan(Lane::Background).await.unwrap();
    assert!(scan.stable && scan.complete);
    let ids: BTreeSet<&UserId> = scan.users.iter().map(|user| &user.id).collect();
    assert_eq!(ids.len(), scan.users.len(), "each user once");
    assert_eq!(ids.len(), before.users.len() + made.len());
    assert!(made.iter().all(|user| ids.contains(&user.id)));
    assert!(portal.scan_progress().is_none_or(|progress| progress.read == progress.pages));
    // Nothing moved, so the names are at the same ranks.
    let again = portal.scan(Lane::Background).await.unwrap();
    assert_eq!(again.order, scan.order);
    assert_ne!(before.order, scan.order);

    let client_id = made[0].client_id.as_ref().unwrap();
    let contains = |text: &Option<String>| text.as_ref().is_some_and(|text| text.contains(client_id));
    let narrowed = portal.narrow(client_id, Lane::Interactive).await.unwrap();
    assert!(narrowed.complete);
    let want: BTreeSet<&UserId> =
        scan.users.iter().filter(|user| contains(&user.client_id)).map(|user| &user.id).collect();
    assert_eq!(narrowed.users.iter().map(|user| &user.id).collect::<BTreeSet<_>>(), want);
    let none = portal.narrow("no-such-client", Lane::Interactive).await.unwrap();
    assert!(none.complete && none.users.is_empty());
}
