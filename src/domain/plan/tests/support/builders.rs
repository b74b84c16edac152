//! Observations that read like sentences: `a_ready_resource().without_finalizer()`.

use std::time::Duration;

use super::outputs::absent;
use super::users::Candidate;
use crate::domain::attempt::Attempt;
use crate::domain::grace::Waiting;
use crate::domain::identity::Owner;
use crate::domain::ownership::Origin;
use crate::domain::plan::{
    AttemptState, CredentialAt, Deletion, Desired, DesiredUser, Done, Listed, Observation, OpenAttempt,
    Recorded, RecordedUser, Restarts, Rotation, Searched, Selection, Selector, Timers, UserFacts, UserView,
    Users, Verified,
};
use crate::domain::reason::Reason;
use crate::domain::user::{UserId, UserStatus};

pub(in crate::domain::plan::tests) use super::outputs::{
    A_PLACE_FOR_EACH, contents, down, in_the_secret, the_entry, the_secret,
};
pub(in crate::domain::plan::tests) use super::portal::{
    COMPANY, NEW_URL, OTHER_COMPANY, TOKEN_URL, URL, a_pin, a_portal, here, other_pin, pin, there,
};
pub(in crate::domain::plan::tests) use super::users::{candidate, details, details_of};

pub(in crate::domain::plan::tests) fn id(text: &str) -> UserId {
    UserId::new(text)
}

pub(in crate::domain::plan::tests) fn owner() -> Owner {
    Owner { instance: "prod".into(), namespace: "connector".into(), name: "edc".into() }
}

/// Nothing is due.
pub(in crate::domain::plan::tests) fn timers() -> Timers {
    Timers {
        recheck: Duration::from_mins(2),
        poll: Duration::from_secs(30),
        verification: Duration::from_hours(1),
        other: None,
    }
}

/// The credential that the portal shows for a user.
pub(in crate::domain::plan::tests) fn shown_for(user: &str) -> CredentialAt {
    CredentialAt::Portal(id(user))
}

/// A new resource: one internal role, no status, no finalizer, no Secret.
pub(in crate::domain::plan::tests) fn a_new_resource() -> Observation {
    Observation {
        owner: owner(),
        hint: here(),
        desired: Desired::Create(DesiredUser {
            roles: vec!["discovery".into()],
            name: None,
            description: None,
            adopt: None,
            deletion: Deletion::Delete,
        }),
        deleting: false,
        suspended: false,
        protected: false,
        released: false,
        rotation: Rotation::default(),
        finalizer: false,
        live: false,
        spec_observed: false,
        was_ready: false,
        reported: false,
        reported_reason: None,
        recorded: Recorded::default(),
        attempt: None,
        refusal: None,
        connecting: false,
        portal: Ok(a_portal()),
        users: Users::default(),
        searched: Searched::No,
        selection: Selection::Unread,
        name_doubted: false,
        outputs: vec![absent(the_secret())],
        to_remove: Vec::new(),
        restarts: Restarts::default(),
        users_done: None,
        published_proof: None,
        timers: timers(),
        roles_doubted: false,
        pending_for: None,
        client_missing_for_good: false,
        waiting: Waiting::default(),
    }
}

/// A resource whose status names `u1` of generation 1, which is active; nothing is published.
pub(in crate::domain::plan::tests) fn a_recorded_resource() -> Observation {
    let mut o = a_new_resource();
    o.finalizer = true;
    o.spec_observed = true;
    o.recorded.portal = Some(a_pin());
    o.recorded.user = Some(RecordedUser {
        id: id("u1"),
        origin: Origin::Created(1),
        active: true,
        proved: true,
        asked: None,
    });
    o.in_the_list(Listed::There(UserStatus::Active))
}

/// A resource whose user `u1` of generation 1 is published, verified and recorded.
pub(in crate::domain::plan::tests) fn a_ready_resource() -> Observation {
    let mut o = a_recorded_resource().with_secret_of("u1", "d1");
    o.recorded.credential_published = true;
    o.recorded_content("d1")
}

