//! Keys in an entry of another owner in a Vault.

use std::collections::BTreeMap;

use async_trait::async_trait;
use serde_json::{Value, json};

use super::vault_entries::VaultEntries;
use super::{KindUnderTest, publish, state, values};
use crate::api::technical_user::{RecordedEntry, RecordedOutput};
use crate::controller::technical_user::failure::Failure;
use crate::controller::technical_user::outputs::Output;
use crate::controller::technical_user::outputs::of_record;
use crate::controller::test_support::vault::Entry;
use crate::controller::vault::mark::EntryMark;
use crate::controller::vault::note::EntryNote;
use crate::domain::blocker::Blocker;
use crate::domain::identity::Owner;
use crate::domain::plan::OutputState;
use crate::domain::reason::Reason;

pub(super) const PATH: &str = "edc";

/// Keys in an entry of another owner.
pub(super) struct MergedEntries(pub(super) VaultEntries);

impl MergedEntries {
    pub(super) async fn new() -> Self {
        Self::with_keys(json!({"client-secret": "content"})).await
    }

    pub(super) async fn with_keys(keys: Value) -> Self {
        let output = json!({"vaultRef": {"name": "vault"}, "creationPolicy": "Merge", "keys": keys});
        let merged = Self(VaultEntries::with(output).await);
        merged.delete();
        merged
    }

    pub(super) fn entry(&self) -> Entry {
        self.0.vault.get(PATH).unwrap()
    }

    fn put(&self, data: Value, custom: &[(&str, &str)]) {
        let custom = custom.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned())).collect();
        let version = self.0.vault.get(PATH).map_or(0, |entry| entry.version) + 1;
        self.0.vault.put(PATH, Entry { version, data, custom });
    }

    /// The operator ends right before the data are written, and after the note.
    async fn end_before_the_data(&mut self) -> RecordedOutput {
        let mut output = self.output();
        let announced = output.announced(None, &values("u1")).unwrap();
        self.record(announced.clone());
        output.observe(Some(&announced)).await.unwrap();
        let before = self.entry().data;
        self.0.vault.meanwhile("POST data", PATH, BTreeMap::default(), Some(before));
        assert!(matches!(output.write(&values("u1")).await, Err(Failure::Overtaken)));
        announced
    }

    fn has_note(&self) -> bool {
        self.entry().custom.keys().any(|name| name.starts_with("technicaluser.dev/merged-"))
    }
}

#[async_trait]
impl KindUnderTest for MergedEntries {
    fn output(&self) -> Box<dyn Output> {
        self.0.output()
    }

    /// Another `TechnicalUser` owns all of it.
    fn put_foreign(&self) {
        let hint = &self.0.resource.ctx.installation.hint;
        let custom = EntryMark::custom_metadata("prod/connector/other", hint);
        self.0.vault.put(PATH, Entry { version: 7, data: json!({"content": "x"}), custom });
    }

    fn edit(&self) {
        self.0.vault.change(PATH, json!({"theirs": 1, "content": "another"}));
    }

    /// Its owner deletes the entry and writes it again.
    fn delete(&self) {
        self.0.vault.remove(PATH);
        self.put(json!({"theirs": 1}), &[("team", "blue")]);
    }

    fn record(&mut self, recorded: RecordedOutput) {
        self.0.record(recorded);
    }

    fn come_due(&self) {
        self.0.come_due();
    }

    fn deny(&self) {
        self.0.deny();
    }

    fn is_there(&self) -> bool {
        self.0.vault.get(PATH).is_some_and(|entry| !entry.data["content"].is_null())
    }
}

pub(super) async fn refusal(merged: &MergedEntries) -> Blocker {
    let mut output = merged.output();
    let state = output.observe(None).await.unwrap().state;
    let blocker = output.prove_writable(&state, 1).await.unwrap().unwrap_err();
    let failure = output.write(&values("u1")).await.unwrap_err();
    assert!(matches!(failure, Failure::OutputUnavailable(why) if why.reason == blocker.reason));
    blocker
}

