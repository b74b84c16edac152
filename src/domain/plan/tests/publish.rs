//! From an active user to an output that holds its verified credential.

use super::super::{Listed, OutputState, Verified};
use super::builders::{a_ready_resource, a_recorded_resource, details, in_the_secret, shown_for};
use super::{Observation, check};

fn unreachable() -> Verified {
    Verified::Unreachable("idp.example.org:443 refuses connections".into())
}

const REFUSED: Verified = Verified::Refused { unknown_client: false };

#[test]
fn a_ready_resource_causes_no_request() {
    let ready = "ready (u1 g1), verify in time";
    let trying = |said| a_ready_resource().verified(in_the_secret(), said);
    check(vec![
        ("calm", a_ready_resource(), ready),
        ("no list yet", a_ready_resource().in_the_list(Listed::Unknown), ready),
        ("time to try it", a_ready_resource().verification_due(), "verify what is published"),
        (
            "accepted",
            a_ready_resource().verification_due().verified(in_the_secret(), Verified::Accepted),
            ready,
        ),
        ("unreachable is not refused", trying(unreachable()), "still ready (u1 g1), try again"),
        ("refused: what does the portal say?", trying(REFUSED), "read u1"),
        ("the spec has changed", a_ready_resource().but(|o| o.spec_observed = false), "read u1"),
        (
            "the spec has changed, the user has not",
            a_ready_resource().but(|o| o.spec_observed = false).seen("u1", details()),
            ready,
        ),
        (
            "the same, and it is time to try it",
            a_ready_resource().but(|o| o.spec_observed = false).seen("u1", details()).verification_due(),
            "verify what is published",
        ),
        (
            "the same, unreachable",
            trying(unreachable()).but(|o| o.spec_observed = false).seen("u1", details()).verification_due(),
            "ready (u1 g1), try again",
        ),
        (
            "refused, and the portal shows the same, which cannot be tried",
            trying(REFUSED).seen("u1", details()).verified(shown_for("u1"), unreachable()),
            "credential TokenEndpointUnreachable (u1 g1), try again",
        ),
    ]);
}

/// No watch reports what another client writes into a store such as Vault, so the status alone does not show it.
#[test]
fn a_refused_credential_is_a_reason_to_read_the_output_again() {
    let refused = || {
        let o = a_ready_resource().verified(in_the_secret(), REFUSED);
        o.but(|o| o.outputs[0].doubt())
    };
    let read = |digest| refused().with_secret_of("u1", digest);
    let verified = |o: Observation| o.seen("u1", details()).verified(shown_for("u1"), Verified::Accepted);
    check(vec![
        ("what is in it now?", refused(), "read the Secret"),
        ("as recorded: what does the portal say?", read("d1"), "read u1"),
        ("another content: the same", read("dx"), "read u1"),
        ("it is repaired", verified(read("dx")), "publish u1 g1"),
        ("nothing is in it", refused().without_secret(), "read u1"),
        ("it is written again", verified(refused().without_secret()), "publish u1 g1"),
    ]);
}

#[test]
fn a_credential_is_published_only_after_a_token() {
    let active = || a_recorded_resource().seen("u1", details());
    let read = |said| active().verified(shown_for("u1"), said);
    check(vec![
        ("not verified", active(), "verify what was read"),
        ("accepted", read(Verified::Accepted), "publish u1 g1"),
        ("refused", read(REFUSED), "credential CredentialRefused (u1 g1), try again"),
        ("unreachable", read(unreachable()), "credential TokenEndpointUnreachable (u1 g1), try again"),
        (
            "what is published proves nothing of what was read",
            active().verified(in_the_secret(), Verified::Accepted),
            "verify what was read",
        ),
        (
            "the portal shows none yet",
            a_recorded_resource().seen("u1", details().but(|u| u.contents = None)),
            "credential CredentialNotShown (u1 g1), try again",
        ),
        (
            "not writable",
            read(Verified::Accepted).unwritable(),
            "output OutputNotWritable STALLED (u1 g1), try again",
        ),
    ]);
}

#[test]
fn a_secret_is_repaired_and_a_foreign_one_is_not_changed() {
    let ready = || a_ready_resource().seen("u1", details());
    let wrong_metadata = |o: Observation| {
        o.but(|o| {
            if let OutputState::Ours { metadata_as_wanted, .. } = &mut o.outputs[0].state {
                *metadata_as_wanted = false;
            }
        })
    };
    check(vec![
        (
            "written by another client: read it",
            a_ready_resource().with_touched_secret_of("u1"),
            "read the Secret",
        ),
        (
            "read it before the portal's trouble is reported",
            a_ready_resource().with_touched_secret_of("u1").portal_blocked_for_good(),
            "read the Secret",
        ),
        ("other content", a_ready_resource().with_secret_of("u1", "dx"), "read u1"),
        (
            "other content: verify before it is healed",
            ready().with_secret_of("u1", "dx"),
            "verify what was read",
        ),
        (
            "other content, verified",
            ready().with_secret_of("u1", "dx").verified(shown_for("u1"), Verified::Accepted),
            "publish u1 g1",
        ),
        ("removed", ready().without_secret().verified(shown_for("u1"), Verified::Accepted), "publish u1 g1"),
        (
            "of another user of ours",
            ready().with_secret_of("u0", "d1").verified(shown_for("u1"), Verified::Accepted),
            "publish u1 g1",
        ),
        (
            "wrong labels",
            wrong_metadata(ready()).verified(shown_for("u1"), Verified::Accepted),
            "publish u1 g1",
        ),
        ("foreign", ready().with_foreign_secret(), "output OutputNotOurs STALLED (u1 g1), try again"),
        (
            "not recorded yet, and written by another client",
            a_recorded_resource().but(|o| o.recorded.user = None).with_touched_secret_of("u1").writable(),
            "search",
        ),
    ]);
}

#[test]
fn a_ready_resource_is_still_ready_during_temporary_failures() {
    let ready = a_ready_resource;
    check(vec![
        ("the portal is down", ready().portal_blocked_in_passing(), "still ready, try again"),
        (
            "the portal is down for a resource that is not ready",
            a_recorded_resource().portal_blocked_in_passing(),
            "user Unreachable, try again",
        ),
        ("the login is refused", ready().portal_blocked_for_good(), "user LoginRefused STALLED, try again"),
        ("the portal is suspended", ready().suspended(), "ready (u1 g1), verify in time"),
        (
            "the portal is under deletion",
            ready().portal_but(|p| p.deleting = true),
            "ready (u1 g1), verify in time",
        ),
    ]);
}
