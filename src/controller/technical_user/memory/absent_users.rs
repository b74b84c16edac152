//! Users that the portal does not know: since when it has answered so.

use std::collections::BTreeMap;

use parking_lot::Mutex;
use tokio::time::Instant;

use crate::controller::objects::Key;
use crate::domain::user::UserId;

/// For each resource the users that the portal does not know.
#[derive(Debug, Default)]
pub struct AbsentUsers(Mutex<BTreeMap<Key, BTreeMap<UserId, Instant>>>);

impl AbsentUsers {
    /// Since when the portal has answered that it knows no such user; from now on where it did not before.
    pub fn since(&self, key: &Key, id: &UserId) -> Instant {
        *self.0.lock().entry(key.clone()).or_default().entry(id.clone()).or_insert_with(Instant::now)
    }

    /// The portal knows the user.
    pub fn there(&self, key: &Key, id: &UserId) {
        let mut all = self.0.lock();
        if let Some(users) = all.get_mut(key) {
            users.remove(id);
            if users.is_empty() {
                all.remove(key);
            }
        }
    }

    /// Forgets a resource that is gone.
    pub fn forget(&self, key: &Key) {
        self.0.lock().remove(key);
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_user_is_absent_since_the_first_answer_until_it_is_there() {
        let (absent, id) = (AbsentUsers::default(), UserId::new("u1"));
        let key = Key { namespace: "connector".into(), name: "edc".into() };
        let first = absent.since(&key, &id);
        tokio::time::advance(Duration::from_secs(9)).await;
        assert_eq!(absent.since(&key, &id), first);
        absent.there(&key, &id);
        assert_eq!(absent.since(&key, &id), first + Duration::from_secs(9));
    }
}