#[tokio::test]
async fn an_entry_of_another_owner_gets_our_keys_and_is_as_before_at_the_end() {
    let mut merged = MergedEntries::new().await;
    let before = merged.entry();
    let recorded = publish(&merged, "u1", None).await;
    assert_eq!((&*recorded.kind, &*recorded.name), ("MergedVaultEntry", "connector/vault/edc"));
    assert_eq!(recorded.entry.as_ref().unwrap().keys, ["content"]);
    let entry = merged.entry();
    assert_eq!(entry.data, json!({"theirs": 1, "content": "secret-of-u1"}));
    assert_eq!((entry.version, entry.custom.len(), &*entry.custom["team"]), (2, 2, "blue"));
    merged.record(recorded);
    merged.output().remove().await.unwrap();
    assert_eq!((merged.entry().data, merged.entry().custom), (before.data, before.custom));
}

#[tokio::test]
async fn a_key_of_another_client_is_never_overwritten() {
    let merged = MergedEntries::new().await;
    for theirs in [json!("of a person"), json!({"a": 1})] {
        merged.put(json!({"content": theirs}), &[]);
        let why = refusal(&merged).await;
        assert_eq!(why.reason, Reason::KeyTaken);
        assert!(
            why.message.contains("\"content\"") && why.message.contains("another client"),
            "{}",
            why.message
        );
        assert_eq!((merged.entry().data, merged.entry().custom.len()), (json!({"content": theirs}), 0));
    }
}

#[tokio::test]
async fn keys_are_added_only_to_an_entry_that_has_data() {
    let merged = MergedEntries::new().await;
    merged.put(Value::Null, &[]);
    assert_eq!(refusal(&merged).await.reason, Reason::MergeTargetMissing, "deleted");
    merged.0.vault.remove(PATH);
    assert_eq!(refusal(&merged).await.reason, Reason::MergeTargetMissing);
    assert!(merged.0.vault.get(PATH).is_none());
}

/// The version that another client deletes may be restored: it is not written over, and its note is removed at the end.
#[tokio::test]
async fn a_deleted_version_is_neither_written_nor_restored() {
    let mut merged = MergedEntries::new().await;
    let recorded = publish(&merged, "u1", None).await;
    merged.record(recorded.clone());
    let data = merged.entry().data;
    merged.0.vault.put(PATH, Entry { data: Value::Null, ..merged.entry() });
    merged.come_due();
    assert_eq!(state(&merged, Some(&recorded)).await, OutputState::Absent);
    merged.0.vault.put(PATH, Entry { data, ..merged.entry() });
    let restored = state(&merged, Some(&recorded)).await;
    assert!(matches!(restored, OutputState::Ours { metadata_as_wanted: true, .. }), "{restored:?}");
    merged.0.vault.put(PATH, Entry { data: Value::Null, ..merged.entry() });
    merged.output().remove().await.unwrap();
    assert_eq!((merged.entry().version, merged.has_note()), (2, false));
}

#[tokio::test]
async fn a_note_without_its_data_makes_no_key_ours() {
    let mut merged = MergedEntries::new().await;
    let announced = merged.end_before_the_data().await;
    assert!(merged.has_note() && !merged.is_there());
    // Nothing happens meanwhile: the next process writes the data.
    let mut output = merged.output();
    output.observe(Some(&announced)).await.unwrap();
    output.write(&values("u1")).await.unwrap();
    assert!(merged.is_there());

    // The owner writes the key meanwhile: it is neither overwritten nor removed.
    let mut merged = MergedEntries::new().await;
    let announced = merged.end_before_the_data().await;
    let theirs = json!({"content": "of the owner"});
    merged.0.vault.change(PATH, theirs.clone());
    let mut output = merged.output();
    output.observe(Some(&announced)).await.unwrap();
    let failure = output.write(&values("u1")).await.unwrap_err();
    assert!(matches!(failure, Failure::OutputUnavailable(why) if why.reason == Reason::KeyTaken));
    merged.output().remove().await.unwrap();
    assert_eq!((merged.entry().data, merged.has_note()), (theirs, false));
}

