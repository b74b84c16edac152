//! From `kubectl apply` to a Secret whose credential obtains a token, and back.

use kube::api::DynamicObject;
use portal_simulator::role_names::{DATASPACE_DISCOVERY, IDENTITY_WALLET_MANAGEMENT};
use portal_simulator::{Status, UserSeed, Version};
use serde_json::json;

use crate::support::{BPN_ONE, condition, create, one_company, portal_status, recorded, secret_value, world};

#[tokio::test]
async fn an_internal_user_is_created_verified_and_published_and_deleted_with_its_resource() {
    let world = world().start().await;
    world.apply(&create("edc-discovery", &world.namespace, DATASPACE_DISCOVERY)).await;
    let user = world.ready("edc-discovery").await;
    assert_eq!(recorded(&user).kind, "Internal");
    for type_ in ["UserReady", "CredentialVerified", "Published"] {
        assert_eq!(condition(&user, type_).unwrap().status, "True", "{type_}");
    }
    let secret = world.get_secret("edc-discovery").await.unwrap();
    assert_eq!(secret_value(&secret, "token-url"), world.simulator.token_url());
    assert_eq!(secret_value(&secret, "bpn"), BPN_ONE);
    assert_eq!(world.token_with("edc-discovery").await, 200);
    let ours = world.ours();
    assert_eq!(ours.len(), 1);
    assert!(
        ours[0]
            .description
            .contains(&format!("[technicaluser.dev/1 e2e/{}/edc-discovery g1 ", world.namespace))
    );
    world.delete("edc-discovery").await;
    world.gone("edc-discovery").await;
    assert_eq!(world.ours(), []);
}

#[tokio::test]
async fn a_wallet_user_is_waited_for_on_every_version() {
    for version in [
        Version::V2_0,
        Version::V2_2,
        Version::V2_3,
        Version::V2_4,
        Version::V2_5,
        Version::V2_6,
        Version::Main,
    ] {
        let world = world().simulator(one_company(version)).start().await;
        world.apply(&create("edc-wallet", &world.namespace, IDENTITY_WALLET_MANAGEMENT)).await;
        world.apply(&create("edc-discovery", &world.namespace, DATASPACE_DISCOVERY)).await;
        let user = world.ready("edc-wallet").await;
        world.ready("edc-discovery").await;
        assert_eq!(recorded(&user).kind, "External", "{version:?}");
        assert_eq!(world.token_with("edc-wallet").await, 200, "{version:?}");
        assert_eq!(world.token_with("edc-discovery").await, 200, "{version:?}");
        let secret = world.get_secret("edc-wallet").await.unwrap();
        assert!(secret_value(&secret, "token-url").ends_with("/oauth/token"), "{version:?}");
        world.delete("edc-discovery").await;
        world.gone("edc-discovery").await;
        world.delete("edc-wallet").await;
        if version == Version::V2_0 {
            // It cannot delete wallet users: the owner's choice decides.
            let words = world.because("edc-wallet", "Undeletable").await;
            assert!(words.contains("2.0"), "{words}");
            world.patch_portal(&json!({"spec": {"whenUndeletable": "Release"}})).await;
        }
        world.gone("edc-wallet").await;
        assert!(world.ours().is_empty(), "{version:?}");
    }
}

#[tokio::test]
async fn a_wallet_address_that_is_named_later_is_used() {
    let world = world().simulator(one_company(Version::V2_2)).start().await;
    world.patch_portal(&json!({"spec": {"catenaX": {"walletTokenUrl": null}}})).await;
    world.apply(&create("edc-wallet", &world.namespace, IDENTITY_WALLET_MANAGEMENT)).await;
    let words = world.because("edc-wallet", "CredentialNotShown").await;
    assert!(words.contains("walletTokenUrl"), "{words}");
    let address = format!("{}/oauth/token", world.simulator.wallet_url());
    world.patch_portal(&json!({"spec": {"catenaX": {"walletTokenUrl": address}}})).await;
    world.ready("edc-wallet").await;
    assert_eq!(world.token_with("edc-wallet").await, 200);
    assert_eq!(world.ours().len(), 1, "the user is the one that was created before");
}

#[tokio::test]
async fn kubectl_shows_what_a_person_wants_to_know() {
    let world = world().start().await;
    world.apply(&create("edc-discovery", &world.namespace, DATASPACE_DISCOVERY)).await;
    let namespace = world.namespace.as_str();
    let wait =
        ["wait", "-n", namespace, "--for=condition=Ready", "technicaluser/edc-discovery", "--timeout=170s"];
    world.plane.kubectl(&wait).await.unwrap().success().unwrap();
    let get = ["get", "-n", namespace, "tu", "-o", "wide"];
    let table = world.plane.kubectl(&get).await.unwrap().success().unwrap();
    let client_id = world.ours()[0].client_id.clone().unwrap();
    assert!(table.contains("READY") && table.contains("CLIENT ID") && table.contains(&client_id), "{table}");
    assert!(world.simulator.users("One").iter().all(|user| user.status == Status::Active));
}

#[tokio::test]
async fn the_portal_counts_its_technical_users_and_the_users_of_the_company() {
    let world = world().start().await;
    world.simulator.seed_user(UserSeed::new("One", "by hand")).unwrap();
    let counts = async |technical_users: i64| {
        let users = i64::try_from(world.simulator.users("One").len()).unwrap();
        let counted = |portal: &DynamicObject| {
            let status = portal_status(portal);
            (status.technical_users, status.users) == (Some(technical_users), Some(users))
        };
        world.portal_until("its status counts them", counted).await;
    };
    counts(0).await;
    for name in ["edc-discovery", "edc-registration"] {
        world.apply(&create(name, &world.namespace, DATASPACE_DISCOVERY)).await;
        world.ready(name).await;
    }
    counts(2).await;
}
