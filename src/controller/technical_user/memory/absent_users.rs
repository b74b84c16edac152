//! Users that the portal does not know: since when it has answered so.

use std::collections::BTreeMap;

use tokio::time::Instant;

use crate::domain::user::UserId;

/// The users of a resource that the portal does not know.
#[derive(Debug, Default)]
pub struct AbsentUsers(BTreeMap<UserId, Instant>);

impl AbsentUsers {
    /// Since when the portal has answered that it knows no such user; from now on where it did not before.
    pub fn since(&mut self, id: &UserId) -> Instant {
        *self.0.entry(id.clone()).or_insert_with(Instant::now)
    }

    /// The portal knows the user.
    pub fn there(&mut self, id: &UserId) {
        self.0.remove(id);
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_user_is_absent_since_the_first_answer_until_it_is_there() {
        let (mut absent, id) = (AbsentUsers::default(), UserId::new("u1"));
        let first = absent.since(&id);
        tokio::time::advance(Duration::from_secs(9)).await;
        assert_eq!(absent.since(&id), first);
        absent.there(&id);
        assert_eq!(absent.since(&id), first + Duration::from_secs(9));
    }
}
