//! The users at the portal as they were over time.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use portal_simulator::{Call, Endpoint, Status, UserView};
use tokio::time::Instant;
use uuid::Uuid;

use crate::world::NAMESPACE;

/// The operator waits this time for a create whose outcome it does not know. A user that appears later may be a second one.
const LATE: Duration = Duration::from_mins(1);

/// A credential as the token endpoint accepted it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Credential {
    pub client_id: String,
    pub secret: String,
    /// When it was last accepted, for an active user.
    pub until: Instant,
}

/// A user.
#[derive(Debug, Clone)]
pub struct Known {
    pub view: UserView,
    /// The resource that its mark names, at first sight.
    pub owner: Option<String>,
    /// When the mark was last there.
    pub marked_until: Option<Instant>,
    /// It appeared longer after its attempt than the operator waits for it.
    pub late: bool,
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
        let user = known.entry(view.id).or_insert_with(|| Known {
            late: is_late(&view.name).unwrap_or(false),
            owner: owner.clone(),
            marked_until: None,
            credentials: Vec::new(),
            view: view.clone(),
        });
        if owner.is_some() {
            user.marked_until = Some(now);
        }
        user.see_credential(&view, now);
        user.view = view;
    }
}

/// Whether a user that is new was created long after its attempt: by which of the creates with its name, the portal's own log
/// of calls says. They arrive in the order in which they are sent.
pub fn is_late(
    calls: &[Call],
    name: &str,
    attempts: &[Instant],
    carried_out: &mut BTreeSet<u64>,
) -> Option<bool> {
    let asked = name.strip_prefix("dim-").unwrap_or(name);
    let creates = calls.iter().filter(|call| {
        call.endpoint == Endpoint::Create && call.body.as_ref().is_some_and(|body| body["name"] == asked)
    });
    let (call, attempt) =
        creates.zip(attempts).find(|(call, _)| call.done.is_some() && !carried_out.contains(&call.number))?;
    carried_out.insert(call.number);
    Some(Instant::now() - *attempt > LATE)
}

impl Known {
    fn see_credential(&mut self, view: &UserView, now: Instant) {
        // The one before was accepted until now.
        if self.view.status == Status::Active
            && let Some(last) = self.credentials.last_mut()
            && self.view.secret.as_deref() == Some(last.secret.as_str())
        {
            last.until = now;
        }
        let (Status::Active, Some(client_id), Some(secret)) = (view.status, &view.client_id, &view.secret)
        else {
            return;
        };
        let is_last = self.credentials.last().is_some_and(|last| last.secret == *secret);
        if !is_last {
            let (client_id, secret) = (client_id.clone(), secret.clone());
            self.credentials.push(Credential { client_id, secret, until: now });
        }
    }

    fn serves_or_will(&self) -> bool {
        matches!(self.view.status, Status::Active | Status::Pending)
    }
}

/// The resource of this installation that a mark names; none for that of a retained user.
pub fn marked_for(description: &str) -> Option<String> {
    let mark = format!("[technicaluser.dev/1 sim/{NAMESPACE}/");
    let (_, rest) = description.split_once(&mark)?;
    rest.split(' ').next().map(str::to_owned)
}

/// A resource with two users, none of which appeared late.
pub fn second_user(known: &BTreeMap<Uuid, Known>) -> Option<String> {
    let mut of: BTreeMap<&str, Vec<&Known>> = BTreeMap::new();
    for user in known.values().filter(|user| user.serves_or_will()) {
        if let Some(owner) = user.owner.as_deref().filter(|_| marked_for(&user.view.description).is_some()) {
            of.entry(owner).or_default().push(user);
        }
    }
    let (owner, users) =
        of.into_iter().find(|(_, users)| users.len() > 1 && users.iter().all(|user| !user.late))?;
    let names: Vec<_> = users.iter().map(|user| &user.view.name).collect();
    Some(format!("{owner} has the users {names:?}"))
}