/// The note is at another path, where its owner has written the key meanwhile, and the path was changed back.
#[tokio::test]
async fn a_key_of_the_owner_at_a_path_that_was_only_announced_is_kept() {
    let mut merged = MergedEntries::new().await;
    let mut recorded = publish(&merged, "u1", None).await;
    let entry = recorded.entry.clone().unwrap();
    recorded.begun = vec![RecordedEntry { secret_alias: "left".into(), ..entry }];
    merged.record(recorded.clone());
    let theirs = json!({"content": "of the owner"});
    merged.0.vault.put("left", Entry { data: theirs.clone(), ..merged.entry() });
    merged.come_due();
    let mut output = merged.output();
    output.observe(Some(&recorded)).await.unwrap();
    output.write(&values("u1")).await.unwrap();
    let former = output.superseded().remove(0);
    merged.0.resource.history.outputs.push(former.clone());
    of_record(&merged.0.resource, &former.id()).unwrap().remove().await.unwrap();
    assert_eq!(merged.0.vault.get("left").map(|entry| entry.data), Some(theirs));
}

/// The data are written, and the status does not say so yet.
#[tokio::test]
async fn keys_whose_write_the_status_only_announces_are_found_and_removed() {
    let mut merged = MergedEntries::new().await;
    let announced = merged.output().announced(None, &values("u1")).unwrap();
    publish(&merged, "u1", Some(&announced)).await;
    let seen = state(&merged, Some(&announced)).await;
    assert!(matches!(seen, OutputState::Ours { metadata_as_wanted: true, .. }), "{seen:?}");
    merged.record(announced.clone());
    of_record(&merged.0.resource, &announced.id()).unwrap().remove().await.unwrap();
    assert!(!merged.is_there() && !merged.has_note());
}

#[tokio::test]
async fn keys_are_written_again_where_the_owner_writes_without_them() {
    let merged = MergedEntries::new().await;
    let recorded = publish(&merged, "u1", None).await;
    merged.0.vault.change(PATH, json!({"theirs": 2}));
    merged.come_due();
    let again = publish(&merged, "u1", Some(&recorded)).await;
    assert_eq!(again.digest, recorded.digest);
    assert_eq!(merged.entry().data, json!({"theirs": 2, "content": "secret-of-u1"}));
    merged.delete();
    publish(&merged, "u1", Some(&recorded)).await;
    assert!(merged.is_there() && merged.has_note());
}

/// A person who replaces the custom metadata takes no key over.
#[tokio::test]
async fn keys_that_lost_their_note_are_noted_again_and_removed() {
    for heals in [true, false] {
        let mut merged = MergedEntries::new().await;
        let recorded = publish(&merged, "u1", None).await;
        merged.record(recorded.clone());
        merged.0.vault.put(PATH, Entry { custom: BTreeMap::default(), ..merged.entry() });
        if heals {
            merged.come_due();
            let mut output = merged.output();
            let state = output.observe(Some(&recorded)).await.unwrap().state;
            assert!(matches!(state, OutputState::Ours { metadata_as_wanted: false, .. }), "{state:?}");
            output.write(&values("u1")).await.unwrap();
            assert!(merged.has_note() && merged.entry().version == 2);
        }
        merged.output().remove().await.unwrap();
        assert!(!merged.is_there() && !merged.has_note());
    }
}

/// Another credential is written: until the data are, the former one is there and is ours.
#[tokio::test]
async fn the_former_credential_is_ours_until_the_data_are_written() {
    let mut merged = MergedEntries::new().await;
    let recorded = publish(&merged, "u1", None).await;
    let mut output = merged.output();
    output.observe(Some(&recorded)).await.unwrap();
    let before = merged.entry().data;
    merged.0.vault.meanwhile("POST data", PATH, BTreeMap::default(), Some(before));
    assert!(output.write(&values("u2")).await.is_err());
    // The status is of a backup that has nothing of the first write.
    let announced = merged.output().announced(None, &values("u2")).unwrap();
    merged.record(announced.clone());
    of_record(&merged.0.resource, &announced.id()).unwrap().remove().await.unwrap();
    assert!(!merged.is_there() && !merged.has_note());
}

