//! The outputs that outlive a resource under deletion: each is removed, or abandoned where that fails for too long.

use std::time::Duration;

use crate::domain::plan::observation::{NotRemoved, Observation, OutputId};
use crate::domain::plan::settled::Requeue;
use crate::domain::plan::step::{Read, Step, Write};

/// When an output that cannot be removed is abandoned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Abandon {
    /// Never: its credential may be valid after the deletion.
    Never,
    /// After the operator has tried to remove it for this time: its credential is not valid any more.
    After(Duration),
}

/// How long the operator tries to remove an output whose credential is not valid any more.
pub(super) const ABANDON_AFTER: Duration = Duration::from_hours(1);

/// Removes each output that outlives the resource, then the finalizer. One that cannot be removed does not prevent the removal
/// of the others.
pub(super) fn without_outputs(o: &Observation, abandon: Abandon) -> Step {
    // Another object may have the name by now, and use the output.
    if !o.to_remove.is_empty() && !o.live {
        return Step::Read(Read::Object);
    }
    if let Some(next) = o.to_remove.iter().find(|output| output.failed.is_none()) {
        return Step::Write(Write::RemoveOutput(next.output.clone()));
    }
    let mut held = None;
    for (output, failed) in o.to_remove.iter().filter_map(|next| Some((&next.output, next.failed.as_ref()?)))
    {
        match abandon {
            Abandon::After(time) if failed.tried_for >= time => {
                let why = failed.blocker.message.clone();
                return Step::Write(Write::AbandonOutput { output: output.clone(), why });
            }
            _ => held = held.or_else(|| Some(not_removed(output, failed, abandon))),
        }
    }
    held.unwrap_or(Step::Write(Write::RemoveFinalizer))
}

fn not_removed(output: &OutputId, failed: &NotRemoved, abandon: Abandon) -> Step {
    let next = match abandon {
        Abandon::Never => {
            "Its credential may be valid after the deletion, so the operator keeps the finalizer until the output is removed. \
             To remove the finalizer earlier, annotate the resource with technicaluser.dev/release=true."
        }
        Abandon::After(_) => {
            "Its credential is not valid any more. If the operator cannot remove the output within an hour, it abandons the \
             output and removes the finalizer."
        }
    };
    let message = format!("The {output} cannot be removed. {next} Cause: {}", failed.blocker.message);
    Step::held(failed.blocker.reason, message, Requeue::Backoff)
}
