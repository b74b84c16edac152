//! Secrets of other formats than `Raw`.

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::Secret;
use portal_simulator::role_names::{DATASPACE_DISCOVERY, IDENTITY_WALLET_MANAGEMENT};
use serde_json::{Value, json};

use crate::support::{World, create, recorded, secret_value, world};

fn with_secret(world: &World, role: &str, secret: &Value) -> Value {
    let mut user = create("edc", &world.namespace, role);
    user["spec"]["outputs"] = json!([{ "secret": secret }]);
    user
}

fn texts(secret: &Secret) -> BTreeMap<String, String> {
    secret.data.iter().flatten().map(|(key, _)| (key.clone(), secret_value(secret, key))).collect()
}

async fn until_secret(
    world: &World,
    what: &str,
    check: impl Fn(&BTreeMap<String, String>) -> bool,
) -> BTreeMap<String, String> {
    world
        .wait_for(what, async || {
            let found = world.get_secret("edc").await.map(|secret| texts(&secret)).unwrap_or_default();
            if check(&found) { Ok(found) } else { Err(found.into_keys().collect::<Vec<_>>()) }
        })
        .await
}

/// What a Portal lacks is found before there is a user, and a change of it changes the Secret.
#[tokio::test]
async fn variables_of_a_connector_follow_the_data_space() {
    let world = world().start().await;
    world.portal_ready().await;
    let secret = json!({ "format": "EdcMemory", "secretAlias": "edc-wallet" });
    world.apply(&with_secret(&world, IDENTITY_WALLET_MANAGEMENT, &secret)).await;
    let words = world.because("edc", "OutputInvalid").await;
    assert!(words.contains("walletUrl") && words.contains("spec.dataspace.walletUrl"), "{words}");
    world.two_sweeps().await;
    assert_eq!(world.portal_writes(), 0, "no user is created whose credential cannot be written");

    let url = |path: &str| json!({ "spec": { "dataspace": { "walletUrl": format!("https://wallet.example.org/{path}") } } });
    world.patch_portal(&url("one")).await;
    let user = recorded(&world.ready("edc").await);
    let first = texts(&world.get_secret("edc").await.unwrap());
    let client_id = user.client_id.clone().unwrap();
    assert_eq!(first["EDC_IAM_STS_OAUTH_CLIENT_ID"], client_id);
    assert_eq!(first["TX_EDC_IAM_STS_DIV_URL"], "https://wallet.example.org/one");
    assert!(first["TX_EDC_VAULT_SECRETS"].starts_with("edc-wallet:"));
    assert_eq!(first.len(), 6, "{:?}", first.keys());

    world.patch_portal(&url("two")).await;
    let changed = until_secret(&world, "the new address is in the Secret", |texts| {
        texts["TX_EDC_IAM_STS_DIM_URL"] == "https://wallet.example.org/two"
    })
    .await;
    assert_eq!(changed["TX_EDC_VAULT_SECRETS"], first["TX_EDC_VAULT_SECRETS"]);

    // What is not known any more prevents a write, and what was written is kept.
    world.patch_portal(&json!({ "spec": { "dataspace": null } })).await;
    world.because("edc", "OutputInvalid").await;
    assert_eq!(texts(&world.get_secret("edc").await.unwrap()), changed);
    world.patch_portal(&url("two")).await;
    assert_eq!(recorded(&world.ready("edc").await).id, user.id);
}

#[tokio::test]
async fn another_format_replaces_all_keys_for_the_same_user() {
    let world = world().start().await;
    let keys = json!({ "client-id": "username", "client-secret": "password" });
    let secret = json!({ "type": "kubernetes.io/basic-auth", "keys": keys });
    world.apply(&with_secret(&world, DATASPACE_DISCOVERY, &secret)).await;
    let user = recorded(&world.ready("edc").await);
    let written = world.get_secret("edc").await.unwrap();
    assert_eq!(written.type_.as_deref(), Some("kubernetes.io/basic-auth"));
    let names = texts(&written).into_keys().collect::<Vec<_>>();
    assert_eq!(names, ["password", "username"]);

    let template = json!({
        "login.json": "{\"id\": {{ clientId | json }}, \"secret\": {{ clientSecret | json }}}\n",
        "username": "{{ clientId }}", "password": "{{ clientSecret }}",
    });
    let secret = json!({ "type": "kubernetes.io/basic-auth", "format": "Template", "template": template });
    world.apply(&with_secret(&world, DATASPACE_DISCOVERY, &secret)).await;
    let texts = until_secret(&world, "the template is written", |texts| texts.len() == 3).await;
    let login: Value = serde_json::from_str(&texts["login.json"]).unwrap();
    assert_eq!(login, json!({ "id": texts["username"], "secret": texts["password"] }));

    // Kubernetes never changes the type of a Secret. It is created again once it is deleted.
    world
        .apply(&with_secret(&world, DATASPACE_DISCOVERY, &json!({ "format": "VaultJson", "type": "Opaque" })))
        .await;
    let words = world.because("edc", "OutputNotWritable").await;
    assert!(words.contains("immutable"), "{words}");
    world.secrets_api().delete("edc", &kube::api::DeleteParams::default()).await.unwrap();
    let texts =
        until_secret(&world, "it is created with the other type", |texts| texts.contains_key("content.json"))
            .await;
    assert_eq!(texts["kv2.json"], format!("{{\"data\":{}}}", texts["content.json"]));
    assert_eq!(recorded(&world.ready("edc").await).id, user.id);
}

/// An error of a template names its line, and there is no user for it.
#[tokio::test]
async fn a_template_with_an_error_creates_no_user() {
    let world = world().start().await;
    world.portal_ready().await;
    let secret = json!({ "format": "Template", "template": { "a.conf": "id={{ clientId }}\nx={{ clientSecrets }}\n" } });
    world.apply(&with_secret(&world, DATASPACE_DISCOVERY, &secret)).await;
    let words = world.because("edc", "OutputInvalid").await;
    assert!(words.contains("\"a.conf\" fails in line 2: undefined value"), "{words}");
    world.two_sweeps().await;
    assert_eq!(world.portal_writes(), 0);
}
