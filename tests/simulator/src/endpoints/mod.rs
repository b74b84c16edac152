//! The endpoints of the portal's Administration service (portal contract, section 2).

mod callbacks;
mod company;
mod connectors;
mod create;
mod delete;
mod details;
mod list;
mod reset;
mod roles;
mod shape;
mod update;

use std::sync::Arc;
use std::time::Duration;

use http::StatusCode;
use uuid::Uuid;

use crate::auth::Identity;
use crate::binding::{Unreadable, path_id};
use crate::calls::{Call, Endpoint};
use crate::core::Core;
use crate::errors::{ModelErrors, PortalError};
use crate::gates::Stage;
use crate::http::{Reply, Request};
use crate::messages;
use crate::version::Version;

/// How long update and delete stand between the reading of a row and its saving, even with the latency profile
/// off: without that time simultaneous calls would never meet (portal contract, section 2.4).
const BETWEEN_READ_AND_SAVE: Duration = Duration::from_millis(25);

/// One authorised call.
pub(crate) struct Context<'a> {
    pub(crate) core: &'a Arc<Core>,
    pub(crate) version: Version,
    pub(crate) request: &'a Request,
    pub(crate) endpoint: Endpoint,
    pub(crate) params: Vec<String>,
    pub(crate) identity: Option<Identity>,
    pub(crate) call: &'a Call,
}

/// Why an endpoint does not do what it was asked.
pub(crate) enum Failure {
    Portal(PortalError),
    Unreadable(Unreadable),
    Reply(Reply),
}

impl From<PortalError> for Failure {
    fn from(error: PortalError) -> Self {
        Self::Portal(error)
    }
}

impl From<Unreadable> for Failure {
    fn from(error: Unreadable) -> Self {
        Self::Unreadable(error)
    }
}

impl From<ModelErrors> for Failure {
    fn from(error: ModelErrors) -> Self {
        Self::Unreadable(error.into())
    }
}

type Outcome = Result<Reply, Failure>;

impl Context<'_> {
    /// The caller's record; endpoints that ask for none never get here without one.
    fn identity(&self) -> Result<&Identity, Failure> {
        self.identity.as_ref().ok_or_else(|| Failure::Reply(Reply::empty(StatusCode::FORBIDDEN)))
    }

    fn company(&self) -> Result<Uuid, Failure> {
        Ok(self.identity()?.company)
    }

    fn user_id(&self) -> Result<Uuid, ModelErrors> {
        path_id(&self.params, "serviceAccountId")
    }

    /// "No such technical user", with the status that the endpoint gives it.
    fn not_found(&self, status: StatusCode, user: Uuid, company: Uuid) -> PortalError {
        PortalError::coded(status, messages::not_found_code(self.version))
            .param("serviceAccountId", user)
            .param("companyId", company)
    }

    /// The portal has read and has not saved yet.
    async fn between_read_and_save(&self, race: bool) {
        self.core.gate(Stage::Working, self.call).await;
        if race {
            tokio::time::sleep(BETWEEN_READ_AND_SAVE).await;
        }
    }
}

/// Whether the endpoint takes a body of this media type. No type at all passes here: only endpoints that read a
/// body refuse it later.
pub(crate) fn takes_media_type(endpoint: Endpoint, media_type: Option<&str>) -> bool {
    let Some(media_type) = media_type else { return true };
    match endpoint {
        Endpoint::List
        | Endpoint::Create
        | Endpoint::Details
        | Endpoint::Update
        | Endpoint::Delete
        | Endpoint::Reset
        | Endpoint::Roles
        | Endpoint::CallbackCreated
        | Endpoint::CallbackDeleted
        | Endpoint::RetriggerCreate
        | Endpoint::RetriggerDelete
        | Endpoint::ConnectorUpdate => media_type == "application/json",
        Endpoint::ConnectorCreate => media_type == "multipart/form-data",
        _ => true,
    }
}

/// Answers a call.
pub(crate) async fn handle(context: &Context<'_>) -> Reply {
    let outcome = match context.endpoint {
        Endpoint::List => list::handle(context),
        Endpoint::Create => create::handle(context).await,
        Endpoint::Details => details::handle(context),
        Endpoint::Update => update::handle(context).await,
        Endpoint::Delete => delete::handle(context).await,
        Endpoint::Reset => reset::handle(context).await,
        Endpoint::Roles => roles::handle(context),
        Endpoint::ErrorMessage => Ok(Reply::ok(&messages::tables(context.version))),
        Endpoint::OperatorBpn => Ok(company::operators(context)),
        Endpoint::OwnCompany => company::own(context),
        Endpoint::WalletUrls => company::wallet_urls(context),
        Endpoint::ConnectorList => connectors::list(context),
        Endpoint::ConnectorDetails => connectors::details(context),
        Endpoint::ConnectorCreate => connectors::create(context).await,
        Endpoint::ConnectorUpdate => connectors::update(context),
        Endpoint::ConnectorDelete => connectors::delete(context).await,
        Endpoint::CallbackCreated => callbacks::created(context),
        Endpoint::CallbackDeleted => callbacks::deleted(context),
        Endpoint::RetriggerCreate => callbacks::retrigger_create(context),
        Endpoint::RetriggerDelete => callbacks::retrigger_delete(context),
        Endpoint::Token | Endpoint::Refresh | Endpoint::WalletToken | Endpoint::Other => {
            Ok(Reply::empty(StatusCode::NOT_FOUND))
        }
    };
    match outcome {
        Ok(reply) | Err(Failure::Reply(reply)) => reply,
        Err(Failure::Portal(error)) => error.reply(context.version),
        Err(Failure::Unreadable(error)) => error.reply(),
    }
}
