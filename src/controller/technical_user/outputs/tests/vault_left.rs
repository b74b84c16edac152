//! Entries that are left on a former server: the address of the Vault leads to another one.

use std::sync::Arc;

use serde_json::json;

use super::super::vault_entry::vaults::Vaults;
use super::merged_entries::MergedEntries;
use super::vault_entries::{PATH, VaultEntries, answers};
use super::{KindUnderTest, OWNER, publish, state, values};
use crate::api::technical_user::{RecordedEntry, RecordedOutput};
use crate::controller::technical_user::failure::Failure;
use crate::controller::technical_user::outputs::{Resource, of_record};
use crate::controller::test_support::apiserver::context;
use crate::controller::test_support::vault::Entry;
use crate::controller::vault::mark::EntryMark;
use crate::domain::plan::OutputState;
use crate::domain::reason::Reason;

/// The same entry as the status has it of another place or server.
fn at(recorded: &RecordedOutput, alias: &str, server: &str) -> RecordedEntry {
    let entry = recorded.entry.clone().unwrap();
    RecordedEntry { secret_alias: alias.into(), server: server.into(), ..entry }
}

async fn eventually_left(place: &VaultEntries, paths: &[&str]) {
    let names_all =
        |note: &str| note.contains("leads to another server") && paths.iter().all(|path| note.contains(path));
    place.apiserver.eventually_event(names_all).await;
}

/// Writes an entry on a server, and again after the address leads to another one. The outputs that the status has after that.
async fn moved(place: &mut dyn KindUnderTest, resource: &Resource) -> [RecordedOutput; 2] {
    let recorded = publish(place, "u1", None).await;
    place.record(recorded.clone());
    answers(resource, "vault", "cluster-2");
    place.delete();
    let mut output = place.output();
    output.observe(Some(&recorded)).await.unwrap();
    output.write(&values("u1")).await.unwrap();
    let replaced = output.record(&recorded.digest, Some(&recorded), true).unwrap();
    [replaced, output.superseded().remove(0)]
}

/// The output has the same path on the other server, and nothing there is that of the former one.
#[tokio::test]
async fn an_entry_is_reported_whose_path_the_output_has_on_another_server() {
    let mut place = VaultEntries::new().await;
    let resource = place.resource.clone();
    let outputs = moved(&mut place, &resource).await;
    place.resource.history.outputs = outputs.to_vec();
    of_record(&place.resource, &outputs[1].id()).unwrap().remove().await.unwrap();
    eventually_left(&place, &["secret/data/edc-1"]).await;
    assert!(place.is_there());
}

#[tokio::test]
async fn keys_are_reported_that_the_output_has_on_another_server() {
    let mut merged = MergedEntries::new().await;
    let resource = merged.0.resource.clone();
    let outputs = moved(&mut merged, &resource).await;
    merged.0.resource.history.outputs = outputs.to_vec();
    of_record(&merged.0.resource, &outputs[1].id()).unwrap().remove().await.unwrap();
    eventually_left(&merged.0, &["secret/data/edc"]).await;
    assert!(merged.is_there());
}

/// The other server has an entry of another client there.
#[tokio::test]
async fn an_entry_is_reported_though_another_client_has_its_path_on_another_server() {
    let mut place = VaultEntries::new().await;
    let recorded = publish(&place, "u1", None).await;
    place.record(recorded);
    place.resource.stores.vaults = Vaults::default();
    place.leads_to("cluster-2");
    place.put_foreign();
    place.output().remove().await.unwrap();
    eventually_left(&place, &["secret/data/edc-1"]).await;
    assert!(place.is_there());

    let mut merged = MergedEntries::new().await;
    let recorded = publish(&merged, "u1", None).await;
    merged.record(recorded);
    merged.0.resource.stores.vaults = Vaults::default();
    merged.0.leads_to("cluster-2");
    merged.delete();
    let before = merged.entry();
    merged.output().remove().await.unwrap();
    eventually_left(&merged.0, &["secret/data/edc"]).await;
    assert_eq!(merged.entry().data, before.data);
}

/// Events of one object with one reason are counted as one, which has the words of the first.
#[tokio::test]
async fn each_of_several_entries_is_reported() {
    let mut place = VaultEntries::new().await;
    let recorded = publish(&place, "u1", None).await;
    place.leads_to("cluster-2");
    place.delete();
    let former = |name: &str, aliases: &[&str]| RecordedOutput {
        name: format!("connector/vault/{name}"),
        entry: Some(at(&recorded, aliases[0], "cluster-1")),
        begun: aliases[1..].iter().map(|alias| at(&recorded, alias, "cluster-1")).collect(),
        ..recorded.clone()
    };
    let outputs = [former("a", &["a-1", "a-2"]), former("b", &["b-1"])];
    place.resource.history.outputs = outputs.to_vec();
    for output in &outputs {
        of_record(&place.resource, &output.id()).unwrap().remove().await.unwrap();
    }
    eventually_left(&place, &["secret/data/a-1,", "secret/data/a-2 (if it was written)"]).await;
    eventually_left(&place, &["secret/data/b-1"]).await;
}

