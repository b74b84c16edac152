//! A user that the operator did not create is found, waited for and published, and never changed.

use super::super::{Desired, Listed, OfferSelector, OutputState, Selection, Selector, UserFacts, Verified};
use super::builders::{OTHER_COMPANY, a_new_resource, a_ready_resource, an_existing, details, id, shown_for};
use super::{Observation, check};
use crate::domain::access::Grants;
use crate::domain::user::{Offer, OfferRef, UserStatus};

/// `u1` is selected; it has no mark.
fn selected() -> Observation {
    an_existing(&["u1"])
}

fn a_ready_one() -> Observation {
    a_ready_resource().recorded_as("u1", 0).selected(&["u1"]).but(|o| {
        o.desired = an_existing(&["u1"]).desired;
        o.finalizer = false;
    })
}

#[test]
fn a_selector_must_fit_one_user() {
    check(vec![
        ("no list yet", selected().but(|o| o.selection = Selection::Unread), "user Searching, try again"),
        ("none", an_existing(&[]), "user UserNotFound STALLED"),
        ("two", an_existing(&["u1", "u2"]), "user UserAmbiguous STALLED"),
        ("one", selected(), "read u1"),
        (
            "access does not allow it",
            selected().portal_but(|p| p.grants = Grants::default()),
            "user AccessDenied STALLED",
        ),
        ("the portal is down", selected().portal_blocked_in_passing(), "user Unreachable, try again"),
        (
            "the portal is down, it was ready",
            a_ready_one().portal_blocked_in_passing(),
            "still ready, try again",
        ),
        (
            "no list yet, it was ready",
            a_ready_one().but(|o| o.selection = Selection::Unread),
            "still ready, try again",
        ),
        ("another company", a_ready_one().recorded_company(OTHER_COMPANY), "user CompanyChanged STALLED"),
        ("another one now", a_ready_one().selected(&["u2"]), "read u2"),
    ]);
}

#[test]
fn only_an_active_unmarked_user_is_published() {
    let with = |facts| selected().seen("u1", facts);
    let unmarked = || details().marked(None);
    check(vec![
        ("verify it", with(unmarked()), "verify what was read"),
        ("verified", with(unmarked()).verified(shown_for("u1"), Verified::Accepted), "publish u1 g0"),
        (
            "refused",
            with(unmarked()).verified(shown_for("u1"), Verified::Refused { unknown_client: true }),
            "credential CredentialRefused (u1 g0), try again",
        ),
        (
            "the operator's own login",
            with(unmarked().but(|u| u.client_id = Some("sa-operator".into()))),
            "user OperatorLogin STALLED",
        ),
        ("marked as a login", with(details().of_a_login()), "user OperatorLogin STALLED"),
        ("another resource's user", with(details().of_other_resource()), "user ManagedElsewhere STALLED"),
        ("retained by a resource of this name", with(details().retained()), "verify what was read"),
        ("pending", with(unmarked().in_state(UserStatus::Pending)), "user Pending (u1 g0), poll"),
        (
            "pending for long",
            with(unmarked().in_state(UserStatus::Pending)).pending_for(31),
            "user PendingTooLong STALLED (u1 g0), poll",
        ),
        (
            "disabled",
            with(unmarked().in_state(UserStatus::Inactive)),
            "user UserInactive STALLED (u1 g0), try again",
        ),
        ("gone", selected().seen_gone("u1"), "user UserGone STALLED (u1 g0), try again"),
        (
            "client missing",
            selected().seen_without_client("u1"),
            "user IdentityLost STALLED (u1 g0), try again",
        ),
    ]);
}

#[test]
fn a_published_one_is_kept() {
    check(vec![
        ("calm, and without a finalizer", a_ready_one(), "ready (u1 g0), verify in time"),
        ("time to try it", a_ready_one().verification_due(), "verify what is published"),
        ("disabled since", a_ready_one().in_the_list(Listed::There(UserStatus::Inactive)), "read u1"),
        (
            "a request to rotate is not for it",
            a_ready_one().rotate(),
            "ready (u1 g0), verify in time, request handled, answer RequestIgnored",
        ),
        (
            "a suspended portal is read all the same",
            selected()
                .suspended()
                .seen("u1", details().marked(None))
                .verified(shown_for("u1"), Verified::Accepted),
            "publish u1 g0",
        ),
    ]);
}

