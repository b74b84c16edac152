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

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn found(portal: &Value, spec: &Value) -> Vec<Wanted> {
        let status: PortalStatus = serde_json::from_value(json!({"dataspace": portal})).unwrap();
        let spec: PortalSpec = serde_json::from_value(json!({"dataspace": spec})).unwrap();
        wanted(&[], &status, None, Some(&spec))
    }

    #[test]
    fn what_a_spec_says_otherwise_than_the_portal_is_reported() {
        let shown = json!({"did": "did:web:one", "bdrsUrl": "https://bdrs.example.org"});
        assert!(found(&shown, &shown).is_empty());
        assert!(found(&Value::Null, &shown).is_empty(), "the portal shows nothing to this login");
        assert!(found(&shown, &Value::Null).is_empty());
        let found = found(&shown, &json!({"did": "did:web:two"}));
        assert_eq!(found.len(), 1);
        assert_eq!((found[0].type_, found[0].reason), (DATASPACE_DIFFERS, "DataspaceDiffers"));
        for words in ["did:web:one", "did:web:two"] {
            assert!(found[0].message.contains(words), "{}", found[0].message);
        }
    }
}
