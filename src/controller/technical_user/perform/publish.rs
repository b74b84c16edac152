//! The writes to outputs: the one that publishes a credential, and the removal of one that is not needed any more.

use std::time::Duration;

use tokio::time::Instant;

use crate::controller::audit;
use crate::controller::kube_error::KubeError;
use crate::controller::technical_user::failure::Failure;
use crate::controller::technical_user::observe::overlap;
use crate::controller::technical_user::outputs;
use crate::controller::technical_user::reconcile::Reconcile;
use crate::controller::technical_user::status::{record_output, removal_failed_for};
use crate::domain::blocker::Blocker;
use crate::domain::plan::{
    AfterUsers, NotRemoved, OutputId, OutputState, ToRemove, UserRef, UserView, Verified,
};
use crate::domain::reason::Reason;
use crate::domain::user::UserId;

/// Asks whether an output can be written for the user of a generation.
pub async fn prove_writable(
    reconcile: &mut Reconcile,
    id: &OutputId,
    generation: i64,
) -> Result<(), Failure> {
    let state = reconcile.observation.output(id).map_or(OutputState::Absent, |output| output.state.clone());
    let answer = match state {
        OutputState::Unknown(blocker) => Ok(Err(blocker)),
        state => reconcile.output(id)?.prove_writable(&state, generation).await,
    };
    let answer = match answer {
        // What was seen of it still counts.
        Err(Failure::OutputUnavailable(blocker)) => Err(blocker),
        answer => answer?.map(|writable| reconcile.places.extend(writable.place)),
    };
    set_writable(reconcile, id, generation, answer);
    Ok(())
}

/// What is in the place of an output now.
pub(super) fn see_state(reconcile: &mut Reconcile, id: &OutputId, state: OutputState) {
    if let Some(output) = reconcile.observation.output_mut(id) {
        output.state = state;
    }
}

fn set_writable(reconcile: &mut Reconcile, id: &OutputId, generation: i64, answer: Result<(), Blocker>) {
    if let Some(output) = reconcile.observation.output_mut(id) {
        output.asked(generation, answer);
    }
}

/// Names an output in the status before it is written for the first time.
pub async fn announce(reconcile: &mut Reconcile, user: &UserRef, id: &OutputId) -> Result<(), Failure> {
    match record_output(reconcile, &user.id, id).await {
        Err(Failure::OutputUnavailable(blocker)) => {
            set_writable(reconcile, id, user.generation(), Err(blocker));
            Ok(())
        }
        recorded => recorded,
    }
}

/// Publishes the credential of a user, and reports it with an Event.
pub async fn publish(reconcile: &mut Reconcile, current: &UserRef, id: &OutputId) -> Result<(), Failure> {
    let generation = current.generation();
    match write(reconcile, current, id).await {
        Ok(()) => {}
        // The words come from a dry run with nothing in it: an admission policy may quote what it refuses.
        Err(Failure::Kube(KubeError::Denied { .. } | KubeError::NotFound | KubeError::Failed { .. })) => {
            prove_writable(reconcile, id, generation).await?;
            if reconcile
                .observation
                .output(id)
                .is_some_and(|output| output.writable_for(generation) == Some(&Ok(())))
            {
                let message = format!("The operator could not write the {id}, and tries again");
                set_writable(
                    reconcile,
                    id,
                    generation,
                    Err(Blocker::passing(Reason::OutputNotWritable, message)),
                );
            }
            return Ok(());
        }
        Err(Failure::OutputUnavailable(blocker)) => {
            set_writable(reconcile, id, generation, Err(blocker));
            return Ok(());
        }
        Err(Failure::Format(error)) => {
            set_writable(reconcile, id, generation, Err(outputs::invalid(id, &error)));
            return Ok(());
        }
        // Another client writes this output at the same time, or the answer is unclear: the others are written all the same.
        Err(failure @ (Failure::Overtaken | Failure::Kube(_))) if reconcile.outputs.len() > 1 => {
            let Some(blocker) = failure.blocker(reconcile.disclosed()) else { return Err(failure) };
            set_writable(reconcile, id, generation, Err(blocker));
            reconcile.failed.get_or_insert(failure);
            return Ok(());
        }
        Err(failure) => return Err(failure),
    }
    report(reconcile, current, id);
    Ok(())
}

