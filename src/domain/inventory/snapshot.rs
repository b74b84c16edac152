//! The users of a portal as the readings of its list show them.

use std::collections::{BTreeMap, BTreeSet};

use super::Changes;
use super::index::Index;
use crate::domain::identity::{Owner, parse_own_name};
use crate::domain::user::{ListedUser, OfferRef, UserId};

/// What a reading shows of the list.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Coverage {
    /// Some users: the list moved while it was read.
    #[default]
    Partial,
    /// At least one user of each name.
    Names,
    /// Every user.
    Complete,
}

/// One reading of the whole list.
#[derive(Debug, Clone, Default)]
pub struct Reading {
    /// Which one it is; later ones have higher numbers.
    pub number: u64,
    /// The users that it shows.
    pub users: Vec<ListedUser>,
    /// What it shows of the list.
    pub coverage: Coverage,
    /// The users that this process created, changed or deleted since the reading began: the reading does not change them.
    pub written: BTreeSet<UserId>,
}

#[derive(Debug, Clone)]
struct Entry {
    user: ListedUser,
    /// The last reading that showed it.
    seen: u64,
}

/// The users of a portal, with this process's own changes written through.
///
/// A reading may add and change entries. It removes an entry only if it shows every user, or if it shows one user of each
/// name and none of the entry's name. Even then the user may exist: one reading alone proves nothing. The users with a name
/// of the operator's form that a reading did not show are kept aside until two readings prove them absent.
#[derive(Debug, Clone, Default)]
pub struct Snapshot {
    users: BTreeMap<UserId, Entry>,
    /// Users with names of the operator's form that the last readings did not show.
    unseen: BTreeMap<UserId, Entry>,
    /// The ids of both, by the prefixes of their names.
    prefixes: Index,
    names: Index,
    client_ids: Index,
    /// The ids of the users that a subscription created, by the id and by the name of the offer.
    offers: Index,
    offer_names: Index,
    coverage: Coverage,
    number: u64,
}

impl Snapshot {
    /// What one reading shows.
    #[must_use]
    pub fn new(users: Vec<ListedUser>, complete: bool) -> Self {
        let coverage = if complete { Coverage::Complete } else { Coverage::Partial };
        let mut snapshot = Self::default();
        snapshot.apply(Reading { number: 1, users, coverage, ..Reading::default() });
        snapshot
    }

    /// Applies a reading, and returns what it changed.
    pub fn apply(&mut self, reading: Reading) -> Changes {
        let mut changes = Changes::default();
        let Reading { number, users, coverage, written } = reading;
        self.number = number;
        let shown: BTreeSet<UserId> = users.iter().map(|user| user.id.clone()).collect();
        for user in users {
            if written.contains(&user.id) {
                continue;
            }
            match self.users.get_mut(&user.id) {
                Some(entry) if entry.user == user => entry.seen = number,
                _ => {
                    note(&mut changes, &user);
                    self.insert(user);
                }
            }
        }
        self.coverage = coverage;
        if coverage == Coverage::Partial {
            return changes;
        }
        let names: BTreeSet<&str> =
            shown.iter().filter_map(|id| self.users.get(id)).map(|entry| entry.user.name.as_str()).collect();
        let missing: Vec<UserId> = self
            .users
            .iter()
            .filter(|(id, _)| !shown.contains(*id) && !written.contains(*id))
            .filter(|(_, entry)| coverage == Coverage::Complete || !names.contains(entry.user.name.as_str()))
            .map(|(id, _)| id.clone())
            .collect();
        for id in missing {
            let Some(entry) = self.take(&id) else { continue };
            note(&mut changes, &entry.user);
            if let Some(own) = parse_own_name(&entry.user.name) {
                self.prefixes.add(&own.prefix, &id);
                self.unseen.insert(id, entry);
            }
        }
        changes
    }

    /// Two readings, the first of this number, proved the absence of every name that neither shows.
    pub fn prove(&mut self, first: u64) {
        let absent: Vec<UserId> =
            self.unseen.iter().filter(|(_, e)| e.seen < first).map(|(id, _)| id.clone()).collect();
        for id in &absent {
            self.remove(id);
        }
    }

    /// Adds or changes a user that this process wrote.
    pub fn put(&mut self, user: ListedUser) {
        self.insert(user);
    }

    /// Removes a user: this process deleted it, or the portal does not show it any more.
    pub fn remove(&mut self, id: &UserId) {
        self.take(id);
        if let Some(entry) = self.unseen.remove(id)
            && let Some(own) = parse_own_name(&entry.user.name)
        {
            self.prefixes.remove(&own.prefix, id);
        }
    }

    fn insert(&mut self, user: ListedUser) {
        self.remove(&user.id);
        let id = user.id.clone();
        if let Some(own) = parse_own_name(&user.name) {
            self.prefixes.add(&own.prefix, &id);
        }
        self.names.add(&user.name, &id);
        if let Some(client_id) = &user.client_id {
            self.client_ids.add(client_id, &id);
        }
        if let Some(offer) = &user.offer {
            self.offers.add(&offer.id, &id);
            offer.name.iter().for_each(|name| self.offer_names.add(name, &id));
        }
        self.users.insert(id, Entry { user, seen: self.number });
    }

