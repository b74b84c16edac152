//! The servers that a Portal leads to, as kinds.

use std::fmt::{self, Display, Formatter};

/// Which server a request is for. A closed set, so that it can be a label; hosts are in errors alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ServerKind {
    /// The portal itself.
    Portal,
    /// The token endpoint of the login, which internal users have, too.
    IdentityProvider,
    /// Any other token endpoint: that of external users.
    Wallet,
}

impl Display for ServerKind {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Portal => "the portal",
            Self::IdentityProvider => "the identity provider",
            Self::Wallet => "the wallet",
        })
    }
}
