//! Observations that read like sentences: `a_ready_resource().without_finalizer()`.

use std::time::Duration;

use super::super::{
    AttemptState, Candidate, Deletion, Desired, DesiredUser, Done, Listed, Observation, OpenAttempt,
    PortalFacts, Proof, Recorded, RecordedPortal, RecordedUser, SecretView, Selection, Selector, UserFacts,
    UserView, Verified,
};
use crate::domain::access::Grants;
use crate::domain::attempt::Attempt;
use crate::domain::identity::{Hint, Owner, Pin};
use crate::domain::ownership::Logins;
use crate::domain::reason::Reason;
use crate::domain::roles::Blocker;
use crate::domain::user::{Role, RoleKind, UserId, UserStatus};

pub(super) const URL: &str = "https://portal.example.org";

pub(super) fn id(text: &str) -> UserId {
    UserId::new(text)
}

pub(super) fn owner() -> Owner {
    Owner { instance: "prod".into(), namespace: "connector".into(), name: "edc".into() }
}

pub(super) fn here() -> Hint {
    Hint::read("here")
}

pub(super) fn there() -> Hint {
    Hint::read("there")
}

pub(super) fn pin() -> Pin {
    Pin::new(URL, Some("BPNL1"))
}

pub(super) fn other_pin() -> Pin {
    Pin::new(URL, Some("BPNL2"))
}

pub(super) const NEW_URL: &str = "https://new.example.org";
pub(super) const TOKEN_URL: &str = "https://idp.example.org/token";
pub(super) const COMPANY: &str = "BPNL1";
pub(super) const OTHER_COMPANY: &str = "BPNL2";

fn roles() -> Vec<Role> {
    let role = |name: &str, kind, provider_only| Role {
        id: format!("id-{name}"),
        name: name.into(),
        kind,
        provider_only,
    };
    vec![
        role("discovery", RoleKind::Internal, false),
        role("wallet", RoleKind::External, false),
        role("pool", RoleKind::Internal, true),
    ]
}

/// `sa-operator` logs in; `sa-wrong` is named by a login Secret, and does not work.
fn logins() -> Logins {
    let mut logins = Logins::default();
    logins.use_now("sa-operator");
    logins.configure("sa-wrong");
    logins
}

pub(super) fn a_portal() -> PortalFacts {
    PortalFacts {
        url: URL.into(),
        written_url: URL.into(),
        token_url: TOKEN_URL.into(),
        companies: vec![COMPANY.into()],
        bpn: Some(COMPANY.into()),
        moved_from: Vec::new(),
        discloses: true,
        suspended: false,
        deleting: false,
        may_create: true,
        may_delete: true,
        release_undeletable: false,
        roles: roles(),
        grants: Grants::everything(),
        taken_over: Vec::new(),
        loss_suspected: None,
        logins: logins(),
    }
}

/// What a status records of the portal.
pub(super) fn a_pin() -> RecordedPortal {
    RecordedPortal {
        url: URL.into(),
        token_url: Some(TOKEN_URL.into()),
        bpn: Some(COMPANY.into()),
        hint: here(),
    }
}

/// A resource that nobody has worked at yet: one internal role, no status, no finalizer, no Secret.
pub(super) fn a_new_resource() -> Observation {
    Observation {
        owner: owner(),
        hint: here(),
        desired: Desired::Create(DesiredUser {
            roles: vec!["discovery".into()],
            name: None,
            description: None,
            deletion: Deletion::Delete,
        }),
        deleting: false,
        released: false,
        rotation_requested: false,
        finalizer: false,
        live: false,
        spec_observed: false,
        told: None,
        recorded: Recorded::default(),
        attempt: None,
        refusal: None,
        portal: Ok(a_portal()),
        listed: Listed::Unknown,
        name_doubted: false,
        siblings: Vec::new(),
        clients: Vec::new(),
        selected: None,
        selection: Selection::Certain,
        search: None,
        read: Vec::new(),
        secret: SecretView::Absent,
        writable: None,
        verification: None,
        verification_due: false,
        roles_doubted: false,
        token_roles: None,
        done: Vec::new(),
        pending_for: None,
        loss_confirmed: false,
    }
}

/// A resource whose status names `u1` of generation 1, which is active; nothing is published.
pub(super) fn a_recorded_resource() -> Observation {
    let mut o = a_new_resource();
    o.finalizer = true;
    o.spec_observed = true;
    o.recorded.portal = Some(a_pin());
    o.recorded.user = Some(RecordedUser { id: id("u1"), generation: 1, active: true, proved: true });
    o.listed = Listed::There(UserStatus::Active);
    o
}

/// A resource whose user `u1` of generation 1 is published, verified and recorded.
pub(super) fn a_ready_resource() -> Observation {
    let mut o = a_recorded_resource().with_secret_of("u1", "d1");
    o.recorded.credential = true;
    o.recorded.digest = Some("d1".into());
    o
}

/// A ready resource under deletion, as the apiserver has it.
pub(super) fn a_deleted_resource() -> Observation {
    let mut o = a_ready_resource().read_live();
    o.deleting = true;
    o
}

/// A resource that publishes the user `u1`, which somebody else made.
pub(super) fn an_existing(selected: &[&str]) -> Observation {
    let mut o = a_new_resource();
    o.desired = Desired::Existing { selector: Selector::ClientId("sa1".into()) };
    o.selected = Some(selected.iter().map(|s| id(s)).collect());
    o
}

impl Observation {
    /// Changes anything.
    pub(super) fn but(mut self, change: impl FnOnce(&mut Self)) -> Self {
        change(&mut self);
        self
    }