/// Writes the credential that was read and verified.
async fn write(reconcile: &mut Reconcile, current: &UserRef, id: &OutputId) -> Result<(), Failure> {
    let proved = reconcile.observation.proof_of(&current.id) == Some(&Verified::Accepted);
    let Some(values) = reconcile.values(&current.id).filter(|_| proved) else {
        return Err(Failure::Overtaken);
    };
    let began = Instant::now();
    let written = reconcile.output(id)?.write(&values).await;
    // Without a content there was no write that the audit log could report.
    if !matches!(written, Err(Failure::Format(_))) {
        let user = (&current.id, values.credential.client_id.as_str());
        audit::published(&reconcile.key, id, user, began, written.as_ref().map(drop));
    }
    let state = written?;
    if is_replaced(reconcile, id, &state) {
        reconcile.written.replaced.insert(id.clone());
    }
    reconcile.written.outputs.insert(id.clone());
    supersede(reconcile, id, values.generation)?;
    see_written(reconcile, &current.id, id, state);
    Ok(())
}

/// Whether an output held another content of ours before a write.
fn is_replaced(reconcile: &Reconcile, id: &OutputId, after: &OutputState) -> bool {
    let digest = |state: &OutputState| match state {
        OutputState::Ours { digest, .. } => digest.clone(),
        _ => None,
    };
    let before = reconcile.observation.output(id).and_then(|output| digest(&output.state));
    before.is_some_and(|before| Some(before) != digest(after))
}

/// What an output held in another place is removed once all outputs hold the credential.
fn supersede(reconcile: &mut Reconcile, id: &OutputId, generation: i64) -> Result<(), Failure> {
    reconcile.resource.history.generation = generation;
    for former in reconcile.output(id)?.superseded() {
        let output = former.id();
        if reconcile.observation.to_remove.iter().all(|listed| listed.output != output) {
            let kept_for = overlap(reconcile);
            let recorded = outputs::of_record(&reconcile.resource, &output);
            let outlives_resource = recorded.is_some_and(|output| output.outlives_resource());
            let written = former.is_written();
            let to_remove = ToRemove { output, outlives_resource, kept_for, written, ..ToRemove::default() };
            reconcile.observation.to_remove.push(to_remove);
            reconcile.resource.history.outputs.push(former);
        }
    }
    Ok(())
}

/// What was written is what the output should hold: the values may be newer than the details that the plan has seen. What the others
/// should hold may depend on it, as on the alias of an entry in a Vault.
fn see_written(reconcile: &mut Reconcile, user: &UserId, id: &OutputId, state: OutputState) {
    see_state(reconcile, id, state);
    let (contents, elsewhere) = (reconcile.contents(user), reconcile.elsewhere(user));
    if let Some(UserView::Read(facts)) = &mut reconcile.observation.users.entry(user).details {
        (facts.contents, facts.elsewhere) = (contents, elsewhere);
    }
}

fn report(reconcile: &Reconcile, current: &UserRef, id: &OutputId) {
    let output = reconcile.observation.output(id);
    let same = output.is_some_and(|output| match &output.state {
        OutputState::Ours { digest, .. } => *digest == output.recorded,
        _ => false,
    });
    let held_before =
        reconcile.status.credential.is_some() && output.is_some_and(|output| output.recorded.is_some());
    let user = &current.id;
    let found = reconcile.outputs.iter().find(|output| output.id() == id);
    let damage = found.and_then(|output| output.damage());
    let words = damage.map(|damage| format!(": {}", damage.words)).unwrap_or_default();
    let (reason, note) = match (held_before, same) {
        (true, true) => {
            (Reason::OutputHealed, format!("{id} was written again as it should be (user {user}){words}"))
        }
        (true, false) if held_this_one(reconcile, current, id) => (
            Reason::OutputChanged,
            format!(
                "{id} has another content with the same credential, as the spec or the Portal asks (user {user})"
            ),
        ),
        (true, false) => (
            Reason::CredentialChanged,
            format!("{id} now holds the credential that the portal shows (user {user})"),
        ),
        (false, _) => (
            Reason::CredentialPublished,
            format!("{id} holds the credential; a token was obtained with it (user {user})"),
        ),
    };
    let action = damage.filter(|_| reason == Reason::OutputHealed).map_or("Publish", |damage| damage.action);
    reconcile.normal(reason, action, &note);
}

