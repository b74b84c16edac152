//! Connectors, as far as they touch technical users.

use uuid::Uuid;

/// Status of a connector (portal contract, section 2.10).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ConnectorStatus {
    /// Registered, without its self-description.
    Pending,
    /// In use.
    Active,
    /// Removed.
    Inactive,
}

impl ConnectorStatus {
    /// As written in the API.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Pending => "PENDING",
            Self::Active => "ACTIVE",
            Self::Inactive => "INACTIVE",
        }
    }
}

/// A registered connector.
#[derive(Clone, Debug)]
pub(crate) struct Connector {
    pub(crate) id: Uuid,
    pub(crate) name: String,
    pub(crate) url: String,
    pub(crate) location: String,
    pub(crate) company: Uuid,
    pub(crate) status: ConnectorStatus,
    pub(crate) user: Option<Uuid>,
}
