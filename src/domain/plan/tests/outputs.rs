//! Several outputs: all are writable before a user is created, and each is served independently of the others.

use std::time::Duration;

use super::super::{OutputReport, OutputState, OutputView, Verified, report_of};
use super::builders::{
    a_new_resource, a_ready_resource, a_recorded_resource, candidate, contents, details, details_of, id,
    in_the_secret, shown_for, the_entry, the_secret,
};
use super::{Observation, check};
use crate::domain::blocker::Blocker;
use crate::domain::reason::Reason;

/// The spec names an entry of another kind beside the Secret.
fn and_an_entry(o: Observation) -> Observation {
    o.with_output(&the_entry(), OutputState::Absent)
}

fn held(user: &str, digest: Option<&str>) -> OutputState {
    OutputState::Ours { user: Some(id(user)), digest: digest.map(str::to_owned), metadata_as_wanted: true }
}

/// The credential of `u1` is in both, and recorded.
fn both() -> Observation {
    a_ready_resource().with_output(&the_entry(), held("u1", Some("d1"))).recorded_content("d1")
}

/// The details of `u1` were read, and a token was obtained with the credential that they show.
fn proved(o: Observation) -> Observation {
    o.seen("u1", details()).verified(shown_for("u1"), Verified::Accepted)
}

fn output<'a>(o: &'a mut Observation, id: &super::super::OutputId) -> &'a mut OutputView {
    o.output_mut(id).unwrap()
}

fn denied() -> Result<(), Blocker> {
    Err(Blocker::passing(Reason::OutputNotWritable, "quota"))
}

#[test]
fn no_user_is_created_before_every_output_is_writable() {
    let new = || and_an_entry(a_new_resource());
    let first = || new().but(|o| output(o, &the_secret()).writable = Some(Ok(())));
    check(vec![
        ("the first", new(), "prove the output writable"),
        ("then the second", first(), "prove the Entry writable"),
        ("both can be written", first().writable(), "search"),
        (
            "the second cannot",
            first().but(|o| output(o, &the_entry()).writable = Some(denied())),
            "user OutputNotWritable, try again",
        ),
    ]);
}

#[test]
fn each_output_gets_the_credential() {
    let none = || proved(and_an_entry(a_recorded_resource()));
    let first = || none().with_output(&the_secret(), held("u1", Some("d1")));
    check(vec![
        ("the first", none(), "publish u1 g1"),
        ("then the second", first(), "publish u1 g1 to the Entry"),
        ("both", first().with_output(&the_entry(), held("u1", Some("d1"))), "ready (u1 g1), verify in time"),
        ("one was added to the spec", and_an_entry(a_ready_resource()), "read u1"),
        (
            "the status names it first, so that it is removed if the spec changes back after a crash",
            proved(and_an_entry(a_ready_resource())),
            "name Entry \"edc\" in the status",
        ),
        (
            "it gets the credential too",
            proved(and_an_entry(a_ready_resource()).in_status()),
            "publish u1 g1 to the Entry",
        ),
        ("another client changed it", both().with_output(&the_entry(), held("u1", None)), "read the Entry"),
        (
            "it holds something else",
            proved(both().with_output(&the_entry(), held("u1", Some("other")))),
            "publish u1 g1 to the Entry",
        ),
    ]);
}

#[test]
fn an_output_that_cannot_be_written_does_not_prevent_the_others() {
    let foreign = || both().with_foreign_secret();
    let empty = || and_an_entry(a_recorded_resource());
    check(vec![
        (
            "foreign, and the other one is to be written",
            proved(empty().with_foreign_secret()),
            "publish u1 g1 to the Entry",
        ),
        ("foreign: nothing is left to write", foreign(), "read u1"),
        (
            "without another token request",
            foreign().seen("u1", details()),
            "output OutputNotOurs STALLED (u1 g1), try again",
        ),
        (
            "the verification continues",
            foreign().seen("u1", details()).verification_due(),
            "verify what is published",
        ),
        (
            "denied, and the other one is to be written",
            proved(empty().but(|o| output(o, &the_secret()).writable = Some(denied()))),
            "publish u1 g1 to the Entry",
        ),
        (
            "denied: nothing is left to write",
            proved(
                empty()
                    .with_output(&the_entry(), held("u1", Some("d1")))
                    .but(|o| output(o, &the_secret()).writable = Some(denied())),
            ),
            "output OutputNotWritable (u1 g1), try again",
        ),
        (
            "all foreign: not even a token",
            empty()
                .with_foreign_secret()
                .with_output(&the_entry(), OutputState::Foreign("Helm".into()))
                .seen("u1", details()),
            "output OutputNotOurs STALLED (u1 g1), try again",
        ),
    ]);
}

#[test]
fn a_credential_that_cannot_be_read_back_is_verified_from_the_portal() {
    let opaque = || both().but(|o| o.outputs.iter_mut().for_each(|output| output.readable = false));
    let due = || opaque().verification_due();
    let answered = |said| due().seen("u1", details()).verified(shown_for("u1"), said);
    let ready = "ready (u1 g1), verify in time";
    check(vec![
        ("nothing is due", opaque(), ready),
        (
            "one that can be read is enough",
            due().but(|o| output(o, &the_entry()).readable = true),
            "verify what is published",
        ),
        ("due: the details", due(), "read u1"),
        ("then the token endpoint", due().seen("u1", details()), "verify what was read"),
        ("accepted", answered(Verified::Accepted), ready),
        (
            "unreachable is not refused",
            answered(Verified::Unreachable("down".into())),
            "ready (u1 g1), try again",
        ),
        (
            "refused",
            answered(Verified::Refused { unknown_client: false }),
            "credential CredentialRefused (u1 g1), try again",
        ),
        (
            "a missing client cannot be tried",
            due().seen_without_client("u1").but(|o| o.spec_observed = false),
            "user IdentityLost STALLED (u1 g1), try again",
        ),
    ]);
}