#[tokio::test]
async fn a_key_that_the_spec_no_longer_names_is_removed() {
    let first = MergedEntries::new().await;
    let recorded = publish(&first, "u1", None).await;
    let later = MergedEntries::with_keys(json!({"client-id": "id"})).await;
    later.0.vault.put(PATH, first.entry());
    let mut output = later.output();
    output.observe(Some(&recorded)).await.unwrap();
    output.write(&values("u1")).await.unwrap();
    assert_eq!(later.entry().data, json!({"theirs": 1, "id": "client-of-u1"}));
}

#[tokio::test]
async fn two_resources_add_different_keys_and_the_same_key_is_refused() {
    let one = MergedEntries::new().await;
    let other = |keys: Value| async move {
        let mut other = MergedEntries::with_keys(keys).await;
        other.0.resource.owner.name = "other".to_owned();
        other
    };
    publish(&one, "u1", None).await;
    let mut two = other(json!({"client-id": "id"})).await;
    two.0.vault.put(PATH, one.entry());
    let recorded = publish(&two, "u2", None).await;
    assert_eq!(two.entry().data, json!({"theirs": 1, "content": "secret-of-u1", "id": "client-of-u2"}));
    two.record(recorded);
    two.output().remove().await.unwrap();
    assert_eq!((two.entry().data, two.entry().custom), (one.entry().data, one.entry().custom));

    let same = other(json!({"client-secret": "content"})).await;
    same.0.vault.put(PATH, one.entry());
    let why = refusal(&same).await;
    assert_eq!(why.reason, Reason::KeyTaken);
    assert!(why.message.contains(&one.0.resource.owner.to_string()), "{}", why.message);
    assert_eq!(same.entry().data, one.entry().data);
}

/// The note of the same resource in a copy of the cluster.
#[tokio::test]
async fn keys_of_a_copy_of_the_cluster_are_ours_once_they_are_taken_over() {
    let mut merged = MergedEntries::new().await;
    let recorded = publish(&merged, "u1", None).await;
    let owner: &Owner = &merged.0.resource.owner;
    let note = EntryNote::of(&merged.entry().custom, owner).unwrap();
    let there = EntryNote::new(owner, &crate::domain::identity::Hint::read("zzzzzz"), note.keys);
    let custom = [(EntryNote::name(owner), there.text().unwrap())].into();
    merged.0.vault.put(PATH, Entry { custom, ..merged.entry() });
    merged.record(recorded.clone());
    merged.come_due();
    let seen = state(&merged, Some(&recorded)).await;
    assert!(matches!(&seen, OutputState::Foreign(whose) if whose.contains("another cluster")), "{seen:?}");
    merged.output().remove().await.unwrap();
    assert!(merged.is_there());
    merged.0.resource.taken_over = vec![crate::domain::identity::Hint::read("zzzzzz")];
    publish(&merged, "u1", Some(&recorded)).await;
    let hint = EntryNote::of(&merged.entry().custom, &merged.0.resource.owner).unwrap().hint();
    assert_eq!(hint, merged.0.resource.ctx.installation.hint);
}

#[tokio::test]
async fn names_of_keys_that_are_too_long_for_a_note_are_reported() {
    let key = "k".repeat(200);
    let keys = json!({"client-secret": key, "client-id": format!("{key}i"), "token-url": format!("{key}t")});
    let merged = MergedEntries::with_keys(keys).await;
    let why = refusal(&merged).await;
    assert_eq!(why.reason, Reason::OutputInvalid);
    assert!(why.message.contains("512 bytes"), "{}", why.message);
}
