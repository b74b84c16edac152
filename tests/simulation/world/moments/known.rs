//! The users at the portal as they were over time.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use portal_simulator::{Call, Endpoint, Status, UserView};
use tokio::time::Instant;
use uuid::Uuid;

use crate::world::{NAMESPACE, neighbours};

/// The operator waits this time for a create whose outcome it does not know. A user that appears later may be a second one.
const LATE: Duration = Duration::from_mins(1);

/// A credential as the token endpoint accepted it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Credential {
    pub client_id: String,
    pub secret: String,
    /// When it was last accepted, for an active user; `None`: it still is.
    pub until: Option<Instant>,
}

impl Credential {
    /// Whether it was accepted within this time.
    pub fn accepted_within(&self, time: Duration) -> bool {
        self.until.is_none_or(|until| until.elapsed() < time)
    }
}

/// A user.
#[derive(Debug, Clone)]
pub struct Known {
    pub view: UserView,
    /// When it was seen first.
    pub appeared: Instant,
    /// The resource that its first mark names. One that is taken over has none before.
    pub owner: Option<String>,
    is_marked: bool,
    /// When the mark was last there, unless it is there now.
    marked_until: Option<Instant>,
    /// It appeared longer after its attempt than the operator waits for it, or was deleted and is there again.
    pub late: bool,
    /// A later one was created while it was pending: it may become active at any time. Or one with other roles, while no status had
    /// named it: after a restore programs may use it, so it is deleted when a status names the other one.
    given_up: bool,
    /// When a status named it first.
    pub named: Option<Instant>,
    /// The roles that it had.
    pub roles: BTreeSet<String>,
    pub credentials: Vec<Credential>,
}

/// Takes in the users as they are now.
pub fn see(
    known: &mut BTreeMap<Uuid, Known>,
    users: Vec<UserView>,
    mut is_late: impl FnMut(&str) -> Option<bool>,
) {
    let now = Instant::now();
    for view in users {
        let owner = marked_for(&view.description);
        let is_marked = owner.is_some();
        if !known.contains_key(&view.id) && owner.is_some() {
            let is_given_up = |user: &&mut Known| {
                user.owner == owner
                    && (user.view.status == Status::Pending
                        || user.named.is_none() && !user.has_roles_of(&view))
            };
            known.values_mut().filter(is_given_up).for_each(|user| user.given_up = true);
        }
        let user = known.entry(view.id).or_insert_with(|| Known {
            appeared: now,
            late: is_late(&view.name).unwrap_or(false),
            given_up: false,
            named: None,
            roles: view.roles.iter().cloned().collect(),
            owner,
            is_marked,
            marked_until: None,
            credentials: Vec::new(),
            view: view.clone(),
        });
        if user.is_marked {
            user.marked_until = Some(now);
        }
        if user.owner.is_none() {
            user.owner = marked_for(&view.description);
        }
        user.is_marked = is_marked;
        user.see_credential(&view, now);
        user.view = view;
    }
}

/// Whether a user that is new was created long after its attempt: by which of the creates with this name, the portal's own log
/// of calls says. They arrive in the order in which they are sent.
pub fn is_late(
    calls: &[Call],
    name: &str,
    attempts: &[Instant],
    carried_out: &mut BTreeSet<u64>,
    restored: Option<Instant>,
) -> Option<bool> {
    let creates = calls.iter().filter(|call| {
        call.endpoint == Endpoint::Create && call.body.as_ref().is_some_and(|body| body["name"] == name)
    });
    let (call, attempt) =
        creates.zip(attempts).find(|(call, _)| call.done.is_some() && !carried_out.contains(&call.number))?;
    carried_out.insert(call.number);
    // A restored cluster knows no attempt that is younger than the backup.
    let is_forgotten = restored.is_some_and(|restored| *attempt < restored);
    Some(is_forgotten || Instant::now() - *attempt > LATE)
}

impl Known {
    fn see_credential(&mut self, view: &UserView, now: Instant) {
        let accepted = view.client_id.as_ref().zip(view.secret.as_ref());
        let accepted = accepted.filter(|_| view.status == Status::Active);
        if let Some(last) = self.credentials.last_mut() {
            if accepted.is_some_and(|(_, secret)| *secret == last.secret) {
                last.until = None;
                return;
            }
            last.until.get_or_insert(now);
        }
        if let Some((client_id, secret)) = accepted {
            let (client_id, secret) = (client_id.clone(), secret.clone());
            self.credentials.push(Credential { client_id, secret, until: None });
        }
    }

    /// Whether both were created with the same roles.
    fn has_roles_of(&self, other: &UserView) -> bool {
        other.roles.iter().collect::<BTreeSet<_>>() == self.roles.iter().collect()
    }

    /// Whether it is as it was if it has this status: nothing changes one that is deleted, and neighbours are only deleted.
    pub fn stays(&self, status: Status) -> bool {
        self.view.status == status && (status == Status::Deleted || neighbours::is_one(&self.view.name))
    }

    /// Whether the mark was there within this time.
    pub fn marked_within(&self, time: Duration) -> bool {
        self.is_marked || self.marked_until.is_some_and(|until| until.elapsed() < time)
    }

    /// A restored portal does not have it.
    pub fn vanishes(&mut self) {
        self.view.status = Status::Deleted;
        self.is_marked = false;
        if let Some(last) = self.credentials.last_mut() {
            last.until.get_or_insert(Instant::now());
        }
    }

    /// Whether it is one of a resource.
    pub fn is_of(&self, owner: &str) -> bool {
        self.owner.as_deref() == Some(owner)
    }

    pub fn serves_or_will(&self) -> bool {
        matches!(self.view.status, Status::Active | Status::Pending)
    }
}

/// The resource of this installation that a mark names; none for that of a retained user.
pub fn marked_for(description: &str) -> Option<String> {
    mark_of(description).map(|(owner, _)| owner)
}

/// The same, and which of the users of the resource it is.
pub fn mark_of(description: &str) -> Option<(String, u64)> {
    let mark = format!("[technicaluser.dev/1 sim/{NAMESPACE}/");
    let (_, rest) = description.split_once(&mark)?;
    let mut words = rest.split(' ');
    let owner = words.next()?.to_owned();
    let generation = words.next().and_then(|word| word.strip_prefix('g')?.parse().ok());
    Some((owner, generation.unwrap_or_default()))
}

/// A resource with more users than it may have beside those that retire, of which none appeared late or when it was given up.
pub fn second_user(
    known: &BTreeMap<Uuid, Known>,
    most: impl Fn(&str) -> usize,
    retiring: impl Fn(&str) -> Vec<String>,
) -> Option<String> {
    let mut of: BTreeMap<&str, Vec<&Known>> = BTreeMap::new();
    for user in known.values().filter(|user| user.serves_or_will()) {
        if let Some(owner) = user.owner.as_deref().filter(|_| user.is_marked) {
            of.entry(owner).or_default().push(user);
        }
    }
    let too_many = of.into_iter().find(|(owner, users)| {
        let most = most(owner);
        if users.len() <= most {
            return false;
        }
        let retiring = retiring(owner);
        let counts = |user: &&&Known| !retiring.contains(&user.view.id.to_string()) && !user.given_up;
        let count = users.iter().filter(counts).filter(|user| !user.late).count();
        // Of two of which one is late, either may be the second one.
        count > most && (most > 1 || users.iter().all(|user| !user.late))
    });
    let (owner, users) = too_many?;
    let names: Vec<_> = users.iter().map(|user| &user.view.name).collect();
    Some(format!("{owner} has the users {names:?}"))
}