#[test]
fn an_existing_user_is_never_deleted() {
    let deleted = |o: Observation| o.but(|o| o.deleting = true);
    check(vec![
        ("no finalizer of ours", deleted(a_ready_one()), "gone"),
        (
            "a finalizer from earlier",
            deleted(a_ready_one()).but(|o| o.finalizer = true),
            "drop the finalizer",
        ),
        ("new", deleted(a_new_resource()), "gone"),
    ]);
}

/// A list that hides users of equal names proves neither that there is one user nor that there is none.
#[test]
fn a_list_that_hides_users_decides_nothing() {
    let with =
        |o: Observation, selection: Selection, ids: &[&str]| o.selected(ids).but(|o| o.selection = selection);
    let new = |selection, ids: &[&str]| with(selected(), selection, ids);
    let ready = |ids: &[&str]| with(a_ready_one(), Selection::Uncertain, ids);
    check(vec![
        ("one is shown", new(Selection::Uncertain, &["u1"]), "user ListIncomplete"),
        ("none is shown", new(Selection::Uncertain, &[]), "user ListIncomplete"),
        ("two are shown", new(Selection::Uncertain, &["u1", "u2"]), "user UserAmbiguous STALLED"),
        ("a narrow list may show all", new(Selection::Narrows, &["u1"]), "narrow the list"),
        ("it did", new(Selection::Certain, &["u1"]), "read u1"),
        ("it was ready, and is shown", ready(&["u1"]), "ready (u1 g0), verify in time"),
        ("it was ready, and is hidden", ready(&[]), "ready (u1 g0), verify in time"),
        ("it was ready, and another one is shown", ready(&["u2"]), "still ready"),
        ("it was ready, is hidden, and its Secret is gone", ready(&[]).without_secret(), "read u1"),
    ]);
}

/// A status can be written by others, and a list can be old: neither changes which user is selected.
#[test]
fn the_details_must_have_what_is_selected() {
    let by = |o: Observation, selector: Selector| {
        o.but(|o| o.desired = Desired::Existing { selector }).verified(shown_for("u1"), Verified::Accepted)
    };
    let x = || details().marked(None).but(|u| (u.name, u.client_id) = ("x".into(), Some("sa9".into())));
    let new = |selector| by(selected().seen("u1", x()), selector);
    let recorded = |selector| {
        let hidden = selected().recorded_as("u1", 0).selected(&[]);
        by(hidden.but(|o| o.selection = Selection::Uncertain).seen("u1", x()), selector)
    };
    let name = |name: &str| Selector::Name(name.into());
    let client = |id: &str| Selector::ClientId(id.into());
    let ours = "publish u1 g0";
    check(vec![
        ("its name", new(name("x")), ours),
        ("its client ID", new(client("sa9")), ours),
        ("its id", new(Selector::Id(id("u1"))), ours),
        ("another name", new(name("a")), "user UserNotFound STALLED, try again"),
        ("another client ID", new(client("sa1")), "user UserNotFound STALLED, try again"),
        ("another id", new(Selector::Id(id("u2"))), "user UserNotFound STALLED, try again"),
    ]);
    let ready = |o: Observation| {
        a_ready_one().but(|ready| {
            (ready.desired, ready.users, ready.selection) = (o.desired, o.users, o.selection);
            ready.outputs[0].state = OutputState::Absent;
        })
    };
    check(vec![
        ("recorded and hidden", ready(recorded(name("x"))), ours),
        ("a forged record of another user", ready(recorded(name("a"))), "user ListIncomplete"),
        ("the same by client ID", ready(recorded(client("sa1"))), "user ListIncomplete"),
    ]);
}

/// `u1` and others of an offer, of which the list does not show the roles.
fn of_an_offer(role: Option<&str>, ids: &[&str]) -> Observation {
    let offer = OfferRef::Name("App".into());
    let selector = OfferSelector { offer, subscription: Some("s".into()), role: role.map(Into::into) };
    an_existing(ids).but(|o| o.desired = Desired::Existing { selector: Selector::Offer(Box::new(selector)) })
}

fn with_role(role: &str) -> UserFacts {
    details().marked(None).but(|u| {
        u.roles = vec![role.into()];
        let (name, subscription) = (Some("App".into()), Some("s".into()));
        u.offer = Some(Box::new(Offer { id: "o".into(), name, subscription }));
    })
}

