//! The roles that the tokens of credentials show. A user's roles can change in the portal while its list shows no change. Its
//! details are read only if its token shows other roles than before. The doubt ends when a status is written that reports no
//! difference: that is decided by the details and by a token. Any other status has concluded nothing.
//!
//! A token that names no technical-user roles means that they were removed only if tokens name them at all: the client
//! scopes of an identity provider can leave them out of all tokens.

use std::collections::BTreeMap;

use parking_lot::Mutex;

use super::reconcile::Reconcile;
use crate::api::conditions::READY;
use crate::controller::objects::Key;
use crate::controller::portal::connections::Connection;
use crate::domain::plan::{CredentialAt, Report, Settled, Stage, Verified, reports_token_roles};
use crate::domain::user::{UserId, UserKind};
use crate::portal::TokenRoles;

/// The roles that the tokens of a resource's user show.
#[derive(Debug, Default)]
pub struct SeenRoles(Option<Roles>);

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

impl SeenRoles {
    /// A token of the user's published credential was issued. Where this process has not seen one before, its roles are
    /// compared with those that the status names.
    pub fn shown(&mut self, user: &UserId, shown: &Shown<'_>, recorded: &[String]) {
        let roles = self.of(user);
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
    pub fn shown_with_details(&mut self, user: &UserId, shown: &Shown<'_>) {
        let roles = self.of(user);
        roles.doubtful = Some(shown.summary()).filter(|shown| roles.known != Some(*shown));
    }

    /// The user is as it should be, by its details and by its last token.
    pub fn settled(&mut self, user: &UserId) {
        if let Some(roles) = self.0.as_mut().filter(|roles| roles.user == *user)
            && let Some(summary) = roles.doubtful.take()
        {
            roles.known = Some(summary);
        }
    }

    /// Whether the last token showed other roles than the details that are known.
    #[must_use]
    pub fn are_doubted(&self) -> bool {
        self.0.as_ref().is_some_and(|roles| roles.doubtful.is_some())
    }

    /// What is known of this user. Removes what is known of another one that the resource had before.
    fn of(&mut self, user: &UserId) -> &mut Roles {
        let new = || Roles { user: user.clone(), known: None, doubtful: None };
        let known = self.0.take().filter(|roles| roles.user == *user);
        self.0.insert(known.unwrap_or_else(new))
    }
}

/// The token endpoints whose tokens were seen to name technical-user roles, by the Portal.
#[derive(Debug, Default)]
pub struct NamedRoles(Mutex<BTreeMap<Key, String>>);

impl NamedRoles {
    /// A token that the Portal's identity provider issued names technical-user roles.
    fn named(&self, portal: &Key, token_url: &str) {
        self.0.lock().insert(portal.clone(), token_url.to_owned());
    }

    /// Whether a token of a Portal's users was seen to name technical-user roles.
    fn are_named(&self, portal: &Key, token_url: &str) -> bool {
        self.0.lock().get(portal).is_some_and(|named| named == token_url)
    }

