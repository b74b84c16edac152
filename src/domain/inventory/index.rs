//! Users by a text that several of them may share.

use std::collections::{BTreeSet, HashMap};

use crate::domain::user::UserId;

/// The ids that bear a text.
#[derive(Debug, Clone, Default)]
pub(super) struct Index(HashMap<String, BTreeSet<UserId>>);

impl Index {
    pub(super) fn add(&mut self, text: &str, id: &UserId) {
        match self.0.get_mut(text) {
            Some(ids) => {
                ids.insert(id.clone());
            }
            None => {
                self.0.insert(text.to_owned(), BTreeSet::from([id.clone()]));
            }
        }
    }

    pub(super) fn remove(&mut self, text: &str, id: &UserId) {
        if let Some(ids) = self.0.get_mut(text) {
            ids.remove(id);
            if ids.is_empty() {
                self.0.remove(text);
            }
        }
    }

    pub(super) fn ids(&self, text: &str) -> impl Iterator<Item = &UserId> {
        self.0.get(text).into_iter().flatten()
    }

    pub(super) fn has(&self, text: &str) -> bool {
        self.0.contains_key(text)
    }

    pub(super) fn entries(&self) -> impl Iterator<Item = (&str, &BTreeSet<UserId>)> {
        self.0.iter().map(|(text, ids)| (text.as_str(), ids))
    }
}