    fn take(&mut self, id: &UserId) -> Option<Entry> {
        let entry = self.users.remove(id)?;
        if let Some(own) = parse_own_name(&entry.user.name) {
            self.prefixes.remove(&own.prefix, id);
        }
        self.names.remove(&entry.user.name, id);
        if let Some(client_id) = &entry.user.client_id {
            self.client_ids.remove(client_id, id);
        }
        if let Some(offer) = &entry.user.offer {
            self.offers.remove(&offer.id, id);
            offer.name.iter().for_each(|name| self.offer_names.remove(name, id));
        }
        Some(entry)
    }

    /// What the last reading showed of the list.
    #[must_use]
    pub fn coverage(&self) -> Coverage {
        self.coverage
    }

    /// Whether the last reading showed every user.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.coverage == Coverage::Complete
    }

    /// The entry of a user.
    #[must_use]
    pub fn get(&self, id: &UserId) -> Option<&ListedUser> {
        self.users.get(id).map(|entry| &entry.user)
    }

    /// Whether the last reading should have shown this user of this name, and did not.
    #[must_use]
    pub fn misses(&self, id: &UserId, name: &str) -> bool {
        let hidden = match self.coverage {
            Coverage::Partial => true,
            Coverage::Names => name.is_empty() || self.names.has(name),
            Coverage::Complete => false,
        };
        !hidden && !self.users.contains_key(id)
    }

    /// The entry of a user that the reading of this number or a later one showed.
    #[must_use]
    pub fn shown_since(&self, id: &UserId, number: u64) -> Option<&ListedUser> {
        self.users.get(id).filter(|entry| entry.seen >= number).map(|entry| &entry.user)
    }

    /// The entries with a name of this resource, the oldest generation first.
    #[must_use]
    pub fn named_for(&self, owner: &Owner) -> Vec<&ListedUser> {
        self.of_prefix(owner, |id| self.users.get(id))
    }

    /// As [`Self::named_for`], only those that the last readings did not show and that are not proved absent.
    #[must_use]
    pub fn unseen_for(&self, owner: &Owner) -> Vec<&ListedUser> {
        self.of_prefix(owner, |id| self.unseen.get(id))
    }

    /// Whether a user is known, shown by the last readings or not, whose name has this prefix.
    #[must_use]
    pub fn has_prefix(&self, prefix: &str) -> bool {
        self.prefixes.has(prefix)
    }

    fn of_prefix<'a>(
        &'a self,
        owner: &Owner,
        find: impl Fn(&UserId) -> Option<&'a Entry>,
    ) -> Vec<&'a ListedUser> {
        let mut found: Vec<(i64, &ListedUser)> = self
            .prefixes
            .ids(&owner.name_prefix())
            .filter_map(find)
            .map(|entry| (parse_own_name(&entry.user.name).map_or(0, |own| own.number), &entry.user))
            .collect();
        found.sort_by(|a, b| (a.0, &a.1.id).cmp(&(b.0, &b.1.id)));
        found.into_iter().map(|(_, user)| user).collect()
    }

    /// The users with this name.
    pub fn with_name(&self, name: &str) -> impl Iterator<Item = &UserId> {
        self.names.ids(name)
    }

    /// The users with this client ID.
    pub fn with_client_id(&self, client_id: &str) -> impl Iterator<Item = &UserId> {
        self.client_ids.ids(client_id)
    }

    /// The users of the company that the subscriptions of an offer created.
    pub fn of_offer<'a>(&'a self, offer: &'a OfferRef) -> impl Iterator<Item = &'a ListedUser> {
        let (index, text) = match offer {
            OfferRef::Id(id) => (&self.offers, id),
            OfferRef::Name(name) => (&self.offer_names, name),
        };
        let user = |id| self.users.get(id).map(|entry: &Entry| &entry.user);
        index.ids(text).filter_map(user).filter(|user| user.is_owner)
    }

    /// The users with names of the operator's form, each with the prefix of its name.
    pub fn of_our_form(&self) -> impl Iterator<Item = (&str, &ListedUser)> {
        self.prefixes.entries().flat_map(move |(prefix, ids)| {
            ids.filter_map(move |id| Some((prefix, &self.users.get(id)?.user)))
        })
    }

    /// How many users the readings showed.
    #[must_use]
    pub fn len(&self) -> usize {
        self.users.len()
    }

    /// Whether no user is known.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.users.is_empty()
    }

    /// Whether anything is known of a user.
    #[must_use]
    pub fn knows(&self, id: &UserId) -> bool {
        self.users.contains_key(id) || self.unseen.contains_key(id)
    }
}

fn note(changes: &mut Changes, user: &ListedUser) {
    changes.users.insert(user.id.clone());
    changes.prefixes.extend(parse_own_name(&user.name).map(|own| own.prefix));
}