    /// Forgets a Portal that is gone.
    pub fn forget(&self, portal: &Key) {
        self.0.lock().remove(portal);
    }
}

/// Roles of a user can change in the portal, or in the identity provider alone, without a word in the list; the token of an
/// internal user shows them.
pub(super) fn compare(
    reconcile: &mut Reconcile,
    connection: &Connection,
    at: &CredentialAt,
    token: TokenRoles,
) {
    let memory = &reconcile.ctx.memory;
    let user = match (at, &reconcile.status.user) {
        (CredentialAt::Portal(user), _)
            if reconcile.details.get(user).is_some_and(|details| details.kind == UserKind::Internal) =>
        {
            let shown = Shown { comparable: is_comparable(reconcile, connection, &token), token: &token };
            memory.change(&reconcile.key, |seen| seen.roles.shown_with_details(user, &shown));
            Some((user.clone(), shown.comparable))
        }
        (CredentialAt::Output(_), Some(user)) if user.kind == super::status::INTERNAL => {
            let shown = Shown { comparable: is_comparable(reconcile, connection, &token), token: &token };
            let id = UserId::new(&user.id);
            memory.change(&reconcile.key, |seen| seen.roles.shown(&id, &shown, &user.roles));
            Some((id, shown.comparable))
        }
        _ => None,
    };
    reconcile.observation.roles_doubted = memory.with(&reconcile.key, |seen| seen.roles.are_doubted());
    if let Some((id, comparable)) = user {
        reconcile.observation.users.entry(&id).token_roles = comparable.then_some(token.technical);
    }
}

/// Whether the token of an internal user would name its technical-user roles: it names some, or a token of this user, of
/// another one of the Portal or of its login has named some.
fn is_comparable(reconcile: &Reconcile, connection: &Connection, token: &TokenRoles) -> bool {
    let seen = &reconcile.ctx.memory.named_roles;
    if !token.technical.is_empty() {
        seen.named(&reconcile.portal_key, &connection.token_url);
        return true;
    }
    !connection.login.technical_roles.is_empty()
        || seen.are_named(&reconcile.portal_key, &connection.token_url)
        || reconcile.status.conditions.iter().any(|condition| {
            condition.type_ == READY && reports_token_roles(&condition.reason, &condition.message)
        })
}

/// A status was written. Where it says that all is as it should be with the user, what the tokens showed is no longer in doubt.
pub(super) fn settle(reconcile: &Reconcile, settled: &Settled) {
    let o = &reconcile.observation;
    let is_in_order = match (&settled.report, &settled.current) {
        (Report::Ready, _) => true,
        // Roles and credential were found in order before an output was: another one holds the credential.
        (Report::Blocked { stage: Stage::Output, .. }, Some(current)) => {
            o.is_published(&current.id) && o.proof_of(&current.id) == Some(&Verified::Accepted)
        }
        // The same, and the state of an output is unknown.
        (Report::StillReady, Some(current)) => o.proof_of(&current.id) == Some(&Verified::Accepted),
        _ => false,
    };
    if !is_in_order {
        return;
    }
    for id in reconcile.details.keys() {
        reconcile.ctx.memory.change(&reconcile.key, |seen| seen.roles.settled(id));
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::controller::technical_user::test_support::Scene;
    use crate::controller::test_support::{Users, connection_to};
    use crate::domain::reason::Reason;
    use crate::portal::PortalError;

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
        let (mut seen, user) = (SeenRoles::default(), UserId::new("u1"));
        seen.shown(&user, &compared(&token(&["a", "b"], 1)), &recorded());
        assert!(!seen.are_doubted(), "the first token shows what the status names");
        seen.shown(&user, &compared(&token(&["a", "b"], 2)), &recorded());
        assert!(seen.are_doubted(), "a permission behind the same roles changed");
        seen.settled(&UserId::new("another"));
        assert!(seen.are_doubted());
        seen.settled(&user);
        assert!(!seen.are_doubted());
        seen.shown(&user, &compared(&token(&["a", "b"], 2)), &recorded());
        assert!(!seen.are_doubted(), "and not again");
        seen.shown(&user, &compared(&token(&["a"], 3)), &recorded());
        assert!(seen.are_doubted());
        seen.shown(&user, &compared(&token(&["a", "b"], 2)), &recorded());
        assert!(!seen.are_doubted(), "a person restored the role");
    }

    #[test]
    fn after_a_restart_the_token_is_compared_with_the_status() {
        let (mut seen, user) = (SeenRoles::default(), UserId::new("u1"));
        seen.shown(&user, &compared(&token(&["a"], 1)), &recorded());
        assert!(seen.are_doubted());
        seen.shown_with_details(&user, &compared(&token(&["a"], 1)));
        assert!(seen.are_doubted(), "the status was not written");
        seen.settled(&user);
        assert!(!seen.are_doubted());
        seen.shown_with_details(&user, &compared(&token(&["a"], 1)));
        assert!(!seen.are_doubted(), "the same token again");
        seen.shown(&UserId::new("u2"), &compared(&token(&["c"], 9)), &["c".to_owned()]);
        assert!(!seen.are_doubted(), "its successor has roles of its own");
    }

    #[test]
    fn a_token_without_roles_is_judged_again_after_tokens_name_them() {
        let (mut seen, named) = (SeenRoles::default(), NamedRoles::default());
        let (user, none) = (UserId::new("u1"), token(&[], 7));
        let (portal, other) = (
            Key { namespace: "n".into(), name: "p".into() },
            Key { namespace: "n".into(), name: "other".into() },
        );
        seen.shown(&user, &Shown { token: &none, comparable: false }, &recorded());
        assert!(!seen.are_doubted(), "no token names any role");
        named.named(&portal, "https://idp/token");
        assert!(named.are_named(&portal, "https://idp/token"));
        assert!(!named.are_named(&portal, "https://another/token"));
        assert!(!named.are_named(&other, "https://idp/token"), "its owner chooses the token endpoint");
        seen.shown(&user, &compared(&none), &recorded());
        assert!(seen.are_doubted());
        named.forget(&portal);
        assert!(!named.are_named(&portal, "https://idp/token"));
    }

    /// Whether a token without technical-user roles says that the user has none, by what a login's token shows, the tokens of other
    /// users, and this condition.
    async fn counts(login_roles: &[&str], seen: bool, condition: &Value) -> bool {
        let mut connection = connection_to(Users::none(PortalError::NotFound));
        connection.login.technical_roles = login_roles.iter().map(ToString::to_string).collect();
        let scene = Scene::connected(connection.clone(), &json!({"status": {"conditions": [condition]}}));
        if seen {
            let portal = Key { namespace: "connector".into(), name: "portal".into() };
            scene.ctx.memory.named_roles.named(&portal, &connection.token_url);
        }
        is_comparable(&scene.observed().await, &connection, &token(&[], 7))
    }

    #[tokio::test]
    async fn a_token_without_roles_counts_once_any_token_has_named_roles() {
        let ready = |reason: Reason, message: &str| {
            json!({
                "type": READY, "status": "False", "reason": reason.as_str(), "message": message,
                "lastTransitionTime": "2026-11-22T12:00:00Z",
            })
        };
        let other = ready(Reason::PortalNotReady, "it is down");
        assert!(!counts(&[], false, &other).await);
        assert!(counts(&["a"], false, &other).await, "the login's own token");
        assert!(counts(&[], true, &other).await, "that of another user");
        let reported = ready(Reason::AccessDenied, "The token of user u1 shows the role \"b\"");
        assert!(counts(&[], false, &reported).await, "one of this user, before a restart");
        assert!(counts(&["a"], true, &reported).await);
    }
}
