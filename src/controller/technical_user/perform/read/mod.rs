//! Reads what the plan requests, and puts it into the observation.

mod mark;
mod object;
mod search;
mod user;
mod verify;

use super::{publish, restart};
use crate::controller::technical_user::failure::Failure;
use crate::controller::technical_user::reconcile::Reconcile;
use crate::domain::plan::{CredentialAt, OutputId, OutputState, Read, Searched, Verified};

pub(super) use user::{created, user};

/// Carries one read out.
pub async fn read(reconcile: &mut Reconcile, what: Read) -> Result<(), Failure> {
    match what {
        Read::Search => {
            let found = search::search(reconcile).await?;
            reconcile.observation.searched = Searched::Everywhere;
            reconcile.observation.users.name_only(found);
            user::see_loss(reconcile);
        }
        Read::User(id) => {
            let view = user(reconcile, &id).await?;
            reconcile.observation.users.entry(&id).details = Some(view);
        }
        Read::Confirm(id) => {
            let confirmed = mark::confirm(reconcile, &id).await?;
            let shown = reconcile
                .connected()?
                .inventory
                .get(&id)
                .map(|user| mark::named_in(reconcile, &user))
                .transpose()?;
            if let Some(named) = &mut reconcile.observation.users.entry(&id).named {
                named.confirmed = confirmed;
                // The mark has the whole generation.
                named.generation = shown.as_ref().map_or(named.generation, |shown| shown.generation);
            }
        }
        Read::Output(id) => output(reconcile, &id).await?,
        Read::Writable { output, generation } => {
            publish::prove_writable(reconcile, &output, generation).await?;
        }
        Read::Verify(at) => match (verify::verify(reconcile, &at).await, at) {
            (Ok(verified), CredentialAt::Portal(id)) => {
                reconcile.observation.users.entry(&id).proof = Some(verified);
            }
            (Ok(verified), CredentialAt::Output(id)) => {
                if let (Verified::Refused { .. }, Some(output)) =
                    (&verified, reconcile.observation.output_mut(&id))
                {
                    output.doubt();
                }
                reconcile.observation.published_proof = Some(verified);
            }
            (Err(Failure::OutputUnavailable(blocker)), CredentialAt::Output(id)) => {
                publish::see_state(reconcile, &id, OutputState::Unknown(blocker));
            }
            (Err(failure), _) => return Err(failure),
        },
        Read::Workload(id) => restart::read(reconcile, &id).await,
        Read::Object => object::object(reconcile).await?,
        Read::Narrow => search::narrow(reconcile).await?,
    }
    Ok(())
}

/// The content of an output, as a digest.
async fn output(reconcile: &mut Reconcile, id: &OutputId) -> Result<(), Failure> {
    let recorded = reconcile.recorded_output(id).cloned();
    let state = match reconcile.output(id)?.read(recorded.as_ref()).await {
        Err(Failure::OutputUnavailable(blocker)) => OutputState::Unknown(blocker),
        state => state?,
    };
    publish::see_state(reconcile, id, state);
    Ok(())
}
