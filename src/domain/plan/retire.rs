//! The removal of outputs that the spec no longer names. They are retiring until then: nothing is written to them any more.

use std::time::Duration;

use super::observation::{Observation, OutputState, ToRemove};
use super::predecessor;
use super::settled::{Report, Requeue, Settled};
use super::step::{Read, Step, Write};

/// How many outputs that the spec no longer names a resource may have. A status has room for 32 outputs.
pub const MOST_FORMER: usize = 16;

/// An output that the spec no longer names is removed after the credential is in all that it names and the status says so, after the
/// overlap, and before it is removed from the status. One that cannot be removed is tried again; the resource is ready all the
/// same. A resource whose outputs are renamed again and again has too many of them, which do not wait for that.
pub(super) fn or_remove_former(o: &Observation, step: Step) -> Step {
    // The spec may name it again meanwhile, and the removal cannot be undone.
    let remove = |former: &ToRemove| {
        if o.live {
            Step::Write(Write::RemoveOutput(former.output.clone()))
        } else {
            Step::Read(Read::Object)
        }
    };
    match &step {
        Step::Settled(ready @ Settled { report: Report::Ready, .. }) => {
            let over = || candidates(o).find(|former| is_over(o, former));
            if let Some(former) = one_of_too_many(o).or_else(over) {
                return remove(former);
            }
            let requeue = predecessor::again(o, ready.current.as_ref(), again(o, ready.requeue));
            Step::Settled(Settled { requeue, ..ready.clone() })
        }
        Step::Settled(Settled { report: Report::Blocked { .. }, .. })
        | Step::Write(Write::Publish { .. } | Write::RecordOutput { .. }) => {
            one_of_too_many(o).map_or(step, remove)
        }
        _ => step,
    }
}

/// Those whose removal has not failed, the oldest first. One that the status does not name was found by what a cache shows, which may
/// be old: the status that names it is written only to the resource as it was seen.
fn candidates(o: &Observation) -> impl Iterator<Item = &ToRemove> {
    o.to_remove.iter().filter(|former| former.failed.is_none() && !former.unnamed)
}

/// The one of too many that is removed first: the oldest of those that were never written, as nothing reads them, or else the
/// oldest one.
fn one_of_too_many(o: &Observation) -> Option<&ToRemove> {
    if o.to_remove.len() <= MOST_FORMER {
        return None;
    }
    candidates(o).find(|former| !former.written).or_else(|| candidates(o).next())
}

/// Whether an output may be removed once the resource is ready: nothing reads it any more. Which workloads have to be restarted is
/// known after the status has the outputs that were written.
fn is_over(o: &Observation, former: &ToRemove) -> bool {
    is_recorded(o) && (former.hurried || former.kept_for.is_zero() && are_restarted(o, former.begun))
}

/// Whether no workload reads any more what was replaced. `begun`: the status has what replaces it.
pub(super) fn are_restarted(o: &Observation, begun: bool) -> bool {
    let restarts = &o.restarts.targets;
    restarts.is_empty() || begun && !restarts.iter().any(|target| target.due)
}

/// Whether the status has what the outputs hold that the spec names. Until then a process that is started again assumes that a
/// former one holds the credential: a Secret with the variables of a connector would name the alias of an entry that is gone.
pub(super) fn is_recorded(o: &Observation) -> bool {
    o.outputs.iter().all(|output| match &output.state {
        OutputState::Ours { digest, .. } => output.recorded == *digest,
        OutputState::Unknown(_) | OutputState::Absent | OutputState::Foreign(_) => true,
    })
}

/// The time after which the status has the outputs that were just written, and the restarts are known that they need.
pub(super) const RECORDED_AFTER: Duration = Duration::from_secs(1);

/// When the next one is removed.
fn again(o: &Observation, requeue: Requeue) -> Requeue {
    o.to_remove.iter().fold(requeue, |requeue, former| match former.failed {
        Some(_) => Requeue::Backoff,
        None if !former.begun || !is_recorded(o) => {
            let kept_for = if former.hurried { Duration::ZERO } else { former.kept_for };
            requeue.sooner(Requeue::In(kept_for.max(RECORDED_AFTER)))
        }
        // A restart that is due has a timer of its own.
        None if former.kept_for.is_zero() => requeue,
        None => requeue.sooner(Requeue::In(former.kept_for)),
    })
}
