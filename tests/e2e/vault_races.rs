//! Two `TechnicalUser`s that name one path of a real Vault at the same moment.

use portal_simulator::role_names::DATASPACE_DISCOVERY;
use serde_json::json;
use testbed::Vault;

use crate::support::vault::{apply, entry, manifest, metadata, prepared, rule, with_outputs};
use crate::support::{World, is_ready, reason, world};

const NAMES: [&str; 2] = ["one", "two"];
const PATH: &str = "connectors/shared-1";

async fn content(vault: &Vault) -> Option<String> {
    let answer = vault.as_root("GET", &format!("secret/data/{PATH}"), None).await.unwrap().success().ok()?;
    answer["data"]["data"]["content"].as_str().map(str::to_owned)
}

/// Which of the two is ready, once the other one reports that it is not its entry.
async fn winner_and_loser(world: &World) -> (&'static str, &'static str) {
    world
        .wait_for("one of the two has the entry", async || {
            let [one, two] = [world.user(NAMES[0]).await.unwrap(), world.user(NAMES[1]).await.unwrap()];
            match (is_ready(&one), is_ready(&two)) {
                (true, false) if reason(&two) == "OutputNotOurs" => Ok((NAMES[0], NAMES[1])),
                (false, true) if reason(&one) == "OutputNotOurs" => Ok((NAMES[1], NAMES[0])),
                _ => Err((reason(&one), reason(&two))),
            }
        })
        .await
}

#[tokio::test]
async fn of_two_resources_with_one_path_at_one_moment_one_has_it_and_the_other_gets_no_user() {
    let world = world().start().await;
    let vault = prepared(&world).await;
    world.patch_portal(&json!({"spec": {"verification": {"interval": "10s"}}})).await;
    let outputs = json!([entry(Some("connectors/shared"))]);
    let [one, two] = NAMES.map(|name| with_outputs(&world, name, DATASPACE_DISCOVERY, &outputs));
    tokio::join!(world.apply(&one), world.apply(&two));
    let (winner, loser) = winner_and_loser(&world).await;
    world.two_sweeps().await;
    assert_eq!(winner_and_loser(&world).await, (winner, loser));
    assert_eq!(content(&vault).await, world.user_of(winner).secret);
    assert_eq!(world.ours().len(), 1, "no user is created for an entry of another resource");

    world.delete(loser).await;
    world.gone(loser).await;
    assert_eq!(content(&vault).await, world.user_of(winner).secret);
    world.delete(winner).await;
    world.gone(winner).await;
    assert_eq!(metadata(&vault, PATH).await, None);
    assert_eq!(world.ours(), []);
}

/// Two Vault resources for one server: that it is one path is known only when the entry is written.
#[tokio::test]
async fn of_two_resources_that_write_one_entry_at_one_moment_one_has_it() {
    let world = world().start().await;
    let vault = prepared(&world).await;
    let mut other = manifest(&vault, &json!({"access": [rule("Same", "connectors")]}));
    other["metadata"]["name"] = json!("other");
    apply(&world, &other).await;
    world.patch_portal(&json!({"spec": {"verification": {"interval": "10s"}}})).await;
    let resources = [("one", "vault"), ("two", "other")].map(|(name, vault)| {
        let mut entry = entry(Some("connectors/shared"));
        entry["vault"]["vaultRef"]["name"] = json!(vault);
        with_outputs(&world, name, DATASPACE_DISCOVERY, &json!([entry]))
    });
    tokio::join!(world.apply(&resources[0]), world.apply(&resources[1]));
    let (winner, loser) = winner_and_loser(&world).await;
    world.two_sweeps().await;
    assert_eq!(winner_and_loser(&world).await, (winner, loser));
    assert_eq!(content(&vault).await, world.user_of(winner).secret);
    world.delete(loser).await;
    world.gone(loser).await;
    assert_eq!(
        content(&vault).await,
        world.user_of(winner).secret,
        "it is not removed with the other resource"
    );
}
