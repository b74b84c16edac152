//! Conditions of a Portal whose spec says something else than the portal does, only while that is so.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;

use crate::api::conditions::{DATASPACE_DIFFERS, TOKEN_URL_DIFFERS, Wanted};
use crate::api::portal::{PortalSpec, PortalStatus};
use crate::controller::portal::connections::Connection;
use crate::domain::address;
use crate::domain::dataspace::DataspaceValues;
use crate::domain::reason::Reason;

/// The conditions that there is a reason for. `old` is the status before, and `new` has what the portal shows.
pub fn wanted(
    old: &[Condition],
    new: &PortalStatus,
    connection: Option<&Connection>,
    spec: Option<&PortalSpec>,
) -> Vec<Wanted> {
    token_url(old, connection).into_iter().chain(dataspace(new, spec)).collect()
}

/// The portal names another token endpoint for internal users than the Portal.
fn token_url(old: &[Condition], connection: Option<&Connection>) -> Option<Wanted> {
    let before = || {
        let found = old.iter().find(|condition| condition.type_ == TOKEN_URL_DIFFERS)?;
        Some(differs(TOKEN_URL_DIFFERS, Reason::TokenUrlDiffers, found.message.clone()))
    };
    let Some(connection) = connection else { return before() };
    let ours = &connection.token_url;
    let Some(named) = connection.portal.named_token_url() else {
        // This process has read no internal user so far. What was found before holds for the same endpoint.
        return before().filter(|wanted| wanted.message.contains(&format!("({ours})")));
    };
    (!address::is_same_token_endpoint(&named, ours)).then(|| {
        differs(
            TOKEN_URL_DIFFERS,
            Reason::TokenUrlDiffers,
            format!(
                "The portal names the token endpoint {named} for internal users. The operator uses tokenUrl of this Portal \
                 ({ours}) for their tokens and in all outputs. If both lead to one identity provider, nothing is wrong. \
                 Otherwise correct tokenUrl"
            ),
        )
    })
}

/// A value of `spec.dataspace` is another one in the portal.
fn dataspace(status: &PortalStatus, spec: Option<&PortalSpec>) -> Option<Wanted> {
    let portal = DataspaceValues::from(status.dataspace.clone()?);
    let spec = DataspaceValues::from(spec?.dataspace.clone()?);
    let differences: Vec<_> = DataspaceValues::differences(&portal, &spec)
        .into_iter()
        .map(|it| format!("{} is {:?}, and the portal shows {:?}", it.name, it.in_spec, it.in_portal))
        .collect();
    (!differences.is_empty()).then(|| {
        differs(
            DATASPACE_DIFFERS,
            Reason::DataspaceDiffers,
            format!(
                "In spec.dataspace {}. The operator uses what the portal shows. Correct or remove what differs",
                differences.join("; ")
            ),
        )
    })
}

fn differs(type_: &'static str, reason: Reason, message: String) -> Wanted {
    Wanted { type_, status: Some(true), reason: reason.as_str(), message }
}
