use super::*;
use crate::domain::identity::Owner;
use crate::domain::test_support::{listed as user, listed_for, owner as owner_named};
use crate::domain::user::{ListedUser, Offer, OfferRef};

fn owner() -> Owner {
    owner_named("edc")
}

fn id(text: &str) -> UserId {
    UserId::new(text)
}

fn ours(text: &str) -> ListedUser {
    listed_for(text, &owner())
}

fn reading(number: u64, coverage: Coverage, users: &[ListedUser]) -> Reading {
    Reading { number, users: users.to_vec(), coverage, written: BTreeSet::new() }
}

/// The users with a name of the resource that the last readings showed, and those that they did not.
fn found(snapshot: &Snapshot) -> (Vec<String>, Vec<String>) {
    let ids = |users: Vec<&ListedUser>| users.into_iter().map(|user| user.id.to_string()).collect();
    (ids(snapshot.named_for(&owner())), ids(snapshot.unseen_for(&owner())))
}

fn ids(texts: &[&str]) -> Vec<String> {
    texts.iter().map(ToString::to_string).collect()
}

#[test]
fn only_many_missing_users_are_a_mass_disappearance() {
    for (known, missing, suspicious) in
        [(3, 3, false), (4, 4, true), (50, 10, false), (50, 11, true), (0, 0, false)]
    {
        assert_eq!(is_mass_disappearance(known, missing), suspicious, "{missing} of {known}");
    }
}

#[test]
fn a_reading_removes_only_what_it_should_have_shown() {
    let all = [ours("a"), user("b", "same"), user("c", "same")];
    for (coverage, shown, left) in [
        (Coverage::Partial, vec![], vec!["a", "b", "c"]),
        (Coverage::Names, vec![user("b", "same")], vec!["b", "c"]),
        (Coverage::Names, vec![ours("a")], vec!["a"]),
        (Coverage::Complete, vec![user("b", "same")], vec!["b"]),
    ] {
        let mut snapshot = Snapshot::default();
        snapshot.apply(reading(1, Coverage::Complete, &all));
        let changes = snapshot.apply(reading(2, coverage, &shown));
        for user in &all {
            let expected = left.contains(&user.id.as_str());
            assert_eq!(snapshot.get(&user.id).is_some(), expected, "{} after {coverage:?}", user.id);
            assert_eq!(changes.users.contains(&user.id), !expected, "{} after {coverage:?}", user.id);
            assert_eq!(snapshot.misses(&user.id, &user.name), !expected, "{} after {coverage:?}", user.id);
        }
    }
}

#[test]
fn what_one_reading_did_not_show_is_absent_only_when_two_prove_it() {
    let mut snapshot = Snapshot::default();
    snapshot.apply(reading(1, Coverage::Complete, &[ours("a")]));
    snapshot.apply(reading(2, Coverage::Complete, &[]));
    assert_eq!(found(&snapshot), (ids(&[]), ids(&["a"])));
    // The pair of the first two readings shows it.
    snapshot.prove(1);
    assert_eq!(found(&snapshot), (ids(&[]), ids(&["a"])));
    snapshot.apply(reading(3, Coverage::Complete, &[]));
    snapshot.prove(2);
    assert_eq!(found(&snapshot), (ids(&[]), ids(&[])));
    assert!(!snapshot.knows(&id("a")));
}

#[test]
fn a_user_that_is_shown_again_is_seen_again() {
    let mut snapshot = Snapshot::default();
    snapshot.apply(reading(1, Coverage::Complete, &[ours("a")]));
    snapshot.apply(reading(2, Coverage::Complete, &[]));
    let changes = snapshot.apply(reading(3, Coverage::Partial, &[ours("a")]));
    assert_eq!(found(&snapshot), (ids(&["a"]), ids(&[])));
    assert!(changes.users.contains(&id("a")) && changes.prefixes.contains(&owner().name_prefix()));
    snapshot.remove(&id("a"));
    assert_eq!(found(&snapshot), (ids(&[]), ids(&[])));
}

#[test]
fn own_changes_are_newer_than_a_reading_that_began_before_them() {
    let mut snapshot = Snapshot::default();
    snapshot.apply(reading(1, Coverage::Complete, &[ours("deleted")]));
    snapshot.put(user("created", "x"));
    snapshot.remove(&id("deleted"));
    let written = BTreeSet::from([id("created"), id("deleted")]);
    let changes = snapshot.apply(Reading { written, ..reading(2, Coverage::Complete, &[ours("deleted")]) });
    assert!(snapshot.get(&id("created")).is_some() && !snapshot.knows(&id("deleted")));
    assert!(changes.is_empty(), "{changes:?}");
}

#[test]
fn a_renamed_user_is_found_by_its_new_name_and_client_id_alone() {
    let mut snapshot = Snapshot::default();
    snapshot.apply(reading(1, Coverage::Complete, &[ours("a")]));
    let renamed = ListedUser { client_id: Some("other".into()), ..user("a", "renamed") };
    let changes = snapshot.apply(reading(2, Coverage::Complete, &[renamed]));
    assert_eq!(changes.users, BTreeSet::from([id("a")]));
    assert_eq!(found(&snapshot), (ids(&[]), ids(&[])));
    assert_eq!(snapshot.with_name("renamed").collect::<Vec<_>>(), [&id("a")]);
    assert_eq!(snapshot.with_client_id("other").count(), 1);
    assert_eq!(snapshot.with_client_id("sa-a").count(), 0);
    assert_eq!(snapshot.of_our_form().count(), 0);
}

#[test]
fn a_reading_that_shows_the_same_changes_nothing() {
    let mut snapshot = Snapshot::default();
    let users = [ours("a"), user("b", "x")];
    assert_eq!(snapshot.apply(reading(1, Coverage::Complete, &users)).users.len(), 2);
    for (number, coverage) in [(2, Coverage::Complete), (3, Coverage::Partial), (4, Coverage::Names)] {
        assert!(snapshot.apply(reading(number, coverage, &users)).is_empty());
    }
}

#[test]
fn the_users_of_an_offer_are_found_by_its_id_and_its_name() {
    let of = |id: &str, offer: &str, is_owner: bool| {
        let offer = Offer { id: offer.into(), name: Some(format!("App {offer}")), subscription: None };
        ListedUser { offer: Some(Box::new(offer)), is_owner, ..user(id, "App") }
    };
    let all =
        [of("a", "1", true), of("b", "1", true), of("c", "2", true), of("d", "1", false), user("e", "App")];
    let mut snapshot = Snapshot::new(all.to_vec(), true);
    let found = |snapshot: &Snapshot, offer: &OfferRef| {
        snapshot.of_offer(offer).map(|user| user.id.to_string()).collect::<Vec<_>>()
    };
    let (by_id, by_name) = (OfferRef::Id("1".into()), OfferRef::Name("App 1".into()));
    // One of them is provided to another company.
    assert_eq!(found(&snapshot, &by_id), ["a", "b"]);
    assert_eq!(found(&snapshot, &by_name), ["a", "b"]);
    snapshot.remove(&id("a"));
    snapshot.put(of("b", "2", true));
    assert!(found(&snapshot, &by_id).is_empty() && found(&snapshot, &by_name).is_empty());
    assert_eq!(found(&snapshot, &OfferRef::Id("2".into())), ["b", "c"]);
}
