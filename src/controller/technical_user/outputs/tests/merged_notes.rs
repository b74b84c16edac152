//! The note on an entry of another owner: which keys it makes ours, and that it always fits.

use serde_json::{Value, json};

use super::merged_entries::{MergedEntries, PATH, refusal};
use super::{KindUnderTest, publish, state, values};
use crate::api::technical_user::RecordedOutput;
use crate::controller::technical_user::failure::Failure;
use crate::controller::test_support::vault::Entry;
use crate::controller::vault::note::EntryNote;
use crate::domain::identity::Hint;
use crate::domain::plan::OutputState;
use crate::domain::reason::Reason;

/// The keys of the format Raw, each with a name in the entry that ends so.
fn keys(of: &[&str], end: &str) -> Value {
    of.iter()
        .map(|key| ((*key).to_owned(), json!(format!("{key}{end}"))))
        .collect::<serde_json::Map<_, _>>()
        .into()
}

const FOUR: [&str; 4] = ["client-id", "client-secret", "token-url", "technical-user-id"];

/// The same resource with other keys in its spec, with the entry as it is.
async fn with_other_keys(merged: &MergedEntries, keys: Value, recorded: &RecordedOutput) -> MergedEntries {
    let mut other = MergedEntries::with_keys(keys).await;
    other.0.vault.put(PATH, merged.entry());
    other.record(recorded.clone());
    other.come_due();
    other
}

fn note(merged: &MergedEntries) -> EntryNote {
    EntryNote::of(&merged.entry().custom, &merged.0.resource.owner).unwrap()
}

/// The note is that of a copy of the cluster, whose users this one takes over.
fn take_over(merged: &mut MergedEntries, keys: &[&str]) {
    let known = keys.iter().map(|key| ((*key).to_owned(), vec!["of another".to_owned()])).collect();
    let owner = &merged.0.resource.owner;
    let there = EntryNote::new(owner, &Hint::read("zzzzzz"), known);
    let custom = [(EntryNote::name(owner), there.text().unwrap())].into();
    merged.0.vault.put(PATH, Entry { custom, ..merged.entry() });
    merged.0.resource.taken_over = vec![Hint::read("zzzzzz")];
}

#[tokio::test]
async fn the_note_has_only_the_keys_and_values_that_are_there() {
    let first = MergedEntries::new().await;
    let recorded = publish(&first, "u1", None).await;
    let recorded = publish(&first, "u2", Some(&recorded)).await;
    assert_eq!(note(&first).keys["content"].len(), 1, "the former value is gone");
    let later = with_other_keys(&first, json!({"client-id": "id"}), &recorded).await;
    let recorded = publish(&later, "u2", Some(&recorded)).await;
    assert_eq!(note(&later).keys.keys().collect::<Vec<_>>(), ["id"]);
    let seen = state(&later, Some(&recorded)).await;
    assert!(matches!(seen, OutputState::Ours { metadata_as_wanted: true, .. }), "{seen:?}");
}

/// The operator ended before the note had only what is there: the next comparison repairs that, without a new version.
#[tokio::test]
async fn a_note_with_a_former_key_is_repaired() {
    let merged = MergedEntries::new().await;
    let recorded = publish(&merged, "u1", None).await;
    let mut with_more = note(&merged);
    with_more.keys.insert("former".into(), vec!["digest".into()]);
    let custom = [(EntryNote::name(&merged.0.resource.owner), with_more.text().unwrap())].into();
    merged.0.vault.put(PATH, Entry { custom, ..merged.entry() });
    merged.come_due();
    let seen = state(&merged, Some(&recorded)).await;
    assert!(matches!(seen, OutputState::Ours { metadata_as_wanted: false, .. }), "{seen:?}");
    publish(&merged, "u1", Some(&recorded)).await;
    assert_eq!((note(&merged).keys.len(), merged.entry().version), (1, 2));
}

/// The digests of a copy of the cluster have another key. A key that its note has, and neither the spec nor the status names, may
/// be one that the owner has written since.
#[tokio::test]
async fn a_take_over_leaves_the_keys_of_the_owner_that_a_note_has() {
    let theirs = json!({"content": "of the owner", "id": "client-of-u1"});
    for writes in [true, false] {
        let first = MergedEntries::with_keys(json!({"client-id": "id"})).await;
        let recorded = publish(&first, "u1", None).await;
        let mut merged = with_other_keys(&first, json!({"client-id": "id"}), &recorded).await;
        merged.0.vault.change(PATH, theirs.clone());
        take_over(&mut merged, &["content", "id"]);
        if writes {
            let recorded = publish(&merged, "u1", Some(&recorded)).await;
            merged.record(recorded);
        }
        merged.output().remove().await.unwrap();
        assert_eq!(merged.entry().data, json!({"content": "of the owner"}), "writes: {writes}");
    }
    // Without a status, the spec decides.
    let mut merged = MergedEntries::with_keys(json!({"client-id": "id"})).await;
    merged.0.vault.change(PATH, theirs.clone());
    take_over(&mut merged, &["content", "id"]);
    publish(&merged, "u1", None).await;
    assert_eq!(merged.entry().data, theirs);
}

#[tokio::test]
async fn names_of_keys_that_fit_only_until_the_next_rotation_are_reported() {
    let (one, other) = ("k".repeat(197), "l".repeat(197));
    let merged = MergedEntries::with_keys(json!({"client-secret": one, "client-id": other})).await;
    let digests = [one, other].map(|key| (key, vec!["0123456789ab".to_owned()]));
    let (owner, hint) = (&merged.0.resource.owner, &merged.0.resource.ctx.installation.hint);
    assert!(EntryNote::new(owner, hint, digests.into()).text().is_some(), "the first note fits");
    let why = refusal(&merged).await;
    assert_eq!(why.reason, Reason::OutputInvalid);
}

/// Former and next names are too long for one note.
#[tokio::test]
async fn many_keys_are_renamed_in_two_versions() {
    let first = MergedEntries::with_keys(keys(&FOUR, "-before-the-change-of-the-spec")).await;
    let recorded = publish(&first, "u1", None).await;
    let end = "-after-the-change-of-the-spec";
    let later = with_other_keys(&first, keys(&FOUR, end), &recorded).await;
    let recorded = publish(&later, "u1", Some(&recorded)).await;
    let entry = later.entry();
    assert_eq!((entry.version, entry.data.as_object().unwrap().len()), (4, 5));
    assert_eq!(entry.data[format!("client-secret{end}")], "secret-of-u1");
    publish(&later, "u2", Some(&recorded)).await;
    assert_eq!(note(&later).keys.len(), 4);
}

/// The owner deletes its entry while the operator writes: nothing of it is created again.
#[tokio::test]
async fn an_entry_that_its_owner_deletes_meanwhile_is_not_created() {
    for request in ["GET data", "PATCH metadata", "POST data"] {
        let merged = MergedEntries::new().await;
        let mut output = merged.output();
        output.observe(None).await.unwrap();
        merged.0.vault.removed_meanwhile(request, PATH);
        let written = output.write(&values("u1")).await;
        assert!(merged.0.vault.get(PATH).is_none(), "{request}");
        assert!(matches!(written, Err(Failure::Overtaken)), "{request}: {written:?}");
    }
}
