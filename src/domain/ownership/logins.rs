//! The operator's own logins, which are never users of a resource.

use std::collections::BTreeSet;

use crate::domain::blocker::Blocker;
use crate::domain::reason::Reason;
use crate::domain::user::UserId;

/// The client IDs of the operator's own logins into one portal, former ones included.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Logins {
    configured: BTreeSet<String>,
    in_use: BTreeSet<String>,
}

impl Logins {
    /// A login Secret names it.
    pub fn configure(&mut self, client_id: &str) {
        self.configured.insert(spelled(client_id));
    }

    /// A token was obtained with it, or names it.
    pub fn use_now(&mut self, client_id: &str) {
        self.in_use.insert(spelled(client_id));
    }

    /// Adds the logins of another Portal that leads to the same portal.
    pub fn extend(&mut self, other: &Self) {
        self.configured.extend(other.configured.iter().cloned());
        self.in_use.extend(other.in_use.iter().cloned());
    }

    /// The client IDs that are logins in `self` and not in `other`, or in use in `self` and only named in `other`.
    #[must_use]
    pub fn beyond(&self, other: &Self) -> Vec<String> {
        let named = self.configured.iter().filter(|id| !other.is_known(id));
        let in_use = self.in_use.difference(&other.in_use);
        named.chain(in_use).cloned().collect()
    }

    /// Whether a Portal names it as its login, whether that login works or not.
    #[must_use]
    pub fn is_known(&self, client_id: &str) -> bool {
        let client_id = spelled(client_id);
        self.configured.contains(&client_id) || self.in_use.contains(&client_id)
    }

    /// Whether a Portal has logged in with it. For a user with the mark of its resource only this counts. Otherwise a person
    /// who may write a Portal could name the client ID of another resource's user as login, and so stop its publication.
    #[must_use]
    pub fn is_in_use(&self, client_id: &str) -> bool {
        self.in_use.contains(&spelled(client_id))
    }
}

fn spelled(client_id: &str) -> String {
    client_id.trim().to_ascii_lowercase()
}

/// The blocker of a resource whose user is the operator's own login.
#[must_use]
pub fn login_blocker(id: &UserId) -> Blocker {
    Blocker::lasting(
        Reason::OperatorLogin,
        format!(
            "User {id} is the operator's own login, or was until recently. The operator never publishes, changes or deletes \
             it. Name another user. If the login Secret of a Portal names this user by mistake, correct the Secret. If the \
             user was a login and is not one any more, wait for an hour. To release a resource whose status names this user, \
             set the annotation technicaluser.dev/release=true and delete it."
        ),
    )
}
