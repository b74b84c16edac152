//! The companies of the simulated portal, and the logins that an operator may have there.

use std::time::Duration;

use portal_simulator::{Caller, Company, CompanyRole, Config, Version, WalletDelay};

/// A simulator with a company "One" whose operator logs in as `sa-op` (all permissions) or `sa-cm` (Connector
/// Management), and a second company "Two".
pub fn one_company(version: Version) -> Config {
    let everything = [
        "view_tech_user_management",
        "add_tech_user_management",
        "delete_tech_user_management",
        "technical_roles_management",
    ];
    Config::new(version)
        .company(Company::new("One", "BPNL000000000ONE").roles([
            CompanyRole::ActiveParticipant,
            CompanyRole::ServiceProvider,
            CompanyRole::AppProvider,
            CompanyRole::Operator,
        ]))
        .company(Company::new("Two", "BPNL000000000TWO").roles([CompanyRole::ActiveParticipant]))
        .caller(Caller::with_permissions("sa-op", "op-secret-7f3k2", everything).of("One"))
        .caller(Caller::with_role("sa-cm", "cm-secret-9d4m1", "Connector Management").of("One"))
        .caller(Caller::with_role("sa-om", "om-secret-3h8q5", "Offer Management").of("One"))
        .caller(Caller::with_permissions("sa-two", "two-secret-5w2r8", everything).of("Two"))
        .caller(Caller::with_permissions("sa-none", "none-secret-1x6v4", ["view_connectors"]).of("One"))
        .wallet_delay(WalletDelay::After(Duration::from_millis(200)))
}
