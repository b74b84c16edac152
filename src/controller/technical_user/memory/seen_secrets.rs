//! The states of Secrets that this process has compared with what was written, so that a Secret in which others change
//! their own labels and annotations is not read for each change.

use std::collections::BTreeMap;
use std::time::Duration;

use tokio::time::Instant;

use crate::controller::secrets::Version;
use crate::domain::plan::OutputId;

/// The first pause between two readings of a Secret in which others change what is not ours; it doubles.
const FIRST_PAUSE: Duration = Duration::from_secs(2);
const LONGEST_PAUSE: Duration = Duration::from_mins(1);

/// The states of a resource's Secrets that were compared with what was written.
#[derive(Debug, Default)]
pub struct SeenSecrets(BTreeMap<OutputId, Compared>);

#[derive(Debug)]
struct Compared {
    version: Version,
    digest: String,
    at: Instant,
    pause: Duration,
}

/// What is known of a Secret in a state that the status does not name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Seen {
    /// It was compared in this very state.
    Compared(String),
    /// Nothing of ours differed a moment ago; it is read again after this time.
    NotYet(String, Duration),
    /// It has to be read.
    Unknown,
}

impl SeenSecrets {
    /// The Secret was found, in this state, as it was written: another client changed something that is not ours.
    pub fn as_written(&mut self, output: &OutputId, version: &Version, digest: &str) {
        let now = Instant::now();
        let before = self.0.get(output).filter(|before| before.version.uid == version.uid);
        if before.is_some_and(|before| before.version == *version) {
            return;
        }
        // After a long time without a change the pauses start again with the first.
        let pause = before
            .filter(|before| now.duration_since(before.at) < LONGEST_PAUSE.saturating_mul(2))
            .map_or(FIRST_PAUSE, |before| before.pause.saturating_mul(2).min(LONGEST_PAUSE));
        let compared = Compared { version: version.clone(), digest: digest.to_owned(), at: now, pause };
        self.0.insert(output.clone(), compared);
    }

    /// The Secret was written by this process, or is not as it was written.
    pub fn forget(&mut self, output: &OutputId) {
        self.0.remove(output);
    }

    /// What is known of the Secret in this state.
    #[must_use]
    pub fn get(&self, output: &OutputId, version: &Version) -> Seen {
        let Some(compared) = self.0.get(output).filter(|compared| compared.version.uid == version.uid) else {
            return Seen::Unknown;
        };
        if compared.version == *version {
            return Seen::Compared(compared.digest.clone());
        }
        let left = (compared.at + compared.pause).saturating_duration_since(Instant::now());
        if left.is_zero() { Seen::Unknown } else { Seen::NotYet(compared.digest.clone(), left) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secret() -> OutputId {
        OutputId { kind: "Secret".into(), name: "edc".into() }
    }

    fn version(number: u64) -> Version {
        Version { uid: "uid".into(), resource_version: number.to_string() }
    }

    #[tokio::test(start_paused = true)]
    async fn a_secret_that_others_change_all_the_time_is_read_less_and_less() {
        let mut seen = SeenSecrets::default();
        let mut reads = 0;
        let mut longest = Duration::ZERO;
        // Ten changes per second, for ten minutes.
        for change in 0..6_000_u64 {
            match seen.get(&secret(), &version(change)) {
                Seen::Unknown => {
                    reads += 1;
                    seen.as_written(&secret(), &version(change), "d");
                    assert_eq!(seen.get(&secret(), &version(change)), Seen::Compared("d".into()));
                }
                Seen::NotYet(digest, left) => {
                    assert_eq!(digest, "d");
                    longest = longest.max(left);
                }
                Seen::Compared(_) => panic!("this state was never compared"),
            }
            tokio::time::advance(Duration::from_millis(100)).await;
            if change == 99 {
                assert_eq!(reads, 3, "in the first ten seconds");
            }
        }
        assert!(reads <= 16, "{reads}");
        assert!(longest <= LONGEST_PAUSE);
        tokio::time::advance(LONGEST_PAUSE.saturating_mul(2)).await;
        assert_eq!(
            seen.get(&secret(), &version(7_000)),
            Seen::Unknown,
            "a change after a while is read at once"
        );
        seen.as_written(&secret(), &version(7_000), "d");
        let Seen::NotYet(_, left) = seen.get(&secret(), &version(7_001)) else {
            panic!("it was read just now")
        };
        assert_eq!(left, FIRST_PAUSE);
    }

    #[tokio::test(start_paused = true)]
    async fn another_secret_of_the_same_name_is_read_at_once() {
        let mut seen = SeenSecrets::default();
        seen.as_written(&secret(), &version(1), "d");
        let another = Version { uid: "other".into(), resource_version: "2".into() };
        assert_eq!(seen.get(&secret(), &another), Seen::Unknown);
        seen.forget(&secret());
        assert_eq!(seen.get(&secret(), &version(1)), Seen::Unknown);
    }
}
