//! All that the portal, the identity provider and the wallet know.

pub(crate) mod connector;
pub(crate) mod order;
pub(crate) mod roles;
pub(crate) mod tracked;
pub(crate) mod user;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Instant;

use uuid::Uuid;

use crate::calls::{Answer, Call, Endpoint};
use crate::config::CompanyRole;
use crate::faults::Faults;
use crate::gates;
use crate::idp::Idp;
use crate::version::Version;
use crate::wallet::Wallet;

pub(crate) use connector::{Connector, ConnectorStatus};
pub(crate) use roles::RoleDef;
pub(crate) use tracked::Tracked;
pub(crate) use user::{Editor, Kind, Offer, Ownership, Status, User, WalletCredential};

/// A company as the portal keeps it.
#[derive(Clone, Debug)]
pub(crate) struct Company {
    pub(crate) id: Uuid,
    pub(crate) name: String,
    pub(crate) bpn: Option<String>,
    pub(crate) roles: Vec<CompanyRole>,
    pub(crate) own_wallet: bool,
}

/// The whole state behind one lock.
pub(crate) struct State {
    pub(crate) version: Version,
    pub(crate) companies: Vec<Company>,
    /// In the order of making, as the rows of a table that is never rewritten.
    pub(crate) users: Tracked<Vec<User>>,
    pub(crate) roles: Vec<RoleDef>,
    pub(crate) connectors: Vec<Connector>,
    pub(crate) idp: Idp,
    pub(crate) wallet: Wallet,
    pub(crate) calls: Vec<Call>,
    pub(crate) faults: Faults,
    pub(crate) gates: Vec<Arc<gates::Inner>>,
    /// Every secret value ever handed out.
    pub(crate) secrets: BTreeSet<String>,
}

impl State {
    pub(crate) fn company(&self, id: Uuid) -> Option<&Company> {
        self.companies.iter().find(|company| company.id == id)
    }

    pub(crate) fn company_named(&self, name: &str) -> Option<&Company> {
        self.companies.iter().find(|company| company.name == name)
    }

    pub(crate) fn user(&self, id: Uuid) -> Option<&User> {
        self.users.iter().find(|user| user.id == id)
    }

    pub(crate) fn user_mut(&mut self, id: Uuid) -> Option<&mut User> {
        self.users.iter_mut().find(|user| user.id == id)
    }

    pub(crate) fn user_of_client(&self, client_id: &str) -> Option<&User> {
        self.users.iter().find(|user| user.client_id.as_deref() == Some(client_id))
    }

    /// The user if this company sees it: as owner or provider, in any status but DELETED (portal contract,
    /// section 2.3).
    pub(crate) fn visible_user(&self, id: Uuid, company: Uuid) -> Option<&User> {
        self.user(id).filter(|user| user.status != Status::Deleted && user.concerns(company))
    }

    pub(crate) fn role(&self, id: Uuid) -> Option<&RoleDef> {
        self.roles.iter().find(|role| role.id == id)
    }

    pub(crate) fn role_named(&self, name: &str) -> Option<&RoleDef> {
        self.roles.iter().find(|role| role.name == name)
    }

    /// The roles that this company may give its technical users in this version (portal contract, section 4.4).
    pub(crate) fn assignable_roles(&self, company: &Company) -> Vec<&RoleDef> {
        self.roles
            .iter()
            .filter(|role| role.since <= self.version)
            .filter(|role| role.companies.iter().any(|allowed| company.roles.contains(allowed)))
            .collect()
    }

    /// Links of a user to connectors, in the order of registration.
    pub(crate) fn connectors_of(&self, user: Uuid) -> impl Iterator<Item = &Connector> {
        self.connectors.iter().filter(move |connector| connector.user == Some(user))
    }

    /// Notes a secret value, so that tests can search it in logs.
    pub(crate) fn note_secret(&mut self, secret: &str) {
        if !secret.is_empty() {
            self.secrets.insert(secret.to_owned());
        }
    }

    pub(crate) fn count(&self, endpoint: Endpoint) -> usize {
        self.calls.iter().filter(|call| call.endpoint == endpoint).count()
    }

    pub(crate) fn call_mut(&mut self, number: u64) -> Option<&mut Call> {
        let index = usize::try_from(number.checked_sub(1)?).ok()?;
        self.calls.get_mut(index)
    }

    pub(crate) fn answer_call(&mut self, number: u64, answer: Answer, caller_gone: bool) {
        if let Some(call) = self.call_mut(number) {
            call.answer = Some(answer);
            call.answered = Some(Instant::now());
            call.caller_gone = caller_gone;
        }
    }
}
