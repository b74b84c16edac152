//! What people do by hand: in the portal's web pages, at the identity provider's console, at the wallet.

use tokio::time::Instant;

use serde_json::Value;
use uuid::Uuid;

use crate::idp;
use crate::setup::known_user;
use crate::simulator::Simulator;
use crate::state::user::Step;
use crate::state::{Connector, ConnectorStatus, Kind, RoleDef, Status, User};
use crate::wallet;

/// Whether an action found what it names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub enum Change {
    /// Done.
    Done,
    /// There is no such thing.
    NotFound,
}

impl Change {
    fn of(found: Option<()>) -> Self {
        found.map_or(Self::NotFound, |()| Self::Done)
    }
}

impl Simulator {
    /// A person resets the credential in the web page; the new secret.
    pub fn reset_by_hand(&self, user: Uuid) -> Option<String> {
        self.change(|state| {
            let client_id = state.user(user)?.client_id.clone()?;
            let client = state.idp.client_mut(&client_id)?;
            client.secret = idp::secret();
            let secret = client.secret.clone();
            state.note_secret(&secret);
            Some(secret)
        })
    }

    /// A person deletes the user in the web page. A wallet user becomes `PENDING_DELETION` and the wallet removes its key when its delay is over.
    pub fn delete_by_hand(&self, user: Uuid) -> Change {
        let change = self.change(|state| {
            let client_id = state.user(user)?.client_id.clone();
            let found = state.user_mut(user)?;
            found.revision += 1;
            found.roles.clear();
            if found.kind == Kind::Internal {
                found.status = Status::Deleted;
                client_id.map(|client_id| state.idp.remove(&client_id));
            } else {
                found.status = Status::PendingDeletion;
                if let Some((_, step)) = &mut found.process {
                    *step = Step::AwaitDeleted;
                }
                return Some(true);
            }
            Some(false)
        });
        if change == Some(true) {
            wallet::schedule(&self.core, wallet::Task::Delete, user);
        }
        Change::of(change.map(|_| ()))
    }

    /// Sets a status, whatever leads to it.
    pub fn set_status(&self, user: Uuid, status: Status) -> Change {
        self.with_user(user, |user| user.status = status)
    }

    /// A person changes name and description in the web page.
    pub fn edit_by_hand(&self, user: Uuid, name: &str, description: &str) -> Change {
        self.with_user(user, |user| {
            name.clone_into(&mut user.name);
            description.clone_into(&mut user.description);
        })
    }

    fn with_user(&self, user: Uuid, f: impl FnOnce(&mut User)) -> Change {
        self.change(|state| {
            Change::of(state.user_mut(user).map(|user| {
                f(user);
                user.revision += 1;
            }))
        })
    }

    /// Removes a client at the identity provider's console.
    pub fn remove_idp_client(&self, client_id: &str) -> Change {
        self.change(|state| Change::of(state.idp.remove(client_id).then_some(())))
    }

    /// Disables a client at the identity provider's console.
    pub fn disable_idp_client(&self, client_id: &str) -> Change {
        self.change(|state| Change::of(state.idp.client_mut(client_id).map(|client| client.enabled = false)))
    }

    /// Brings a removed or disabled client back with the secret that it had.
    pub fn restore_idp_client(&self, client_id: &str) -> Change {
        self.change(|state| {
            if let Some(index) = state.idp.removed.iter().position(|client| client.client_id == client_id) {
                let client = state.idp.removed.remove(index);
                state.idp.clients.push(client);
            }
            Change::of(state.idp.client_mut(client_id).map(|client| client.enabled = true))
        })
    }

    /// Changes the secret of a client at the identity provider's console.
    pub fn set_caller_secret(&self, client_id: &str, secret: &str) -> Change {
        self.change(|state| {
            state.note_secret(secret);
            Change::of(state.idp.client_mut(client_id).map(|client| secret.clone_into(&mut client.secret)))
        })
    }

