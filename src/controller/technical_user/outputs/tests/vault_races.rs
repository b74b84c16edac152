//! Two clients that mark and write one entry of a Vault at the same moment: mark and data are two writes.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::vault_entries::{PATH, VaultEntries};
use super::{KindUnderTest as _, OWNER, publish, state, values};
use crate::api::technical_user::RecordedOutput;
use crate::controller::technical_user::failure::Failure;
use crate::controller::technical_user::outputs::of_record;
use crate::controller::test_support::vault::Entry;
use crate::controller::vault::mark::EntryMark;
use crate::domain::format::Values;
use crate::domain::plan::OutputState;
use crate::domain::reason::Reason;

const OTHER: &str = "prod/connector/other";

/// The mark of a resource of this installation for some content.
fn mark(place: &VaultEntries, owner: &str) -> BTreeMap<String, String> {
    EntryMark::for_content(owner, &place.resource.ctx.installation.hint, "0123")
}

/// Another resource marks the entry after this one has read its own mark back, and loses: the data decide.
#[tokio::test]
async fn a_mark_that_comes_after_the_data_were_written_first_is_replaced() {
    let place = VaultEntries::new().await;
    let mut output = place.output();
    output.observe(None).await.unwrap();
    place.vault.meanwhile("POST data", PATH, mark(&place, OTHER), None);
    output.write(&values("u1")).await.unwrap();
    let entry = place.vault.get(PATH).unwrap();
    assert_eq!(entry.data, json!({"content": "secret-of-u1"}));
    assert_eq!(EntryMark::of(&entry.custom).unwrap().owner, OWNER);
}

/// The other one wrote the data first: this one has nothing there, and its mark does not say so.
#[tokio::test]
async fn a_resource_whose_data_came_second_removes_its_mark() {
    for before in ["POST data", "POST metadata"] {
        let place = VaultEntries::new().await;
        let mut output = place.output();
        output.observe(None).await.unwrap();
        place.vault.meanwhile(before, PATH, BTreeMap::default(), Some(json!({"content": "of another"})));
        assert!(matches!(output.write(&values("u1")).await, Err(Failure::Overtaken)), "{before}");
        let entry = place.vault.get(PATH).unwrap();
        assert_eq!((entry.version, entry.custom.len()), (1, 0), "{before} {entry:?}");
        let seen = state(&place, None).await;
        assert_eq!(seen, OutputState::Foreign("another client of Vault".into()), "{before}");
    }
}

/// It ends before it can remove its mark: the data of another client are neither changed nor removed.
#[tokio::test]
async fn a_mark_without_its_data_makes_no_data_ours() {
    let mut place = VaultEntries::new().await;
    let announced = place.output().announced(None, &values("u1")).unwrap();
    let theirs = json!({"content": "of another"});
    place.vault.put(PATH, Entry { version: 1, data: theirs.clone(), custom: mark(&place, OWNER) });
    let seen = state(&place, Some(&announced)).await;
    assert_eq!(seen, OutputState::Foreign("another client of Vault".into()));
    place.record(announced.clone());
    of_record(&place.resource, &announced.id()).unwrap().remove().await.unwrap();
    assert_eq!(place.vault.get(PATH).unwrap().data, theirs);
}

/// A mark of a resource that came too late and then ended: whose the data are is known by the status and the content.
#[tokio::test]
async fn an_entry_is_marked_again_and_removed_where_another_resource_only_marked_it() {
    for heals in [true, false] {
        let mut place = VaultEntries::new().await;
        let recorded = publish(&place, "u1", None).await;
        place.record(recorded.clone());
        place.vault.put(PATH, Entry { custom: mark(&place, OTHER), ..place.vault.get(PATH).unwrap() });
        if heals {
            place.come_due();
            let mut output = place.output();
            let state = output.observe(Some(&recorded)).await.unwrap().state;
            assert!(matches!(state, OutputState::Ours { metadata_as_wanted: false, .. }), "{state:?}");
            output.write(&values("u1")).await.unwrap();
            let entry = place.vault.get(PATH).unwrap();
            assert_eq!((entry.version, EntryMark::of(&entry.custom).unwrap().owner.as_str()), (1, OWNER));
        }
        place.output().remove().await.unwrap();
        assert!(!place.is_there());
    }
}

/// The answer to the write is lost: its data are ours.
#[tokio::test]
async fn data_whose_answer_was_lost_are_ours() {
    let place = VaultEntries::new().await;
    let mut output = place.output();
    output.observe(None).await.unwrap();
    place.vault.meanwhile("POST data", PATH, BTreeMap::default(), Some(json!({"content": "secret-of-u1"})));
    assert!(matches!(output.write(&values("u1")).await, Err(Failure::Overtaken)));
    assert!(matches!(state(&place, None).await, OutputState::Ours { metadata_as_wanted: true, .. }));
}

