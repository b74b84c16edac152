//! What the portal answers without or about companies (portal contract, sections 2.7, 2.9 and 4.4).

use portal_simulator::role_names::{
    BPDM_POOL_CONSUMER, CONNECTOR_MANAGEMENT, DATASPACE_DISCOVERY, OFFER_MANAGEMENT,
};
use portal_simulator::{Change, Company, CompanyRole, Config, RoleDef, Version, WalletDelay};
use serde_json::{Value, json};

use crate::world::{ALL, CONNECTORS, DISCOVERY, WALLET, World, config, creation};

async fn role_names(world: &World, caller: &str) -> Vec<String> {
    let roles = world.call(caller, "GET /serviceaccount/user/roles", None).await.json();
    let name = |role: &Value| role["roleName"].as_str().unwrap().to_owned();
    roles.as_array().unwrap().iter().map(name).collect()
}

/// Portal contract, section 4.4: a company's roles decide.
#[tokio::test]
async fn roles_by_company_role() {
    let world = World::main().await;
    let participant = role_names(&world, "other").await;
    assert!(participant.contains(&CONNECTOR_MANAGEMENT.to_owned()));
    assert!(!participant.contains(&OFFER_MANAGEMENT.to_owned()));
    assert!(!participant.contains(&BPDM_POOL_CONSUMER.to_owned()));
    let all = role_names(&world, "admin").await;
    assert!(all.contains(&OFFER_MANAGEMENT.to_owned()) && all.contains(&"Registration Internal".to_owned()));
    world.sim.set_version(Version::V2_4);
    assert!(!role_names(&world, "other").await.contains(&CONNECTOR_MANAGEMENT.to_owned()));
    let answer = world.create("x", &[CONNECTORS]).await;
    assert_eq!(answer.verdict(), (400, "SERVICE_ROLES_NOT_ASSIGN_ARGUMENT".to_owned()));
}

/// Portal contract, section 14: an unknown language answers roles without descriptions.
#[tokio::test]
async fn role_descriptions() {
    let world = World::main().await;
    for (query, described) in [("", true), ("?languageShortName=de", true), ("?languageShortName=xx", false)]
    {
        let roles = world.call("admin", &format!("GET /serviceaccount/user/roles{query}"), None).await.json();
        assert!(
            roles.as_array().unwrap().iter().all(|role| role["roleDescription"].is_string() == described)
        );
    }
}

/// Portal contract, section 4.4: an environment may rename and add roles.
#[tokio::test]
async fn the_catalogue_can_change() {
    let world = World::main().await;
    world.sim.add_role(RoleDef { name: "House Role".to_owned(), ..RoleDef::new("x") });
    assert_eq!(world.sim.rename_role(DATASPACE_DISCOVERY, "Discovery"), Change::Done);
    let names = role_names(&world, "other").await;
    assert!(names.contains(&"House Role".to_owned()) && names.contains(&"Discovery".to_owned()));
    assert_eq!(world.user("x").await.roles, ["Discovery"]);
    world.sim.set_roles(Vec::new());
    assert_eq!(role_names(&world, "other").await, Vec::<String>::new());
}

#[tokio::test]
async fn what_the_portal_shows_of_companies() {
    let world = World::main().await;
    let operators = world.call("op", "GET /staticdata/operator-bpn", None).await.json();
    assert_eq!(operators, json!([{"operatorName": "One", "bpn": "BPNL000000000ONE"}]));
    let own = world.call("admin", "GET /companydata/ownCompanyDetails", None).await.json();
    assert_eq!(own["bpn"], "BPNL000000000ONE");
    assert_eq!(own["companyRole"][0], "ACTIVE_PARTICIPANT");
    let urls = world.call("admin", "GET /companydata/decentralidentity/urls", None).await.json();
    assert_eq!(urls["participant_id"], "BPNL000000000ONE");
    let auth = urls["decentralIdentityManagementAuthUrl"].as_str().unwrap();
    assert_eq!(auth, format!("{}/oauth/token", world.sim.wallet_url()));
    assert_eq!(world.call("op", "GET /companydata/ownCompanyDetails", None).await.status, 403);
}

/// Portal contract, section 2.2: a company without its number, or with its own wallet.
#[tokio::test]
async fn companies_that_cannot_have_users() {
    let caller = |id: &str, company: &str| {
        portal_simulator::Caller::with_permissions(id, &format!("{id}-secret"), ALL).of(company)
    };
    let config = Config::new(Version::Main)
        .company(Company::new("Young", "BPNL00000000YOUN").without_bpn())
        .company(
            Company::new("Rich", "BPNL00000000RICH").own_wallet().roles([CompanyRole::ActiveParticipant]),
        )
        .caller(caller("young", "Young"))
        .caller(caller("rich", "Rich"))
        .wallet_delay(WalletDelay::Never);
    let world = World::with(config).await;
    let create = async |caller: &str, role: &str| {
        let call = "POST /serviceaccount/owncompany/serviceaccounts";
        world.call(caller, call, Some(creation("x", &[role]))).await
    };
    assert_eq!(create("young", DISCOVERY).await.verdict(), (409, "SERVICE_BPN_NOT_SET_CONFLICT".to_owned()));
    let refused = (400, "SERVICE_ACCOUNT_USER_ROLES_NOT_ALLOWED".to_owned());
    assert_eq!(create("rich", WALLET).await.verdict(), refused);
    assert_eq!(create("rich", DISCOVERY).await.status, 200);
    world.sim.set_version(Version::V2_6);
    assert_eq!(create("rich", WALLET).await.status, 200, "only main knows of own wallets");
}

/// Portal contract, section 7: a configuration that does not fit together is reported.
#[tokio::test]
async fn configurations_are_checked() {
    use portal_simulator::{Caller, Simulator};
    let base = || config(Version::Main);
    for config in [
        base().company(Company::new("One", "X")),
        base().caller(Caller::with_role("admin", "x", CONNECTOR_MANAGEMENT).of("One")),
        base().caller(Caller::with_role("x", "x", CONNECTOR_MANAGEMENT).of("Nowhere")),
        base().caller(Caller::with_role("x", "x", "No Such Role").of("One")),
        base().caller(Caller::with_role("x", "x", CONNECTOR_MANAGEMENT).of("One").human()),
    ] {
        assert!(Simulator::start(config).await.is_err());
    }
}
