//! A simulated data space with one company and one login.

use portal_simulator::{Caller, Company, Config, Simulator, Version};
use technical_user_operator::domain::user::{Credential, NewUser};
use technical_user_operator::portal::clients::catena_x::{CatenaXConfig, CatenaXPortal};
use technical_user_operator::portal::{Lane, Portal};

use crate::support::{LOGIN_SECRET, client_credentials, connection, portal};

pub(crate) const COMPANY: &str = "Acme";
pub(crate) const BPN: &str = "BPNL00000003CRHK";

/// All permissions that the operator knows of.
pub(crate) const ALL: [&str; 4] = [
    "view_tech_user_management",
    "add_tech_user_management",
    "delete_tech_user_management",
    "technical_roles_management",
];

pub(crate) fn config(version: Version) -> Config {
    config_with(version, &ALL)
}

pub(crate) fn config_with(version: Version, permissions: &[&'static str]) -> Config {
    let caller = Caller::with_permissions("sa1", LOGIN_SECRET, permissions.iter().copied());
    Config::new(version).company(Company::new(COMPANY, BPN)).caller(caller.of(COMPANY))
}

pub(crate) async fn start(config: Config) -> Simulator {
    Simulator::start(config).await.unwrap()
}

pub(crate) fn connection_to(simulator: &Simulator) -> CatenaXConfig {
    let login = client_credentials("sa1", LOGIN_SECRET);
    connection(simulator.portal_url(), &simulator.token_url(), login)
}

pub(crate) fn portal_to(simulator: &Simulator) -> CatenaXPortal {
    portal(connection_to(simulator))
}

/// A client that is configured with the token endpoint of wallet users.
pub(crate) fn portal_with_wallet(simulator: &Simulator) -> CatenaXPortal {
    let wallet = technical_user_operator::domain::token_url::normalise(simulator.wallet_url());
    portal(CatenaXConfig { external_token_url: wallet, ..connection_to(simulator) })
}

/// How the client calls the range of a version.
pub(crate) fn range(version: Version) -> &'static str {
    match version {
        Version::V2_0 | Version::V2_1 => "2.0 or 2.1",
        Version::V2_2 => "2.2",
        Version::V2_3 | Version::V2_4 => "2.3 or 2.4",
        Version::V2_5 | Version::V2_6 => "2.5 or 2.6",
        Version::Main => "after 2.6",
    }
}

/// What to ask of the portal for a user of these roles.
pub(crate) async fn wanted(portal: &CatenaXPortal, name: &str, roles: &[&str]) -> NewUser {
    let offered = portal.roles(Lane::Interactive).await.unwrap();
    let id = |role: &&str| offered.iter().find(|offer| offer.name == **role).unwrap().id.clone();
    NewUser { name: name.into(), description: "for a test".into(), role_ids: roles.iter().map(id).collect() }
}

pub(crate) fn credential(client_id: &str, secret: &str, token_url: &str) -> Credential {
    Credential::with_secret(
        client_id.to_owned(),
        secret.into(),
        technical_user_operator::domain::token_url::normalise(token_url).unwrap(),
    )
}