    pub(super) fn portal_but(self, change: impl FnOnce(&mut PortalFacts)) -> Self {
        self.but(|o| {
            if let Ok(portal) = &mut o.portal {
                change(portal);
            }
        })
    }

    pub(super) fn desired_but(self, change: impl FnOnce(&mut DesiredUser)) -> Self {
        self.but(|o| {
            if let Desired::Create(desired) = &mut o.desired {
                change(desired);
            }
        })
    }

    pub(super) fn roles(self, names: &[&str]) -> Self {
        self.desired_but(|d| d.roles = names.iter().map(ToString::to_string).collect())
    }

    pub(super) fn policy(self, policy: Deletion) -> Self {
        self.desired_but(|d| d.deletion = policy)
    }

    pub(super) fn portal_blocked_in_passing(self) -> Self {
        self.but(|o| o.portal = Err(Blocker::passing(Reason::Unreachable, "down")))
    }

    pub(super) fn portal_blocked_for_good(self) -> Self {
        self.but(|o| o.portal = Err(Blocker::lasting(Reason::LoginRefused, "refused")))
    }

    pub(super) fn suspended(self) -> Self {
        self.portal_but(|p| p.suspended = true)
    }

    pub(super) fn without_finalizer(self) -> Self {
        self.but(|o| o.finalizer = false)
    }

    pub(super) fn read_live(self) -> Self {
        self.but(|o| o.live = true)
    }

    pub(super) fn rotate(self) -> Self {
        self.but(|o| o.rotation_requested = true)
    }

    pub(super) fn released(self) -> Self {
        self.but(|o| o.released = true)
    }

    pub(super) fn recorded_as(self, user: &str, generation: i64) -> Self {
        self.but(|o| {
            o.recorded.user = Some(RecordedUser { id: id(user), generation, active: true, proved: true });
        })
    }

    /// The proof beside the recorded id is right, or the portal shows as much.
    pub(super) fn proved(self) -> Self {
        self.with_proof(true)
    }

    /// The status names the user, and nothing else says that it is this resource's.
    pub(super) fn unproved(self) -> Self {
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
    pub(super) fn client(self, user: &str, client: &str) -> Self {
        self.but(|o| o.clients.push((id(user), client.into())))
    }

    pub(super) fn pin_but(self, change: impl FnOnce(&mut RecordedPortal)) -> Self {
        self.but(|o| {
            if let Some(portal) = &mut o.recorded.portal {
                change(portal);
            }
        })
    }

    pub(super) fn recorded_company(self, bpn: &str) -> Self {
        self.pin_but(|pin| pin.bpn = Some(bpn.to_owned()))
    }

    pub(super) fn recorded_hint(self, hint: Hint) -> Self {
        self.pin_but(|pin| pin.hint = hint)
    }

    pub(super) fn attempt(self, generation: i64, state: AttemptState) -> Self {
        let attempt = Attempt { generation, id: "a1".into(), pin: pin() };
        self.but(|o| {
            o.finalizer = true;
            o.attempt = Some(OpenAttempt { attempt: Some(attempt), state });
        })
    }

    /// The annotation is there and cannot be read.
    pub(super) fn unreadable_attempt(self, state: AttemptState) -> Self {
        self.but(|o| {
            o.finalizer = true;
            o.attempt = Some(OpenAttempt { attempt: None, state });
        })
    }

    pub(super) fn listed(self, listed: Listed) -> Self {
        self.but(|o| o.listed = listed)
    }

    pub(super) fn searched(self, found: Vec<Candidate>) -> Self {
        self.but(|o| o.search = Some(found))
    }

    pub(super) fn sibling(self, sibling: Candidate) -> Self {
        self.but(|o| o.siblings.push(sibling))
    }

    pub(super) fn seen(self, user: &str, facts: UserFacts) -> Self {
        self.but(|o| o.read.push((id(user), UserView::Read(facts))))
    }

    pub(super) fn seen_gone(self, user: &str) -> Self {
        self.but(|o| o.read.push((id(user), UserView::Gone)))
    }

    pub(super) fn seen_lost(self, user: &str) -> Self {
        self.but(|o| o.read.push((id(user), UserView::Lost)))
    }

    pub(super) fn writable(self) -> Self {
        self.but(|o| o.writable = Some(Ok(())))
    }

    pub(super) fn unwritable(self) -> Self {
        let blocker = Blocker::lasting(Reason::SecretNotWritable, "quota");
        self.but(|o| o.writable = Some(Err(blocker)))
    }

    /// Ours, of this user, with this digest of its content.
    pub(super) fn with_secret_of(self, user: &str, digest: &str) -> Self {
        let secret =
            SecretView::Ours { user: Some(id(user)), digest: Some(digest.into()), metadata_as_wanted: true };
        self.but(|o| o.secret = secret)
    }

    /// Ours, of this user, and written by somebody since.
    pub(super) fn with_touched_secret_of(self, user: &str) -> Self {
        let secret = SecretView::Ours { user: Some(id(user)), digest: None, metadata_as_wanted: true };
        self.but(|o| o.secret = secret)
    }

    pub(super) fn with_foreign_secret(self) -> Self {
        self.but(|o| o.secret = SecretView::Foreign("Helm".into()))
    }

    pub(super) fn verified(self, proof: Proof, said: Verified) -> Self {
        self.but(|o| o.verification = Some((proof, said)))
    }

    pub(super) fn done(self, user: &str, what: Done) -> Self {
        self.but(|o| o.done.push((id(user), what)))
    }

    pub(super) fn pending_for(self, minutes: u64) -> Self {
        self.but(|o| o.pending_for = Some(Duration::from_secs(60 * minutes)))
    }
}

pub(super) use super::users::{candidate, details, details_of};
