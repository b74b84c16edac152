//! Whether a credential obtains a token.

use super::user::client_is_missing;
use crate::controller::technical_user::failure::Failure;
use crate::controller::technical_user::reconcile::Reconcile;
use crate::controller::technical_user::token_roles;
use crate::domain::plan::{CredentialAt, UserView, Verified};
use crate::metrics::Verified as Counted;
use crate::portal::{Lane, Verification};

/// Requests a token with the credential that the portal or an output has.
pub(super) async fn verify(reconcile: &mut Reconcile, at: &CredentialAt) -> Result<Verified, Failure> {
    let connection = reconcile.connected()?.clone();
    let (credential, lane) = match at {
        CredentialAt::Portal(id) => (reconcile.credential(id).cloned(), Lane::Interactive),
        CredentialAt::Output(id) => (reconcile.output(id)?.credential().await?, Lane::Background),
    };
    let Some(credential) = credential else {
        // An output without a whole credential is healed from the portal.
        return Ok(Verified::Refused { unknown_client: false });
    };
    let verification = connection.portal.verify(&credential, lane).await;
    let outcome = match &verification {
        Verification::Accepted { .. } => Counted::Accepted,
        Verification::Refused { .. } => Counted::Refused,
        Verification::Unreachable { .. } => Counted::Unreachable,
    };
    reconcile.ctx.metrics.credential_verified(outcome);
    Ok(match verification {
        Verification::Accepted { roles } => {
            let random = &reconcile.ctx.process.random;
            reconcile.observation.timers.verification = reconcile.ctx.memory.change(&reconcile.key, |user| {
                user.verification.verified(random);
                user.verification.due_in(reconcile.verification_interval, random)
            });
            if let Some(roles) = roles {
                token_roles::compare(reconcile, &connection, at, roles);
            }
            Verified::Accepted
        }
        Verification::Refused { unknown_client } => {
            if reconcile
                .observation
                .users
                .iter()
                .any(|(_, known)| known.details == Some(UserView::ClientMissing))
            {
                client_is_missing(reconcile, unknown_client);
            }
            Verified::Refused { unknown_client }
        }
        Verification::Unreachable { endpoint, reason } => {
            Verified::Unreachable(format!("the token endpoint {endpoint} cannot be reached: {reason}"))
        }
    })
}
