//! Which release answers, found by the error messages that it has: since 2.0 they can be read without a login.

use serde::Deserialize;
use serde::de::IgnoredAny;

use super::client::Client;
use super::permissions;
use super::request::Call;
use crate::portal::bounds::{List, Text};
use crate::portal::observe::Operation;
use crate::portal::{Capabilities, Lane, PortalError};

/// The portal's version as far as its answers distinguish it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum VersionRange {
    /// 2.0 or 2.1.
    V2_0,
    /// 2.2.
    V2_2,
    /// 2.3 or 2.4.
    V2_3,
    /// 2.5 or 2.6.
    V2_5,
    /// After 2.6.
    Later,
}

impl VersionRange {
    /// The range in words, such as "2.5 or 2.6".
    fn words(self) -> &'static str {
        match self {
            Self::V2_0 => "2.0 or 2.1",
            Self::V2_2 => "2.2",
            Self::V2_3 => "2.3 or 2.4",
            Self::V2_5 => "2.5 or 2.6",
            Self::Later => "after 2.6",
        }
    }

    /// What a portal of these versions can do.
    pub(super) fn capabilities(self) -> Capabilities {
        Capabilities {
            version: self.words(),
            reports_deleted: self >= Self::V2_2,
            deletes_external: self >= Self::V2_2,
            permissions: permissions::names(self >= Self::V2_5),
        }
    }
}

/// The portal has a few dozen types of errors, and a few hundred codes in all.
const MOST_TYPES: usize = 256;
const MOST_CODES: usize = 1024;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ErrorMessages {
    error_type: Text<64>,
    #[serde(default)]
    error_messages: List<ErrorMessage, MOST_CODES>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ErrorMessage {
    error_code: Text<64>,
}

/// Requests the version. If the list of messages is refused or absent (a proxy may permit only known paths), the user list
/// distinguishes 2.0 from later releases, and a later one counts as 2.2, which has the fewest functions.
pub(super) async fn ask(client: &Client) -> Result<VersionRange, PortalError> {
    let call = Call::get(Operation::Version, client.address.error_messages());
    match client.read_openly(&call, Lane::Interactive).await {
        Ok(answer) if serde_json::from_slice::<IgnoredAny>(&answer.body).is_err() => {
            Err(PortalError::NotThePortalBackend { endpoint: client.endpoint.clone() })
        }
        Ok(answer) => match by_messages(&answer.body) {
            Some(version) => Ok(version),
            None => by_statuses(client).await,
        },
        Err(
            PortalError::Unauthorized
            | PortalError::Forbidden { .. }
            | PortalError::NotFound
            | PortalError::Refused { .. },
        ) => by_statuses(client).await,
        Err(error) => Err(error),
    }
}

fn by_messages(body: &[u8]) -> Option<VersionRange> {
    let all: List<ErrorMessages, MOST_TYPES> = serde_json::from_slice(body).ok()?;
    let knows = |error_type: &str, code: &str| {
        all.entries
            .iter()
            .filter(|messages| messages.error_type.0 == error_type)
            .flat_map(|messages| &messages.error_messages.entries)
            .any(|message| message.error_code.0 == code)
    };
    let about_users = "AdministrationServiceAccountErrors";
    let signs = [
        (about_users, "SERVICE_ACCOUNT_USER_ROLES_NOT_ALLOWED", VersionRange::Later),
        ("AdministrationConnectorErrors", "CONNECTOR_ARGUMENT_TECH_USER_IN_USE", VersionRange::V2_5),
        (about_users, "SERVICE_ACCOUNT_NOT_ACTIVE", VersionRange::V2_3),
        (about_users, "SERVICE_ACCOUNT_NOT_CONFLICT", VersionRange::V2_0),
        (about_users, "SERVICE_ACCOUNT_NOT_FOUND", VersionRange::V2_2),
    ];
    signs.into_iter().find(|(error_type, code, _)| knows(error_type, code)).map(|(_, _, version)| version)
}

/// 2.0 and 2.1 do not know the status `PENDING_DELETION` and answer 400 to it.
async fn by_statuses(client: &Client) -> Result<VersionRange, PortalError> {
    let mut url = client.address.page(0, 1);
    url.query_pairs_mut().append_pair("userStatus", "PENDING_DELETION");
    match client.read(&Call::get(Operation::List, url), Lane::Interactive).await {
        Ok(_) => Ok(VersionRange::V2_2),
        Err(PortalError::Refused { status: 400, .. }) => Ok(VersionRange::V2_0),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    fn messages(users: &[&str], connectors: &[&str]) -> Vec<u8> {
        let list = |codes: &[&str]| -> Vec<Value> {
            codes.iter().map(|code| serde_json::json!({"errorCode": code, "message": "x"})).collect()
        };
        serde_json::to_vec(&serde_json::json!([
            {"errorType": "AdministrationServiceAccountErrors", "errorMessages": list(users)},
            {"errorType": "AdministrationConnectorErrors", "errorMessages": list(connectors)},
        ]))
        .unwrap()
    }

    #[test]
    fn each_release_is_recognized_by_its_messages() {
        let (found, active) = ("SERVICE_ACCOUNT_NOT_FOUND", "SERVICE_ACCOUNT_NOT_ACTIVE");
        let in_use = "CONNECTOR_ARGUMENT_TECH_USER_IN_USE";
        for (users, connectors, want) in [
            (vec!["SERVICE_ACCOUNT_NOT_CONFLICT"], vec![], Some(VersionRange::V2_0)),
            (vec![found], vec![], Some(VersionRange::V2_2)),
            (vec![found, active], vec!["CONNECTOR_NOT_FOUND"], Some(VersionRange::V2_3)),
            (vec![found, active], vec![in_use], Some(VersionRange::V2_5)),
            (
                vec![found, active, "SERVICE_ACCOUNT_USER_ROLES_NOT_ALLOWED"],
                vec![in_use],
                Some(VersionRange::Later),
            ),
            (vec!["SOMETHING_ELSE"], vec![], None),
        ] {
            assert_eq!(by_messages(&messages(&users, &connectors)), want, "{users:?}");
        }
        assert_eq!(by_messages(b"{}"), None);
    }
}
