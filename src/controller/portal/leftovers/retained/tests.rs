use std::sync::Arc;

use serde_json::json;

use super::*;
use crate::api::portal::Company;
use crate::controller::test_support::apiserver::{Apiserver, context, technical_user, watch_users};
use crate::controller::test_support::{BPN, URL, Users, connection_to, installation};
use crate::domain::identity::{Hint, Mark};
use crate::domain::test_support::{listed_for, owner};
use crate::portal::ServerKind;
use crate::portal::test_support::Fake;

fn linked(answer: PortalError) -> (Arc<Fake<Users>>, Connection) {
    let portal = Users::none(answer);
    let connection = connection_to(portal.clone());
    (portal, connection)
}

fn entry(id: &str, url: Option<&str>, bpn: Option<&str>) -> RetainedUser {
    RetainedUser {
        id: id.into(),
        client_id: None,
        name: None,
        technical_user: "connector/edc".into(),
        reason: "deletionPolicy is Retain".into(),
        since: "2026-11-26T00:00:00Z".into(),
        url: url.map(str::to_owned),
        bpn: bpn.map(str::to_owned),
    }
}

fn here(id: &str) -> RetainedUser {
    entry(id, Some(URL), Some(BPN))
}

fn listed(id: &str, status: UserStatus) -> ListedUser {
    ListedUser { status, ..listed_for(id, &owner("edc")) }
}

fn status(retained: Vec<RetainedUser>) -> PortalStatus {
    PortalStatus {
        company: Some(Company { bpn: BPN.into() }),
        retained,
        retained_omitted: Some(7),
        ..PortalStatus::default()
    }
}

async fn after(connection: &Connection, mut status: PortalStatus, snapshot: &Snapshot) -> PortalStatus {
    let gone = gone(connection, absent(connection, &status, snapshot), &Random::seeded(1)).await;
    let found =
        found(&installation(), connection, &status, unlisted(&status, snapshot), Timestamp::UNIX_EPOCH);
    RetainedChanges { gone, found, used: Vec::new() }.apply(&mut status);
    status
}

fn ids(status: &PortalStatus) -> Vec<&str> {
    status.retained.iter().map(|user| user.id.as_str()).collect()
}

/// It was written while the sweep found out that the former entry is not needed any more.
#[test]
fn an_entry_that_is_added_meanwhile_stays() {
    let newer = RetainedUser { since: "2026-11-22T13:00:00Z".into(), ..here("u1") };
    let changes = RetainedChanges { used: vec![here("u1")], ..RetainedChanges::default() };
    for (listed, expected) in [(here("u1"), None), (newer, Some("u1"))] {
        let mut status = status(vec![listed]);
        changes.apply(&mut status);
        assert_eq!(ids(&status).first().copied(), expected);
    }
}

#[tokio::test]
async fn an_entry_is_removed_when_the_details_of_its_id_answer_404() {
    let (portal, connection) = linked(PortalError::NotFound);
    let snapshot = Snapshot::new(vec![listed("shown", UserStatus::Active)], true);
    let after = after(&connection, status(vec![here("shown"), here("gone")]), &snapshot).await;
    assert_eq!(ids(&after), ["shown"]);
    assert_eq!(after.retained_omitted, None, "the list has room");
    assert_eq!(portal.asked(), [UserId::new("gone")]);
}

#[tokio::test]
async fn nothing_is_concluded_for_another_portal_a_failing_one_or_an_incomplete_list() {
    let elsewhere = [
        entry("company", Some(URL), Some("BPNL2")),
        entry("portal", Some("https://other.example.org"), Some(BPN)),
    ];
    let (portal, connection) = linked(PortalError::NotFound);
    let kept = after(&connection, status(elsewhere.to_vec()), &Snapshot::new(vec![], true)).await;
    assert_eq!(ids(&kept), ["company", "portal"]);
    let kept = after(&connection, status(vec![here("u1")]), &Snapshot::new(vec![], false)).await;
    assert_eq!(ids(&kept), ["u1"]);
    connection.inventory.suspect_mass_disappearance(Some(9));
    let kept = after(&connection, status(vec![here("u1")]), &Snapshot::new(vec![], true)).await;
    assert_eq!(ids(&kept), ["u1"]);
    assert!(portal.asked().is_empty());
    for answer in
        [PortalError::Server { server: ServerKind::Portal, status: 500 }, PortalError::ClientMissing]
    {
        let (_, connection) = linked(answer);
        let kept = after(&connection, status(vec![here("u1")]), &Snapshot::new(vec![], true)).await;
        assert_eq!(ids(&kept), ["u1"]);
    }
}

