//! The roles that the tokens of published credentials show. A user's roles can change in the portal without a word in its
//! list; its details are read only where its token shows other roles than before. The doubt ends when a status is written
//! that rests on these details: one that could not be written has said nothing.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::controller::objects::Key;
use crate::domain::user::UserId;
use crate::portal::TokenRoles;

/// The roles that tokens show.
#[derive(Debug, Default)]
pub struct SeenRoles(Mutex<HashMap<Key, Roles>>);

#[derive(Debug)]
struct Roles {
    user: UserId,
    /// As they were when the user's details were known.
    known: Option<u64>,
    /// As the last token showed them; no status that rests on the details was written since.
    doubtful: Option<u64>,
}

impl SeenRoles {
    fn lock(&self) -> MutexGuard<'_, HashMap<Key, Roles>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A token of the user's published credential was issued. Where this process has not seen one before, its roles are
    /// compared with those that the status names.
    pub fn shown(&self, key: &Key, user: &UserId, token: &TokenRoles, recorded: &[String]) {
        let mut all = self.lock();
        let roles = entry(&mut all, key, user);
        let mut recorded = recorded.to_vec();
        recorded.sort();
        let as_known = roles.known.map_or(recorded == token.technical, |known| known == token.digest);
        if as_known {
            (roles.known, roles.doubtful) = (Some(token.digest), None);
        } else {
            roles.doubtful = Some(token.digest);
        }
    }

    /// A token was issued for a credential that the user's details have just shown.
    pub fn shown_with_details(&self, key: &Key, user: &UserId, token: &TokenRoles) {
        let mut all = self.lock();
        let roles = entry(&mut all, key, user);
        roles.doubtful = Some(token.digest).filter(|shown| roles.known != Some(*shown));
    }

    /// A status was written that rests on the user's details: what its last token showed belongs to them.
    pub fn settled(&self, key: &Key, user: &UserId) {
        if let Some(roles) = self.lock().get_mut(key).filter(|roles| roles.user == *user)
            && let Some(digest) = roles.doubtful.take()
        {
            roles.known = Some(digest);
        }
    }

    /// Whether the last token showed other roles than the details that are known.
    #[must_use]
    pub fn are_doubted(&self, key: &Key) -> bool {
        self.lock().get(key).is_some_and(|roles| roles.doubtful.is_some())
    }

    /// Forgets a resource that is gone.
    pub fn forget(&self, key: &Key) {
        self.lock().remove(key);
    }
}

fn entry<'a>(all: &'a mut HashMap<Key, Roles>, key: &Key, user: &UserId) -> &'a mut Roles {
    let new = || Roles { user: user.clone(), known: None, doubtful: None };
    let roles = all.entry(key.clone()).or_insert_with(new);
    if roles.user != *user {
        *roles = new();
    }
    roles
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key() -> Key {
        Key { namespace: "connector".into(), name: "edc".into() }
    }

    fn token(technical: &[&str], digest: u64) -> TokenRoles {
        TokenRoles { technical: technical.iter().map(ToString::to_string).collect(), digest }
    }

    fn recorded() -> Vec<String> {
        vec!["b".into(), "a".into()]
    }

    #[test]
    fn details_are_read_once_where_a_token_shows_other_roles_than_before() {
        let (seen, user) = (SeenRoles::default(), UserId::new("u1"));
        seen.shown(&key(), &user, &token(&["a", "b"], 1), &recorded());
        assert!(!seen.are_doubted(&key()), "the first token shows what the status names");
        seen.shown(&key(), &user, &token(&["a", "b"], 2), &recorded());
        assert!(seen.are_doubted(&key()), "a permission behind the same roles changed");
        seen.settled(&key(), &UserId::new("another"));
        assert!(seen.are_doubted(&key()));
        seen.settled(&key(), &user);
        assert!(!seen.are_doubted(&key()));
        seen.shown(&key(), &user, &token(&["a", "b"], 2), &recorded());
        assert!(!seen.are_doubted(&key()), "and not again");
        seen.shown(&key(), &user, &token(&["a"], 3), &recorded());
        assert!(seen.are_doubted(&key()));
        seen.shown(&key(), &user, &token(&["a", "b"], 2), &recorded());
        assert!(!seen.are_doubted(&key()), "somebody put the role back");
    }

    #[test]
    fn after_a_restart_the_token_is_compared_with_the_status() {
        let (seen, user) = (SeenRoles::default(), UserId::new("u1"));
        seen.shown(&key(), &user, &token(&["a"], 1), &recorded());
        assert!(seen.are_doubted(&key()));
        seen.shown_with_details(&key(), &user, &token(&["a"], 1));
        assert!(seen.are_doubted(&key()), "the status was not written");
        seen.settled(&key(), &user);
        assert!(!seen.are_doubted(&key()));
        seen.shown_with_details(&key(), &user, &token(&["a"], 1));
        assert!(!seen.are_doubted(&key()), "the same token again");
        seen.shown(&key(), &UserId::new("u2"), &token(&["c"], 9), &["c".to_owned()]);
        assert!(!seen.are_doubted(&key()), "its successor has roles of its own");
        seen.forget(&key());
        assert!(!seen.are_doubted(&key()));
    }
}