/// The status records neither write, and the operator ends after the mark for the second one.
#[tokio::test]
async fn data_are_ours_while_the_mark_is_that_of_the_next_data() {
    let mut place = VaultEntries::new().await;
    let announced = place.output().announced(None, &values("u1")).unwrap();
    publish(&place, "u1", Some(&announced)).await;
    let mut output = place.output();
    output.observe(Some(&announced)).await.unwrap();
    let before = place.vault.get(PATH).unwrap();
    place.vault.meanwhile("POST data", PATH, BTreeMap::default(), Some(before.data.clone()));
    assert!(matches!(output.write(&values("u2")).await, Err(Failure::Overtaken)));
    let seen = state(&place, Some(&announced)).await;
    assert!(matches!(seen, OutputState::Ours { metadata_as_wanted: true, .. }), "{seen:?}");

    // Data that another client restores are ours no longer than the mark before the last one says so.
    for (user, is_ours) in [("u2", true), ("u3", false)] {
        publish(&place, user, Some(&announced)).await;
        let after = place.vault.get(PATH).unwrap();
        place.vault.change(PATH, before.data.clone());
        let seen = state(&place, Some(&RecordedOutput::default())).await;
        assert_eq!(matches!(seen, OutputState::Ours { .. }), is_ours, "{user} {seen:?}");
        place.vault.put(PATH, after);
    }
    place.record(announced.clone());
    of_record(&place.resource, &announced.id()).unwrap().remove().await.unwrap();
    assert!(!place.is_there());
}

/// Another resource came second and has replaced the mark, or removed its own after that. The status names the write of the data.
#[tokio::test]
async fn data_that_were_written_first_are_ours_without_their_mark() {
    for of_another in [true, false] {
        let mut place = VaultEntries::new().await;
        let announced = place.output().announced(None, &values("u1")).unwrap();
        publish(&place, "u1", Some(&announced)).await;
        let custom = if of_another { mark(&place, OTHER) } else { BTreeMap::default() };
        place.vault.put(PATH, Entry { custom, ..place.vault.get(PATH).unwrap() });
        let seen = state(&place, Some(&announced)).await;
        assert!(matches!(seen, OutputState::Ours { metadata_as_wanted: false, .. }), "{seen:?}");
        place.record(announced.clone());
        of_record(&place.resource, &announced.id()).unwrap().remove().await.unwrap();
        assert!(!place.is_there());
    }
}

/// A person deleted the entry, this resource marked it and ended before it wrote the data, and the person wrote them first.
#[tokio::test]
async fn data_that_another_client_wrote_into_an_entry_that_was_marked_again_are_not_ours() {
    let mut place = VaultEntries::new().await;
    let recorded = publish(&place, "u1", None).await;
    place.record(recorded.clone());
    place.come_due();
    place.delete();
    let theirs = json!({"content": "theirs"});
    place.vault.put(PATH, Entry { version: 1, data: theirs.clone(), custom: mark(&place, OWNER) });
    let seen = state(&place, Some(&recorded)).await;
    assert_eq!(seen, OutputState::Foreign("another client of Vault".into()));
    of_record(&place.resource, &recorded.id()).unwrap().remove().await.unwrap();
    assert_eq!(place.vault.get(PATH).unwrap().data, theirs);
    // What they change in an entry whose data this resource was the first to write is repaired.
    place.vault.put(PATH, Entry { version: 2, data: theirs, custom: mark(&place, OWNER) });
    assert!(matches!(state(&place, Some(&recorded)).await, OutputState::Ours { .. }));
}

/// A successor is created only for a place whose data are not those of another client, whatever its mark says.
#[tokio::test]
async fn a_place_with_our_mark_and_the_data_of_another_client_is_refused() {
    let place = VaultEntries::new().await;
    let recorded = publish(&place, "u1", None).await;
    let hint = &place.resource.ctx.installation.hint;
    let mut output = place.output();
    let state = output.observe(Some(&recorded)).await.unwrap().state;
    let mut why = async |custom, data| {
        place.vault.put("edc-2", Entry { version: 1, data, custom });
        output.prove_writable(&state, 2).await.unwrap().err()
    };
    let theirs = why(mark(&place, OWNER), json!({"content": "theirs"})).await;
    let why_not = theirs.unwrap();
    assert_eq!(why_not.reason, Reason::OutputNotOurs);
    assert!(why_not.message.contains("another client of Vault"), "{}", why_not.message);
    for data in [json!({"content": "ours"}), Value::Null] {
        assert_eq!(why(EntryMark::custom_metadata(OWNER, hint), data).await, None);
    }
}

/// The operator ended after the write, and another resource came second. The status names the write of the data.
#[tokio::test]
async fn the_entry_of_a_successor_is_ours_without_its_mark() {
    let mut place = VaultEntries::new().await;
    let recorded = publish(&place, "u1", None).await;
    let later = Values { generation: 2, ..values("u2") };
    let announced = place.output().announced(Some(&recorded), &later).unwrap();
    place.record(announced.clone());
    for custom in [None, Some(mark(&place, OTHER)), Some(BTreeMap::default())] {
        if let Some(custom) = custom {
            place.vault.put("edc-2", Entry { custom, ..place.vault.get("edc-2").unwrap() });
        }
        let mut output = place.output();
        output.observe(Some(&announced)).await.unwrap();
        output.write(&later).await.unwrap();
        let entry = place.vault.get("edc-2").unwrap();
        assert_eq!((entry.version, EntryMark::of(&entry.custom).unwrap().owner.as_str()), (1, OWNER));
    }
}
