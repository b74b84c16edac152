//! The portal versions the simulator can play.

use std::fmt;
use std::str::FromStr;

/// A version of the portal's Administration service (portal contract, section 7).
///
/// Ordered by age, so that a rule reads `version >= Version::V2_4`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Version {
    /// 2.0.0, Catena-X 24.05.
    V2_0,
    /// 2.1.0; a client sees no difference to 2.0.
    V2_1,
    /// 2.2.0: 204 on delete, `PENDING_DELETION`.
    V2_2,
    /// 2.3.0: `userType`, `authenticationServiceUrl`, `roleType`.
    V2_3,
    /// 2.4.0: error bodies as text, bodies of 401 and 403, `onlyAccessibleByProvider`.
    V2_4,
    /// 2.5.0: the role Connector Management.
    V2_5,
    /// 2.6.0: defaults of `page` and `size`.
    V2_6,
    /// The main branch after 2.6.0.
    Main,
}

impl Version {
    /// Every version, oldest first.
    pub const ALL: [Self; 8] =
        [Self::V2_0, Self::V2_1, Self::V2_2, Self::V2_3, Self::V2_4, Self::V2_5, Self::V2_6, Self::Main];
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::V2_0 => "2.0",
            Self::V2_1 => "2.1",
            Self::V2_2 => "2.2",
            Self::V2_3 => "2.3",
            Self::V2_4 => "2.4",
            Self::V2_5 => "2.5",
            Self::V2_6 => "2.6",
            Self::Main => "main",
        })
    }
}

/// The text names no version that the simulator plays.
#[derive(Debug, thiserror::Error)]
#[error("unknown portal version {0:?}: known are 2.0, 2.1, 2.2, 2.3, 2.4, 2.5, 2.6 and main")]
pub struct UnknownVersion(String);

impl FromStr for Version {
    type Err = UnknownVersion;

    fn from_str(text: &str) -> Result<Self, UnknownVersion> {
        Self::ALL
            .into_iter()
            .find(|version| version.to_string() == text)
            .ok_or_else(|| UnknownVersion(text.to_owned()))
    }
}
