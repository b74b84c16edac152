//! Details of a technical user (portal contract, section 2.3).

use http::StatusCode;
use serde_json::{Value, json};

use crate::core::Core;
use crate::endpoints::{Context, Outcome, shape};
use crate::errors::{PortalError, SERVICE};
use crate::http::Reply;
use crate::state::{Editor, Kind, State, Status, User};
use crate::version::Version;

/// What stands in place of the token address of a user that has wallet data and is PENDING; the normal flow makes
/// none such (portal contract, section 2.3).
const STILL_PENDING: &str = "Technical User Status is Still in pending state";

pub(super) fn handle(context: &Context<'_>) -> Outcome {
    let (id, company) = (context.user_id()?, context.company()?);
    let core = context.core;
    core.change(|state| {
        let user = state
            .visible_user(id, company)
            .cloned()
            .ok_or_else(|| context.not_found(StatusCode::NOT_FOUND, id, company))?;
        if state.connectors_of(id).count() > 1 {
            return Err(internal("System.Linq", "Sequence contains more than one element").into());
        }
        let secret = match user.kind {
            Kind::Internal => shape::live_secret(core, state, &user)?,
            Kind::External => user.wallet.as_ref().map(|wallet| wallet.secret.clone()),
        };
        let Some(editor) = &user.editor else {
            return Err(internal(SERVICE, "Object reference not set to an instance of an object.").into());
        };
        let (editor, editor_company) = editor_names(state, editor);
        let mut body = json!({
            "serviceAccountId": user.id, "clientId": user.client_id, "name": user.name,
            "description": user.description, "authenticationType": secret.as_ref().map(|_| "SECRET"),
            "roles": shape::roles(state, &user.roles),
            "companyServiceAccountTypeId": user.ownership.name(), "status": user.status.name(),
            "secret": secret, "connector": shape::connector(state.connectors_of(id).next()),
            "offer": shape::offer(user.offer.as_ref()),
            "LastEditorName": editor, "LastEditorCompanyName": editor_company,
        });
        if let Some(map) = body.as_object_mut() {
            if context.version >= Version::V2_3 {
                map.insert("usertype".to_owned(), json!(user.kind.name()));
                let url = token_url(core, &user, context.version);
                map.insert("authenticationServiceUrl".to_owned(), json!(url));
            } else {
                let subscription = user.offer.as_ref().map(|offer| offer.subscription);
                map.insert("subscriptionId".to_owned(), json!(subscription));
            }
        }
        Ok(Reply::ok(&body))
    })
}

fn internal(key: &str, text: &str) -> PortalError {
    PortalError::plain(StatusCode::INTERNAL_SERVER_ERROR, key, [text.to_owned()])
}

/// Without wallet data it is the identity provider's own address, even for a wallet user, whom it does not fit.
fn token_url(core: &Core, user: &User, version: Version) -> String {
    match &user.wallet {
        Some(_) if user.status == Status::Pending && version >= Version::V2_5 => STILL_PENDING.to_owned(),
        Some(wallet) => wallet.url.clone(),
        None => core.token_url(),
    }
}

fn editor_names(state: &State, editor: &Editor) -> (Value, Value) {
    let (name, company) = match editor {
        Editor::Person { name, company } => (Some(name.clone()), Some(*company)),
        Editor::User(id) => {
            let user = state.user(*id);
            (user.map(|user| user.name.clone()), user.map(|user| user.company))
        }
    };
    let company = company.and_then(|company| state.company(company)).map(|company| &company.name);
    (json!(name), json!(company))
}
