//! The roles that the tokens of credentials show. A user's roles can change in the portal without a word in its list; its
//! details are read only where its token shows other roles than before. The doubt ends when a status is written that says that
//! all is as it should be: that rests on the details and on a token. Any other status has concluded nothing.
//!
//! A token that names no technical-user roles means that they were taken away only where tokens do name them: the client
//! scopes of an identity provider can leave them out of all tokens.

use std::collections::BTreeMap;

use parking_lot::{Mutex, MutexGuard};

use super::pass::Pass;
use crate::api::conditions::READY;
use crate::controller::objects::Key;
use crate::controller::portal::connections::Connection;
use crate::domain::plan::{CredentialAt, Report, Settled, reports_token_roles};
use crate::domain::user::{UserId, UserKind};
use crate::portal::TokenRoles;

/// The roles that tokens show.
#[derive(Debug, Default)]
pub struct SeenRoles {
    users: Mutex<BTreeMap<Key, Roles>>,
    /// The token endpoints whose tokens were seen to name technical-user roles, by the Portal.
    named: Mutex<BTreeMap<Key, String>>,
}

#[derive(Debug)]
struct Roles {
    user: UserId,
    /// As they were when the user was found to be as it should be.
    known: Option<Summary>,
    /// As the last token showed them; nothing was concluded from that yet.
    doubtful: Option<Summary>,
}

/// The roles of a token, summed up, and whether they can be compared.
type Summary = (u64, bool);

/// What a token shows.
#[derive(Debug)]
pub struct Shown<'a> {
    /// Its roles.
    pub token: &'a TokenRoles,
    /// Whether they can be compared.
    pub comparable: bool,
}

impl Shown<'_> {
    fn summary(&self) -> Summary {
        (self.token.digest, self.comparable)
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock()
}

impl SeenRoles {
    /// A token of the user's published credential was issued. Where this process has not seen one before, its roles are
    /// compared with those that the status names.
    pub fn shown(&self, key: &Key, user: &UserId, shown: &Shown<'_>, recorded: &[String]) {
        let mut all = lock(&self.users);
        let roles = entry(&mut all, key, user);
        let mut recorded = recorded.to_vec();
        recorded.sort();
        let as_recorded = || !shown.comparable || recorded == shown.token.technical;
        let as_known = roles.known.map_or_else(as_recorded, |known| known == shown.summary());
        if as_known {
            (roles.known, roles.doubtful) = (Some(shown.summary()), None);
        } else {
            roles.doubtful = Some(shown.summary());
        }
    }

    /// A token was issued for a credential that the user's details have just shown.
    pub fn shown_with_details(&self, key: &Key, user: &UserId, shown: &Shown<'_>) {
        let mut all = lock(&self.users);
        let roles = entry(&mut all, key, user);
        roles.doubtful = Some(shown.summary()).filter(|shown| roles.known != Some(*shown));
    }

    /// The user is as it should be, by its details and by its last token.
    pub fn settled(&self, key: &Key, user: &UserId) {
        if let Some(roles) = lock(&self.users).get_mut(key).filter(|roles| roles.user == *user)
            && let Some(summary) = roles.doubtful.take()
        {
            roles.known = Some(summary);
        }
    }

    /// Whether the last token showed other roles than the details that are known.
    #[must_use]
    pub fn are_doubted(&self, key: &Key) -> bool {
        lock(&self.users).get(key).is_some_and(|roles| roles.doubtful.is_some())
    }

    /// A token that the Portal's identity provider issued names technical-user roles.
    fn named(&self, portal: &Key, token_url: &str) {
        lock(&self.named).insert(portal.clone(), token_url.to_owned());
    }

    /// Whether a token of a Portal's users was seen to name technical-user roles.
    fn are_named(&self, portal: &Key, token_url: &str) -> bool {
        lock(&self.named).get(portal).is_some_and(|named| named == token_url)
    }

    /// Forgets a resource that is gone.
    pub fn forget(&self, key: &Key) {
        lock(&self.users).remove(key);
    }

    /// Forgets a Portal that is gone.
    pub fn forget_portal(&self, portal: &Key) {
        lock(&self.named).remove(portal);
    }
}

fn entry<'a>(all: &'a mut BTreeMap<Key, Roles>, key: &Key, user: &UserId) -> &'a mut Roles {
    let new = || Roles { user: user.clone(), known: None, doubtful: None };
    let roles = all.entry(key.clone()).or_insert_with(new);
    if roles.user != *user {
        *roles = new();
    }
    roles
}

