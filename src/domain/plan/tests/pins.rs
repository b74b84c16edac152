//! Whose portal it is: spellings of an address, a move, and the companies that a login's token names.

use super::super::{AttemptState, Observation, Report, Settled, Step, attempt_pin, company, plan};
use super::builders::{
    COMPANY, NEW_URL, OTHER_COMPANY, TOKEN_URL, URL, a_deleted_resource, a_new_resource, a_pin,
    a_ready_resource, an_existing, details, details_of, id,
};
use super::check;
use crate::domain::identity::Pin;

const READY: &str = "ready (u1 g1), verify in time";
const CHANGED: &str = "user CompanyChanged STALLED";
const MOVED: &str = "user PortalMoved STALLED";
const MOVED_HERE: &str = "user PortalMoved STALLED, try again";
const NEW_TOKEN_URL: &str = "https://new-idp.example.org/token";

fn names(o: Observation, companies: &[&str]) -> Observation {
    o.portal_but(|p| {
        p.companies = companies.iter().map(ToString::to_string).collect();
        p.bpn = if let [one] = companies { Some((*one).to_owned()) } else { None };
    })
}

fn at(o: Observation, url: &str) -> Observation {
    o.portal_but(|p| {
        p.url = url.to_owned();
        p.written_url = url.to_owned();
    })
}

fn token_at(o: Observation, url: &str) -> Observation {
    o.portal_but(|p| p.token_url = url.to_owned())
}

fn moved(o: Observation) -> Observation {
    at(o, NEW_URL).portal_but(|p| p.moved_from = vec![URL.to_owned()])
}

fn pinned(o: Observation, pin: Pin) -> Observation {
    o.but(|o| {
        if let Some(attempt) = o.attempt.as_mut().and_then(|open| open.attempt.as_mut()) {
            attempt.pin = pin;
        }
    })
}