/// A ready resource under deletion, as the apiserver has it.
pub(in crate::domain::plan::tests) fn a_deleted_resource() -> Observation {
    let mut o = a_ready_resource().read_live();
    (o.deleting, o.reported) = (true, true);
    o
}

/// A resource that publishes the existing user `u1`.
pub(in crate::domain::plan::tests) fn an_existing(selected: &[&str]) -> Observation {
    let mut o = a_new_resource();
    o.desired = Desired::Existing { selector: Selector::ClientId("sa1".into()) };
    o.selected(selected)
}

impl Observation {
    /// Changes anything.
    pub(in crate::domain::plan::tests) fn but(mut self, change: impl FnOnce(&mut Self)) -> Self {
        change(&mut self);
        self
    }

    /// It has waited for this for the given time.
    pub(in crate::domain::plan::tests) fn waited_for(self, reason: Reason, time: Duration) -> Self {
        self.but(|o| o.waiting.seen = Some((reason, time)))
    }

    pub(in crate::domain::plan::tests) fn desired_but(self, change: impl FnOnce(&mut DesiredUser)) -> Self {
        self.but(|o| {
            if let Desired::Create(desired) = &mut o.desired {
                change(desired);
            }
        })
    }

    pub(in crate::domain::plan::tests) fn roles(self, names: &[&str]) -> Self {
        self.desired_but(|d| d.roles = names.iter().map(ToString::to_string).collect())
    }

    pub(in crate::domain::plan::tests) fn policy(self, policy: Deletion) -> Self {
        self.desired_but(|d| d.deletion = policy)
    }

    pub(in crate::domain::plan::tests) fn without_finalizer(self) -> Self {
        self.but(|o| o.finalizer = false)
    }

    pub(in crate::domain::plan::tests) fn read_live(self) -> Self {
        self.but(|o| o.live = true)
    }

    pub(in crate::domain::plan::tests) fn rotate(self) -> Self {
        self.but(|o| o.rotation.requested = true)
    }

    /// Suspended, which is a change of the spec.
    pub(in crate::domain::plan::tests) fn on_hold(self) -> Self {
        self.but(|o| {
            o.was_ready = o.recorded.credential_published;
            (o.suspended, o.spec_observed) = (true, false);
        })
    }

    pub(in crate::domain::plan::tests) fn protected(self) -> Self {
        self.but(|o| o.protected = true)
    }

    pub(in crate::domain::plan::tests) fn released(self) -> Self {
        self.but(|o| o.released = true)
    }

    pub(in crate::domain::plan::tests) fn recorded_as(self, user: &str, generation: i64) -> Self {
        self.but(|o| {
            let listed = o.recorded.user.as_ref().map(|user| o.listed(&user.id)).unwrap_or_default();
            o.users.entry(&id(user)).listed = listed;
            o.recorded.user = Some(RecordedUser {
                id: id(user),
                origin: Origin::of(Some(generation)),
                active: true,
                proved: true,
                asked: None,
            });
        })
    }

    /// The proof beside the recorded id is right, or the portal shows as much.
    pub(in crate::domain::plan::tests) fn proved(self) -> Self {
        self.with_proof(true)
    }

    /// The status names the user, and nothing else says that it is this resource's.
    pub(in crate::domain::plan::tests) fn unproved(self) -> Self {
        self.with_proof(false)
    }

    fn with_proof(self, proved: bool) -> Self {
        self.but(|o| {
            if let Some(user) = &mut o.recorded.user {
                user.proved = proved;
            }
        })
    }

    /// List or status show the user with this client ID.
    pub(in crate::domain::plan::tests) fn client(self, user: &str, client: &str) -> Self {
        self.but(|o| {
            o.users.entry(&id(user)).client_ids.insert(client.into());
        })
    }

