//! What the login Secrets of the Portals held when they were last read.

use std::collections::BTreeMap;

use jiff::Timestamp;
use parking_lot::{Mutex, MutexGuard};

use crate::controller::objects::Key;
use crate::site::Logins;

/// A login Secret as it was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SeenLogin {
    /// A keyed digest of its content.
    pub digest: String,
    /// When the content was written, as far as the Secret shows it.
    pub written: Option<Timestamp>,
}

/// The last reading for each Portal; `None` for a Secret that could not be read.
#[derive(Debug, Default)]
pub struct SeenLogins(Mutex<BTreeMap<Key, Logins<Option<SeenLogin>>>>);

impl SeenLogins {
    fn all(&self) -> MutexGuard<'_, BTreeMap<Key, Logins<Option<SeenLogin>>>> {
        self.0.lock()
    }

    /// The Secrets were read.
    pub fn read(&self, key: &Key, logins: Logins<Option<SeenLogin>>) {
        self.all().insert(key.clone(), logins);
    }

    /// What was read last; `None` where this process has not read the Secrets of the Portal.
    #[must_use]
    pub fn of(&self, key: &Key) -> Option<Logins<Option<SeenLogin>>> {
        self.all().get(key).cloned()
    }

    /// A Portal is gone.
    pub fn forget(&self, key: &Key) {
        self.all().remove(key);
    }
}
