//! Technical users.

use uuid::Uuid;

/// Status of a technical user (portal contract, section 4.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// Usable.
    Active,
    /// Switched off by the end of a subscription, or deleted before version 2.2.
    Inactive,
    /// Removed; only the list shows it, when asked.
    Deleted,
    /// A wallet user that the wallet service has not created yet.
    Pending,
    /// A wallet user whose removal was asked for.
    PendingDeletion,
}

impl Status {
    /// All, in the order of their numbers (the first is 1).
    pub(crate) const ALL: [Self; 5] =
        [Self::Active, Self::Inactive, Self::Deleted, Self::Pending, Self::PendingDeletion];

    /// As written in the API.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Active => "ACTIVE",
            Self::Inactive => "INACTIVE",
            Self::Deleted => "DELETED",
            Self::Pending => "PENDING",
            Self::PendingDeletion => "PENDING_DELETION",
        }
    }
}

/// Who keeps the user's credential (portal contract, section 4.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// The portal's identity provider.
    Internal,
    /// The wallet service.
    External,
}

impl Kind {
    /// As written in the API.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Internal => "INTERNAL",
            Self::External => "EXTERNAL",
        }
    }
}

/// How a user came to its company (portal contract, sections 4.1 and 4.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ownership {
    /// Made by the company itself.
    Own,
    /// Made for the company by its subscription of an offer.
    Managed,
    /// Made for the provider of an offer by a subscription.
    ProviderOwned,
}

impl Ownership {
    /// As written in the API.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Own => "OWN",
            Self::Managed => "MANAGED",
            Self::ProviderOwned => "PROVIDER_OWNED",
        }
    }
}

/// Credential that the wallet service handed over.
#[derive(Clone, Debug)]
pub(crate) struct WalletCredential {
    pub(crate) secret: String,
    pub(crate) url: String,
}

/// The offer whose subscription created a user.
#[derive(Clone, Debug)]
pub(crate) struct Offer {
    pub(crate) id: Uuid,
    pub(crate) name: String,
    /// `APP`, `SERVICE` or `CORE_COMPONENT`.
    pub(crate) kind: String,
    pub(crate) subscription: Uuid,
    pub(crate) subscription_active: bool,
}

/// Who changed a user last.
#[derive(Clone, Debug)]
pub(crate) enum Editor {
    /// A person, by first and last name, of a company.
    Person { name: String, company: Uuid },
    /// A technical user.
    User(Uuid),
}

/// Process of the wallet service that creates and removes a user.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// The portal waits for the answer to the creation.
    AwaitCreated,
    /// The creation failed; only an operator's retrigger continues.
    CreateFailed,
    /// Made.
    Created,
    /// The portal waits for the answer to the removal.
    AwaitDeleted,
    /// Removed.
    Deleted,
}

/// A technical user.
#[derive(Clone, Debug)]
pub(crate) struct User {
    pub(crate) id: Uuid,
    /// The company the identity belongs to.
    pub(crate) company: Uuid,
    pub(crate) provider: Option<Uuid>,
    pub(crate) ownership: Ownership,
    pub(crate) kind: Kind,
    pub(crate) client_id: Option<String>,
    pub(crate) name: String,
    pub(crate) description: String,
    pub(crate) status: Status,
    pub(crate) roles: Vec<Uuid>,
    pub(crate) wallet: Option<WalletCredential>,
    pub(crate) process: Option<(Uuid, Step)>,
    pub(crate) offer: Option<Offer>,
    pub(crate) editor: Option<Editor>,
    /// Counts saves; a save on an older count is refused (portal contract, section 2.4).
    pub(crate) revision: u64,
}

impl User {
    /// The owning company, by the rules of portal contract, section 4.3.
    pub(crate) fn owner(&self) -> Uuid {
        match self.ownership {
            Ownership::ProviderOwned => self.provider.unwrap_or(self.company),
            Ownership::Own | Ownership::Managed => self.company,
        }
    }

    pub(crate) fn is_owner(&self, company: Uuid) -> bool {
        self.owner() == company
    }

    pub(crate) fn is_provider(&self, company: Uuid) -> bool {
        self.provider == Some(company)
    }

    /// Whether the company is owner or provider.
    pub(crate) fn concerns(&self, company: Uuid) -> bool {
        self.is_owner(company) || self.is_provider(company)
    }
}
