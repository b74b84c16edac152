//! What is measured.

mod arrivals;
mod bulk;
mod delete;
mod foreign;
mod heal;
mod idle;
mod outage;
mod polite;
mod real;
mod restart;
mod rotate;
mod vault;
mod wallet;

use portal_simulator::role_names::DATASPACE_DISCOVERY;

use crate::figures::Figures;
use crate::settings::Settings;
use crate::users::Template;

/// The role of users that the wallet service has no part in.
const ROLE: &str = DATASPACE_DISCOVERY;

/// The resources of most profiles.
fn usual() -> Template {
    Template::of_role(ROLE)
}

/// A situation in which the operator is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Profile {
    /// Many users at once, with the portal's limits open.
    Bulk,
    /// Users at once, with the limits that a Portal has by default.
    Limits,
    /// A restart with many users, and a new one at that moment.
    Restart,
    /// Many users without a change.
    Idle,
    /// Secrets that are deleted and changed, one after the other.
    Heal,
    /// Users at once, with the delays of the real portal and everything by default.
    Real,
    /// Users of the wallet service.
    Wallet,
    /// The deletion of all users.
    Delete,
    /// A portal that is out of service while users are created.
    Outage,
    /// One user after the other.
    Arrivals,
    /// Users at once, with a Portal that permits few requests a second.
    Polite,
    /// Users at once, whose credentials are written into a Vault, too.
    Vault,
    /// All users are replaced at once.
    Rotate,
    /// A restart in a namespace with many large Secrets of others.
    Foreign,
}

impl Profile {
    /// All of them, the most important first.
    pub const ALL: [Self; 14] = [
        Self::Bulk,
        Self::Restart,
        Self::Idle,
        Self::Heal,
        Self::Real,
        Self::Limits,
        Self::Wallet,
        Self::Delete,
        Self::Outage,
        Self::Arrivals,
        Self::Polite,
        Self::Vault,
        Self::Rotate,
        Self::Foreign,
    ];

    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Bulk => "bulk",
            Self::Limits => "limits",
            Self::Restart => "restart",
            Self::Idle => "idle",
            Self::Heal => "heal",
            Self::Real => "real",
            Self::Wallet => "wallet",
            Self::Delete => "delete",
            Self::Outage => "outage",
            Self::Arrivals => "arrivals",
            Self::Polite => "polite",
            Self::Vault => "vault",
            Self::Rotate => "rotate",
            Self::Foreign => "foreign",
        }
    }

    /// The profile of this name.
    pub fn of_name(name: &str) -> Self {
        let named = Self::ALL.into_iter().find(|profile| profile.name() == name);
        let all = Self::ALL.map(Self::name).join(" ");
        named.unwrap_or_else(|| panic!("{name} is no profile; there are: {all}"))
    }

    /// Measures once.
    pub async fn run(self, settings: &Settings) -> Figures {
        match self {
            Self::Bulk => bulk::run(settings).await,
            Self::Limits => bulk::at_default_limits(settings).await,
            Self::Restart => restart::run(settings).await,
            Self::Idle => idle::run(settings).await,
            Self::Heal => heal::run(settings).await,
            Self::Real => real::run(settings).await,
            Self::Wallet => wallet::run(settings).await,
            Self::Delete => delete::run(settings).await,
            Self::Outage => outage::run(settings).await,
            Self::Arrivals => arrivals::run(settings).await,
            Self::Polite => polite::run(settings).await,
            Self::Vault => vault::run(settings).await,
            Self::Rotate => rotate::run(settings).await,
            Self::Foreign => foreign::run(settings).await,
        }
    }
}