/// Roles of a user can change in the portal, or in the identity provider alone, without a word in the list; the token of an
/// internal user shows them.
pub(super) fn compare(pass: &mut Pass, link: &Connection, at: &CredentialAt, token: TokenRoles) {
    let seen = &pass.ctx.memory.roles;
    let user = match (at, &pass.status.user) {
        (CredentialAt::Portal(user), _)
            if pass.details.get(user).is_some_and(|details| details.kind == UserKind::Internal) =>
        {
            let shown = Shown { comparable: is_comparable(pass, link, &token), token: &token };
            seen.shown_with_details(&pass.key, user, &shown);
            Some((user.clone(), shown.comparable))
        }
        (CredentialAt::Output(_), Some(user)) if user.kind == super::status::INTERNAL => {
            let shown = Shown { comparable: is_comparable(pass, link, &token), token: &token };
            let id = UserId::new(&user.id);
            seen.shown(&pass.key, &id, &shown, &user.roles);
            Some((id, shown.comparable))
        }
        _ => None,
    };
    pass.observation.roles_doubted = seen.are_doubted(&pass.key);
    if let Some((id, comparable)) = user {
        pass.observation.users.entry(&id).token_roles = comparable.then_some(token.technical);
    }
}

/// Whether the token of an internal user would name its technical-user roles: it names some, or a token of this user, of
/// another one of the Portal or of its login has named some.
fn is_comparable(pass: &Pass, link: &Connection, token: &TokenRoles) -> bool {
    let seen = &pass.ctx.memory.roles;
    if !token.technical.is_empty() {
        seen.named(&pass.portal_key, &link.token_url);
        return true;
    }
    !link.login.technical_roles.is_empty()
        || seen.are_named(&pass.portal_key, &link.token_url)
        || pass.status.conditions.iter().any(|condition| {
            condition.type_ == READY && reports_token_roles(&condition.reason, &condition.message)
        })
}

/// A status was written. Where it says that all is as it should be, what the tokens showed is no longer in doubt.
pub(super) fn settle(pass: &Pass, rest: &Settled) {
    if rest.report != Report::Ready {
        return;
    }
    for id in pass.details.keys() {
        pass.ctx.memory.roles.settled(&pass.key, id);
    }
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

    fn compared(token: &TokenRoles) -> Shown<'_> {
        Shown { token, comparable: true }
    }

    fn recorded() -> Vec<String> {
        vec!["b".into(), "a".into()]
    }

    #[test]
    fn details_are_read_once_where_a_token_shows_other_roles_than_before() {
        let (seen, user) = (SeenRoles::default(), UserId::new("u1"));
        seen.shown(&key(), &user, &compared(&token(&["a", "b"], 1)), &recorded());
        assert!(!seen.are_doubted(&key()), "the first token shows what the status names");
        seen.shown(&key(), &user, &compared(&token(&["a", "b"], 2)), &recorded());
        assert!(seen.are_doubted(&key()), "a permission behind the same roles changed");
        seen.settled(&key(), &UserId::new("another"));
        assert!(seen.are_doubted(&key()));
        seen.settled(&key(), &user);
        assert!(!seen.are_doubted(&key()));
        seen.shown(&key(), &user, &compared(&token(&["a", "b"], 2)), &recorded());
        assert!(!seen.are_doubted(&key()), "and not again");
        seen.shown(&key(), &user, &compared(&token(&["a"], 3)), &recorded());
        assert!(seen.are_doubted(&key()));
        seen.shown(&key(), &user, &compared(&token(&["a", "b"], 2)), &recorded());
        assert!(!seen.are_doubted(&key()), "somebody put the role back");
    }

    #[test]
    fn after_a_restart_the_token_is_compared_with_the_status() {
        let (seen, user) = (SeenRoles::default(), UserId::new("u1"));
        seen.shown(&key(), &user, &compared(&token(&["a"], 1)), &recorded());
        assert!(seen.are_doubted(&key()));
        seen.shown_with_details(&key(), &user, &compared(&token(&["a"], 1)));
        assert!(seen.are_doubted(&key()), "the status was not written");
        seen.settled(&key(), &user);
        assert!(!seen.are_doubted(&key()));
        seen.shown_with_details(&key(), &user, &compared(&token(&["a"], 1)));
        assert!(!seen.are_doubted(&key()), "the same token again");
        seen.shown(&key(), &UserId::new("u2"), &compared(&token(&["c"], 9)), &["c".to_owned()]);
        assert!(!seen.are_doubted(&key()), "its successor has roles of its own");
        seen.forget(&key());
        assert!(!seen.are_doubted(&key()));
    }

    #[test]
    fn a_token_without_roles_is_judged_anew_once_tokens_are_seen_to_name_them() {
        let (seen, user, none) = (SeenRoles::default(), UserId::new("u1"), token(&[], 7));
        let (portal, other) = (
            Key { namespace: "n".into(), name: "p".into() },
            Key { namespace: "n".into(), name: "other".into() },
        );
        seen.shown(&key(), &user, &Shown { token: &none, comparable: false }, &recorded());
        assert!(!seen.are_doubted(&key()), "no token names any role");
        seen.named(&portal, "https://idp/token");
        assert!(seen.are_named(&portal, "https://idp/token"));
        assert!(!seen.are_named(&portal, "https://another/token"));
        assert!(!seen.are_named(&other, "https://idp/token"), "its owner chooses the token endpoint");
        seen.shown(&key(), &user, &compared(&none), &recorded());
        assert!(seen.are_doubted(&key()));
        seen.forget_portal(&portal);
        assert!(!seen.are_named(&portal, "https://idp/token"));
    }
}
