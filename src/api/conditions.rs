//! Condition types, and how a list of conditions is brought up to date.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::{Condition, Time};
use k8s_openapi::jiff::Timestamp;

use crate::domain::reason::Reason;

/// Everything is as the spec requests (all kinds).
pub const READY: &str = "Ready";
/// The operator continues automatically (kstatus); present only while true.
pub const RECONCILING: &str = "Reconciling";
/// Only a person can help (kstatus); present only while true.
pub const STALLED: &str = "Stalled";
/// The user exists in the portal and is active.
pub const USER_READY: &str = "UserReady";
/// A token was obtained with the credential.
pub const CREDENTIAL_VERIFIED: &str = "CredentialVerified";
/// The outputs hold the credential.
pub const PUBLISHED: &str = "Published";
/// The workloads of `spec.restart` use what the outputs hold; present only if the spec names some.
pub const CONSUMERS_RESTARTED: &str = "ConsumersRestarted";
/// A rotation is in progress; present only then. False, with the reason, while it cannot go on.
pub const ROTATING: &str = "Rotating";
/// The spec suspends the resource; present only then.
pub const SUSPENDED: &str = "Suspended";
/// An output is removed, in its entry; present only while the deletion of the resource cannot remove it.
pub const REMOVED: &str = "Removed";
/// The Portal's login may delete users.
pub const CAN_DELETE: &str = "CanDelete";

/// Certificates of the Portal's CA bundle cannot be used; present only while true.
pub const CERTIFICATES_IGNORED: &str = "CertificatesIgnored";

/// The Portal requests plain http; present only while it does, and true if the process permits it.
pub const INSECURE_HTTP: &str = "InsecureHttp";

/// The portal names another token endpoint for internal users than the Portal; present only while it does.
pub const TOKEN_URL_DIFFERS: &str = "TokenUrlDiffers";

/// The portal shows other values of the data space than `spec.dataspace`; present only while it does.
pub const DATASPACE_DIFFERS: &str = "DataspaceDiffers";

/// The content of a condition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wanted {
    /// The condition type, one of the constants above.
    pub type_: &'static str,
    /// `Some(true)` True, `Some(false)` False, `None` Unknown.
    pub status: Option<bool>,
    /// A reason of [`crate::domain::reason::Reason`].
    pub reason: &'static str,
    /// What it means here and what to do, in words.
    pub message: String,
}

/// The longest message that is written; the API allows 32768 bytes.
const MAX_MESSAGE: usize = 4096;

/// The list with the wanted conditions: a condition keeps its `lastTransitionTime` while its status is the same, and a
/// condition that is not wanted any more is removed (Kubernetes API conventions, "Typical status properties").
#[must_use]
pub fn brought_up_to_date(
    old: &[Condition],
    wanted: &[Wanted],
    generation: Option<i64>,
    now: Timestamp,
) -> Vec<Condition> {
    wanted
        .iter()
        .map(|w| {
            let status = match w.status {
                Some(true) => "True",
                Some(false) => "False",
                None => "Unknown",
            };
            let since = old
                .iter()
                .find(|c| c.type_ == w.type_ && c.status == status && !begins(&c.reason, w.reason))
                .map_or_else(|| Time(now), |c| c.last_transition_time.clone());
            Condition {
                type_: w.type_.to_owned(),
                status: status.to_owned(),
                reason: w.reason.to_owned(),
                message: cut(&w.message, MAX_MESSAGE),
                observed_generation: generation,
                last_transition_time: since,
            }
        })
        .collect()
}

/// Whether a wait begins whose time counts, and not what the condition reported before.
fn begins(before: &str, now: &str) -> bool {
    const PENDING: [&str; 2] = [Reason::Pending.as_str(), Reason::PendingTooLong.as_str()];
    let is_pending = |reason: &str| PENDING.contains(&reason);
    let rotating = Reason::Rotating.as_str();
    is_pending(now) && !is_pending(before) || now == rotating && before != rotating
}

/// The text, cut to at most `most` bytes at a character's boundary.
#[must_use]
pub fn cut(text: &str, bytes: usize) -> String {
    if text.len() <= bytes {
        return text.to_owned();
    }
    let end =
        (0..=bytes.saturating_sub('…'.len_utf8())).rev().find(|i| text.is_char_boundary(*i)).unwrap_or(0);
    format!("{}…", text.get(..end).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_condition_keeps_its_time_while_its_status_is_the_same() {
        let wanted = |status, reason| Wanted { type_: READY, status, reason, message: "words".into() };
        let first = brought_up_to_date(&[], &[wanted(Some(false), "A")], Some(1), Timestamp::UNIX_EPOCH);
        let later = Timestamp::from_second(60).unwrap();
        let second = brought_up_to_date(&first, &[wanted(Some(false), "B")], Some(2), later);
        assert_eq!(second[0].last_transition_time, first[0].last_transition_time);
        assert_eq!((second[0].reason.as_str(), second[0].observed_generation), ("B", Some(2)));
        let third = brought_up_to_date(&second, &[wanted(Some(true), "C")], Some(2), later);
        assert_eq!(third[0].last_transition_time, Time(later));
    }

    #[test]
    fn a_wait_whose_time_counts_begins_with_its_reason() {
        for (before, now, begins) in [
            ("PortalError", "Pending", true),
            ("Pending", "Pending", false),
            ("PendingTooLong", "Pending", false),
            ("Pending", "PendingTooLong", false),
            ("Pending", "PortalError", false),
            ("CredentialRefused", "Rotating", true),
            ("Rotating", "Rotating", false),
        ] {
            let wanted =
                |reason| Wanted { type_: READY, status: Some(false), reason, message: String::new() };
            let first = brought_up_to_date(&[], &[wanted(before)], Some(1), Timestamp::UNIX_EPOCH);
            let later = Timestamp::from_second(60).unwrap();
            let second = brought_up_to_date(&first, &[wanted(now)], Some(1), later);
            assert_eq!(second[0].last_transition_time == Time(later), begins, "{before}, {now}");
        }
    }

    #[test]
    fn text_is_cut_at_a_character() {
        assert_eq!(cut("äöü", 6), "äöü");
        assert_eq!(cut("äöüä", 7), "äö…");
    }
}
