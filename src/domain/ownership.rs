//! Which resource a user belongs to. The one rule for every id that comes from a status, from the answer to a create or from
//! a list, checked before a user is published, changed, reset, deleted or marked as retained.
//!
//! A status can be written by others, so an id in it alone proves nothing. The mark in the user's description decides.
//! A user without a mark belongs to the resource only if something proves it that a status cannot forge: a name that the
//! operator gives to users of this resource, or the proof of [`proof`].

mod logins;
mod proof;
mod shown;

use crate::domain::blocker::Blocker;
use crate::domain::identity::{Mark, Owner};
use crate::domain::reason::Reason;
use crate::domain::user::UserId;

pub use logins::{Logins, login_blocker};
pub use proof::{proof, secret_proof};
pub use shown::{generation_shown, is_shown};

/// How a resource came to a user.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    /// The operator created it for the resource, as the user of this generation (from 1).
    Created(i64),
    /// It was there already; the operator never changes it.
    Existing,
}

impl Origin {
    /// What a status says by the number of a generation, or by none. No other number than a positive one is a generation.
    #[must_use]
    pub fn of(generation: Option<i64>) -> Self {
        generation.filter(|generation| *generation > 0).map_or(Self::Existing, Self::Created)
    }

    /// The generation of a user that the operator created.
    #[must_use]
    pub fn generation(self) -> Option<i64> {
        match self {
            Self::Created(generation) => Some(generation),
            Self::Existing => None,
        }
    }
}

/// Where the id of a user comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    /// The status names it.
    Recorded {
        /// How the resource came to it.
        origin: Origin,
        /// The proof beside the id is right, or the portal has shown the user to be the resource's.
        proved: bool,
    },
    /// The answer to a create of this process names it.
    Created {
        /// Which of the resource's users was to be created.
        generation: i64,
    },
    /// A list or a search shows it.
    Listed,
}

/// The part of a user's details that shows which resource it belongs to.
#[derive(Debug, Clone, Copy)]
pub struct Shown<'a> {
    /// The name.
    pub name: &'a str,
    /// The OAuth client ID.
    pub client_id: Option<&'a str>,
    /// The mark in the description.
    pub mark: Option<&'a Mark>,
    /// The resource that the mark names does not exist any more, and the spec names exactly this user by its id.
    pub owner_is_gone: bool,
}

/// Which resource a user belongs to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Whose<'a> {
    /// It has the mark of this resource, not retained; the caller checks the hint in the mark.
    Ours(&'a Mark),
    /// It has no mark, and is proved to be this resource's: the mark is restored.
    OursWithoutMark,
    /// It has the mark of a retained user of this resource: it is not used again.
    Retained,
    /// It has the mark of another resource, retained or not.
    Other(&'a Mark),
    /// It has the mark of another resource that does not exist any more, and the spec names exactly this user by its id.
    Unclaimed(&'a Mark),
    /// It is the operator's own login.
    OperatorLogin,
    /// It has no mark, and nothing proves that it is this resource's.
    Unproved,
}

/// Which resource a user belongs to, by its details as read in this reconcile.
#[must_use]
pub fn whose<'a>(owner: &Owner, source: Source, user: Shown<'a>, logins: &Logins) -> Whose<'a> {
    match user.mark {
        Some(mark) if mark.login => Whose::OperatorLogin,
        Some(_) if user.owner_is_gone && user.client_id.is_some_and(|id| logins.is_known(id)) => {
            Whose::OperatorLogin
        }
        Some(mark) if mark.owner != *owner && user.owner_is_gone => Whose::Unclaimed(mark),
        Some(mark) if mark.owner != *owner => Whose::Other(mark),
        Some(mark) if mark.retained => Whose::Retained,
        Some(_) if user.client_id.is_some_and(|id| logins.is_in_use(id)) => Whose::OperatorLogin,
        Some(mark) => Whose::Ours(mark),
        None if source == Source::Listed => Whose::Unproved,
        None if user.client_id.is_some_and(|id| logins.is_known(id)) => Whose::OperatorLogin,
        None if is_proved(owner, source, user.name) => Whose::OursWithoutMark,
        None => Whose::Unproved,
    }
}

fn is_proved(owner: &Owner, source: Source, name: &str) -> bool {
    let of_form = |generation| owner.is_name_of(generation, name);
    match source {
        Source::Recorded { origin: Origin::Created(generation), proved } => proved || of_form(generation),
        Source::Created { generation } => of_form(generation),
        Source::Recorded { origin: Origin::Existing, .. } | Source::Listed => false,
    }
}

