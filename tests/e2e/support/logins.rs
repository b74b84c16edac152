//! The companies of the simulated portal, and the logins that an operator may have there.

use portal_simulator::role_names::{CONNECTOR_MANAGEMENT, OFFER_MANAGEMENT};
use portal_simulator::{Caller, Company, CompanyRole, Config, Version, WalletDelay};
use std::time::Duration;

/// The BPN of company "One", to which the logins belong.
pub const BPN_ONE: &str = "BPNL000000000ONE";
/// The BPN of company "Two".
pub const BPN_TWO: &str = "BPNL000000000TWO";

/// The permissions for all that the operator does.
pub const ALL_PERMISSIONS: [&str; 4] = [
    "view_tech_user_management",
    "add_tech_user_management",
    "delete_tech_user_management",
    "technical_roles_management",
];
/// The permissions without the deletion of users.
pub const WITHOUT_DELETION: [&str; 3] =
    ["view_tech_user_management", "add_tech_user_management", "technical_roles_management"];

/// A client secret that no login has.
pub const WRONG_SECRET: &str = "wrong-secret-2q8v6";

/// What a login Secret holds.
#[derive(Debug, Clone, Copy)]
pub struct Login<'a> {
    pub client_id: &'a str,
    pub secret: &'a str,
}

/// A login of company One with [`ALL_PERMISSIONS`].
pub const FULL_LOGIN: Login = Login { client_id: "sa-op", secret: "op-secret-7f3k2" };
/// A login of company One with the role Connector Management, as the guides have it: it may not delete users.
pub const CONNECTOR_LOGIN: Login = Login { client_id: "sa-cm", secret: "cm-secret-9d4m1" };
/// A login of company One with the role Offer Management: it may only list users.
pub const READ_LOGIN: Login = Login { client_id: "sa-om", secret: "om-secret-3h8q5" };
/// A login of company One without any permission for technical users.
pub const USELESS_LOGIN: Login = Login { client_id: "sa-none", secret: "none-secret-1x6v4" };
/// A person of company One, who logs in with a refresh token.
pub const PERSON: Login = Login { client_id: "boss", secret: "first-refresh-token-of-the-boss" };
/// Another person of company One.
pub const DEPUTY: Login = Login { client_id: "deputy", secret: "second-refresh-token-of-her-deputy" };
/// A login of company Two with [`ALL_PERMISSIONS`].
pub const LOGIN_OF_TWO: Login = Login { client_id: "sa-two", secret: "two-secret-5w2r8" };

impl Login<'_> {
    /// The login with [`WRONG_SECRET`].
    pub fn wrong(self) -> Self {
        Self { secret: WRONG_SECRET, ..self }
    }

    /// A caller of the portal with this login.
    pub fn with_permissions<'p>(self, permissions: impl IntoIterator<Item = &'p str>) -> Caller {
        Caller::with_permissions(self.client_id, self.secret, permissions)
    }

    fn with_role(self, role: &str) -> Caller {
        Caller::with_role(self.client_id, self.secret, role)
    }
}

/// A simulator with company One, to which all logins of this module belong but [`LOGIN_OF_TWO`], and company Two.
pub fn one_company(version: Version) -> Config {
    let roles = [
        CompanyRole::ActiveParticipant,
        CompanyRole::ServiceProvider,
        CompanyRole::AppProvider,
        CompanyRole::Operator,
    ];
    Config::new(version)
        .company(Company::new("One", BPN_ONE).roles(roles))
        .company(Company::new("Two", BPN_TWO).roles([CompanyRole::ActiveParticipant]))
        .caller(FULL_LOGIN.with_permissions(ALL_PERMISSIONS).of("One"))
        .caller(CONNECTOR_LOGIN.with_role(CONNECTOR_MANAGEMENT).of("One"))
        .caller(READ_LOGIN.with_role(OFFER_MANAGEMENT).of("One"))
        .caller(LOGIN_OF_TWO.with_permissions(ALL_PERMISSIONS).of("Two"))
        .caller(USELESS_LOGIN.with_permissions(["view_connectors"]).of("One"))
        .wallet_delay(WalletDelay::After(Duration::from_millis(200)))
}
