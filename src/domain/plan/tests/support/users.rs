//! Users as the portal shows them, for the rows of a table.

use std::collections::BTreeSet;

use super::builders::{contents, here, id, owner, there};
use crate::domain::identity::{Mark, Owner};
use crate::domain::plan::{Confirmed, Named, UserFacts};
use crate::domain::user::{UserId, UserKind, UserStatus};

/// The details of an active internal user of ours: generation 1, digest `d1`.
pub(in crate::domain::plan::tests) fn details() -> UserFacts {
    details_of(1)
}

/// The details of an active internal user of ours of a generation.
pub(in crate::domain::plan::tests) fn details_of(generation: i64) -> UserFacts {
    let mark = Mark { owner: owner(), generation, hint: here(), retained: false, login: false };
    UserFacts {
        name: owner().user_name(generation, None),
        status: UserStatus::Active,
        kind: UserKind::Internal,
        client_id: Some("sa1".into()),
        roles: vec!["discovery".into()],
        roles_in_tokens: true,
        description: mark.describe(None),
        mark: Some(mark),
        owner_is_gone: false,
        connector: None,
        offer: None,
        contents: Some(contents(&format!("d{generation}"))),
        other_credential: false,
        elsewhere: BTreeSet::new(),
    }
}

impl UserFacts {
    pub(in crate::domain::plan::tests) fn but(mut self, change: impl FnOnce(&mut Self)) -> Self {
        change(&mut self);
        self
    }

    pub(in crate::domain::plan::tests) fn in_state(self, status: UserStatus) -> Self {
        self.but(|u| u.status = status)
    }

    pub(in crate::domain::plan::tests) fn external(self) -> Self {
        self.but(|u| u.kind = UserKind::External)
    }

    pub(in crate::domain::plan::tests) fn marked(self, mark: Option<Mark>) -> Self {
        self.but(|u| {
            u.description = mark.as_ref().map_or_else(String::new, |m| m.describe(None));
            u.mark = mark;
        })
    }

    pub(in crate::domain::plan::tests) fn retained(self) -> Self {
        let mark = Mark { owner: owner(), generation: 1, hint: here(), retained: true, login: false };
        self.marked(Some(mark))
    }

    pub(in crate::domain::plan::tests) fn of_other_cluster(self) -> Self {
        let mark = Mark { owner: owner(), generation: 1, hint: there(), retained: false, login: false };
        self.marked(Some(mark))
    }

    /// A login of a Portal of the resource's name.
    pub(in crate::domain::plan::tests) fn of_a_login(self) -> Self {
        let mark = Mark { owner: owner(), generation: 1, hint: here(), retained: false, login: true };
        self.marked(Some(mark))
    }

    pub(in crate::domain::plan::tests) fn of_other_resource(self) -> Self {
        let owner = Owner { name: "other".into(), ..owner() };
        let mark = Mark { owner, generation: 1, hint: here(), retained: false, login: false };
        self.marked(Some(mark))
    }

    /// The resource that the mark names does not exist any more, and the spec names the user by its id.
    pub(in crate::domain::plan::tests) fn without_its_owner(self) -> Self {
        self.but(|u| u.owner_is_gone = true)
    }
}

/// An active internal user with a name of ours, confirmed by its mark.
pub(in crate::domain::plan::tests) fn candidate(user: &str, generation: i64) -> Candidate {
    let named = Named {
        generation,
        status: UserStatus::Active,
        kind: UserKind::Internal,
        client_id: None,
        confirmed: Confirmed::Ours(here()),
        listed_as_retained: false,
    };
    Candidate { id: id(user), named }
}

/// A user with a name of ours, and its id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::domain::plan::tests) struct Candidate {
    pub id: UserId,
    pub named: Named,
}

impl Candidate {
    fn but(mut self, change: impl FnOnce(&mut Named)) -> Self {
        change(&mut self.named);
        self
    }

    pub(in crate::domain::plan::tests) fn is(self, confirmed: Confirmed) -> Self {
        self.but(|named| named.confirmed = confirmed)
    }

    pub(in crate::domain::plan::tests) fn in_state(self, status: UserStatus) -> Self {
        self.but(|named| named.status = status)
    }

    pub(in crate::domain::plan::tests) fn client(self, client: &str) -> Self {
        self.but(|named| named.client_id = Some(client.into()))
    }

    pub(in crate::domain::plan::tests) fn external(self) -> Self {
        self.but(|named| named.kind = UserKind::External)
    }

    pub(in crate::domain::plan::tests) fn listed_as_retained(self) -> Self {
        self.but(|named| named.listed_as_retained = true)
    }
}
