//! Places that the status names before the first write to them.

use super::vault_entries::VaultEntries;
use super::{KindUnderTest as _, OWNER, publish, values};
use crate::api::bounds::BEGUN;
use crate::api::technical_user::{RecordedEntry, RecordedOutput};
use crate::controller::technical_user::failure::Failure;
use crate::controller::technical_user::outputs::of_record;
use crate::controller::test_support::vault::Entry;
use crate::controller::vault::mark::EntryMark;
use crate::domain::plan::OutputState;
use crate::domain::reason::Reason;
use serde_json::json;

/// The status of an output that is written, with places of writes that were only announced.
async fn written_with(place: &VaultEntries, aliases: &[String]) -> RecordedOutput {
    let recorded = publish(place, "u1", None).await;
    let entry = recorded.entry.clone().unwrap();
    let begun = |alias: &String| RecordedEntry { secret_alias: alias.clone(), ..entry.clone() };
    RecordedOutput { begun: aliases.iter().map(begun).collect(), ..recorded }
}

fn aliases(recorded: &RecordedOutput) -> Vec<&str> {
    recorded.begun.iter().map(|entry| entry.secret_alias.as_str()).collect()
}

/// The data of another place, as this resource or another one has written them.
fn put(place: &VaultEntries, alias: &str, owner: &str) {
    let custom = EntryMark::custom_metadata(owner, &place.resource.ctx.installation.hint);
    place.vault.put(alias, Entry { version: 1, data: json!({"content": "x"}), custom });
}

/// The place was changed back before anything was written there.
#[tokio::test]
async fn a_place_at_which_nothing_of_ours_is_is_not_named_any_more() {
    let place = VaultEntries::new().await;
    let recorded = written_with(&place, &["none".into(), "theirs".into(), "edc-2".into()]).await;
    put(&place, "theirs", "prod/connector/other");
    let mut output = place.output();
    let state = output.observe(Some(&recorded)).await.unwrap().state;
    assert!(matches!(state, OutputState::Ours { metadata_as_wanted: true, .. }), "{state:?}");
    let record = output.record(&recorded.digest, Some(&recorded), false).unwrap();
    assert_eq!(aliases(&record), ["edc-2"], "the place of a successor is that of its own write");
    assert_eq!(record.entry, recorded.entry);
}

/// The operator ended after the write and before the status, and the place was changed back.
#[tokio::test]
async fn what_is_at_another_place_is_removed_though_the_output_is_as_it_should_be() {
    let mut place = VaultEntries::new().await;
    let recorded = written_with(&place, &["left".into()]).await;
    place.record(recorded.clone());
    put(&place, "left", OWNER);
    let mut output = place.output();
    let state = output.observe(Some(&recorded)).await.unwrap().state;
    assert!(matches!(state, OutputState::Ours { metadata_as_wanted: false, .. }), "{state:?}");
    output.write(&values("u1")).await.unwrap();
    let former = output.superseded();
    assert!(!former[0].is_written(), "nobody knows of a write");
    let written = output.record(&recorded.digest, Some(&recorded), true).unwrap();
    assert_eq!((former.len(), written.begun.len()), (1, 0));
    place.resource.history.outputs = vec![written, former[0].clone()];
    of_record(&place.resource, &former[0].id()).unwrap().remove().await.unwrap();
    assert!(place.vault.get("left").is_none() && place.is_there());
}

/// A successor was not needed any more after its entry was marked.
#[tokio::test]
async fn what_is_at_the_place_of_a_successor_that_is_given_up_is_removed() {
    let mut place = VaultEntries::new().await;
    let recorded = written_with(&place, &["edc-2".into()]).await;
    place.record(recorded.clone());
    put(&place, "edc-2", OWNER);
    place.resource.history.successor = 3;
    let mut output = place.output();
    let state = output.observe(Some(&recorded)).await.unwrap().state;
    assert!(matches!(state, OutputState::Ours { metadata_as_wanted: false, .. }), "{state:?}");
    output.write(&values("u1")).await.unwrap();
    let former = output.superseded().remove(0);
    place.resource.history.outputs.push(former.clone());
    of_record(&place.resource, &former.id()).unwrap().remove().await.unwrap();
    assert!(place.vault.get("edc-2").is_none() && place.is_there());
}

