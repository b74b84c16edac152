//! A technical user as the data-space portal shows it, independent of the portal's software.

use std::fmt;
use std::sync::Arc;

use secrecy::{ExposeSecret, SecretString};

use super::identity::Mark;

/// The portal's id of a technical user (`serviceAccountId`, a UUID as text, in lower case). Clones share the text: the
/// inventory keeps each id in several places.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct UserId(Arc<str>);

impl UserId {
    /// Takes the id as the portal spells it; letter case is folded, as UUIDs have none.
    #[must_use]
    pub fn new(id: &str) -> Self {
        Self(id.trim().to_ascii_lowercase().into())
    }

    /// The id as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for UserId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Whether a text has the form of an id of the portal: 1 to 64 letters, digits and dashes.
#[must_use]
pub fn is_id(text: &str) -> bool {
    (1..=64).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
}

/// Who issues a user's credential.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum UserKind {
    /// A client of the portal's central identity provider; usable at once, its secret can be reset.
    Internal,
    /// A client of the wallet service; created asynchronously, its secret cannot be reset.
    External,
}

/// The state of a user in the portal (`UserStatusId`, portal 2.0 to main).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum UserStatus {
    /// Usable.
    Active,
    /// The wallet service has not answered yet.
    Pending,
    /// Deleted, and not confirmed by the wallet service; up to 2.6 it never leaves this state. Counts as deleted.
    PendingDeletion,
    /// Out of use: deleted on a portal of 2.0 or 2.1, unsubscribed on later ones.
    Inactive,
    /// Deleted.
    Deleted,
    /// A state that this version of the operator does not know.
    Other,
}

/// Who created the user and who owns it (`companyServiceAccountTypeId`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Ownership {
    /// Created by the company itself.
    Own,
    /// Created for the company by a provider through the marketplace.
    Managed,
    /// Created for a subscription and kept by the provider.
    ProviderOwned,
    /// A value that this version of the operator does not know.
    Other,
}

/// A named object of the portal that a user is linked to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Linked {
    /// The portal's id of that object.
    pub id: String,
    /// Its name, where it has one.
    pub name: Option<String>,
}

/// The marketplace offer whose subscription created a user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Offer {
    /// The portal's id of the offer (a UUID).
    pub id: String,
    /// Its name. The users of all its subscriptions have it as their name.
    pub name: Option<String>,
    /// The portal's id of the subscription (a UUID).
    pub subscription: Option<String>,
}

impl Offer {
    /// Whether it is the one that is named so.
    #[must_use]
    pub fn is(&self, named: &OfferRef) -> bool {
        match named {
            OfferRef::Id(id) => self.id == *id,
            OfferRef::Name(name) => self.name.as_ref() == Some(name),
        }
    }
}

/// How an offer is named.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OfferRef {
    /// By the portal's id, in lower case.
    Id(String),
    /// By its exact name.
    Name(String),
}

/// One entry of the portal's user list. The list shows no description, no roles and no secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListedUser {
    /// The portal's id.
    pub id: UserId,
    /// The OAuth client ID; absent while a wallet user is pending.
    pub client_id: Option<String>,
    /// The name, not unique in the portal.
    pub name: String,
    /// Internal or External; derived from the name if the portal does not report it.
    pub kind: UserKind,
    /// The state.
    pub status: UserStatus,
    /// Who created it and who owns it.
    pub ownership: Ownership,
    /// Whether the login's company owns it (false: only provides it).
    pub is_owner: bool,
    /// The connector it is linked to.
    pub connector: Option<Linked>,
    /// The marketplace offer it was created for: few users have one, and the list may have many users.
    pub offer: Option<Box<Offer>>,
}

/// What the portal shows of one user, its secret included.
#[derive(Debug, Clone)]
pub struct UserDetails {
    /// The portal's id.
    pub id: UserId,
    /// The OAuth client ID; absent while a wallet user is pending.
    pub client_id: Option<String>,
    /// The name.
    pub name: String,
    /// The description, which has the operator's mark.
    pub description: String,
    /// The mark in the description, of this or another resource.
    pub mark: Option<Mark>,
    /// The names of its roles.
    pub roles: Vec<String>,
    /// Each of them is a role of the identity provider's client whose roles a token of the user names, in the same words.
    pub roles_in_tokens: bool,
    /// Internal or External.
    pub kind: UserKind,
    /// The state.
    pub status: UserStatus,
    /// Who created it and who owns it.
    pub ownership: Ownership,
    /// The credential, readable at any time; absent while an external user is pending, and where its token endpoint is not
    /// known.
    pub credential: Option<Credential>,
    /// The connector it is linked to.
    pub connector: Option<Linked>,
    /// The marketplace offer it was created for: few users have one, and the list may have many users.
    pub offer: Option<Box<Offer>>,
}

/// The request to create a user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewUser {
    /// The name, at most 80 characters.
    pub name: String,
    /// The description with the operator's mark.
    pub description: String,
    /// The ids of the roles (not their names).
    pub role_ids: Vec<String>,
}

/// Who creates the users of a role.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum RoleKind {
    /// By the central identity provider.
    Internal,
    /// By the wallet service.
    External,
}

/// A role that the portal offers to the login's company.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Role {
    /// The portal's id.
    pub id: String,
    /// The exact name, as in `spec.user.create.roles`.
    pub name: String,
    /// Who creates its users; by the known names if the portal (before 2.3) does not report it.
    pub kind: RoleKind,
    /// Only providers may use it: the portal (2.4 and later) ignores it in a create.
    pub provider_only: bool,
    /// A user with it may create technical users, as the operator's login does.
    pub creates_users: bool,
}

/// A credential: what a consumer needs to obtain a token.
#[derive(Debug, Clone)]
pub struct Credential {
    /// The OAuth client ID.
    pub client_id: String,
    /// How the client proves that it is the one.
    pub proof: ClientProof,
    /// The token endpoint, normalised ([`crate::domain::token_url`]).
    pub token_url: String,
}

/// How a client authenticates at its token endpoint. Another proof, such as a certificate, is another variant:
/// [`Credential::secret`] then no longer answers for all of them, and the compiler names each place that relies on it.
#[derive(Debug, Clone)]
pub enum ClientProof {
    /// With an OAuth client secret.
    Secret(SecretString),
}

/// Whether two secrets are the same, without a copy of either.
#[must_use]
pub fn is_same_secret(one: &SecretString, other: &SecretString) -> bool {
    one.expose_secret() == other.expose_secret()
}

impl Credential {
    /// A client with a secret.
    #[must_use]
    pub fn with_secret(client_id: String, secret: SecretString, token_url: String) -> Self {
        Self { client_id, proof: ClientProof::Secret(secret), token_url }
    }

    /// The OAuth client secret.
    #[must_use]
    pub fn secret(&self) -> &SecretString {
        match &self.proof {
            ClientProof::Secret(secret) => secret,
        }
    }
}
