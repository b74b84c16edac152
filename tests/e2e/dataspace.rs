//! What the portal itself says of the data space and of its identity provider, and what the Portal's spec says.

use kube::api::DynamicObject;
use portal_simulator::role_names::{DATASPACE_DISCOVERY, IDENTITY_WALLET_MANAGEMENT};
use portal_simulator::{Action, Canned, Change, Endpoint, Fault};
use serde_json::{Value, json};

use crate::support::{
    ALL_PERMISSIONS, FULL_LOGIN, World, condition, create, portal_status, recorded, secret_value, world,
};

/// A resource whose Secret has the connector's variables.
fn with_variables(world: &World, name: &str) -> Value {
    let mut user = create(name, &world.namespace, IDENTITY_WALLET_MANAGEMENT);
    user["spec"]["outputs"] = json!([{ "secret": { "format": "EdcEnv", "secretAlias": "edc" } }]);
    user
}

/// Lets the login read the values of the data space from the next token on, or not.
fn permit(world: &World, permitted: bool) {
    let more = permitted.then_some("view_company_data");
    let permissions = ALL_PERMISSIONS.into_iter().chain(more);
    assert_eq!(world.simulator.set_caller_permissions(FULL_LOGIN.client_id, permissions), Change::Done);
    world.simulator.revoke_tokens();
}

async fn until_wallet_is(world: &World, url: &str) {
    world
        .wait_for(&format!("the Secret has {url}"), async || {
            let secret = world.get_secret("edc").await.unwrap();
            let found = secret_value(&secret, "TX_EDC_IAM_STS_DIV_URL");
            if found == url { Ok(()) } else { Err(found) }
        })
        .await;
}

/// The message of a condition that says that portal and spec differ.
fn differs(portal: &DynamicObject, type_: &str) -> Option<String> {
    condition(portal, type_).filter(|found| found.status == "True").map(|found| found.message)
}

#[tokio::test]
async fn values_that_the_portal_shows_come_before_those_of_the_spec() {
    let mut world = world().stopped().start().await;
    permit(&world, true);
    world.start_operator();
    world.apply(&with_variables(&world, "edc")).await;
    let user = recorded(&world.ready("edc").await);
    let in_portal = format!("{}/api/sts", world.simulator.wallet_url());
    until_wallet_is(&world, &in_portal).await;
    let shown = portal_status(&world.portal().await.unwrap()).dataspace.unwrap();
    assert_eq!(shown.wallet_url.as_deref(), Some(in_portal.as_str()));
    assert!(shown.did.unwrap().starts_with("did:web:") && shown.bdrs_url.is_some());
    assert_eq!(shown.trusted_issuers.unwrap(), ["did:web:wallet.example.org:issuer"]);

    let in_spec = "https://other.example.org/api/sts";
    world.patch_portal(&json!({ "spec": { "dataspace": { "walletUrl": in_spec } } })).await;
    let both = |portal: &DynamicObject| {
        differs(portal, "DataspaceDiffers")
            .is_some_and(|said| said.contains(in_spec) && said.contains(&in_portal))
    };
    world.portal_until("the difference is reported", both).await;
    world.event("catena-x", "DataspaceDiffers").await;

    // An outage of this call changes nothing, and the Portal does not fail.
    let outage = Fault::at(Endpoint::WalletUrls, Action::Status(Canned::error(500)));
    let outage = world.simulator.inject(outage);
    world.two_sweeps().await;
    world.portal_ready().await;
    assert!(both(&world.portal().await.unwrap()));
    until_wallet_is(&world, &in_portal).await;
    world.simulator.remove_fault(outage);

    permit(&world, false);
    world.portal_until("nothing is shown any more", |portal| portal_status(portal).dataspace.is_none()).await;
    until_wallet_is(&world, in_spec).await;
    world
        .portal_until("there is no difference", |portal| differs(portal, "DataspaceDiffers").is_none())
        .await;
    assert_eq!(recorded(&world.ready("edc").await).id, user.id, "the user is the same");
}

/// Once for each reading of the user list at most, and never without the permission.
#[tokio::test]
async fn the_portal_is_asked_once_per_sweep_and_only_with_the_permission() {
    let mut world = world().stopped().start().await;
    world.start_operator();
    world.portal_ready().await;
    world.two_sweeps().await;
    assert_eq!(world.count(Endpoint::WalletUrls), 0);
    permit(&world, true);
    world.portal_until("the values are shown", |portal| portal_status(portal).dataspace.is_some()).await;
    world.apply(&with_variables(&world, "edc")).await;
    world.ready("edc").await;
    world.two_sweeps().await;
    let (asked, pages) = (world.count(Endpoint::WalletUrls), world.count(Endpoint::List));
    assert!(asked > 0 && asked <= pages, "{asked} times in {pages} pages");
}

/// The identity provider has two names, and the portal uses the other one.
#[tokio::test]
async fn an_internal_users_token_url_is_that_of_the_portal_resource() {
    let mut world = world().stopped().start().await;
    let named = world.simulator.token_url();
    let ours = named.replace("127.0.0.1", "localhost");
    assert_ne!(named, ours);
    world.patch_portal(&json!({ "spec": { "catenaX": { "tokenUrl": ours } } })).await;
    world.start_operator();
    world.apply(&create("edc", &world.namespace, DATASPACE_DISCOVERY)).await;
    world.ready("edc").await;
    let written = world.get_secret("edc").await.unwrap();
    assert_eq!(secret_value(&written, "token-url"), ours);

    // What an outside change affects is read from the portal, with its own spelling.
    world.simulator.reset_by_hand(world.user_of("edc").id).unwrap();
    world.patch_portal(&json!({ "spec": { "verification": { "interval": "10s" } } })).await;
    let before = secret_value(&written, "client-secret");
    world
        .eventually("the new client secret is published", async || {
            secret_value(&world.get_secret("edc").await.unwrap(), "client-secret") != before
        })
        .await;
    assert_eq!(secret_value(&world.get_secret("edc").await.unwrap(), "token-url"), ours);
    world
        .portal_until("the difference is reported", |portal| {
            differs(portal, "TokenUrlDiffers")
                .is_some_and(|said| said.contains(&named) && said.contains(&ours))
        })
        .await;

    // A restart, after which nothing has been read so far, loses nothing.
    world.kill_operator();
    world.start_operator();
    world.two_sweeps().await;
    assert!(differs(&world.portal().await.unwrap(), "TokenUrlDiffers").is_some());
    world.portal_ready().await;
}
