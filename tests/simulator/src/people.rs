//! What people do by hand: in the portal's web pages, at the identity provider's console, at the wallet.

use std::time::Instant;

use uuid::Uuid;

use crate::idp::{self, IdpClient};
use crate::setup::known_user;
use crate::simulator::Simulator;
use crate::state::user::Step;
use crate::state::{
    Connector, ConnectorStatus, Kind, Offer, Ownership, RoleDef, State, Status, User, WalletCredential,
};
use crate::view::UserView;
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

/// A technical user that a test wants to be there. See the builder methods.
#[derive(Clone, Debug)]
pub struct UserSeed {
    company: String,
    name: String,
    description: String,
    kind: Kind,
    status: Status,
    roles: Vec<String>,
    client_id: Option<String>,
    offer: Option<(OfferSeed, Ownership)>,
    enabled: bool,
    editor: bool,
}

/// The offer whose subscription made a user.
#[derive(Clone, Debug)]
pub struct OfferSeed {
    /// Company that provides the offer.
    pub provider: String,
    /// Name of the offer; users made by it bear it.
    pub name: String,
    /// Whether the subscription is active, which forbids the removal of its users.
    pub subscription_active: bool,
}

impl UserSeed {
    /// An ACTIVE internal user of the company with the role Dataspace Discovery.
    #[must_use]
    pub fn new(company: &str, name: &str) -> Self {
        Self {
            company: company.to_owned(),
            name: name.to_owned(),
            description: String::new(),
            kind: Kind::Internal,
            status: Status::Active,
            roles: vec!["Dataspace Discovery".to_owned()],
            client_id: None,
            offer: None,
            enabled: true,
            editor: true,
        }
    }

    /// A wallet user; the name is kept as given, so give it with `dim-`.
    #[must_use]
    pub fn external(mut self) -> Self {
        self.kind = Kind::External;
        self.roles = vec!["Identity Wallet Management".to_owned()];
        self
    }

    /// Its description.
    #[must_use]
    pub fn description(mut self, description: &str) -> Self {
        description.clone_into(&mut self.description);
        self
    }

    /// Its status. A wallet user gets a credential unless it is PENDING, and a PENDING one stays so.
    #[must_use]
    pub fn status(mut self, status: Status) -> Self {
        self.status = status;
        self
    }

    /// Names of its roles.
    #[must_use]
    pub fn roles<'a>(mut self, roles: impl IntoIterator<Item = &'a str>) -> Self {
        self.roles = roles.into_iter().map(str::to_owned).collect();
        self
    }

    /// Its client id instead of the next of the sequence.
    #[must_use]
    pub fn client_id(mut self, client_id: &str) -> Self {
        self.client_id = Some(client_id.to_owned());
        self
    }

    /// Made for the company by its subscription of an offer.
    #[must_use]
    pub fn managed(mut self, offer: OfferSeed) -> Self {
        self.offer = Some((offer, Ownership::Managed));
        self
    }

    /// Made for the offer's provider by a subscription of the company.
    #[must_use]
    pub fn provider_owned(mut self, offer: OfferSeed) -> Self {
        self.offer = Some((offer, Ownership::ProviderOwned));
        self
    }

    /// Its client at the identity provider is disabled, as before a subscription is activated.
    #[must_use]
    pub fn disabled(mut self) -> Self {
        self.enabled = false;
        self
    }

    /// Nobody has edited it, as of users of the portal's own seed data: its details answer 500.
    #[must_use]
    pub fn without_editor(mut self) -> Self {
        self.editor = false;
        self
    }
}

impl Simulator {
    /// Puts a user there; `None` if a company or role that it names is not known.
    pub fn seed_user(&self, seed: UserSeed) -> Option<UserView> {
        let url = wallet::reported_url(&self.core);
        self.change(|state| {
            let user = seeded(state, seed, &url)?;
            let view = UserView::of(state, &user);
            state.users.push(user);
            Some(view)
        })
    }

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

    /// A person deletes the user in the web page. A wallet user becomes `PENDING_DELETION` and its key goes at once.
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

    /// The wallet goes on; what became due meanwhile is done at once.
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
            let id = Uuid::new_v4();
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
            for user in &mut state.users {
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

fn seeded(state: &mut State, seed: UserSeed, url: &str) -> Option<User> {
    let company = state.company_named(&seed.company)?.clone();
    let roles: Option<Vec<RoleDef>> = seed.roles.iter().map(|name| state.role_named(name).cloned()).collect();
    let roles = roles?;
    let mut user = known_user(&company, String::new(), roles.iter().map(|role| role.id).collect());
    user.client_id = None;
    user.name.clone_from(&seed.name);
    user.description = seed.description;
    user.status = seed.status;
    user.kind = seed.kind;
    if !seed.editor {
        user.editor = None;
    }
    if let Some((offer, ownership)) = seed.offer {
        user.provider = Some(state.company_named(&offer.provider)?.id);
        user.ownership = ownership;
        user.offer = Some(Offer {
            id: Uuid::new_v4(),
            name: offer.name,
            kind: "APP".to_owned(),
            subscription: Uuid::new_v4(),
            subscription_active: offer.subscription_active,
        });
    }
    match seed.kind {
        Kind::Internal => {
            let client_id = seed.client_id.unwrap_or_else(|| state.idp.next_client_id());
            let roles: Vec<&RoleDef> = roles.iter().collect();
            let mut client = IdpClient::new(client_id.clone(), &seed.name, company.bpn, &roles);
            client.enabled = seed.enabled;
            state.note_secret(&client.secret);
            user.client_id = Some(client_id);
            if seed.status != Status::Deleted {
                state.idp.clients.push(client);
            }
        }
        Kind::External if seed.status == Status::Pending => {
            user.process = Some((Uuid::new_v4(), Step::CreateFailed));
        }
        Kind::External => {
            let mut key = wallet::new_key(company.bpn.unwrap_or_default(), wallet::cut(&seed.name));
            if let Some(client_id) = seed.client_id {
                key.client_id = client_id;
            }
            state.note_secret(&key.secret);
            user.client_id = Some(key.client_id.clone());
            user.wallet = Some(WalletCredential { secret: key.secret.clone(), url: url.to_owned() });
            user.process = Some((Uuid::new_v4(), Step::Created));
            state.wallet.keys.push(key);
        }
    }
    Some(user)
}