fn message(o: &Observation) -> String {
    match plan(o) {
        Step::Settled(Settled {
            report: Report::Blocked { blocker, .. } | Report::Deleting(blocker),
            ..
        }) => blocker.message,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_pinned_company_is_compared_as_a_member_of_the_claim() {
    let ready = a_ready_resource;
    check(vec![
        ("the same", ready(), READY),
        ("among others", names(ready(), &[OTHER_COMPANY, COMPANY]), READY),
        ("another one", names(ready(), &[OTHER_COMPANY]), CHANGED),
        ("several others", names(ready(), &[OTHER_COMPANY, "BPNL3"]), CHANGED),
        ("none: it passes", names(ready(), &[]).but(|o| o.spec_observed = false), "user CompanyUnknown"),
        ("none, under deletion", names(a_deleted_resource(), &[]), "held CompanyUnknown"),
        (
            "gone, among others: a successor",
            names(
                ready().seen_gone("u1").but(|o| o.recorded.credential_published = false),
                &[OTHER_COMPANY, COMPANY],
            ),
            "search",
        ),
    ]);
    let words = message(&names(ready(), &[OTHER_COMPANY]));
    assert_eq!(words.matches(COMPANY).count(), 1, "{words}");
    assert_eq!(words.matches(OTHER_COMPANY).count(), 1, "{words}");
}

#[test]
fn no_user_is_created_for_a_login_of_several_companies_until_one_is_chosen() {
    let several = |o: Observation| names(o, &[COMPANY, OTHER_COMPANY]);
    let chosen = |o: Observation| several(o).portal_but(|p| p.bpn = Some(OTHER_COMPANY.to_owned()));
    let new = || a_new_resource().writable().searched(vec![]);
    let ambiguous = "user CompanyAmbiguous STALLED";
    check(vec![
        ("a new user", several(new()), ambiguous),
        ("a new existing user", several(an_existing(&["u1"])), ambiguous),
        ("a chosen company", chosen(new()), "create g1 [id-discovery]"),
        ("a recorded user is kept", several(a_ready_resource()), READY),
        ("and is deleted", several(a_deleted_resource().seen("u1", details())), "delete u1"),
        (
            "an attempt for one of them is settled",
            several(a_new_resource().attempt(1, AttemptState::Created(id("u1")))),
            "read u1",
        ),
    ]);
    let created = several(a_new_resource().attempt(1, AttemptState::Created(id("u1"))));
    assert_eq!(company(&created), Some(COMPANY), "the one that the attempt was for");
    assert_eq!(company(&chosen(a_new_resource())), Some(OTHER_COMPANY));
    assert_eq!(company(&chosen(a_ready_resource())), Some(COMPANY), "the recorded one");
}

#[test]
fn spellings_of_one_address_are_one_portal() {
    for spelled in [
        "https://PORTAL.example.org",
        "https://portal.example.org:443/",
        "https://portal.example.org/API/Administration/",
    ] {
        let recorded = a_ready_resource().pin_but(|pin| pin.url = spelled.to_owned());
        let attempted = |bpn| {
            let o = a_new_resource().attempt(1, AttemptState::Settled);
            pinned(o, Pin::new(spelled, bpn)).portal_but(|p| p.written_url = spelled.to_owned())
        };
        check(vec![
            ("recorded", recorded, READY),
            ("attempted", attempted(Some(COMPANY)), "search"),
            ("attempted by a login without company", attempted(None), "search"),
            ("attempted for another company", attempted(Some(OTHER_COMPANY)), CHANGED),
        ]);
    }
    let with_port = Pin::new("https://portal.example.org:443", Some(COMPANY));
    let respelled_since = pinned(a_new_resource().attempt(1, AttemptState::Settled), with_port);
    let spelled = |pin: &mut super::super::RecordedPortal| {
        pin.token_url = Some("https://IDP.example.org:443/token/".into());
    };
    check(vec![
        ("an attempt with the port", respelled_since, "search"),
        ("the token endpoint", a_ready_resource().pin_but(spelled), READY),
        (
            "no token endpoint recorded",
            token_at(a_ready_resource().pin_but(|p| p.token_url = None), NEW_TOKEN_URL),
            READY,
        ),
    ]);
    assert_eq!(attempt_pin(&a_new_resource()), Some(Pin::new(URL, Some(COMPANY))));
}

#[test]
fn a_portal_that_moved_is_not_changed_until_a_person_confirms_it() {
    let gone = || a_deleted_resource().seen_gone("u1");
    check(vec![
        ("another address", at(a_ready_resource(), NEW_URL), MOVED),
        ("another token endpoint", token_at(a_ready_resource(), NEW_TOKEN_URL), MOVED),
        ("under deletion", at(a_deleted_resource(), NEW_URL), "held PortalMoved"),
        ("nothing follows from a 404", at(gone(), NEW_URL), "held PortalMoved"),
        ("not even without finalizer", at(a_ready_resource().without_finalizer(), NEW_URL), MOVED),
        (
            "moved from somewhere else",
            at(a_ready_resource(), NEW_URL)
                .portal_but(|p| p.moved_from = vec!["https://third.example.org".into()]),
            MOVED,
        ),
        ("moved: its details first", moved(a_ready_resource()), "read u1"),
        ("moved, and its mark is there", moved(a_ready_resource().seen("u1", details())), "write the pin"),
        (
            "moved, with another's mark",
            moved(a_ready_resource().seen("u1", details().of_other_resource())),
            MOVED_HERE,
        ),
        ("moved, without mark", moved(a_ready_resource().seen("u1", details_of(1).marked(None))), MOVED_HERE),
        ("moved, and not there", moved(a_ready_resource().seen_gone("u1")), MOVED_HERE),
        ("moved, client missing", moved(a_ready_resource().seen_without_client("u1")), MOVED_HERE),
        ("moved, deleted: its details first", moved(a_deleted_resource()), "read u1"),
        (
            "moved, deleted, its mark is there",
            moved(a_deleted_resource().seen("u1", details())),
            "write the pin",
        ),
        ("moved, deleted, not there", moved(gone()), "held PortalMoved, try again"),
        ("moved, of another company", moved(names(a_ready_resource(), &[OTHER_COMPANY])), CHANGED),
        (
            "the token endpoint moved",
            token_at(a_ready_resource(), NEW_TOKEN_URL)
                .portal_but(|p| p.moved_from = vec!["https://idp.example.org".into()]),
            "read u1",
        ),
        (
            "an attempt from before the move",
            moved(a_new_resource().attempt(1, AttemptState::Settled)),
            "search",
        ),
        (
            "an attempt at an address in another spelling",
            pinned(
                moved(a_new_resource().attempt(1, AttemptState::Settled))
                    .portal_but(|p| p.moved_from.insert(0, "https://PORTAL.example.org/".to_owned())),
                Pin::new("https://PORTAL.example.org/", Some(COMPANY)),
            ),
            "search",
        ),
        (
            "one that is closed says nothing of a resource that is in order",
            pinned(
                a_ready_resource().attempt(2, AttemptState::Settled).closed(),
                Pin::new(URL, Some(OTHER_COMPANY)),
            ),
            READY,
        ),
        ("an attempt elsewhere", at(a_new_resource().attempt(1, AttemptState::Settled), NEW_URL), CHANGED),
    ]);
    let words = message(&at(a_ready_resource(), NEW_URL));
    for part in [URL, NEW_URL, "technicaluser.dev/portal-moved=https://portal.example.org"] {
        assert!(words.contains(part), "{words}");
    }
    let words = message(&token_at(a_ready_resource(), NEW_TOKEN_URL));
    for part in [TOKEN_URL, NEW_TOKEN_URL, "technicaluser.dev/portal-moved=https://idp.example.org"] {
        assert!(words.contains(part), "{words}");
    }
}

#[test]
fn an_existing_user_is_read_after_a_move() {
    let existing = || {
        let mut o = moved(an_existing(&["u1"]).recorded_as("u1", 0));
        o.recorded.portal = Some(a_pin());
        o
    };
    check(vec![
        ("its details first", existing(), "read u1"),
        ("there", existing().seen("u1", details().marked(None)), "write the pin"),
        ("not there", existing().seen_gone("u1"), MOVED_HERE),
    ]);
}

#[test]
fn a_status_without_company_gets_one_once_its_user_was_seen() {
    let unknown = || a_ready_resource().pin_but(|pin| pin.bpn = None);
    check(vec![
        ("its details first", unknown(), "read u1"),
        ("its mark is there", unknown().seen("u1", details()), "write the pin"),
        ("not there", unknown().seen_gone("u1"), "user CompanyChanged STALLED, try again"),
        ("the login names none either", names(unknown(), &[]), READY),
    ]);
}

#[test]
fn a_namespace_without_access_reads_no_address_and_no_company() {
    let hidden = |o: Observation| o.portal_but(|p| p.discloses = false);
    let attempt = || a_new_resource().attempt(1, AttemptState::Settled);
    for o in [
        at(a_ready_resource(), NEW_URL),
        token_at(a_ready_resource(), NEW_TOKEN_URL),
        names(a_ready_resource(), &[OTHER_COMPANY]),
        names(a_ready_resource(), &[]).but(|o| o.spec_observed = false),
        names(a_new_resource(), &[COMPANY, OTHER_COMPANY]),
        moved(a_ready_resource().seen_gone("u1")),
        pinned(attempt(), Pin::read("elsewhere")),
    ] {
        let words = message(&hidden(o));
        for secret in ["example.org", COMPANY, OTHER_COMPANY] {
            assert!(!words.contains(secret), "{words}");
        }
    }
}