    /// Changes the permissions of a client's or a person's tokens from the next token on.
    pub fn set_caller_permissions<'a>(
        &self,
        client_id: &str,
        permissions: impl IntoIterator<Item = &'a str>,
    ) -> Change {
        let permissions: Vec<String> = permissions.into_iter().map(str::to_owned).collect();
        self.change(|state| {
            if let Some(human) = state.idp.humans.iter_mut().find(|human| human.login == client_id) {
                human.permissions = permissions;
                return Change::Done;
            }
            Change::of(state.idp.client_mut(client_id).map(|client| client.permissions = permissions))
        })
    }

    /// Sets the claim `bpn` of a client's tokens from the next token on (null: none), at the identity provider's console. The
    /// portal itself does not read it. `None`: the company's number again.
    pub fn set_bpn_claim(&self, client_id: &str, claim: Option<Value>) -> Change {
        self.change(|state| {
            Change::of(state.idp.client_mut(client_id).map(|client| client.bpn_claim = claim))
        })
    }

    /// Moves a caller to another company, or out of the portal's knowledge.
    pub fn set_caller_company(&self, client_id: &str, company: Option<&str>) -> Change {
        self.change(|state| {
            let company = match company {
                None => None,
                Some(name) => match state.company_named(name).cloned() {
                    None => return Change::NotFound,
                    company => company,
                },
            };
            if let Some(human) = state.idp.humans.iter_mut().find(|human| human.login == client_id) {
                human.company = company.map(|company| company.id);
                return Change::Done;
            }
            let Some(client) = state.idp.client_mut(client_id) else { return Change::NotFound };
            client.bpn = company.as_ref().and_then(|company| company.bpn.clone());
            let old = state.users.iter().position(|user| user.client_id.as_deref() == Some(client_id));
            let old = old.map(|index| state.users.remove(index));
            if let Some(company) = company {
                let fresh = known_user(&company, client_id.to_owned(), Vec::new());
                state.users.push(User { company: company.id, ..old.unwrap_or(fresh) });
            }
            Change::Done
        })
    }

    /// Ends every access token of the identity provider at once, as a restart with new keys does.
    pub fn revoke_tokens(&self) {
        self.change(|state| state.idp.tokens.clear());
    }

    /// Lets every access token of the identity provider be past its end and the portal's patience.
    pub fn expire_tokens(&self) {
        let skew = self.core.settings.clock_skew;
        let ended = Instant::now().checked_sub(skew).unwrap_or_else(Instant::now);
        self.change(|state| {
            for token in state.idp.tokens.values_mut() {
                token.ends = ended;
            }
        });
    }

    /// Replaces the catalogue of roles.
    pub fn set_roles(&self, roles: Vec<RoleDef>) {
        self.change(|state| state.roles = roles);
    }

    /// Adds a role to the catalogue.
    pub fn add_role(&self, role: RoleDef) {
        self.change(|state| state.roles.push(role));
    }

    /// The catalogue of roles, of all versions.
    #[must_use]
    pub fn roles(&self) -> Vec<RoleDef> {
        self.core.read(|state| state.roles.clone())
    }

    /// Renames a role.
    pub fn rename_role(&self, old: &str, new: &str) -> Change {
        self.change(|state| {
            let role = state.roles.iter_mut().find(|role| role.name == old);
            Change::of(role.map(|role| new.clone_into(&mut role.name)))
        })
    }

    /// The wallet does at once all that waits.
    pub fn activate_wallet_users(&self) {
        let url = wallet::reported_url(&self.core);
        self.change(|state| wallet::run_all(state, &url));
    }

    /// The wallet does nothing more until released.
    pub fn hold_wallet(&self) {
        self.change(|state| state.wallet.held = true);
    }

    /// The wallet continues; what became due meanwhile is done at once.
    pub fn release_wallet(&self) {
        let url = wallet::reported_url(&self.core);
        self.change(|state| {
            state.wallet.held = false;
            wallet::run_due(state, &url);
        });
    }

    /// Registers an ACTIVE connector with this user; its id.
    pub fn link_connector(&self, user: Uuid, name: &str) -> Option<Uuid> {
        self.change(|state| {
            let company = state.user(user)?.company;
            let id = crate::random::uuid();
            state.connectors.push(Connector {
                id,
                name: name.to_owned(),
                url: format!("https://{name}.example.org"),
                location: "DE".to_owned(),
                company,
                status: ConnectorStatus::Active,
                user: Some(user),
            });
            Some(id)
        })
    }

    /// A connector gets its self-description, or is switched off.
    pub fn set_connector_status(&self, connector: Uuid, status: ConnectorStatus) -> Change {
        self.change(|state| {
            let found = state.connectors.iter_mut().find(|found| found.id == connector);
            Change::of(found.map(|found| found.status = status))
        })
    }

    /// A subscription starts (the clients of its users are enabled) or ends (its users become INACTIVE, their
    /// clients stay).
    pub fn set_subscription(&self, user: Uuid, active: bool) -> Change {
        self.change(|state| {
            let Some(subscription) =
                state.user(user).and_then(|user| Some(user.offer.as_ref()?.subscription))
            else {
                return Change::NotFound;
            };
            let mut clients = Vec::new();
            for user in state.users.iter_mut() {
                let Some(offer) = user.offer.as_mut().filter(|offer| offer.subscription == subscription)
                else {
                    continue;
                };
                offer.subscription_active = active;
                user.status = if active { Status::Active } else { Status::Inactive };
                clients.extend(user.client_id.clone().filter(|_| active));
            }
            for client in clients {
                if let Some(client) = state.idp.client_mut(&client) {
                    client.enabled = true;
                }
            }
            Change::Done
        })
    }
}
