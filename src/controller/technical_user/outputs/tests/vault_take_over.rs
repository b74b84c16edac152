//! Entries of another installation whose users this one takes over.

use serde_json::json;

use super::vault_entries::{PATH, VaultEntries};
use super::{KindUnderTest as _, OWNER, publish, state, values};
use crate::controller::test_support::vault::Entry;
use crate::controller::vault::mark::EntryMark;
use crate::domain::identity::Hint;
use crate::domain::plan::OutputState;

#[tokio::test]
async fn an_entry_of_a_copy_of_the_cluster_is_ours_once_it_is_taken_over() {
    let mut place = VaultEntries::new().await;
    let recorded = publish(&place, "u1", None).await;
    place.record(recorded.clone());
    let mark = |hint: &str| EntryMark::custom_metadata(OWNER, &Hint::read(hint));
    let there = Entry { custom: mark("zzzzzz"), ..place.vault.get(PATH).unwrap() };
    place.vault.put(PATH, there);
    place.come_due();
    let foreign = state(&place, Some(&recorded)).await;
    assert!(
        matches!(&foreign, OutputState::Foreign(whose) if whose.contains("another cluster")),
        "{foreign:?}"
    );
    place.output().remove().await.unwrap();
    assert!(place.is_there());

    place.resource.taken_over = vec![Hint::read("zzzzzz")];
    let mut output = place.output();
    let state = output.observe(Some(&recorded)).await.unwrap().state;
    assert!(matches!(state, OutputState::Ours { metadata_as_wanted: false, .. }), "{state:?}");
    output.write(&values("u1")).await.unwrap();
    let hint = place.resource.ctx.installation.hint.as_str().to_owned();
    let marked = place.vault.get(PATH).unwrap().custom;
    assert!(mark(&hint).iter().all(|(name, value)| marked.get(name) == Some(value)), "{marked:?}");
}

/// The digest in the mark has the key of the other installation, and no status says that the entry was written.
#[tokio::test]
async fn an_entry_is_taken_over_of_which_the_status_says_nothing() {
    for removes in [false, true] {
        let mut place = VaultEntries::new().await;
        let announced = place.output().announced(None, &values("u1")).unwrap();
        publish(&place, "u1", None).await;
        let there = EntryMark::for_content(OWNER, &Hint::read("zzzzzz"), "of another key");
        place.vault.put(PATH, Entry { custom: there, ..place.vault.get(PATH).unwrap() });
        let foreign = state(&place, None).await;
        assert!(
            matches!(&foreign, OutputState::Foreign(whose) if whose.contains("another cluster")),
            "{foreign:?}"
        );
        place.resource.taken_over = vec![Hint::read("zzzzzz")];
        place.record(announced);
        if removes {
            place.output().remove().await.unwrap();
            assert!(!place.is_there());
            continue;
        }
        let mut output = place.output();
        let state = output.observe(None).await.unwrap().state;
        assert!(matches!(state, OutputState::Ours { metadata_as_wanted: false, .. }), "{state:?}");
        output.write(&values("u2")).await.unwrap();
        let entry = place.vault.get(PATH).unwrap();
        assert_eq!(entry.data, json!({"content": "secret-of-u2"}));
        assert_eq!(EntryMark::of(&entry.custom).unwrap().hint, place.resource.ctx.installation.hint);
    }
}

/// The Portal may be gone when the entry can be removed.
#[tokio::test]
async fn an_entry_is_listed_with_the_installations_that_are_taken_over() {
    let mut place = VaultEntries::new().await;
    let recorded = publish(&place, "u1", None).await;
    place.record(recorded);
    place.resource.taken_over = vec![Hint::read("zzzzzz")];
    let vault = json!({"apiVersion": "technicaluser.dev/v1alpha1", "kind": "Vault", "spec": {}});
    place.apiserver.put_object("vaults", "connector", "vault", vault);
    place.output().abandon("It is down.").await.unwrap();
    let vault = place.apiserver.object("vaults", "connector", "vault").unwrap();
    assert_eq!(vault["status"]["abandoned"][0]["takenOver"], json!(["zzzzzz"]));
}
