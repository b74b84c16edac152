//! The roles that a user's token shows count, whatever the portal's details say.

use super::super::{CredentialAt, Report, Settled, Step, Verified, plan, reports_token_roles};
use super::builders::{
    a_ready_resource, a_recorded_resource, an_existing, details, in_the_secret, shown_for,
};
use super::{Observation, check};
use crate::domain::access::{Grant, Grants};
use crate::domain::plan::UserFacts;
use crate::domain::reason::Reason;

const VERIFY: &str = "verify what was read";
const LACKS_ONE: &str = "user RolesMissing STALLED (u1 g1), verify in time";
const HAS_TOO_MANY: &str = "user AccessDenied STALLED (u1 g1), verify in time";

fn names(roles: &[&str]) -> Vec<String> {
    roles.iter().map(ToString::to_string).collect()
}

fn with_roles(o: Observation, roles: &[&str]) -> Observation {
    o.seen("u1", details().but(|user| user.roles = names(roles)))
}

/// The credential was accepted, with a token that shows these roles.
fn token(o: Observation, proof: CredentialAt, roles: &[&str]) -> Observation {
    o.verified(proof, Verified::Accepted).token_shows("u1", roles)
}

fn granted(o: Observation) -> Observation {
    let rule = Grant { roles: Some(names(&["discovery"])), existing: true, adopt: false };
    o.portal_but(|portal| portal.grants = Grants(vec![rule]))
}

/// The token of the published credential showed other roles than before.
fn doubted() -> Observation {
    a_ready_resource().but(|o| o.roles_doubted = true)
}

/// Roles that a person removed in the portal were never noticed.
#[test]
fn a_token_that_shows_other_roles_has_the_details_read() {
    check(vec![
        ("read", doubted(), "read u1"),
        (
            "one is missing in the portal, too",
            with_roles(doubted(), &[]),
            "user RolesMissing STALLED (u1 g1)",
        ),
        ("as they should be", with_roles(doubted(), &["discovery"]), VERIFY),
        ("the portal does not answer", doubted().portal_blocked_in_passing(), "still ready, try again"),
    ]);
    let existing = doubted().selected(&["u1"]).but(|o| o.desired = an_existing(&["u1"]).desired);
    check(vec![("an existing user", existing, "read u1")]);
}

/// Roles that were changed in the identity provider alone were never noticed: the portal shows those of its database.
#[test]
fn the_token_decides_where_the_portal_shows_other_roles() {
    let seen = |o| with_roles(o, &["discovery"]);
    let new = || seen(a_recorded_resource().writable());
    let published = |roles: &[&str]| token(seen(doubted()), in_the_secret(), roles);
    let read = |roles: &[&str]| token(new(), shown_for("u1"), roles);
    check(vec![
        ("the same roles", published(&["discovery"]), "ready (u1 g1), verify in time"),
        ("one more, which is granted", published(&["discovery", "pool"]), "ready (u1 g1), verify in time"),
        ("the requested one is missing", published(&["pool"]), LACKS_ONE),
        ("no role at all", published(&[]), LACKS_ONE),
        ("one more, which is not granted", granted(published(&["discovery", "pool"])), HAS_TOO_MANY),
        ("not published yet: the same roles", read(&["discovery"]), "publish u1 g1"),
        ("not published yet: it is missing", read(&[]), LACKS_ONE),
        ("not published yet: one more", granted(read(&["discovery", "pool"])), HAS_TOO_MANY),
        (
            "the token of another user",
            new().verified(shown_for("u1"), Verified::Accepted).token_shows("u2", &[]),
            "publish u1 g1",
        ),
    ]);
    let existing = |roles: &[&str]| {
        let unmarked = details().marked(None);
        token(granted(an_existing(&["u1"])).writable().seen("u1", unmarked), shown_for("u1"), roles)
    };
    check(vec![
        ("an existing user in its rule", existing(&["discovery"]), "publish u1 g0"),
        ("with fewer roles", existing(&[]), "publish u1 g0"),
        (
            "beyond its rule",
            existing(&["discovery", "pool"]),
            "user AccessDenied STALLED (u1 g0), verify in time",
        ),
    ]);
}

/// What a token has shown is revoked by a token alone, also after a restart.
#[test]
fn a_resource_that_lacks_roles_is_ready_only_after_a_token_shows_them() {
    let reported = |reason| {
        let o = a_ready_resource().but(|o| (o.reported_reason, o.spec_observed) = (Some(reason), false));
        with_roles(o, &["discovery"])
    };
    let unreachable = || Verified::Unreachable("down".into());
    check(vec![
        ("its role was missing", reported(Reason::RolesMissing), VERIFY),
        ("it had too many", reported(Reason::AccessDenied), VERIFY),
        ("another reason", reported(Reason::PortalNotReady), "ready (u1 g1), verify in time"),
        ("missing still", token(reported(Reason::RolesMissing), shown_for("u1"), &[]), LACKS_ONE),
        (
            "given back",
            token(reported(Reason::RolesMissing), shown_for("u1"), &["discovery"]),
            "ready (u1 g1), verify in time",
        ),
        (
            "no token can be obtained",
            reported(Reason::RolesMissing).verified(shown_for("u1"), unreachable()),
            "as reported, try again",
        ),
        (
            "doubted, and no token can be obtained",
            with_roles(doubted(), &["discovery"]).verified(shown_for("u1"), unreachable()),
            "credential TokenEndpointUnreachable (u1 g1), try again",
        ),
        (
            "a token that names no roles",
            reported(Reason::RolesMissing).verified(shown_for("u1"), Verified::Accepted),
            "ready (u1 g1), verify in time",
        ),
    ]);
}

#[test]
fn a_token_whose_roles_cannot_be_compared_decides_nothing() {
    let shown = |change: fn(&mut UserFacts)| {
        let o = a_recorded_resource().writable().seen("u1", details().but(change));
        token(o, shown_for("u1"), &[])
    };
    check(vec![
        (
            "a wallet's token",
            shown(|user| user.kind = crate::domain::user::UserKind::External),
            "publish u1 g1",
        ),
        ("roles of another client", shown(|user| user.roles_in_tokens = false), "publish u1 g1"),
    ]);
}

/// After a restart, only the words of the condition say that it rests on a token.
#[test]
fn a_message_says_whether_it_rests_on_a_token() {
    let reported = |o: Observation| match plan(&o) {
        Step::Settled(Settled { report: Report::Blocked { blocker, .. }, .. }) => {
            reports_token_roles(blocker.reason.as_str(), &blocker.message)
        }
        step => panic!("{step:?}"),
    };
    let of_token =
        |roles: &[&str]| token(granted(with_roles(doubted(), &["discovery"])), in_the_secret(), roles);
    assert!(reported(of_token(&[])) && reported(of_token(&["discovery", "pool"])));
    assert!(!reported(with_roles(doubted(), &[])), "the portal's details lack it");
    assert!(
        !reported(granted(with_roles(doubted(), &["discovery", "pool"]))),
        "the portal's details show it"
    );
}
