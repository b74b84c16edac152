//! Portals, where technical users are created, behind one trait. Knows nothing of Kubernetes.
//!
//! [`Portal`] is what the rest of the operator sees, and [`Clients`] builds one. The client for Catena-X and Cofinity-X is in
//! `clients::catena_x`, its login in `oauth`, and what keeps a server from being overrun (limiter, lanes, circuit breaker, retry) in
//! `resilient`, for each of the `servers` of a Portal. `absence` knows when a page of a sorted list proves that a name is not there.
//! Nothing else names a concrete client, a version of a portal or one of its error codes: what portals differ in is in
//! [`Capabilities`].

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;

use crate::domain::dataspace::DataspaceValues;
use crate::domain::user::{Credential, NewUser, Role, UserDetails, UserId};

mod absence;
mod bounds;
mod caller;
mod capabilities;
pub mod clients;
mod config_error;
mod error;
pub mod hints;
mod listing;
pub mod oauth;
pub mod observe;
mod refusal;
pub mod resilient;
mod server_kind;
mod servers;
#[cfg(test)]
pub(crate) mod test_support;

pub use absence::{Absence, expected_pages};
pub use capabilities::Capabilities;
pub use error::{CreateFailure, Effect, PortalError};
pub use listing::{ListOrder, Scan, ScanProgress};

/// Which queue a call waits in: what a person waits for comes before periodic calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Lane {
    /// A new or changed resource, a repair, a deletion.
    Interactive,
    /// Sweeps and periodic verification.
    Background,
}

/// What the login may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[allow(clippy::struct_excessive_bools, reason = "five independent permissions, not a state")]
pub struct Permissions {
    /// List and read users, secrets included.
    pub view: bool,
    /// Create, update and reset users.
    pub create: bool,
    /// Delete users: with the deletion login where one is given, else with the login. True while that is not known.
    pub delete: bool,
    /// List the roles on offer.
    pub roles: bool,
    /// Read the company's values of the data space. False while that is not known: only [`Portal::dataspace`] needs it.
    pub dataspace: bool,
}

/// Who the login is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Login {
    /// The business partner numbers that the token names, each once, in the order of the alphabet. None for
    /// a login that has none; several where the identity provider is set up like that.
    pub companies: Vec<String>,
    /// The login's own client ID, absent for a person's login.
    pub client_id: Option<String>,
    /// The deletion login's own client ID, where one is given.
    pub delete_client_id: Option<String>,
    /// The names of its technical-user roles.
    pub technical_roles: Vec<String>,
    /// What it may do.
    pub permissions: Permissions,
    /// Why it is not known whether the deletion login may delete, in words: no token could be obtained for it. A deletion is
    /// tried all the same.
    pub deletion_trouble: Option<String>,
}

/// What the token endpoint answered to a credential.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verification {
    /// A token was issued.
    Accepted {
        /// The roles that the token shows; `None` where it cannot be read.
        roles: Option<TokenRoles>,
    },
    /// Refused: wrong secret, unknown or disabled client. `unknown_client` stands for `invalid_client`, which a wrong
    /// secret never gets (Keycloak 26).
    Refused {
        /// The endpoint answered `invalid_client`.
        unknown_client: bool,
    },
    /// The endpoint could not be reached or did not answer as a token endpoint. This shows nothing about the credential.
    Unreachable {
        /// `host:port` of the endpoint.
        endpoint: String,
        /// What went wrong, in words without secrets.
        reason: String,
    },
}

/// The roles that a technical user's token shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenRoles {
    /// The names of its technical-user roles, in order.
    pub technical: Vec<String>,
    /// Sums up its roles at all clients of the identity provider. Compare it within one process only.
    pub digest: u64,
}

/// What a portal shows of the data space.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ShownDataspace {
    /// The business partner number of the company that the values belong to, where the portal names it.
    pub company: Option<String>,
    /// The values.
    pub values: DataspaceValues,
}

/// A portal, where technical users are created, seen through one login.
///
/// Every call may wait for the limiter. Errors never hold text from an answer's body, nor a secret. No method has a default
/// body: what wraps a portal would not notice that it does not pass that method on.
#[async_trait]
pub trait Portal: Send + Sync {
    /// Logs in (or uses the current token) and returns the identity of the login.
    async fn login(&self) -> Result<Login, PortalError>;

    /// Drops the current token, so that the next call obtains a new one: the claims of the token may be outdated.
    async fn forget_token(&self);

    /// Sends one call that the portal answers only to a login that it accepts, with a token that names the same companies and
    /// the same client ID as `login`: a token alone shows only what the token endpoint claims.
    async fn confirm(&self, login: &Login) -> Result<(), PortalError>;

