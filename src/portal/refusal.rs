//! Why a portal refuses a request, independent of its own codes.

/// The class of a refusal. Callers decide by it; a portal's own code is for messages alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// A role is not offered to the company (any more).
    RoleNotOffered,
    /// The company may not have external users: it brings its own wallet.
    ExternalNotAllowed,
    /// The user is linked to a connector.
    ConnectorLinked,
    /// The user is linked to an active subscription.
    SubscriptionLinked,
    /// The user is not active.
    NotActive,
    /// The state of the user or of the company does not permit it, for another reason.
    State,
    /// The portal does not accept the request itself.
    Request,
}
