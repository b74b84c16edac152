//! What would be done, in words: the writes of a plan are described and taken for done, one after the other, until the plan
//! settles or depends on what only a write can show.

use std::fmt::Write as _;
use std::time::Duration;

use crate::domain::identity::Mark;
use crate::domain::reason::Reason;
use crate::domain::roles::quoted;
use crate::domain::user::UserId;

use super::observation::{
    Desired, Done, Observation, OpenAttempt, OutputId, OutputState, RecordedUser, UserView,
};
use super::rotate;
use super::step::{UserRef, Write};

/// The most steps that are described. Those after it are counted.
pub const MOST_PLANNED: usize = 32;

/// What would be done, in words, in the order in which it would be done.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Planned {
    steps: Vec<String>,
    /// The last write, which must not come again.
    last: Option<Write>,
}

impl Planned {
    /// The observation as it would be if nothing were suspended.
    pub fn lift(o: &mut Observation) {
        o.suspended = false;
        // A report is no change.
        o.reported = true;
        if let Ok(portal) = &mut o.portal {
            portal.suspended = false;
        }
    }

    /// Describes a write, and takes it for done. Returns whether it is known how the plan goes on.
    pub fn add(&mut self, o: &mut Observation, write: &Write) -> bool {
        if self.last.as_ref() == Some(write) {
            return false;
        }
        self.steps.extend(described(o, write));
        self.last = Some(write.clone());
        assume(o, write)
    }

    /// The steps, at most [`MOST_PLANNED`] texts.
    #[must_use]
    pub fn into_words(mut self) -> Vec<String> {
        let more = self.steps.len().saturating_sub(MOST_PLANNED);
        if more > 0 {
            self.steps.truncate(MOST_PLANNED - 1);
            self.steps.push(format!("and {} more", more + 1));
        }
        self.steps
    }
}

/// A write in words. What the operator only records for itself is not described.
fn described(o: &Observation, write: &Write) -> Vec<String> {
    let one = |words: String| vec![words];
    match write {
        Write::RecordPortal
        | Write::CloseAttempt
        | Write::RecordOutput { .. }
        | Write::UsersAreDone(_)
        | Write::ReportDeletion(_) => Vec::new(),
        Write::AddFinalizer => one("add the finalizer".to_owned()),
        Write::Create { user, .. } => {
            let mut words = format!("create user {} in the portal", user.name);
            if let Desired::Create(desired) = &o.desired {
                let roles: Vec<&str> = desired.roles.iter().map(String::as_str).collect();
                // Writing into a String does not fail.
                let _ = write!(words, " with the roles {}", quoted(&roles));
            }
            if let Some(replaced) = o.recorded.user.as_ref().filter(|_| rotate::is_in_progress(o)) {
                let _ = write!(words, ", which replaces user {}", replaced.id);
            }
            let publish =
                |output: &OutputId| format!("write the credential of user {} into {output}", user.name);
            one(words).into_iter().chain(o.outputs.iter().map(|output| publish(&output.id))).collect()
        }
        Write::Adopt { user, .. } => one(format!("take over user {}", user.id)),
        Write::Publish { user, output } => one(published(user, output)),
        Write::RemoveOutput(output) => one(format!("remove {output}")),
        Write::AbandonOutput { output, .. } => one(format!("leave {output}, which cannot be removed")),
        Write::Restart(workload) => one(format!("restart {workload}")),
        Write::Describe { user, .. } => {
            one(format!("change name and description of user {} in the portal", user.id))
        }
        Write::Delete { id, .. } => one(format!("delete user {id} in the portal")),
        Write::RotateSecret { user, .. } => {
            let reset = format!("reset the secret of user {} in the portal", user.id);
            let outputs = o.outputs.iter().map(|output| published(user, &output.id));
            one(reset).into_iter().chain(outputs).collect()
        }
        Write::Reset(id) => {
            one(format!("reset the secret of user {id} in the portal, and keep no credential"))
        }
        Write::MarkRetained { id, .. } => one(format!("mark user {id} as retained in the portal")),
        Write::RecordRetained { id, .. } => {
            one(format!("list user {id} as retained in the status of the Portal"))
        }
        Write::RemoveFinalizer => one("remove the finalizer".to_owned()),
    }
}

fn published(user: &UserRef, output: &OutputId) -> String {
    format!("write the credential of user {} into {output}", user.id)
}

/// Takes a write for done, as far as the plan depends on it. Returns whether it is known how the plan goes on: of a new user and of
/// a new secret nothing is known.
fn assume(o: &mut Observation, write: &Write) -> bool {
    match write {
        Write::Create { .. } | Write::RotateSecret { .. } | Write::RemoveFinalizer | Write::RecordPortal => {
            return false;
        }
        Write::AddFinalizer => o.finalizer = true,
        Write::CloseAttempt => o.attempt.iter_mut().for_each(OpenAttempt::close),
        Write::Adopt { user, .. } => {
            let (id, origin) = (user.id.clone(), user.origin);
            o.recorded.user = Some(RecordedUser { id, origin, active: true, proved: true, asked: None });
        }
        Write::Publish { user, output } => publish(o, user, output),
        Write::RecordOutput { user, output } => {
            if let Some(output) = o.output_mut(output) {
                output.in_status = true;
            }
            if let Some(UserView::Read(facts)) = &mut o.users.entry(&user.id).details {
                facts.elsewhere.remove(output);
            }
        }
        Write::UsersAreDone(after) => o.users_done = Some(*after),
        Write::RemoveOutput(output) | Write::AbandonOutput { output, .. } => {
            o.to_remove.retain(|former| former.output != *output);
        }
        Write::Restart(workload) => {
            if let Some(target) = o.restarts.target_mut(workload) {
                target.due = false;
            }
        }
        Write::Describe { user, name, description } => {
            if let Some(UserView::Read(facts)) = &mut o.users.entry(&user.id).details {
                facts.name.clone_from(name);
                facts.description.clone_from(description);
                facts.mark = Mark::find(description);
            }
        }
        Write::ReportDeletion(_) => o.reported_reason = Some(Reason::Deleting),
        Write::Delete { id, .. } => done(o, id, Done::Deleted),
        Write::Reset(id) => done(o, id, Done::Reset),
        Write::MarkRetained { id, .. } => done(o, id, Done::MarkedRetained),
        Write::RecordRetained { id, .. } => done(o, id, Done::RecordedRetained),
    }
    true
}

fn done(o: &mut Observation, id: &UserId, what: Done) {
    o.users.entry(id).done.push(what);
}

/// The output holds what the details of the user show.
fn publish(o: &mut Observation, user: &UserRef, id: &OutputId) {
    let digest = o.facts(&user.id).and_then(|facts| facts.content(id)).cloned();
    if let Some(output) = o.output_mut(id) {
        output.state = OutputState::Ours {
            user: Some(user.id.clone()),
            digest: digest.clone(),
            metadata_as_wanted: true,
        };
        let changed = output.recorded.is_some() && output.recorded != digest;
        (output.recorded, output.in_status) = (digest, true);
        if changed && o.restarts.outputs.contains(id) {
            o.restarts.wait = Duration::ZERO;
            for target in &mut o.restarts.targets {
                target.due = true;
            }
        }
    }
}
