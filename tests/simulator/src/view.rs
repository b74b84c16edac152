//! What tests see of the state.

use uuid::Uuid;

use crate::calls::{Call, Endpoint};
use crate::state::{ConnectorStatus, Kind, Ownership, State, Status, User};

/// A technical user as a test sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UserView {
    /// Its id.
    pub id: Uuid,
    /// Name of the company that the identity belongs to.
    pub company: String,
    /// Its client id, as soon as it has one.
    pub client_id: Option<String>,
    /// Its name.
    pub name: String,
    /// Its description.
    pub description: String,
    /// Who keeps its credential.
    pub kind: Kind,
    /// How it came to its company.
    pub ownership: Ownership,
    /// Its status.
    pub status: Status,
    /// Names of its roles.
    pub roles: Vec<String>,
    /// Its secret as it is now, unless there is none.
    pub secret: Option<String>,
    /// Process of the wallet service.
    pub process: Option<Uuid>,
    /// The offer and the subscription that it was made for.
    pub offer: Option<(Uuid, Uuid)>,
}

impl UserView {
    pub(crate) fn of(state: &State, user: &User) -> Self {
        let live = user.client_id.as_deref().and_then(|id| state.idp.client(id));
        let secret = match user.kind {
            Kind::Internal => live.map(|client| client.secret.clone()),
            Kind::External => user.wallet.as_ref().map(|wallet| wallet.secret.clone()),
        };
        Self {
            id: user.id,
            company: state.company(user.company).map(|company| company.name.clone()).unwrap_or_default(),
            client_id: user.client_id.clone(),
            name: user.name.clone(),
            description: user.description.clone(),
            kind: user.kind,
            ownership: user.ownership,
            status: user.status,
            roles: user.roles.iter().filter_map(|id| state.role(*id)).map(|role| role.name.clone()).collect(),
            secret,
            process: user.process.map(|(process, _)| process),
            offer: user.offer.as_ref().map(|offer| (offer.id, offer.subscription)),
        }
    }
}

/// A connector as a test sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConnectorView {
    /// Its id.
    pub id: Uuid,
    /// Its name.
    pub name: String,
    /// Its status.
    pub status: ConnectorStatus,
    /// The technical user that it is linked to.
    pub user: Option<Uuid>,
}

/// The state, readable while it is locked.
pub struct View<'a>(pub(crate) &'a State);

impl View<'_> {
    /// The technical users whose identity belongs to the company, in every status, in the order of making.
    #[must_use]
    pub fn users(&self, company: &str) -> Vec<UserView> {
        self.users_that(company, |_, _, _| true)
    }

    /// Those of them whose ids, names and statuses fit.
    #[must_use]
    pub fn users_that(&self, company: &str, fits: impl Fn(Uuid, &str, Status) -> bool) -> Vec<UserView> {
        let company = self.0.company_named(company).map(|company| company.id);
        let users = self.0.users.iter().filter(|user| Some(user.company) == company);
        let users = users.filter(|user| fits(user.id, &user.name, user.status));
        users.map(|user| UserView::of(self.0, user)).collect()
    }

    /// A number that is another one whenever [`View::users`] shows something else.
    #[must_use]
    pub fn changes_of_users(&self) -> u64 {
        self.0.users.changes() + self.0.idp.clients.changes()
    }

    /// One technical user.
    #[must_use]
    pub fn user(&self, id: Uuid) -> Option<UserView> {
        self.0.user(id).map(|user| UserView::of(self.0, user))
    }

    /// All calls in the order of arrival.
    #[must_use]
    pub fn calls(&self) -> &[Call] {
        &self.0.calls
    }

    /// How often the endpoint was called.
    #[must_use]
    pub fn count(&self, endpoint: Endpoint) -> usize {
        self.0.count(endpoint)
    }

    /// How many calls of the endpoint have been answered or cut.
    #[must_use]
    pub fn answered(&self, endpoint: Endpoint) -> usize {
        self.0.calls.iter().filter(|call| call.endpoint == endpoint && call.answer.is_some()).count()
    }

    /// Client ids of all clients of the identity provider.
    #[must_use]
    pub fn idp_clients(&self) -> Vec<String> {
        self.0.idp.clients.iter().map(|client| client.client_id.clone()).collect()
    }

    /// Name of a client at the identity provider.
    #[must_use]
    pub fn idp_client_name(&self, client_id: &str) -> Option<String> {
        self.0.idp.client(client_id).map(|client| client.name.clone())
    }

    /// Clients of the identity provider that no technical user of the portal has.
    #[must_use]
    pub fn orphaned_clients(&self) -> Vec<String> {
        let clients = self.idp_clients().into_iter();
        clients.filter(|client_id| self.0.user_of_client(client_id).is_none()).collect()
    }

    /// Client ids of the wallet's service keys: of the wallet users whose credentials work.
    #[must_use]
    pub fn wallet_clients(&self) -> Vec<String> {
        self.0.wallet.keys.iter().map(|key| key.client_id.clone()).collect()
    }

    /// All connectors.
    #[must_use]
    pub fn connectors(&self) -> Vec<ConnectorView> {
        let connectors = self.0.connectors.iter();
        connectors
            .map(|connector| ConnectorView {
                id: connector.id,
                name: connector.name.clone(),
                status: connector.status,
                user: connector.user,
            })
            .collect()
    }
}
