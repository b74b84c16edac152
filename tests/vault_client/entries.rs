//! Entries: read, written, marked, merged and deleted.

use std::collections::BTreeMap;

use secrecy::ExposeSecret as _;
use serde_json::json;
use technical_user_operator::domain::vault::path::EntryPath;
use technical_user_operator::vault::{Change, Content, Entry, Fields, Metadata, VaultClient, VaultError};

use crate::server::{Server, facts};
use crate::support::{app_role, client, content, entry, root, set_up};

facts!(
    an_entry_is_written_once_and_then_only_over_the_known_version,
    a_mark_is_there_before_the_data_and_beside_the_marks_of_others,
    a_merge_changes_its_own_fields_and_no_others,
    deleted_and_destroyed_versions_are_states_and_no_errors,
    a_deleted_entry_leaves_nothing,
);

async fn read(client: &VaultClient, path: &EntryPath) -> Entry {
    client.read(path).await.unwrap().unwrap()
}

fn fields(entry: &Entry) -> &Fields {
    let Content::Fields(fields) = &entry.content else { panic!("{entry:?}") };
    fields
}

fn marks(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
    pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

async fn an_entry_is_written_once_and_then_only_over_the_known_version(vault: &Server) {
    let auth = app_role(vault, json!({})).await;
    let (client, path) = (client(vault, auth), entry("edc/wallet"));
    assert!(client.read(&path).await.unwrap().is_none());
    assert_eq!(client.write(&path, &content("s3cret"), 0).await, Ok(1));
    assert_eq!(client.write(&path, &content("other"), 0).await, Err(VaultError::CasMismatch));
    assert_eq!(client.write(&path, &content("a\"b\\c é\n"), 1).await, Ok(2));
    let found = read(&client, &path).await;
    assert_eq!(found.version, 2);
    assert_eq!(fields(&found).text("content").unwrap().expose_secret(), "a\"b\\c é\n");
    assert!(!format!("{found:?}").contains("a\\\"b"));
    // As a connector reads it.
    let raw =
        vault.as_root("GET", "secret/data/connectors/edc/wallet", None).await.unwrap().success().unwrap();
    assert_eq!(raw["data"]["data"], json!({"content": "a\"b\\c é\n"}));
}

async fn a_mark_is_there_before_the_data_and_beside_the_marks_of_others(vault: &Server) {
    let (client, path) = (root(vault), entry("wallet"));
    assert_eq!(client.metadata(&path).await, Ok(None));
    client.mark(&path, &marks(&[("owner", "me/ns/name")])).await.unwrap();
    let marked = Metadata { version: 0, custom_metadata: marks(&[("owner", "me/ns/name")]) };
    assert_eq!(client.metadata(&path).await, Ok(Some(marked)));
    assert!(client.read(&path).await.unwrap().is_none(), "nothing is written yet");
    assert_eq!(client.write(&path, &content("s3cret"), 0).await, Ok(1));
    assert_eq!(read(&client, &path).await.custom_metadata, marks(&[("owner", "me/ns/name")]));

    let api = path.metadata();
    let theirs = json!({"max_versions": 7, "custom_metadata": {"owner": "me/ns/name", "theirs": "x"}});
    set_up(vault, "POST", &api, &theirs).await;
    client.mark(&path, &marks(&[("owner", "me/ns/other")])).await.unwrap();
    let found = read(&client, &path).await.custom_metadata;
    assert_eq!(found, marks(&[("owner", "me/ns/other"), ("theirs", "x")]));
    client.unmark(&path, &["owner", "none"]).await.unwrap();
    assert_eq!(client.metadata(&path).await.unwrap().unwrap().custom_metadata, marks(&[("theirs", "x")]));
    let raw = vault.as_root("GET", &api, None).await.unwrap().success().unwrap();
    assert_eq!(raw["data"]["max_versions"], 7, "other settings are kept");
}

async fn a_merge_changes_its_own_fields_and_no_others(vault: &Server) {
    let (client, path) = (root(vault), entry("shared"));
    let theirs =
        json!({"data": {"text": "theirs", "list": [1, {"a": null}], "big": 12_345_678_901_234_567_890_u64}});
    set_up(vault, "POST", &path.data(), &theirs).await;
    // Vault rounds numbers itself; what it has is kept.
    let before = vault.as_root("GET", &path.data(), None).await.unwrap().success().unwrap();
    let ours = Change { set: content("s3cret"), remove: Vec::new() };
    assert_eq!(client.merge(&path, &ours).await, Ok(2));
    assert_eq!(client.merge(&path, &ours).await, Ok(2), "nothing to write");
    let raw = vault.as_root("GET", &path.data(), None).await.unwrap().success().unwrap();
    let mut expected = before["data"]["data"].clone();
    expected["content"] = json!("s3cret");
    assert_eq!(raw["data"]["data"], expected);
    let end = Change { set: Fields::default(), remove: vec!["content".into()] };
    assert_eq!(client.merge(&path, &end).await, Ok(3));
    let raw = vault.as_root("GET", &path.data(), None).await.unwrap().success().unwrap();
    assert_eq!(raw["data"]["data"], before["data"]["data"]);
    assert_eq!(client.merge(&entry("absent"), &end).await, Ok(0), "nothing to remove");
    assert!(client.read(&entry("absent")).await.unwrap().is_none());
}

async fn deleted_and_destroyed_versions_are_states_and_no_errors(vault: &Server) {
    let auth = app_role(vault, json!({})).await;
    let (client, path) = (client(vault, auth), entry("wallet"));
    client.write(&path, &content("one"), 0).await.unwrap();
    client.mark(&path, &marks(&[("owner", "me")])).await.unwrap();
    client.delete_version(&path).await.unwrap();
    client.delete_version(&path).await.unwrap();
    let found = read(&client, &path).await;
    assert!(matches!(found.content, Content::Deleted), "{found:?}");
    assert_eq!((found.version, found.custom_metadata), (1, marks(&[("owner", "me")])));
    assert_eq!(client.write(&path, &content("two"), 0).await, Err(VaultError::CasMismatch));
    assert_eq!(client.write(&path, &content("two"), 1).await, Ok(2));

    let destroy = path.data().replace("secret/data", "secret/destroy");
    set_up(vault, "POST", &destroy, &json!({"versions": [2]})).await;
    let found = read(&client, &path).await;
    assert!(matches!(found.content, Content::Destroyed), "{found:?}");
    assert_eq!(client.merge(&path, &Change { set: content("three"), remove: Vec::new() }).await, Ok(3));
}

async fn a_deleted_entry_leaves_nothing(vault: &Server) {
    let auth = app_role(vault, json!({})).await;
    let (client, path) = (client(vault, auth), entry("wallet"));
    client.write(&path, &content("one"), 0).await.unwrap();
    client.mark(&path, &marks(&[("owner", "me")])).await.unwrap();
    for _ in 0..2 {
        client.delete(&path).await.unwrap();
        assert!(client.read(&path).await.unwrap().is_none());
        assert_eq!(client.metadata(&path).await, Ok(None));
    }
    assert_eq!(client.write(&path, &content("again"), 0).await, Ok(1));
}
