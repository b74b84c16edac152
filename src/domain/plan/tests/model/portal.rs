//! A model of the portal: users, creates that it carries out when it likes, and the wallet service behind it.

use std::collections::BTreeSet;

use super::super::builders::{contents, here, id, owner};
use crate::domain::identity::{Mark, Owner};
use crate::domain::plan::{UserFacts, UserView};
use crate::domain::user::{UserId, UserKind, UserStatus};

/// A create is carried out within this number of seconds, or never; its caller waits as long.
pub(super) const CREATE_TIMEOUT: u64 = 30;
/// The wallet service answers after this number of seconds.
pub(super) const WALLET_TIME: u64 = 200;

#[derive(Debug, Clone)]
pub(super) struct User {
    pub id: UserId,
    pub generation: i64,
    pub mark: Mark,
    pub kind: UserKind,
    pub status: UserStatus,
    pub since: u64,
    /// Which of its secrets it has now.
    pub version: u32,
    pub client_missing: bool,
    /// A person created it in the web page: it has a name of its own and no mark.
    pub by_hand: bool,
}

impl User {
    /// It is or will be of use, and says to be ours.
    pub(super) fn bears_our_live_mark(&self) -> bool {
        !self.by_hand
            && self.mark.owner == owner()
            && !self.mark.retained
            && matches!(self.status, UserStatus::Active | UserStatus::Pending)
    }

    pub(super) fn view(&self) -> UserView {
        if self.client_missing {
            return UserView::ClientMissing;
        }
        let active = self.status == UserStatus::Active;
        let (name, mark) = if self.by_hand {
            ("a person's user".to_owned(), None)
        } else {
            (owner().user_name(self.generation, None), Some(self.mark.clone()))
        };
        UserView::Read(UserFacts {
            name,
            status: self.status,
            kind: self.kind,
            client_id: active.then(|| format!("sa-{}", self.id)),
            roles: vec![if self.kind == UserKind::External { "wallet" } else { "discovery" }.to_owned()],
            roles_in_tokens: true,
            description: mark.as_ref().map(|mark| mark.describe(None)).unwrap_or_default(),
            mark,
            owner_is_gone: false,
            offer: None,
            connector: None,
            contents: active.then(|| contents(&super::world::digest(Some(&(self.id.clone(), self.version))))),
            other_credential: false,
            elsewhere: BTreeSet::new(),
        })
    }
}

/// What the details of a user are, where the portal has it.
pub(super) fn view(user: Option<&User>) -> UserView {
    user.map_or(UserView::Gone, User::view)
}

/// What the portal does with the next create.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum Fate {
    #[default]
    Done,
    /// Carried out only after the given number of seconds, at most the create time-out.
    Slow(u64),
    /// Carried out, and the answer is lost.
    AnswerLost,
    /// Never carried out, and without an answer.
    Swallowed,
    Refused,
}

/// A create on its way.
#[derive(Debug, Clone)]
pub(super) struct Post {
    pub attempt: String,
    pub generation: i64,
    pub due: u64,
    pub fate: Fate,
    /// What came of it.
    pub outcome: Option<Result<UserId, ()>>,
}

#[derive(Debug, Clone)]
pub(super) struct Portal {
    pub users: Vec<User>,
    pub posts: Vec<Post>,
    pub fate: Fate,
}

impl Portal {
    pub(super) fn new(foreign: bool) -> Self {
        let other = Owner { name: "other".into(), ..owner() };
        let mark = Mark { owner: other, generation: 1, hint: here(), retained: false, login: false };
        let user = User {
            id: id("foreign"),
            generation: 1,
            mark,
            kind: UserKind::Internal,
            status: UserStatus::Active,
            since: 0,
            version: 1,
            client_missing: false,
            by_hand: false,
        };
        let by_hand = User { id: id("by-hand"), by_hand: true, ..user.clone() };
        let users = if foreign { vec![user, by_hand] } else { vec![by_hand] };
        Self { users, posts: Vec::new(), fate: Fate::Done }
    }

    pub(super) fn user(&self, id: &UserId) -> Option<&User> {
        self.users.iter().find(|u| u.id == *id)
    }

    pub(super) fn user_mut(&mut self, id: &UserId) -> Option<&mut User> {
        self.users.iter_mut().find(|u| u.id == *id)
    }

    /// Takes a create; it is carried out when its time has come.
    pub(super) fn post(&mut self, attempt: String, generation: i64, now: u64) {
        let fate = std::mem::take(&mut self.fate);
        let due = if let Fate::Slow(time) = fate { now + time.min(CREATE_TIMEOUT) } else { now };
        self.posts.push(Post { attempt, generation, due, fate, outcome: None });
    }

    /// Carries out the creates whose time has come, and lets the wallet service answer.
    pub(super) fn works(&mut self, now: u64, kind: UserKind, refuses: bool, stuck: bool) {
        for post in self.posts.iter_mut().filter(|p| p.outcome.is_none() && p.due <= now) {
            if post.fate == Fate::Swallowed {
                continue;
            }
            if post.fate == Fate::Refused || refuses {
                post.outcome = Some(Err(()));
                continue;
            }
            let id = id(&format!("u{:0>4}", post.attempt));
            post.outcome = Some(Ok(id.clone()));
            let status = if kind == UserKind::External { UserStatus::Pending } else { UserStatus::Active };
            let mark = Mark {
                owner: owner(),
                generation: post.generation,
                hint: here(),
                retained: false,
                login: false,
            };
            self.users.push(User {
                id,
                generation: post.generation,
                mark,
                kind,
                status,
                since: post.due,
                version: 1,
                client_missing: false,
                by_hand: false,
            });
        }
        for user in self.users.iter_mut().filter(|u| u.status == UserStatus::Pending) {
            if now >= user.since + WALLET_TIME && !(stuck && user.generation > 1) {
                user.status = UserStatus::Active;
            }
        }
    }

    /// Deletes a user: a wallet user only begins to go, a pending one or one without a client cannot be deleted.
    pub(super) fn delete(&mut self, id: &UserId) -> Result<(), ()> {
        let Some(user) = self.user_mut(id) else { return Ok(()) };
        match (user.status, user.client_missing, user.kind) {
            (UserStatus::Pending, ..) | (_, true, _) => Err(()),
            (_, _, UserKind::External) => {
                user.status = UserStatus::PendingDeletion;
                Ok(())
            }
            (_, _, UserKind::Internal) => {
                self.users.retain(|u| u.id != *id);
                Ok(())
            }
        }
    }
}
