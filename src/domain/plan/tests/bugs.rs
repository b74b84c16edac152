//! What was decided wrongly once, each with the way it came about.

use super::super::{Proof, Verified};
use super::builders::{a_ready_resource, details};
use super::check;

const REFUSED: Verified = Verified::Refused { unknown_client: false };

/// The answer about the credential that was read took the place of the refusal of the published one, and with it went the
/// only reason not to call the resource as it should be: a secret that was reset by hand was never published again.
#[test]
fn a_credential_that_was_changed_in_the_portal_is_published_anew() {
    let refused = || a_ready_resource().verified(Proof::Published, REFUSED);
    let changed = || refused().seen("u1", details().but(|u| u.digest = Some("d2".into())));
    check(vec![
        ("read it", refused(), "read u1"),
        ("another one: verify it", changed(), "verify what was read"),
        ("it works", changed().verified(Proof::Read, Verified::Accepted), "publish u1 g1"),
        ("the same: try once more", refused().seen("u1", details()), "verify what was read"),
        (
            "the same, and it works",
            refused().seen("u1", details()).verified(Proof::Read, Verified::Accepted),
            "ready (u1 g1), verify in time",
        ),
        (
            "the same, and it does not work",
            refused().seen("u1", details()).verified(Proof::Read, REFUSED),
            "credential CredentialRefused (u1 g1), try again",
        ),
    ]);
}
