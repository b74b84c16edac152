//! Restarts: which workload is restarted next, and what is reported of those that wait.
//!
//! A restart is due for a workload when an output has changed whose reader does not see that automatically. The status counts these
//! changes, and for each workload the last one for which its roll-out is complete. A restart prevents nothing else: the
//! credential is published before it, and the resource stays ready.

use std::time::Duration;

use crate::domain::reason::Reason;

use super::observation::{
    Observation, OutputState, RestartTarget, RollOut, Workload, WorkloadId, WorkloadView,
};
use super::settled::{Requeue, Settled};
use super::step::{Notice, Read, Step, Write};

/// How often a roll-out is checked.
const POLL: Duration = Duration::from_secs(5);

/// After this time, a roll-out is reported as stuck: `progressDeadlineSeconds` of a Deployment is as long by default.
const ROLL_OUT_LIMIT: Duration = Duration::from_mins(10);

/// What the status records of the restarts at the end of a reconcile.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Restarted {
    /// The workloads that need no restart any more.
    pub done: Vec<WorkloadId>,
    /// Why the others wait. Nothing where no restart is due.
    pub waiting: Option<Notice>,
}

/// The step, or the restart that comes before the end of a reconcile.
pub(super) fn before_the_end(o: &Observation, step: Step) -> Step {
    let Step::Settled(settled) = step else { return step };
    if o.deleting || !o.restarts.targets.iter().any(|target| target.due) {
        return Step::Settled(settled);
    }
    match next(o) {
        Ok((restarted, requeue)) => {
            let requeue = settled.requeue.sooner(requeue);
            Step::Settled(Settled { restarted: Some(Box::new(restarted)), requeue, ..settled })
        }
        Err(step) => step,
    }
}

/// What the status records, and when the workloads are read again; or (`Err`) the step that comes before that.
fn next(o: &Observation) -> Result<(Restarted, Requeue), Step> {
    let due: Vec<&RestartTarget> = o.restarts.targets.iter().filter(|target| target.due).collect();
    let mut waits = Waits::default();
    if !o.restarts.wait.is_zero() || !is_published(o) {
        let after = if o.restarts.wait.is_zero() { o.timers.recheck() } else { Requeue::In(o.restarts.wait) };
        waits.add(pending(due.iter().map(|target| &target.id)), after);
        return Ok(waits.end(Vec::new()));
    }
    let mut done = Vec::new();
    for target in due {
        match &target.view {
            None => return Err(Step::Read(Read::Workload(target.id.clone()))),
            Some(WorkloadView::Missing) => waits.add(missing(&target.id), o.timers.recheck()),
            Some(WorkloadView::Refused(blocker)) => {
                let note = blocker.message.clone();
                waits.add(Notice { reason: blocker.reason, note }, o.timers.recheck());
                break;
            }
            Some(WorkloadView::Found(workload)) if workload.restarted => match roll_out(&target.id, workload)
            {
                None => done.push(target.id.clone()),
                Some(notice) => {
                    let stuck = notice.reason == Reason::RollOutStuck;
                    waits.add(notice, if stuck { o.timers.recheck() } else { Requeue::In(POLL) });
                    break;
                }
            },
            Some(WorkloadView::Found(workload)) => match refusal(o, &target.id, workload) {
                None => return Err(Step::Write(Write::Restart(target.id.clone()))),
                Some(notice) => waits.add(notice, o.timers.recheck()),
            },
        }
    }
    Ok(waits.end(done))
}

/// Whether each output that is read only at a start holds what was published: a pod that starts now reads that.
fn is_published(o: &Observation) -> bool {
    o.outputs.iter().filter(|output| o.restarts.outputs.contains(&output.id)).all(|output| {
        let held = match &output.state {
            OutputState::Ours { digest, .. } => digest.as_ref(),
            // What was written is there as far as is known.
            OutputState::Unknown(_) => output.recorded.as_ref(),
            OutputState::Absent | OutputState::Foreign(_) => None,
        };
        output.recorded.is_none() || output.recorded.as_ref() == held
    })
}

/// Why the workloads wait, and when they are read again.
#[derive(Default)]
struct Waits {
    notices: Vec<Notice>,
    requeue: Option<Requeue>,
}

impl Waits {
    fn add(&mut self, notice: Notice, requeue: Requeue) {
        self.notices.push(notice);
        self.requeue = Some(self.requeue.map_or(requeue, |before| before.sooner(requeue)));
    }

    /// All in one: the reason is that of the first one that a person has to do something about.
    fn end(self, done: Vec<WorkloadId>) -> (Restarted, Requeue) {
        let first = self.notices.iter().find(|notice| !notice.reason.is_progress()).or(self.notices.first());
        let notes: Vec<&str> = self.notices.iter().map(|notice| notice.note.as_str()).collect();
        let waiting = first.map(|first| Notice { reason: first.reason, note: notes.join(" ") });
        (Restarted { done, waiting }, self.requeue.unwrap_or(Requeue::Never))
    }
}

/// What is reported of workloads whose restart has not begun.
pub fn pending<'a>(workloads: impl Iterator<Item = &'a WorkloadId>) -> Notice {
    let names: Vec<String> = workloads.map(ToString::to_string).collect();
    let note = format!(
        "An output has changed. The operator restarts {} when all outputs are written and do not change for some seconds.",
        names.join(", ")
    );
    Notice { reason: Reason::RestartPending, note }
}

fn missing(id: &WorkloadId) -> Notice {
    let note =
        format!("The {id} does not exist in this namespace. Create it, or remove it from spec.restart.");
    Notice { reason: Reason::WorkloadNotFound, note }
}

/// Why a workload is not restarted.
fn refusal(o: &Observation, id: &WorkloadId, workload: &Workload) -> Option<Notice> {
    if !workload.consents {
        let note = format!(
            "The {id} does not permit its restart. Add \"{}\" to its annotation technicaluser.dev/restart, or restart it by hand.",
            o.owner.name
        );
        return Some(Notice { reason: Reason::RestartNotPermitted, note });
    }
    let why = workload.unfit?;
    let note = format!("The operator does not restart the {id}: {why}");
    Some(Notice { reason: Reason::RestartNotPossible, note })
}

/// Why a workload that was restarted is not complete.
fn roll_out(id: &WorkloadId, workload: &Workload) -> Option<Notice> {
    let stuck = |why: &str| Notice {
        reason: Reason::RollOutStuck,
        note: format!(
            "The roll-out of the {id} does not end: {why}. The operator restarts no later workload of spec.restart until it ends. \
             Find out why its pods do not become available."
        ),
    };
    match &workload.roll_out {
        RollOut::Complete => None,
        RollOut::Stuck(why) => Some(stuck(why)),
        RollOut::Progressing(time) if *time > ROLL_OUT_LIMIT => {
            Some(stuck(&format!("it has lasted for more than {} minutes", ROLL_OUT_LIMIT.as_secs() / 60)))
        }
        RollOut::Progressing(_) => {
            let note = format!("The {id} was restarted, and its roll-out is in progress.");
            Some(Notice { reason: Reason::RollingOut, note })
        }
    }
}
