//! Users that tests want to be there.

use uuid::Uuid;

use crate::idp::IdpClient;
use crate::role_names::{DATASPACE_DISCOVERY, IDENTITY_WALLET_MANAGEMENT};
use crate::setup::known_user;
use crate::simulator::Simulator;
use crate::state::user::Step;
use crate::state::{Kind, Offer, Ownership, RoleDef, State, Status, User, WalletCredential};
use crate::view::UserView;
use crate::wallet;

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
    /// A user of the same subscription.
    sibling: Option<Uuid>,
    enabled: bool,
    editor: bool,
    process: bool,
}

/// The offer whose subscription created a user.
#[derive(Clone, Debug)]
pub struct OfferSeed {
    /// Company that provides the offer.
    pub provider: String,
    /// Name of the offer; users created by it bear it.
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
            roles: vec![DATASPACE_DISCOVERY.to_owned()],
            client_id: None,
            offer: None,
            sibling: None,
            enabled: true,
            editor: true,
            process: true,
        }
    }

    /// A wallet user; the name is kept as given, so give it with `dim-`.
    #[must_use]
    pub fn external(mut self) -> Self {
        self.kind = Kind::External;
        self.roles = vec![IDENTITY_WALLET_MANAGEMENT.to_owned()];
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

    /// Made by the subscription that made the user with this id, which has to be `managed` as well.
    #[must_use]
    pub fn of_the_subscription_of(mut self, sibling: Uuid) -> Self {
        self.sibling = Some(sibling);
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

    /// A wallet user that belongs to no process, which cannot be deleted.
    #[must_use]
    pub fn without_process(mut self) -> Self {
        self.process = false;
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
        let provider = state.company_named(&offer.provider)?.id;
        (user.provider, user.ownership) = (Some(provider), ownership);
        let is_the_same = |known: &&Offer| known.name == offer.name;
        let mut of_provider = state.users.iter().filter(|user| user.provider == Some(provider));
        let known =
            of_provider.find_map(|user| user.offer.as_ref().filter(is_the_same)).map(|known| known.id);
        user.offer = Some(Offer {
            id: known.unwrap_or_else(crate::random::uuid),
            name: offer.name,
            kind: "APP".to_owned(),
            subscription: crate::random::uuid(),
            subscription_active: offer.subscription_active,
        });
    }
    if let Some(sibling) = seed.sibling {
        let sibling = state.user(sibling)?;
        (user.provider, user.ownership) = (sibling.provider, sibling.ownership);
        user.offer.clone_from(&sibling.offer);
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
            user.process = Some((crate::random::uuid(), Step::CreateFailed));
        }
        Kind::External => {
            let mut key = wallet::new_key(company.bpn.unwrap_or_default(), wallet::cut(&seed.name));
            if let Some(client_id) = seed.client_id {
                key.client_id = client_id;
            }
            state.note_secret(&key.secret);
            user.client_id = Some(key.client_id.clone());
            user.wallet = Some(WalletCredential { secret: key.secret.clone(), url: url.to_owned() });
            user.process = Some((crate::random::uuid(), Step::Created));
            state.wallet.keys.push(key);
        }
    }
    if !seed.process {
        user.process = None;
    }
    Some(user)
}