    /// Sends one call that the portal answers only to a login that it accepts, with a token of the deletion login that names
    /// this client ID.
    async fn confirm_deletion_login(&self, client_id: &str) -> Result<(), PortalError>;

    /// The same login, whose calls are sent only with a token that names all of these companies, or none where there are
    /// none; [`PortalError::OtherCompany`] otherwise. [`Portal::login`] and the two calls that confirm a login take any token.
    /// The holder of a bound portal concludes nothing from the users of another company, also after the login has changed.
    fn bound_to(self: Arc<Self>, companies: &[String]) -> Arc<dyn Portal>;

    /// What the portal can do; requested once, then remembered.
    async fn capabilities(&self) -> Result<Capabilities, PortalError>;

    /// The roles that the login's company may give to technical users.
    async fn roles(&self, lane: Lane) -> Result<Vec<Role>, PortalError>;

    /// Reads the whole user list once.
    async fn scan(&self, lane: Lane) -> Result<Scan, PortalError>;

    /// The progress of the running scan, if the client knows it.
    fn scan_progress(&self) -> Option<ScanProgress>;

    /// Whether no user of the whole list has a name that begins so, by a few pages of it. `users` is how many it has about.
    async fn prove_absent(&self, beginning: &str, users: u64, lane: Lane) -> Result<Absence, PortalError>;

    /// The users whose client ID contains this text, by a list that the portal narrows: short where the whole list is long.
    async fn narrow(&self, client_id: &str, lane: Lane) -> Result<Scan, PortalError>;

    /// The users that the wallet service has not created yet, by a list that the portal narrows.
    async fn pending(&self, lane: Lane) -> Result<Scan, PortalError>;

    /// Reads one user. [`PortalError::NotFound`] is the only proof that a user was deleted; see [`Capabilities::reports_deleted`].
    async fn details(&self, id: &UserId, lane: Lane) -> Result<UserDetails, PortalError>;

    /// The token endpoint that the portal names for internal users, as its answers have shown it to this client; `None` while
    /// they have not. It may differ from the one that the client was given, which all credentials of internal users have.
    fn named_token_url(&self) -> Option<String>;

    /// The values of the data space that the portal knows of the login's company; `None` where it does not show them to this
    /// login.
    async fn dataspace(&self, lane: Lane) -> Result<Option<ShownDataspace>, PortalError>;

    /// Waits for a place in the limiter and for a fresh token, so that the create that follows starts at once.
    async fn create_slot(&self) -> Result<Box<dyn CreateSlot>, PortalError>;

    /// Sets name and description; the portal has no partial update. Works for active users only.
    async fn update(&self, id: &UserId, name: &str, description: &str) -> Result<(), PortalError>;

    /// Creates a new secret; the old one is invalid at once. Internal users only. The secret is not returned: it is read
    /// with [`Portal::details`], which is the one way that also works after a crash.
    async fn reset(&self, id: &UserId) -> Result<(), PortalError>;

    /// Deletes a user, with the deletion login where one is given.
    async fn delete(&self, id: &UserId) -> Result<(), PortalError>;

    /// Requests a token from the credential's token endpoint.
    async fn verify(&self, credential: &Credential, lane: Lane) -> Verification;
}

/// A create that may start now: it holds the limiter's place and a fresh token.
#[async_trait]
pub trait CreateSlot: Send {
    /// The one POST. Never repeated by the client; 0, 1 or 2 users come back.
    async fn create(self: Box<Self>, user: NewUser) -> Result<Vec<UserDetails>, CreateFailure>;
}

/// How long a create may take before the client stops waiting. The portal may still complete it: a search for the user
/// waits [`CREATE_SETTLE_TIME`] first. A constant, the same in all releases.
pub const CREATE_TIMEOUT: Duration = Duration::from_secs(30);

/// How long after its start a create whose outcome is unknown counts as in progress: twice [`CREATE_TIMEOUT`].
pub const CREATE_SETTLE_TIME: Duration = Duration::from_mins(1);

pub(crate) use crate::transport::endpoint;
pub use crate::transport::{
    Bounded, BundleReport, Fault, HttpRequest, HttpResponse, Limit, Network, Payload, PlainHttp, Proxies,
    Transport, Transports,
};
#[cfg(test)]
pub(crate) use absence::{Lead, Order};
#[cfg(test)]
pub(crate) use clients::catena_x::{Filter, Page, Pages, prove_absent, scan_pages, scan_pending};
pub use clients::{ClientConfig, Clients, Connector};
pub use config_error::{ConfigError, NotHttps};
pub use oauth::{Credentials, PORTAL_CLIENT, TokenStore};
pub use refusal::Refusal;
pub use resilient::Limits;
pub use server_kind::ServerKind;
