//! The identity provider: its clients, its people, and how it fares when the portal calls it.

pub(crate) mod endpoint;
pub(crate) mod refresh;
pub(crate) mod tokens;

use std::collections::BTreeMap;

use http::StatusCode;
use serde_json::Value;
use uuid::Uuid;

use crate::errors::{PROVISIONING, PortalError, SYSTEM_TEXT_JSON};
use crate::state::{RoleDef, Tracked};
use refresh::Session;
use tokens::Token;

/// The public client of the portal's web pages, whose roles are the permissions.
pub(crate) const PORTAL_CLIENT: &str = "Cl2-CX-Portal";

/// A client with a service account.
#[derive(Clone, Debug)]
pub(crate) struct IdpClient {
    pub(crate) client_id: String,
    pub(crate) secret: String,
    pub(crate) enabled: bool,
    pub(crate) name: String,
    pub(crate) bpn: Option<String>,
    /// The claim `bpn` of its tokens, where it is not just the company.
    pub(crate) bpn_claim: Option<Value>,
    /// Roles of `technical_roles_management`.
    pub(crate) roles: Vec<String>,
    /// Roles of the portal's client.
    pub(crate) permissions: Vec<String>,
    pub(crate) other_audiences: Vec<String>,
}

impl IdpClient {
    pub(crate) fn new(client_id: String, name: &str, bpn: Option<String>, roles: &[&RoleDef]) -> Self {
        let mut permissions: Vec<String> =
            roles.iter().flat_map(|role| role.permissions.iter().cloned()).collect();
        permissions.sort();
        permissions.dedup();
        Self {
            client_id,
            secret: secret(),
            enabled: true,
            name: name.to_owned(),
            bpn,
            bpn_claim: None,
            roles: roles.iter().map(|role| role.name.clone()).collect(),
            permissions,
            other_audiences: roles.iter().filter_map(|role| role.other_audience.clone()).collect(),
        }
    }
}

/// A person who logs in by the portal's web pages.
#[derive(Clone, Debug)]
pub(crate) struct Human {
    pub(crate) id: Uuid,
    /// Name that tests know the person by.
    pub(crate) login: String,
    pub(crate) name: String,
    pub(crate) company: Option<Uuid>,
    pub(crate) permissions: Vec<String>,
}

/// What the portal meets when it calls the identity provider (portal contract, section 14).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IdpTrouble {
    /// It answers with this status; 503, 403 and 401 make the portal answer 502.
    Status(u16),
    /// It (or a proxy before it) answers with a web page: the portal answers 500.
    Html,
    /// Roles cannot be assigned to a fresh client: the portal answers 500 and leaves the client behind.
    RolesNotAssigned,
}

/// When during a creation the trouble is met.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IdpMoment {
    /// Before the client was created, and in every call that is no creation.
    BeforeClient,
    /// After the client was created, which is then left behind.
    AfterClient,
}

pub(crate) struct Troubled {
    pub(crate) trouble: IdpTrouble,
    pub(crate) moment: IdpMoment,
    pub(crate) times: Option<usize>,
}

/// Whose client roles the tokens of technical users name (client scopes of the realm). A token without any has no claim
/// `resource_access`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TokenScopes {
    /// Those of the client `account`, which every account has.
    pub account: bool,
    /// Those of the client `technical_roles_management`.
    pub technical_roles: bool,
}

impl Default for TokenScopes {
    fn default() -> Self {
        Self { account: true, technical_roles: true }
    }
}

/// All that the identity provider knows.
#[derive(Default)]
pub(crate) struct Idp {
    pub(crate) clients: Tracked<Vec<IdpClient>>,
    /// Clients that were removed, so that tests can restore them.
    pub(crate) removed: Vec<IdpClient>,
    pub(crate) humans: Vec<Human>,
    pub(crate) tokens: BTreeMap<String, Token>,
    pub(crate) sessions: Vec<Session>,
    pub(crate) troubles: Vec<Troubled>,
    pub(crate) token_scopes: TokenScopes,
    pub(crate) reachable: bool,
    sequence: u64,
}

impl Idp {
    pub(crate) fn new() -> Self {
        Self { reachable: true, ..Self::default() }
    }

    /// Where the sequence of the client ids is.
    pub(crate) fn sequence(&self) -> u64 {
        self.sequence
    }

    /// These clients and no others, with the sequence of a backup.
    pub(crate) fn restore(&mut self, clients: Vec<IdpClient>, sequence: u64) {
        *self.clients = clients;
        self.removed.clear();
        self.sequence = sequence;
    }

    /// The next client id `sa<n>`. The sequence is shared with app clients, so gaps are normal.
    pub(crate) fn next_client_id(&mut self) -> String {
        self.sequence += fastrand::u64(1..=2);
        loop {
            let client_id = format!("sa{}", self.sequence);
            if self.client(&client_id).is_none() {
                return client_id;
            }
            self.sequence += 1;
        }
    }

    pub(crate) fn client(&self, client_id: &str) -> Option<&IdpClient> {
        self.clients.iter().find(|client| client.client_id == client_id)
    }

    pub(crate) fn client_mut(&mut self, client_id: &str) -> Option<&mut IdpClient> {
        self.clients.iter_mut().find(|client| client.client_id == client_id)
    }

    /// Removes a client; false if there is none.
    pub(crate) fn remove(&mut self, client_id: &str) -> bool {
        let index = self.clients.iter().position(|client| client.client_id == client_id);
        index.map(|index| self.clients.remove(index)).is_some_and(|client| {
            self.removed.push(client);
            true
        })
    }

    /// What the portal meets at this moment of a call.
    pub(crate) fn call(&mut self, moment: IdpMoment, address: &str) -> Result<(), PortalError> {
        if !self.reachable {
            return Err(bad_gateway(
                "no status code",
                &format!("call to {address} failed: connection refused"),
            ));
        }
        let Some(found) =
            self.troubles.iter_mut().find(|trouble| trouble.moment == moment && trouble.times != Some(0))
        else {
            return Ok(());
        };
        if let Some(times) = &mut found.times {
            *times -= 1;
        }
        Err(match found.trouble {
            IdpTrouble::Status(status) => {
                let reason = StatusCode::from_u16(status)
                    .ok()
                    .and_then(|status| status.canonical_reason())
                    .unwrap_or_default()
                    .replace(' ', "");
                bad_gateway(
                    &format!("{status} {reason}"),
                    &format!("call failed with status code {status} ({reason}): POST {address}"),
                )
            }
            IdpTrouble::Html => PortalError::plain(
                StatusCode::INTERNAL_SERVER_ERROR,
                SYSTEM_TEXT_JSON,
                ["'<' is an invalid start of a value. Path: $ | LineNumber: 0 | BytePositionInLine: 0."
                    .to_owned()],
            ),
            IdpTrouble::RolesNotAssigned => PortalError::plain(
                StatusCode::INTERNAL_SERVER_ERROR,
                PROVISIONING,
                ["inconsistent data, roles not assigned in keycloak".to_owned()],
            ),
        })
    }
}

fn bad_gateway(status: &str, message: &str) -> PortalError {
    PortalError::plain(
        StatusCode::BAD_GATEWAY,
        PROVISIONING,
        [format!("remote service returned status code: {status}"), message.to_owned()],
    )
}

/// A client secret: 32 letters and digits (portal contract, section 5.9).
pub(crate) fn secret() -> String {
    std::iter::repeat_with(fastrand::alphanumeric).take(32).collect()
}
