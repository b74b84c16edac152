//! Reset of the credentials (portal contract, section 2.6).

use http::StatusCode;

use crate::endpoints::{Context, Outcome, shape};
use crate::errors::PortalError;
use crate::http::Reply;
use crate::idp::{self, IdpMoment};
use crate::state::Kind;

pub(super) async fn handle(context: &Context<'_>) -> Outcome {
    let (id, identity) = (context.user_id()?, context.identity()?);
    let company = identity.company;
    let issuer = context.core.issuer();
    let secret = context.core.change(|state| {
        let user = state
            .visible_user(id, company)
            .cloned()
            .ok_or_else(|| context.not_found(StatusCode::CONFLICT, id, company))?;
        let Some(client_id) = user.client_id else {
            return Err(
                PortalError::conflict("SERVICE_UNDEFINED_CLIENTID_CONFLICT").param("serviceAccountId", id)
            );
        };
        state.idp.call(IdpMoment::BeforeClient, &issuer)?;
        // A wallet user has a client id as well, but none that the identity provider knows.
        let client = (user.kind == Kind::Internal).then(|| state.idp.client_mut(&client_id)).flatten();
        let client = client.ok_or_else(|| PortalError::client_not_found(&client_id))?;
        client.secret = idp::secret();
        let secret = client.secret.clone();
        state.note_secret(&secret);
        Ok(secret)
    })?;
    context.between_read_and_save(false).await;
    context.core.change(|state| {
        if let Some(user) = state.user_mut(id) {
            user.editor = Some(identity.editor.clone());
        }
        let user = state.user(id).ok_or_else(PortalError::save_conflict)?;
        Ok(Reply::ok(&shape::user(state, user, Some(&secret), None)))
    })
}