/// Whether the output held the credential that the portal shows already, by the status.
fn held_this_one(reconcile: &Reconcile, current: &UserRef, id: &OutputId) -> bool {
    let recorded = reconcile.status.credential.as_ref();
    let digest = recorded.and_then(|credential| credential.digest.as_ref());
    digest.is_some()
        && digest == reconcile.credential_digest(&current.id).as_ref()
        && reconcile.recorded_output(id).and_then(|output| output.credential)
            == recorded.map(|credential| credential.generation)
}

/// Removes an output, where it is ours. One whose store is down is tried again in another reconcile.
pub async fn remove(reconcile: &mut Reconcile, id: &OutputId) -> Result<(), Failure> {
    let removed = match outputs::of_record(&reconcile.resource, id) {
        Some(mut output) => output.remove().await,
        None => Ok(()),
    };
    match removed {
        Ok(()) => {
            reconcile.ctx.memory.change_known(&reconcile.key, |user| user.removals.removed(id));
            is_done_with(reconcile, id);
        }
        Err(Failure::OutputUnavailable(blocker)) => {
            let deleting = reconcile.observation.deleting;
            let before = if deleting { removal_failed_for(reconcile, id) } else { Duration::ZERO };
            let tried_for = reconcile
                .ctx
                .memory
                .change(&reconcile.key, |user| user.removals.failed(id, deleting, before));
            for output in reconcile.observation.to_remove.iter_mut().filter(|output| output.output == *id) {
                output.failed = Some(NotRemoved { blocker: blocker.clone(), tried_for });
            }
        }
        Err(failure) => return Err(failure),
    }
    Ok(())
}

/// Lists an output that is left where it is. It is repeated until the finalizer is removed.
pub async fn abandon(reconcile: &mut Reconcile, id: &OutputId, why: &str) -> Result<(), Failure> {
    tracing::warn!(resource = %reconcile.key, output = %id, error = why, "An output that cannot be removed is abandoned");
    if let Some(mut output) = outputs::of_record(&reconcile.resource, id) {
        output.abandon(why).await?;
    }
    is_done_with(reconcile, id);
    Ok(())
}

/// Reports the outputs of the status that a deletion leaves where they are, because only a later release knows their kind.
pub(super) fn report_unknown_outputs(reconcile: &Reconcile) {
    for output in reconcile.status.outputs.iter().filter(|output| output.known_kind().is_none()) {
        let id = output.id();
        let note = format!(
            "The {id} is left where it is, because this version of the operator does not know its kind. A credential may be in it. \
             Remove it by hand."
        );
        tracing::warn!(resource = %reconcile.key, output = %id, "The operator does not know the kind of an output, which a deletion leaves");
        reconcile.warn(Reason::OutputLeft, "Remove", &note);
    }
}

/// The output is removed, or left for good.
fn is_done_with(reconcile: &mut Reconcile, id: &OutputId) {
    reconcile.removed.insert(id.clone());
    reconcile.observation.to_remove.retain(|output| output.output != *id);
}

/// All is done with the users of a resource under deletion.
pub fn users_are_done(reconcile: &mut Reconcile, after: AfterUsers) {
    let uid = reconcile.object.metadata.uid.clone();
    reconcile.ctx.memory.change(&reconcile.key, |user| user.removals.users_are_done(uid, after));
    reconcile.observation.users_done = Some(after);
}
