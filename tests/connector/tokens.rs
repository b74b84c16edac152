//! Tokens with what is in Vault and in the Secret of variables.

use std::collections::BTreeMap;
use std::time::Duration;

use portal_simulator::{Change, Company, Config, Simulator, UserSeed, UserView, Version};
use secrecy::{ExposeSecret, SecretString};
use serde_json::json;
use technical_user_operator::domain::format::{Format, Options, Values};
use technical_user_operator::domain::user::Credential;
use testbed::Vault;

use crate::edc::{Chart, Reader, environment};
use crate::{SECRET, a_user, secret};

/// An identity provider with users, a Vault, and a connector's release.
struct Site {
    simulator: Simulator,
    vault: Vault,
}

impl Site {
    async fn start() -> Self {
        testbed::install_crypto_provider();
        let config = Config::new(Version::Main)
            .company(Company::new("One", "BPNL000000000ONE"))
            .token_lifetime(Duration::from_secs(2));
        Self { simulator: Simulator::start(config).await.unwrap(), vault: Vault::start().await.unwrap() }
    }

    fn user(&self, name: &str) -> UserView {
        self.simulator.seed_user(UserSeed::new("One", name)).unwrap()
    }

    /// A new client secret for a user.
    fn reset(&self, user: &UserView) -> String {
        self.simulator.reset_by_hand(user.id).unwrap()
    }

    /// Writes the entry of an alias, as the pages do.
    async fn write(&self, alias: &str, content: &str) {
        let entry = format!("secret/data/connector/{alias}");
        let body = json!({ "data": { "content": content } });
        self.vault.as_root("POST", &entry, Some(&body)).await.unwrap().success().unwrap();
    }

    /// The variables of the connector's data plane, for a user whose client secret has this alias.
    fn variables(&self, user: &UserView, alias: &str) -> BTreeMap<String, String> {
        let chart = Chart::of("0.12");
        let mut values = chart.values.clone();
        values["vault"]["hashicorp"]["url"] = json!(self.vault.address());
        values["vault"]["hashicorp"]["token"] = json!(self.vault.root_token().expose_secret());
        let container = &chart.render(&values).unwrap()["dataplane"];
        let client_id = user.client_id.clone().unwrap();
        let credential =
            Credential::with_secret(client_id, SecretString::from("in Vault"), self.simulator.token_url());
        let mut values = Values { credential, ..a_user() };
        values.surroundings.secret_alias = Some(alias.to_owned());
        let content = secret(Format::EdcEnv, &Options::default(), &values);
        environment(container, &BTreeMap::from([(SECRET.to_owned(), content)])).unwrap()
    }
}

#[tokio::test]
async fn a_new_client_secret_in_vault_needs_no_restart() {
    let site = Site::start().await;
    let user = site.user("one");
    site.write("wallet/edc-1", &site.reset(&user)).await;
    let reader = Reader::start(&site.variables(&user, "wallet/edc-1")).await.unwrap();
    let first = reader.obtains_more_than(&json!(null)).await;
    assert_eq!(first["clientId"], json!(user.client_id));
    assert_eq!((&first["source"], &first["failed"]), (&json!("vault"), &json!(0)));

    let reset = site.reset(&user);
    let refused = reader.until("the token is expired", |now| now["ready"] == false).await;
    assert_eq!(refused["lastError"]["kind"], "refused");
    site.write("wallet/edc-1", &reset).await;
    reader.obtains_more_than(&refused).await;
}

#[tokio::test]
async fn a_new_client_id_needs_a_restart_and_an_alias_of_its_own_keeps_the_old_one_valid() {
    let site = Site::start().await;
    let (old, new) = (site.user("old"), site.user("new"));
    site.write("edc-1", &site.reset(&old)).await;
    let running = Reader::start(&site.variables(&old, "edc-1")).await.unwrap();
    let first = running.obtains_more_than(&json!(null)).await;

    // The successor is published, and the program that runs is as before.
    site.write("edc-2", &site.reset(&new)).await;
    let later = running.obtains_more_than(&first).await;
    assert_eq!((&later["clientId"], &later["failed"]), (&json!(old.client_id), &json!(0)));
    let restarted = Reader::start(&site.variables(&new, "edc-2")).await.unwrap();
    let successor = restarted.obtains_more_than(&json!(null)).await;
    assert_eq!((&successor["clientId"], &successor["failed"]), (&json!(new.client_id), &json!(0)));

    // With one alias for both, the program that runs combines the old client ID with the new client secret.
    site.write("edc-1", &site.reset(&new)).await;
    let combined = running.until("the token is expired", |now| now["ready"] == false).await;
    assert_eq!(combined["lastError"]["kind"], "refused");
    assert_eq!(combined["clientId"], json!(old.client_id));
}

#[tokio::test]
async fn what_is_wrong_in_vault_is_no_token() {
    let site = Site::start().await;
    let user = site.user("one");
    let secret = site.reset(&user);
    let reader = Reader::start(&site.variables(&user, "edc-1")).await.unwrap();
    let fails = async |words: &str| {
        reader
            .until(words, |now| now["lastError"]["message"].as_str().is_some_and(|said| said.contains(words)))
            .await
    };
    fails("Failed to fetch client secret from the vault with alias edc-1").await;
    let other = json!({ "data": { "client-secret": secret } });
    site.vault.as_root("POST", "secret/data/connector/edc-1", Some(&other)).await.unwrap().success().unwrap();
    fails("the entry has no key content").await;
    site.write("edc-1", &format!("{secret}\n")).await;
    fails("unauthorized_client").await;
    site.write("edc-1", &secret).await;
    let obtained = reader.obtains_more_than(&json!(null)).await;

    assert_eq!(site.simulator.delete_by_hand(user.id), Change::Done);
    let ended = reader.until("the token is expired", |now| now["ready"] == false).await;
    assert!(ended["obtained"].as_u64() >= obtained["obtained"].as_u64());
    assert_eq!(ended["lastError"]["message"], "invalid_client");
}
