//! A user whose client is missing in the identity provider: since when, and how often its token endpoint has said so.

use std::time::Duration;

use tokio::time::Instant;

use crate::controller::objects::Key;

/// Such a user gets a successor automatically when its token endpoint has said `invalid_client` for this time …
const MISSING_TIME: Duration = Duration::from_hours(1);
/// … and this often.
const MISSING_TRIES: u32 = 3;

/// Whether the client of a resource's user is missing.
#[derive(Debug, Default)]
pub struct MissingClient(Option<Box<Missing>>);

#[derive(Debug)]
struct Missing {
    portal: Key,
    since: Instant,
    refusals: u32,
}

impl MissingClient {
    /// The client is missing. `refused`: the user's token endpoint said `invalid_client` just now.
    pub fn missing(&mut self, portal: &Key, refused: bool) {
        let new = || Box::new(Missing { portal: portal.clone(), since: Instant::now(), refusals: 0 });
        self.0.get_or_insert_with(new).refusals += u32::from(refused);
    }

    /// The client is there.
    pub fn there(&mut self) {
        self.0 = None;
    }

    /// The Portal that does not have it, where it is missing.
    #[must_use]
    pub fn portal(&self) -> Option<&Key> {
        self.0.as_ref().map(|missing| &missing.portal)
    }

    /// Whether it was refused long and often enough.
    #[must_use]
    pub fn is_lasting(&self) -> bool {
        self.0.as_ref().is_some_and(|missing| {
            missing.refusals >= MISSING_TRIES && missing.since.elapsed() >= MISSING_TIME
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_client_is_missing_for_long_after_an_hour_and_three_refusals() {
        let portal = Key { namespace: "dataspace".into(), name: "p".into() };
        let mut client = MissingClient::default();
        client.missing(&portal, true);
        client.missing(&portal, true);
        tokio::time::advance(MISSING_TIME).await;
        client.missing(&portal, false);
        assert!(!client.is_lasting(), "not refused often enough");
        client.missing(&portal, true);
        assert!(client.is_lasting());
        client.there();
        assert!(!client.is_lasting() && client.portal().is_none());
        for _ in 0..MISSING_TRIES {
            client.missing(&portal, true);
        }
        assert!(!client.is_lasting(), "not for long enough");
        assert_eq!(client.portal(), Some(&portal));
    }
}