#[tokio::test]
async fn an_entry_of_an_earlier_release_belongs_to_the_company_of_the_status() {
    let (_, connection) = linked(PortalError::NotFound);
    let entries = || vec![entry("old", None, None)];
    assert!(ids(&after(&connection, status(entries()), &Snapshot::new(vec![], true)).await).is_empty());
    let moved = PortalStatus { company: Some(Company { bpn: "BPNL2".into() }), ..status(entries()) };
    assert_eq!(ids(&after(&connection, moved, &Snapshot::new(vec![], true)).await), ["old"]);
}

#[tokio::test]
async fn a_full_list_is_emptied_by_a_few_reads_per_sweep() {
    let (portal, connection) = linked(PortalError::NotFound);
    let mut now = status((0..RETAINED_LIMIT).map(|number| here(&format!("u{number}"))).collect());
    let mut sweeps = 0;
    while !now.retained.is_empty() {
        let before = now.retained.len();
        now = after(&connection, now, &Snapshot::new(vec![], true)).await;
        assert_eq!(before - now.retained.len(), READS_PER_SWEEP.min(before));
        sweeps += 1;
    }
    assert_eq!(sweeps, RETAINED_LIMIT.div_ceil(READS_PER_SWEEP));
    assert_eq!(portal.asked().len(), RETAINED_LIMIT);
}

#[tokio::test]
async fn a_user_whose_mark_says_that_it_is_retained_is_listed_while_there_is_room() {
    let (_, connection) = linked(PortalError::Server { server: ServerKind::Portal, status: 500 });
    let mark = |retained, hint: &str| {
        Some(Mark { owner: owner("edc"), generation: 1, hint: Hint::read(hint), retained, login: false })
    };
    for (id, mark) in [
        ("retained", mark(true, "here")),
        ("managed", mark(false, "here")),
        ("of another cluster", mark(true, "there")),
        ("unmarked", None),
    ] {
        connection.inventory.remember(&UserId::new(id), mark);
    }
    let users = ["retained", "managed", "of another cluster", "unmarked", "unread"];
    let users = users.iter().map(|id| listed(id, UserStatus::Active)).collect();
    let snapshot = Snapshot::new(users, true);
    let one = after(&connection, status(vec![]), &snapshot).await;
    assert_eq!(ids(&one), ["retained"]);
    assert!(one.retained[0].found_by_mark());
    let full = status((0..RETAINED_LIMIT).map(|number| here(&format!("u{number}"))).collect());
    let still_full = after(&connection, full.clone(), &snapshot).await;
    assert_eq!(still_full, full, "a full list is kept, and says how many it omits");
}

#[tokio::test]
async fn a_user_that_a_resource_has_taken_over_is_retained_no_more() {
    let mut ctx = context(Apiserver::default().client());
    let named = |name: &str, id: &str| technical_user(name, &json!({"status": {"user": {"id": id}}}));
    let deleted = json!({
        "metadata": {"deletionTimestamp": "2026-11-26T12:00:00Z", "finalizers": ["x"]},
        "status": {"user": {"id": "deleted"}},
    });
    let users = [
        named("taken", "taken"),
        named("retained", "retained"),
        named("left", "left"),
        technical_user("deleted", &deleted),
    ];
    let _woken = watch_users(&mut ctx, users);
    let (_, connection) = linked(PortalError::NotFound);
    for name in ["taken", "retained", "left", "deleted"] {
        let of = crate::controller::technical_user::owner(
            &ctx,
            &Key { namespace: "connector".into(), name: name.into() },
        );
        let hint = Hint::read("here");
        let mark = Mark { owner: of, generation: 1, hint, retained: name == "retained", login: false };
        connection.inventory.remember(&UserId::new(name), Some(mark));
    }
    let left = RetainedUser { reason: LEFT_FOR_SUCCESSOR.into(), ..here("left") };
    let mut portal = status(vec![here("taken"), here("retained"), left, here("deleted"), here("other")]);
    let mut changes = RetainedChanges::default();
    changes.are_used_again(&ctx, &connection.inventory, &portal);
    changes.apply(&mut portal);
    assert_eq!(ids(&portal), ["retained", "left", "deleted", "other"]);
}