/// The blocker of a resource whose status names a user that nothing proves to be its own.
#[must_use]
pub fn unproved_blocker(id: &UserId) -> Blocker {
    Blocker::lasting(
        Reason::UserNotOurs,
        format!(
            "The status names user {id}, which has no mark, and neither its name nor status.user.proof shows that the \
             operator created it for this resource. The operator does not publish, change or delete it. Find out who wrote the \
             status. Remove status.user, so that the operator searches for the resource's own user. To release the resource, \
             set the annotation technicaluser.dev/release=true and delete it."
        ),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::identity::Hint;
    use crate::domain::test_support::owner;

    fn mark(name: &str, retained: bool) -> Mark {
        Mark { owner: owner(name), generation: 1, hint: Hint::read("here"), retained, login: false }
    }

    fn logins() -> Logins {
        let mut logins = Logins::default();
        logins.configure("sa-configured");
        logins.use_now("SA-used");
        logins
    }

    const RECORDED: Source = Source::Recorded { origin: Origin::Created(2), proved: false };
    const PROVED: Source = Source::Recorded { origin: Origin::Created(2), proved: true };
    const CREATED: Source = Source::Created { generation: 2 };

    #[test]
    fn the_mark_decides_whatever_the_status_says() {
        let (ours, retained) = (mark("edc", false), mark("edc", true));
        let (others, others_retained) = (mark("other", false), mark("other", true));
        let own_name = owner("edc").user_name(2, None);
        for source in [RECORDED, PROVED, CREATED, Source::Listed] {
            let by = |mark| {
                let shown =
                    Shown { name: &own_name, client_id: Some("sa1"), mark: Some(mark), owner_is_gone: false };
                whose(&owner("edc"), source, shown, &logins())
            };
            assert_eq!(by(&ours), Whose::Ours(&ours), "{source:?}");
            assert_eq!(by(&retained), Whose::Retained, "{source:?}");
            assert_eq!(by(&others), Whose::Other(&others), "{source:?}");
            assert_eq!(by(&others_retained), Whose::Other(&others_retained), "{source:?}");
        }
    }

    #[test]
    fn a_user_that_is_marked_as_a_login_is_a_login_whatever_its_name() {
        let own_name = owner("edc").user_name(2, None);
        for (name, retained) in [("edc", false), ("edc", true), ("other", false)] {
            let login = Mark { login: true, ..mark(name, retained) };
            let shown =
                Shown { name: &own_name, client_id: Some("sa1"), mark: Some(&login), owner_is_gone: false };
            for source in [RECORDED, PROVED, CREATED, Source::Listed] {
                assert_eq!(
                    whose(&owner("edc"), source, shown, &logins()),
                    Whose::OperatorLogin,
                    "{source:?}"
                );
            }
            assert!(!is_shown(&owner("edc"), 2, &own_name, Some(&login)));
        }
    }

    #[test]
    fn a_user_whose_resource_is_gone_is_taken_over_unless_it_is_a_login() {
        let (ours, others) = (mark("edc", false), mark("other", false));
        let own_name = owner("edc").user_name(2, None);
        let whose = |mark, client_id, owner_is_gone| {
            let shown = Shown { name: &own_name, client_id, mark: Some(mark), owner_is_gone };
            whose(&owner("edc"), Source::Listed, shown, &logins())
        };
        for client_id in [None, Some("sa1")] {
            assert_eq!(whose(&others, client_id, true), Whose::Unclaimed(&others));
            assert_eq!(whose(&ours, client_id, true), Whose::Ours(&ours));
        }
        // Also one that a Secret names and that no portal has accepted yet.
        for login in ["sa-configured", "sa-used"] {
            assert_eq!(whose(&others, Some(login), true), Whose::OperatorLogin);
            assert_eq!(whose(&ours, Some(login), true), Whose::OperatorLogin);
            assert_eq!(whose(&others, Some(login), false), Whose::Other(&others));
        }
    }

    #[test]
    fn without_a_mark_the_name_of_that_generation_or_the_proof_decides() {
        let name = |generation| owner("edc").user_name(generation, None);
        let ours = Whose::OursWithoutMark;
        for (source, name, expected) in [
            (RECORDED, name(2), ours.clone()),
            (RECORDED, format!("dim-{}", name(2)), ours.clone()),
            (RECORDED, name(1), Whose::Unproved),
            (RECORDED, owner("other").user_name(2, None), Whose::Unproved),
            (RECORDED, "by-hand".into(), Whose::Unproved),
            (PROVED, "by-hand".into(), ours.clone()),
            (CREATED, name(2), ours),
            (CREATED, "by-hand".into(), Whose::Unproved),
            (Source::Listed, name(2), Whose::Unproved),
            (Source::Recorded { origin: Origin::Existing, proved: true }, "by-hand".into(), Whose::Unproved),
        ] {
            let shown = Shown { name: &name, client_id: Some("sa1"), mark: None, owner_is_gone: false };
            assert_eq!(whose(&owner("edc"), source, shown, &logins()), expected, "{source:?} {name}");
        }
    }

    #[test]
    fn a_login_is_never_a_user_of_a_resource() {
        let (ours, own_name) = (mark("edc", false), owner("edc").user_name(2, None));
        let by = |source, client_id, mark| {
            whose(
                &owner("edc"),
                source,
                Shown { name: &own_name, client_id: Some(client_id), mark, owner_is_gone: false },
                &logins(),
            )
        };
        for source in [RECORDED, PROVED, CREATED] {
            assert_eq!(by(source, "sa-used", None), Whose::OperatorLogin, "{source:?}");
            assert_eq!(by(source, "Sa-Configured", None), Whose::OperatorLogin, "{source:?}");
            assert_eq!(by(source, "sa-used", Some(&ours)), Whose::OperatorLogin, "{source:?}");
        }
        assert_eq!(by(Source::Listed, "sa-used", Some(&ours)), Whose::OperatorLogin);
        // Who may write a Portal cannot stop the user of another resource by naming it as a login.
        assert_eq!(by(RECORDED, "sa-configured", Some(&ours)), Whose::Ours(&ours));
    }
}