#[test]
fn a_user_that_one_output_holds_is_not_a_duplicate() {
    let successor = || candidate("u2", 2);
    let replaced =
        || both().with_output(&the_entry(), held("u2", Some("d2"))).sibling(successor()).read_live();
    let second =
        || both().with_output(&the_entry(), held("u2", Some("d1"))).sibling(candidate("u2", 1)).read_live();
    check(vec![
        ("in no output", both().sibling(candidate("u2", 1)).read_live(), "read u2"),
        ("a successor in one: it is a status from before a replacement", replaced(), "read u2"),
        (
            "it is used, and the other output follows",
            replaced().seen("u2", details_of(2)).verified(shown_for("u2"), Verified::Accepted),
            "publish u2 g2",
        ),
        // Neither precedes the other: the one that the status names is kept, or both would replace each other.
        ("two of one generation", second(), "read u1"),
        (
            "the one that the status names is published everywhere",
            proved(second()),
            "publish u1 g1 to the Entry",
        ),
        (
            "also while nothing can be written",
            proved(second()).unwritable(),
            "output OutputNotWritable STALLED (u1 g1), try again",
        ),
    ]);
}

#[test]
fn a_content_that_cannot_be_built_costs_no_token_and_does_not_prevent_the_others() {
    let invalid = || Blocker::lasting(Reason::OutputInvalid, "the value did is missing");
    let without = |o: Observation, outputs: &[super::super::OutputId]| {
        let mut contents = contents("d1");
        for id in outputs {
            contents.insert(id.clone(), Err(invalid()));
        }
        o.seen("u1", details().but(|u| u.contents = Some(contents)))
    };
    let secret_only = |o: Observation| without(o, &[the_secret()]);
    let accepted = |o: Observation| o.verified(shown_for("u1"), Verified::Accepted);
    check(vec![
        (
            "the only one",
            secret_only(a_recorded_resource()),
            "output OutputInvalid STALLED (u1 g1), try again",
        ),
        (
            "what was published is kept and verified in time",
            secret_only(a_ready_resource()).verification_due(),
            "verify what is published",
        ),
        (
            "never published: nothing is due",
            secret_only(a_recorded_resource()).verification_due(),
            "output OutputInvalid STALLED (u1 g1), try again",
        ),
        ("the other one", secret_only(and_an_entry(a_recorded_resource())), "verify what was read"),
        (
            "is written",
            accepted(secret_only(and_an_entry(a_recorded_resource()))),
            "publish u1 g1 to the Entry",
        ),
        (
            "and the resource is not ready",
            secret_only(both()).but(|o| o.spec_observed = false),
            "output OutputInvalid STALLED (u1 g1), try again",
        ),
        (
            "none can be built",
            without(and_an_entry(a_recorded_resource()), &[the_secret(), the_entry()]),
            "output OutputInvalid STALLED (u1 g1), try again",
        ),
    ]);
    let o = secret_only(both()).with_output(&the_secret(), OutputState::Absent);
    let report = |output| report_of(&o, o.output(&output).unwrap(), Some(&id("u1")));
    assert_eq!(report(the_secret()), OutputReport::Blocked(invalid()));
    assert_eq!(report(the_entry()), OutputReport::Published);
}

#[test]
fn no_token_is_requested_while_the_other_outputs_are_denied() {
    let missing = || and_an_entry(a_ready_resource()).seen("u1", details());
    let denied = || missing().but(|o| output(o, &the_entry()).writable = Some(denied()));
    check(vec![
        ("first whether it can be written", missing(), "prove the Entry writable"),
        ("it can: a token", missing().writable(), "verify what was read"),
        ("it cannot: none", denied(), "output OutputNotWritable (u1 g1), try again"),
        ("the periodic verification continues", denied().verification_due(), "verify what is published"),
        (
            "a refused credential is read and tried",
            denied().verified(in_the_secret(), Verified::Refused { unknown_client: false }),
            "verify what was read",
        ),
    ]);
}

#[test]
fn the_next_reconcile_is_due_when_an_output_has_to_be_read() {
    let o = both().but(|o| o.timers.also(Some(Duration::from_secs(7))));
    check(vec![("sooner than the verification", o, "ready (u1 g1), after 7 s")]);
}

#[test]
fn each_output_reports_for_itself() {
    let of = |o: &Observation, id: &super::super::OutputId| match report_of(
        o,
        o.output(id).unwrap(),
        Some(&super::builders::id("u1")),
    ) {
        OutputReport::Published => "published",
        OutputReport::Blocked(blocker) => blocker.reason.as_str(),
        OutputReport::NotYet => "not yet",
    };
    let rows = [
        (both(), "published", "published"),
        (both().with_foreign_secret(), "OutputNotOurs", "published"),
        (and_an_entry(a_ready_resource()), "published", "not yet"),
        (
            and_an_entry(a_ready_resource()).but(|o| output(o, &the_entry()).writable = Some(denied())),
            "published",
            "OutputNotWritable",
        ),
        // What the portal shows now decides, where it was read.
        (both().seen("u1", details().but(|u| u.contents = Some(contents("d2")))), "not yet", "not yet"),
        // The credential of another user.
        (both().with_output(&the_entry(), held("u2", Some("d1"))), "published", "not yet"),
    ];
    for (o, secret, entry) in rows {
        assert_eq!((of(&o, &the_secret()), of(&o, &the_entry())), (secret, entry), "{o:?}");
    }
}
