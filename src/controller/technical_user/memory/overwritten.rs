//! The states of an object that this process has written over: a cache that still shows one is behind.

use std::collections::BTreeSet;
use std::time::Duration;

use tokio::time::Instant;

/// A cache that has not shown a write after this time does not show it because it is not there (any more).
const CACHE_LIMIT: Duration = Duration::from_secs(10);

/// The versions that were written over, and when the last one was.
#[derive(Debug, Default)]
pub struct Overwritten(Option<(BTreeSet<String>, Instant)>);

impl Overwritten {
    /// This process has written the object: a cache that still shows the state `before` is behind.
    pub fn wrote(&mut self, before: Option<&str>, after: Option<&str>) {
        // A write that changes nothing leaves the state as it is.
        if let Some(version) = before.filter(|_| before != after) {
            let (versions, at) = self.0.get_or_insert_with(|| (BTreeSet::new(), Instant::now()));
            versions.insert(version.to_owned());
            *at = Instant::now();
        }
    }

    /// Whether the object is in a state that this process has written over a moment ago. Deciding by it would only end in
    /// conflicts. After that moment the state is believed, whatever it is.
    pub fn is_behind(&mut self, version: Option<&str>) -> bool {
        let behind = self.0.as_ref().is_some_and(|(versions, at)| {
            at.elapsed() < CACHE_LIMIT && version.is_some_and(|version| versions.contains(version))
        });
        if !behind {
            self.0 = None;
        }
        behind
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_cache_is_behind_while_it_shows_what_was_written_over() {
        let mut overwritten = Overwritten::default();
        assert!(!overwritten.is_behind(Some("1")));
        overwritten.wrote(Some("1"), Some("2"));
        overwritten.wrote(Some("2"), Some("3"));
        overwritten.wrote(Some("3"), Some("3"));
        assert!(overwritten.is_behind(Some("1")) && overwritten.is_behind(Some("2")));
        assert!(!overwritten.is_behind(Some("3")), "it has caught up");
        assert!(!overwritten.is_behind(Some("1")), "a version that is no longer remembered is accepted");
        overwritten.wrote(Some("4"), Some("5"));
        tokio::time::advance(CACHE_LIMIT).await;
        assert!(!overwritten.is_behind(Some("4")), "restored from a backup");
    }
}
