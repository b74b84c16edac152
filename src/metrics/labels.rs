//! The labels: enums, and the names of Portals. No messages or URLs.

use std::fmt::Write as _;

use prometheus_client::encoding::{EncodeLabelSet, EncodeLabelValue};

/// Declares an enum of label values, written in snake case.
macro_rules! labels {
    ($(#[$doc:meta])* $name:ident { $($(#[$vdoc:meta])* $value:ident => $text:literal),+ $(,)? }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum $name { $($(#[$vdoc])* $value),+ }

        impl EncodeLabelValue for $name {
            fn encode(&self, encoder: &mut prometheus_client::encoding::LabelValueEncoder) -> std::fmt::Result {
                encoder.write_str(match self { $(Self::$value => $text),+ })
            }
        }

        impl $name {
            /// All values, so that each series exists from the start.
            pub const ALL: &[Self] = &[$(Self::$value),+];
        }
    };
}

labels! {
    /// A kind that is reconciled.
    Kind {
        /// A `Portal`.
        Portal => "portal",
        /// A `TechnicalUser`.
        TechnicalUser => "technical_user",
        /// A `Vault`.
        Vault => "vault",
    }
}

labels! {
    /// How a reconcile ended.
    Reconciled {
        /// Something was written, here or in the portal.
        Changed => "changed",
        /// Nothing was due.
        Unchanged => "unchanged",
        /// It failed and will be tried again.
        Error => "error",
    }
}

labels! {
    /// A call to a portal.
    Operation {
        /// A token for the operator's own login.
        Login => "login",
        /// The portal's version.
        Version => "version",
        /// The roles on offer.
        Roles => "roles",
        /// A page of the user list.
        Scan => "scan",
        /// One user, its secret included.
        Details => "details",
        /// The company's values of the data space.
        Dataspace => "dataspace",
        /// Create a user.
        Create => "create",
        /// Change a user's name or description.
        Update => "update",
        /// Reset the secret of a user.
        Reset => "reset",
        /// Delete a user.
        Delete => "delete",
        /// Try a credential at the token endpoint.
        Verify => "verify",
    }
}

labels! {
    /// The server that a call goes to.
    Server {
        /// The portal.
        Portal => "portal",
        /// The identity provider of the login and of internal users.
        IdentityProvider => "identity_provider",
        /// Any other token endpoint: that of external users.
        Wallet => "wallet",
    }
}

labels! {
    /// How a call ended.
    Outcome {
        /// As requested.
        Ok => "ok",
        /// The server refused it: an answer 4xx.
        Refused => "refused",
        /// The server failed: an answer 5xx or one that cannot be understood.
        Failed => "failed",
        /// No answer.
        Unreachable => "unreachable",
    }
}

labels! {
    /// How a sweep of a portal's user list ended.
    Sweep {
        /// The whole list was read.
        Ok => "ok",
        /// It was not.
        Error => "error",
    }
}

labels! {
    /// The state of a `TechnicalUser`, by its conditions.
    UserState {
        /// `Ready` is true.
        Ready => "ready",
        /// In progress.
        Reconciling => "reconciling",
        /// Waits for a person.
        Stalled => "stalled",
        /// Is being deleted.
        Deleting => "deleting",
    }
}

labels! {
    /// What the token endpoint answered to a published credential.
    Verified {
        /// A token was issued.
        Accepted => "accepted",
        /// Refused.
        Refused => "refused",
        /// No answer.
        Unreachable => "unreachable",
    }
}

impl Operation {
    /// The servers that such a call goes to.
    pub(super) const fn servers(self) -> &'static [Server] {
        match self {
            Self::Login => &[Server::IdentityProvider],
            Self::Verify => &[Server::IdentityProvider, Server::Wallet],
            Self::Version
            | Self::Roles
            | Self::Scan
            | Self::Details
            | Self::Dataspace
            | Self::Create
            | Self::Update
            | Self::Reset
            | Self::Delete => &[Server::Portal],
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(super) struct KindLabel {
    pub(super) kind: Kind,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(super) struct ReconcileLabels {
    pub(super) kind: Kind,
    pub(super) outcome: Reconciled,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(super) struct ServerLabel {
    pub(super) server: Server,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(super) struct OperationLabels {
    pub(super) server: Server,
    pub(super) operation: Operation,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(super) struct CallLabels {
    pub(super) server: Server,
    pub(super) operation: Operation,
    pub(super) outcome: Outcome,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(super) struct SweepLabel {
    pub(super) outcome: Sweep,
}

/// One series for each Portal, because the age of a list matters for each. It ends with the Portal.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(super) struct PortalLabels {
    pub(super) portal_namespace: String,
    pub(super) portal: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(super) struct StateLabel {
    pub(super) state: UserState,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(super) struct VerifiedLabel {
    pub(super) outcome: Verified,
}
