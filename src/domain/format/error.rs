//! Why a format cannot be written. No error has the text of a value in it.

use std::fmt;

/// Why a format cannot be written.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FormatError {
    /// A value that the format needs is not known.
    #[error("the value {} is missing; it comes from {}", .0.name(), .0.source())]
    Missing(Value),
    /// The consumer would read another value than the one written.
    #[error("the {value} cannot be written: {why}")]
    Unwritable {
        /// The value's name.
        value: &'static str,
        /// What the consumer does with it.
        why: &'static str,
    },
    /// `keys` names a key that the format does not have.
    #[error("the format has no key {0:?} that could be renamed")]
    UnknownKey(String),
    /// A key that a Secret, or a file in it, cannot have.
    #[error("the key {key:?} is not valid: {rule}")]
    InvalidKey {
        /// The key.
        key: String,
        /// The rule that it breaks.
        rule: &'static str,
    },
    /// Two keys that are one for the reader.
    #[error(
        "the keys {0:?} and {1:?} are one and the same for a connector, which ignores case and reads _ as a dot"
    )]
    DuplicateKeys(String, String),
    /// There is nothing to write.
    #[error("no key is left to write")]
    Empty,
    /// More than a Secret holds.
    #[error("the content has {0} bytes, and a Secret holds at most {max}", max = super::keys::MAX_BYTES)]
    TooLarge(usize),
    /// A template cannot be rendered.
    #[error("the template of the key {key:?} fails in line {line}: {kind}")]
    Template {
        /// The key whose template it is.
        key: String,
        /// The kind of the error.
        kind: String,
        /// The line of the template, from 1; 0 where it is not known.
        line: usize,
    },
    /// The content can be built from placeholders, and not from the values of the user. Where it fails, or how long it is, would
    /// reveal something of the values.
    #[error("it can be built from placeholders, but not from the values of this user")]
    OfValues,
}

impl FormatError {
    /// The error as it is reported of a content with real values.
    #[must_use]
    pub fn concealed(self) -> Self {
        match self {
            Self::TooLarge(_) | Self::Template { .. } => Self::OfValues,
            other => other,
        }
    }
}

/// A value that may be absent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Value {
    /// The business partner number.
    Bpn,
    /// The decentralized identifier.
    Did,
    /// The wallet's address.
    WalletUrl,
    /// The address of the directory of BPNs and DIDs.
    BdrsUrl,
    /// The trusted issuers.
    TrustedIssuers,
    /// The alias of the client secret in Vault.
    SecretAlias,
    /// The issuer of the user's tokens.
    IssuerUrl,
}

impl Value {
    /// All of them.
    pub const ALL: [Self; 7] = [
        Self::Bpn,
        Self::Did,
        Self::WalletUrl,
        Self::BdrsUrl,
        Self::TrustedIssuers,
        Self::SecretAlias,
        Self::IssuerUrl,
    ];

    /// The name, as templates and messages spell it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Bpn => "bpn",
            Self::Did => "did",
            Self::WalletUrl => "walletUrl",
            Self::BdrsUrl => "bdrsUrl",
            Self::TrustedIssuers => "trustedIssuers",
            Self::SecretAlias => "secretAlias",
            Self::IssuerUrl => "issuerUrl",
        }
    }

    /// Where the value comes from.
    #[must_use]
    pub const fn source(self) -> &'static str {
        match self {
            Self::Bpn => "the tokens of the Portal's login, or the field bpn in the Portal's spec",
            Self::Did => "the portal, if it shows it to the login, or spec.dataspace.did of the Portal",
            Self::WalletUrl => {
                "the portal, if it shows it to the login, or spec.dataspace.walletUrl of the Portal"
            }
            Self::BdrsUrl => {
                "the portal, if it shows it to the login, or spec.dataspace.bdrsUrl of the Portal"
            }
            Self::TrustedIssuers => {
                "the portal, if it shows it to the login, and spec.dataspace.trustedIssuers of the Portal"
            }
            Self::SecretAlias => {
                "secretAlias of the output, else the alias of the first vault output with creationPolicy Owner"
            }
            Self::IssuerUrl => "the token URL of an internal user; other users have none",
        }
    }
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
