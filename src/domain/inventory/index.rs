//! Users by a text that several of them may have.

use std::collections::{BTreeMap, BTreeSet};

use crate::domain::user::UserId;

/// The ids of the users with a text.
#[derive(Debug, Clone, Default)]
pub(super) struct Index(BTreeMap<String, Ids>);

/// One id, as most texts have, costs no allocation.
#[derive(Debug, Clone)]
enum Ids {
    One(UserId),
    Several(BTreeSet<UserId>),
}

impl Ids {
    fn iter(&self) -> impl Iterator<Item = &UserId> {
        let (one, several) = match self {
            Self::One(id) => (Some(id), None),
            Self::Several(ids) => (None, Some(ids)),
        };
        one.into_iter().chain(several.into_iter().flatten())
    }

    fn add(&mut self, id: &UserId) {
        match self {
            Self::One(one) if one == id => {}
            Self::One(one) => *self = Self::Several(BTreeSet::from([one.clone(), id.clone()])),
            Self::Several(ids) => {
                ids.insert(id.clone());
            }
        }
    }

    /// Whether none is left.
    fn remove(&mut self, id: &UserId) -> bool {
        match self {
            Self::One(one) => one == id,
            Self::Several(ids) => {
                ids.remove(id);
                ids.is_empty()
            }
        }
    }
}

impl Index {
    pub(super) fn add(&mut self, text: &str, id: &UserId) {
        match self.0.get_mut(text) {
            Some(ids) => ids.add(id),
            None => {
                self.0.insert(text.to_owned(), Ids::One(id.clone()));
            }
        }
    }

    pub(super) fn remove(&mut self, text: &str, id: &UserId) {
        if self.0.get_mut(text).is_some_and(|ids| ids.remove(id)) {
            self.0.remove(text);
        }
    }

    pub(super) fn ids(&self, text: &str) -> impl Iterator<Item = &UserId> {
        self.0.get(text).into_iter().flat_map(Ids::iter)
    }

    pub(super) fn has(&self, text: &str) -> bool {
        self.0.contains_key(text)
    }

    pub(super) fn entries(&self) -> impl Iterator<Item = (&str, impl Iterator<Item = &UserId>)> {
        self.0.iter().map(|(text, ids)| (text.as_str(), ids.iter()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_added_and_removed_one_by_one() {
        let (mut index, ids) = (Index::default(), ["a", "b", "c"].map(UserId::new));
        for id in ids.iter().chain(&ids) {
            index.add("x", id);
        }
        assert!(index.ids("x").eq(&ids));
        for (left, id) in [(2, &ids[1]), (1, &ids[0]), (1, &ids[0]), (0, &ids[2])] {
            index.remove("x", id);
            assert_eq!(index.ids("x").count(), left);
        }
        assert!(!index.has("x"));
        index.add("y", &ids[0]);
        index.remove("y", &ids[1]);
        assert!(index.ids("y").eq(&ids[..1]) && index.entries().count() == 1);
    }
}