    pub(in crate::domain::plan::tests) fn attempt(self, generation: i64, state: AttemptState) -> Self {
        let attempt = Attempt::new(generation, "a1".into(), pin());
        self.but(|o| {
            o.finalizer = true;
            o.attempt = Some(OpenAttempt { attempt: Some(attempt), state });
        })
    }

    /// The user of the attempt is not needed.
    pub(in crate::domain::plan::tests) fn closed(self) -> Self {
        self.but(|o| {
            let open = o.attempt.as_mut().and_then(|open| open.attempt.as_mut());
            open.unwrap().closed = true;
        })
    }

    /// The annotation is there and cannot be read.
    pub(in crate::domain::plan::tests) fn unreadable_attempt(self, state: AttemptState) -> Self {
        self.but(|o| {
            o.finalizer = true;
            o.attempt = Some(OpenAttempt { attempt: None, state });
        })
    }

    /// What the list shows of the recorded user.
    pub(in crate::domain::plan::tests) fn in_the_list(self, listed: Listed) -> Self {
        self.but(|o| {
            if let Some(user) = o.recorded.user.clone() {
                o.users.entry(&user.id).listed = listed;
            }
        })
    }

    pub(in crate::domain::plan::tests) fn searched(self, found: Vec<Candidate>) -> Self {
        self.but(|o| {
            o.searched = Searched::Everywhere;
            o.users.name_only(found.into_iter().map(|candidate| (candidate.id, candidate.named)));
        })
    }

    pub(in crate::domain::plan::tests) fn sibling(self, sibling: Candidate) -> Self {
        self.but(|o| o.users.entry(&sibling.id).named = Some(sibling.named))
    }

    /// The list shows that the selector fits these users alone.
    pub(in crate::domain::plan::tests) fn selected(self, users: &[&str]) -> Self {
        self.but(|o| {
            o.selection = Selection::Certain;
            o.users.select_only(users.iter().map(|user| id(user)));
        })
    }

    pub(in crate::domain::plan::tests) fn seen(self, user: &str, facts: UserFacts) -> Self {
        self.view_of(&id(user), UserView::Read(facts))
    }

    pub(in crate::domain::plan::tests) fn seen_gone(self, user: &str) -> Self {
        self.view_of(&id(user), UserView::Gone)
    }

    pub(in crate::domain::plan::tests) fn seen_without_client(self, user: &str) -> Self {
        self.view_of(&id(user), UserView::ClientMissing)
    }

    pub(in crate::domain::plan::tests) fn view_of(self, user: &UserId, view: UserView) -> Self {
        self.but(|o| o.users.entry(user).details = Some(view))
    }

    /// An accepted credential is not due again for an hour.
    pub(in crate::domain::plan::tests) fn verified(self, at: CredentialAt, said: Verified) -> Self {
        self.but(|o| {
            if said == Verified::Accepted {
                o.timers = timers();
            }
            match at {
                CredentialAt::Portal(user) => o.users.entry(&user).proof = Some(said),
                CredentialAt::Output(_) => o.published_proof = Some(said),
            }
        })
    }

    pub(in crate::domain::plan::tests) fn verification_due(self) -> Self {
        self.but(|o| o.timers.verification = Duration::ZERO)
    }

    pub(in crate::domain::plan::tests) fn done(self, user: &str, what: Done) -> Self {
        self.but(|o| o.users.entry(&id(user)).done.push(what))
    }

    /// The user's token shows these roles.
    pub(in crate::domain::plan::tests) fn token_shows(self, user: &str, roles: &[&str]) -> Self {
        let roles = roles.iter().map(ToString::to_string).collect();
        self.but(|o| o.users.entry(&id(user)).token_roles = Some(roles))
    }

    pub(in crate::domain::plan::tests) fn pending_for(self, minutes: u64) -> Self {
        self.but(|o| o.pending_for = Some(Duration::from_secs(60 * minutes)))
    }
}
