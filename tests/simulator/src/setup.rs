//! The first state, from a configuration.

use std::collections::BTreeSet;
use std::io;

use uuid::Uuid;

use crate::config::{Caller, Config, Rights};
use crate::faults::Faults;
use crate::idp::refresh::Session;
use crate::idp::{Human, Idp, IdpClient};
use crate::state::{Company, Editor, Kind, Ownership, State, Status, Tracked, User, roles};
use crate::tls::TlsError;
use crate::wallet::Wallet;

/// Why a simulator does not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The configuration does not fit together.
    #[error(transparent)]
    Setup(#[from] SetupError),
    /// No address.
    #[error("cannot listen: {0}")]
    Listen(#[from] io::Error),
    /// No certificate.
    #[error(transparent)]
    Tls(#[from] TlsError),
}

/// What does not fit together in a configuration.
#[derive(Debug, thiserror::Error)]
pub enum SetupError {
    /// Two companies of one name.
    #[error("company {0:?} is there twice")]
    CompanyTwice(String),
    /// Two callers of one client id.
    #[error("caller {0:?} is there twice")]
    CallerTwice(String),
    /// A caller of a company that is not there.
    #[error("caller {caller:?} names the unknown company {company:?}")]
    UnknownCompany {
        /// Client id of the caller.
        caller: String,
        /// The company's name.
        company: String,
    },
    /// A caller with a role that is not in the catalogue.
    #[error("caller {caller:?} names the unknown role {role:?}")]
    UnknownRole {
        /// Client id of the caller.
        caller: String,
        /// The role's name.
        role: String,
    },
    /// A person with a technical-user role.
    #[error("caller {0:?} is human: give it permissions, not a technical-user role")]
    HumanWithRole(String),
}

/// Makes the first state.
pub(crate) fn state(config: Config) -> Result<State, SetupError> {
    let mut state = State {
        version: config.version,
        companies: Vec::new(),
        users: Tracked::default(),
        roles: roles::catalogue(),
        connectors: Vec::new(),
        idp: Idp::new(),
        wallet: Wallet::new(),
        calls: Vec::new(),
        faults: Faults::default(),
        gates: Vec::new(),
        secrets: BTreeSet::new(),
    };
    for company in config.companies {
        if state.company_named(&company.name).is_some() {
            return Err(SetupError::CompanyTwice(company.name));
        }
        state.companies.push(Company {
            id: crate::random::uuid(),
            name: company.name,
            bpn: company.bpn,
            roles: company.roles,
            own_wallet: company.own_wallet,
        });
    }
    for caller in config.callers {
        add_caller(&mut state, caller)?;
    }
    Ok(state)
}

fn add_caller(state: &mut State, caller: Caller) -> Result<(), SetupError> {
    let known = state.idp.humans.iter().any(|human| human.login == caller.client_id)
        || state.idp.client(&caller.client_id).is_some();
    if known {
        return Err(SetupError::CallerTwice(caller.client_id));
    }
    let company = match &caller.company {
        None => None,
        Some(name) => Some(state.company_named(name).cloned().ok_or_else(|| SetupError::UnknownCompany {
            caller: caller.client_id.clone(),
            company: name.clone(),
        })?),
    };
    state.note_secret(&caller.secret);
    if caller.human {
        return add_human(state, caller, company.as_ref());
    }
    let bpn = company.as_ref().and_then(|company| company.bpn.clone());
    let mut client = IdpClient::new(caller.client_id.clone(), &caller.client_id, bpn, &[]);
    let mut role_ids = Vec::new();
    match caller.rights {
        Rights::Permissions(permissions) => client.permissions = permissions,
        Rights::Role(name) => {
            let Some(role) = state.role_named(&name) else {
                return Err(SetupError::UnknownRole { caller: caller.client_id, role: name });
            };
            role_ids.push(role.id);
            client = IdpClient::new(client.client_id, &client.name, client.bpn, &[role]);
        }
    }
    client.secret = caller.secret;
    state.idp.clients.push(client);
    if let Some(company) = company {
        let user = known_user(&company, caller.client_id, role_ids);
        state.users.push(user);
    }
    Ok(())
}

fn add_human(state: &mut State, caller: Caller, company: Option<&Company>) -> Result<(), SetupError> {
    let Rights::Permissions(permissions) = caller.rights else {
        return Err(SetupError::HumanWithRole(caller.client_id));
    };
    let id = crate::random::uuid();
    state.idp.sessions.push(Session::new(id, caller.secret));
    state.idp.humans.push(Human {
        id,
        name: format!("First {}", caller.client_id),
        login: caller.client_id,
        company: company.map(|company| company.id),
        permissions,
    });
    Ok(())
}

/// The row by which the portal knows a client: without it a valid token is answered 403 (portal contract, sections
/// 5.1 and 5.4). So every client that belongs to a company stands in the company's list.
pub(crate) fn known_user(company: &Company, client_id: String, roles: Vec<Uuid>) -> User {
    User {
        id: crate::random::uuid(),
        company: company.id,
        provider: None,
        ownership: Ownership::Own,
        kind: Kind::Internal,
        name: client_id.clone(),
        client_id: Some(client_id),
        description: String::new(),
        status: Status::Active,
        roles,
        wallet: None,
        process: None,
        offer: None,
        editor: Some(Editor::Person { name: "First Last".to_owned(), company: company.id }),
        revision: 0,
    }
}