/// The entry of the current user is repaired while its successor is created, after another successor was given up.
#[tokio::test]
async fn the_place_of_a_successor_is_kept_and_that_of_one_that_was_given_up_is_not() {
    let mut place = VaultEntries::new().await;
    let recorded = written_with(&place, &["edc-2".into(), "edc-3".into()]).await;
    place.record(recorded.clone());
    put(&place, "edc-2", OWNER);
    put(&place, "edc-3", OWNER);
    place.resource.history.successor = 3;
    let mut output = place.output();
    let state = output.observe(Some(&recorded)).await.unwrap().state;
    assert!(matches!(state, OutputState::Ours { metadata_as_wanted: false, .. }), "{state:?}");
    output.write(&values("u1")).await.unwrap();
    let written = output.record(&recorded.digest, Some(&recorded), true).unwrap();
    assert_eq!(aliases(&written), ["edc-3"]);
    let former = output.superseded();
    assert_eq!(former.len(), 1);
    place.resource.history.outputs = vec![written, former[0].clone()];
    of_record(&place.resource, &former[0].id()).unwrap().remove().await.unwrap();
    assert!(place.vault.get("edc-2").is_none() && place.vault.get("edc-3").is_some() && place.is_there());
}

/// Another client was the first to write data at a place that this resource had only marked.
#[tokio::test]
async fn data_of_another_client_at_a_place_that_was_only_announced_are_kept() {
    let mut place = VaultEntries::new().await;
    let recorded = written_with(&place, &["left".into()]).await;
    place.record(recorded.clone());
    let hint = &place.resource.ctx.installation.hint;
    let custom = EntryMark::for_content(OWNER, hint, "of other data");
    let theirs = json!({"content": "of another"});
    place.vault.put("left", Entry { version: 1, data: theirs.clone(), custom });
    let mut output = place.output();
    output.observe(Some(&recorded)).await.unwrap();
    output.write(&values("u1")).await.unwrap();
    let former = output.superseded().remove(0);
    place.resource.history.outputs.push(former.clone());
    of_record(&place.resource, &former.id()).unwrap().remove().await.unwrap();
    assert_eq!(place.vault.get("left").map(|entry| entry.data), Some(theirs));
}

/// The Vault lists where the data were written, and where they may only have been.
#[tokio::test]
async fn an_entry_that_is_left_is_listed_with_whether_it_was_written() {
    let mut place = VaultEntries::new().await;
    let recorded = written_with(&place, &["left".into()]).await;
    place.record(recorded);
    let vault = json!({"apiVersion": "technicaluser.dev/v1alpha1", "kind": "Vault", "spec": {}});
    place.apiserver.put_object("vaults", "connector", "vault", vault);
    place.output().abandon("It is down.").await.unwrap();
    let vault = place.apiserver.object("vaults", "connector", "vault").unwrap();
    let listed = vault["status"]["abandoned"].as_array().unwrap();
    let listed: Vec<_> = listed.iter().map(|entry| (&entry["path"], &entry["written"])).collect();
    let paths = ["secret/data/edc-1", "secret/data/left"].map(serde_json::Value::from);
    assert_eq!(listed, [(&paths[0], &json!(true)), (&paths[1], &json!(null))]);
}

#[tokio::test]
async fn places_are_named_while_it_is_not_known_whether_something_is_there() {
    let place = VaultEntries::new().await;
    let mut recorded = written_with(&place, &["sealed".into(), "there".into()]).await;
    recorded.begun[1].server = "cluster-2".into();
    let record = async |recorded: &RecordedOutput| {
        let mut output = place.output();
        output.observe(Some(recorded)).await.unwrap();
        output.record(&recorded.digest, Some(recorded), false).unwrap()
    };
    assert_eq!(aliases(&record(&recorded).await), ["there"], "that of another server");
    place.vault.seal();
    assert_eq!(aliases(&record(&recorded).await), ["sealed", "there"]);
}

#[tokio::test]
async fn a_place_for_which_a_status_has_no_room_is_refused() {
    let place = VaultEntries::new().await;
    let many: Vec<String> = (1..=BEGUN).map(|number| format!("place-{number}")).collect();
    let recorded = written_with(&place, &many).await;
    let later = crate::domain::format::Values { generation: 2, ..values("u2") };
    // Nothing is known of the places yet.
    let refused = place.output().announced(Some(&recorded), &later).unwrap_err();
    let Failure::OutputUnavailable(why) = refused else { panic!("{refused:?}") };
    assert_eq!(why.reason, Reason::OutputNotWritable);
    assert!(why.message.contains("8 places"), "{}", why.message);

    put(&place, "place-3", OWNER);
    let mut output = place.output();
    output.observe(Some(&recorded)).await.unwrap();
    assert_eq!(aliases(&output.announced(Some(&recorded), &later).unwrap()), ["place-3", "edc-2"]);
}
