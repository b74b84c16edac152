//! A snapshot of the portal's user list, and what it can prove.

use std::collections::HashMap;

use crate::domain::identity::{Owner, parse_own_name};
use crate::domain::user::{ListedUser, UserId};

/// The users of a portal as one reading of the whole list showed them, with our own changes written through.
///
/// It never proves that an id is gone: only the user's own details say so.
#[derive(Debug, Clone, Default)]
pub struct Snapshot {
    users: HashMap<UserId, ListedUser>,
    complete: bool,
}

impl Snapshot {
    /// A snapshot of these users; `complete` where every user was seen.
    #[must_use]
    pub fn new(users: Vec<ListedUser>, complete: bool) -> Self {
        Self { users: users.into_iter().map(|u| (u.id.clone(), u)).collect(), complete }
    }

    /// Whether every user of the portal was seen.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.complete
    }

    /// The entry of a user.
    #[must_use]
    pub fn get(&self, id: &UserId) -> Option<&ListedUser> {
        self.users.get(id)
    }

    /// All entries.
    pub fn users(&self) -> impl Iterator<Item = &ListedUser> {
        self.users.values()
    }

    /// The entries whose name was made for this resource, the oldest generation first.
    #[must_use]
    pub fn named_for(&self, owner: &Owner) -> Vec<&ListedUser> {
        let prefix = owner.name_prefix();
        let mut found: Vec<(i64, &ListedUser)> = self
            .users
            .values()
            .filter_map(|u| parse_own_name(&u.name).filter(|n| n.prefix == prefix).map(|n| (n.generation, u)))
            .collect();
        found.sort_by(|a, b| (a.0, &a.1.id).cmp(&(b.0, &b.1.id)));
        found.into_iter().map(|(_, u)| u).collect()
    }

    /// Writes one user of ours through.
    pub fn put(&mut self, user: ListedUser) {
        self.users.insert(user.id.clone(), user);
    }

    /// Takes one user of ours out.
    pub fn remove(&mut self, id: &UserId) {
        self.users.remove(id);
    }
}

/// Whether so many of the known users are missing at once that it is a fault of the portal, not of the users: more than
/// the larger of three and a fifth.
#[must_use]
pub fn loss_is_suspicious(known: usize, missing: usize) -> bool {
    missing > 3.max(known / 5)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_few_losses_are_believed_many_are_not() {
        for (known, missing, suspicious) in
            [(3, 3, false), (4, 4, true), (50, 10, false), (50, 11, true), (0, 0, false)]
        {
            assert_eq!(loss_is_suspicious(known, missing), suspicious, "{missing} of {known}");
        }
    }
}