#[test]
fn the_provider_of_an_offer_creates_its_users() {
    let (any, role) =
        (|ids: &[&str]| of_an_offer(None, ids), |ids: &[&str]| of_an_offer(Some("discovery"), ids));
    let (ours, other) = (|| with_role("discovery"), || with_role("other"));
    let foreign = || ours().but(|u| u.offer.as_mut().unwrap().subscription = Some("t".into()));
    let both = |first: UserFacts, second: UserFacts| role(&["u1", "u2"]).seen("u1", first).seen("u2", second);
    let refused = Verified::Refused { unknown_client: true };
    check(vec![
        ("none yet", any(&[]), "user WaitingForProvider"),
        (
            "a list that hides some",
            any(&["u1"]).but(|o| o.selection = Selection::Uncertain),
            "user ListIncomplete",
        ),
        ("one", any(&["u1"]), "read u1"),
        (
            "one of another subscription",
            any(&["u1"]).seen("u1", foreign()),
            "user WaitingForProvider, try again",
        ),
        ("one with another role", role(&["u1"]).seen("u1", other()), "user WaitingForProvider, try again"),
        (
            "not activated yet",
            any(&["u1"]).seen("u1", ours()).verified(shown_for("u1"), refused.clone()),
            "credential WaitingForProvider (u1 g0), try again",
        ),
        ("several without a role", any(&["u1", "u2"]), "user UserAmbiguous STALLED"),
        ("several: the first is read", role(&["u1", "u2"]), "read u1"),
        ("and the next", role(&["u1", "u2"]).seen("u1", other()), "read u2"),
        ("one has the role", both(other(), ours()), "verify what was read"),
        ("both have it", both(ours(), ours()), "user UserAmbiguous STALLED"),
        ("none has it", both(other(), other()), "user WaitingForProvider"),
        ("one that is gone", role(&["u1", "u2"]).seen_gone("u1").seen("u2", ours()), "verify what was read"),
    ]);
    let published = |new: Observation| a_ready_one().but(|o| (o.desired, o.users) = (new.desired, new.users));
    let uncertain = |o: Observation| o.but(|o| o.selection = Selection::Uncertain);
    let disabled = |o: Observation| o.in_the_list(Listed::There(UserStatus::Inactive));
    let any_subscription = |ids: &[&str]| {
        role(ids).but(|o| {
            let Desired::Existing { selector: Selector::Offer(offer) } = &mut o.desired else {
                unreachable!()
            };
            offer.subscription = None;
        })
    };
    check(vec![
        ("published, beside another", published(role(&["u1", "u2"])), "ready (u1 g0), verify in time"),
        (
            "and time to try it, while the list hides some",
            uncertain(published(role(&["u1", "u2"]))).verification_due(),
            "verify what is published",
        ),
        ("and its Secret is gone", published(role(&["u1", "u2"])).without_secret(), "read u1"),
        ("published, and gone", published(role(&[])), "user UserNotFound STALLED"),
        ("another one in its subscription", published(role(&["u2"])), "read u2"),
        ("another one in another subscription", disabled(published(any_subscription(&["u2"]))), "read u1"),
        (
            "the list hides some, and one has the role",
            uncertain(both(other(), ours())),
            "user ListIncomplete",
        ),
        ("and none has it", uncertain(both(other(), other())), "user ListIncomplete"),
        (
            "the one with the role has no client",
            role(&["u1", "u2"]).seen("u1", other()).seen_without_client("u2"),
            "user IdentityLost STALLED (u2 g0), try again",
        ),
        (
            "refused for another reason than its client",
            any(&["u1"])
                .seen("u1", ours())
                .verified(shown_for("u1"), Verified::Refused { unknown_client: false }),
            "credential CredentialRefused (u1 g0), try again",
        ),
        (
            "refused after it was accepted",
            published(any(&["u1"])).without_secret().seen("u1", ours()).verified(shown_for("u1"), refused),
            "credential CredentialRefused (u1 g0), try again",
        ),
    ]);
}

/// So many users are of another kind than those of one subscription, and are not read one by one.
#[test]
fn too_many_users_of_an_offer_are_not_read() {
    let ids: Vec<String> = (0..16).map(|number| format!("u{number}")).collect();
    let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
    check(vec![
        ("sixteen", of_an_offer(Some("discovery"), &ids), "user UserAmbiguous STALLED"),
        ("fifteen", of_an_offer(Some("discovery"), &ids[1..]), "read u1"),
    ]);
}
