//! The names of the technical-user roles that tests and examples use.

/// Of an internal user.
pub const DATASPACE_DISCOVERY: &str = "Dataspace Discovery";
/// Of an external user, which the wallet service creates.
pub const IDENTITY_WALLET_MANAGEMENT: &str = "Identity Wallet Management";
/// Of another internal user.
pub const SEMANTIC_MODEL_MANAGEMENT: &str = "Semantic Model Management";
/// A role for providers only.
pub const BPDM_POOL_CONSUMER: &str = "BPDM Pool Consumer";
/// A role that permits its user to list and create technical users, and not to delete them.
pub const CONNECTOR_MANAGEMENT: &str = "Connector Management";
/// A role that permits its user to list technical users only.
pub const OFFER_MANAGEMENT: &str = "Offer Management";