/// One path on two servers is two entries: both are listed, and the one that can be reached is removed.
#[tokio::test]
async fn one_path_on_two_servers_is_two_entries() {
    let mut place = VaultEntries::new().await;
    let recorded = publish(&place, "u1", None).await;
    let begun = vec![at(&recorded, PATH, "cluster-2"), at(&recorded, "left", "cluster-2")];
    place.record(RecordedOutput { begun, ..recorded });
    place.resource.deleting = true;
    place.resource.stores.vaults = Vaults::default();
    place.leads_to("cluster-2");
    for alias in [PATH, "left"] {
        let custom = EntryMark::custom_metadata(OWNER, &place.resource.ctx.installation.hint);
        place.vault.put(alias, Entry { version: 1, data: json!({"content": "x"}), custom });
    }
    let vault = json!({"apiVersion": "technicaluser.dev/v1alpha1", "kind": "Vault", "spec": {}});
    place.apiserver.put_object("vaults", "connector", "vault", vault);
    place.output().abandon("It is down.").await.unwrap();
    let vault = place.apiserver.object("vaults", "connector", "vault").unwrap();
    let listed = vault["status"]["abandoned"].as_array().unwrap();
    let listed: Vec<_> = listed.iter().map(|entry| [&entry["path"], &entry["server"]]).collect();
    let path = |alias: &str| json!(format!("secret/data/{alias}"));
    let servers = ["cluster-1", "cluster-2"].map(|server| json!(server));
    let (edc, left) = (path(PATH), path("left"));
    assert_eq!(listed, [[&edc, &servers[0]], [&edc, &servers[1]], [&left, &servers[1]]]);

    place.output().remove().await.unwrap();
    assert!(place.vault.get(PATH).is_none() && place.vault.get("left").is_none());
}

/// What cannot be reached does not keep the others from being removed.
#[tokio::test]
async fn a_deletion_removes_what_it_can_reach_beside_what_is_left() {
    let mut place = VaultEntries::new().await;
    let recorded = publish(&place, "u1", None).await;
    let begun = vec![at(&recorded, PATH, "cluster-2")];
    place.record(RecordedOutput { entry: Some(at(&recorded, "gone", "cluster-1")), begun, ..recorded });
    place.resource.deleting = true;
    place.resource.stores.vaults = Vaults::default();
    place.leads_to("cluster-2");
    let failure = place.output().remove().await.unwrap_err();
    let Failure::OutputUnavailable(why) = failure else { panic!("{failure:?}") };
    assert_eq!(why.reason, Reason::EntryAbandoned);
    assert!(why.message.contains("secret/data/gone") && !why.message.contains(PATH), "{}", why.message);
    assert!(!place.is_there());
}

/// Two Vault resources: one leads to another server now, and an output of the spec has the entry by the other one.
#[tokio::test]
async fn an_entry_that_an_output_has_on_its_server_is_not_taken_for_left() {
    for (other, in_use) in [("cluster-1", true), ("cluster-2", false)] {
        let mut place = VaultEntries::new().await;
        let recorded = publish(&place, "u1", None).await;
        place.moves_to_other().await;
        place.resource.deleting = true;
        place.record(recorded.clone());
        place.leads_to("cluster-2");
        place.answers("other", other);
        let removed = of_record(&place.resource, &recorded.id()).unwrap().remove().await;
        assert_eq!(removed.is_ok(), in_use, "{other} {removed:?}");
        assert!(place.is_there(), "it is that of the output");
    }
}

/// No check has said yet where the address leads to.
#[tokio::test]
async fn an_entry_is_not_taken_for_removed_while_the_server_is_not_known() {
    let mut place = VaultEntries::new().await;
    let recorded = publish(&place, "u1", None).await;
    let entry = Some(at(&recorded, PATH, "cluster-0"));
    let former = RecordedOutput { name: "connector/vault/edc-1:former-1".into(), entry, ..recorded };
    let mut ctx = context(place.apiserver.client());
    place.vault.serve_named(&mut ctx, "connector", &["another", "vault"]);
    place.resource.ctx = Arc::new(ctx);
    place.record(former.clone());
    let remove = async || of_record(&place.resource, &former.id()).unwrap().remove().await;
    remove().await.unwrap();
    eventually_left(&place, &["secret/data/edc-1"]).await;
    place.vault.seal();
    assert!(remove().await.is_err(), "it does not answer");
    assert!(place.is_there());
}

/// Another client was the first to write data at the path on the other server, after the mark of this resource.
#[tokio::test]
async fn data_of_another_client_on_another_server_are_not_those_that_were_written() {
    let mut place = VaultEntries::new().await;
    let recorded = publish(&place, "u1", None).await;
    place.record(recorded.clone());
    place.leads_to("cluster-2");
    let hint = &place.resource.ctx.installation.hint;
    let custom = EntryMark::for_content(OWNER, hint, "of other data");
    let theirs = json!({"content": "of another"});
    place.vault.put(PATH, Entry { version: 1, data: theirs.clone(), custom });
    let seen = state(&place, Some(&recorded)).await;
    assert_eq!(seen, OutputState::Foreign("another client of Vault".into()));
    place.resource.stores.vaults = Vaults::default();
    place.output().remove().await.unwrap();
    eventually_left(&place, &["secret/data/edc-1"]).await;
    assert_eq!(place.vault.get(PATH).map(|entry| entry.data), Some(theirs));
}
