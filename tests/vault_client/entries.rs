//! Entries: read, written, marked and deleted.

use std::collections::BTreeMap;

use secrecy::ExposeSecret as _;
use serde_json::json;
use technical_user_operator::domain::vault::path::EntryPath;
use technical_user_operator::vault::{Content, Entry, Fields, Metadata, VaultClient, VaultError};

use crate::server::{Server, facts};
use crate::support::{app_role, client, content, entry, mark_as_found, root, set_up};

facts!(
    an_entry_is_written_once_and_then_only_over_the_known_version,
    a_mark_is_there_before_the_data_and_beside_the_marks_of_others,
    marks_that_two_clients_set_and_remove_at_one_moment_are_all_there,
    the_marks_of_another_client_are_kept_without_the_right_to_replace_them,
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
    mark_as_found(&client, &path, &marks(&[("owner", "me/ns/name")])).await.unwrap();
    let marked = Metadata { version: 0, custom_metadata: marks(&[("owner", "me/ns/name")]) };
    assert_eq!(client.metadata(&path).await, Ok(Some(marked)));
    assert!(client.read(&path).await.unwrap().is_none(), "nothing is written yet");
    assert_eq!(client.write(&path, &content("s3cret"), 0).await, Ok(1));
    assert_eq!(read(&client, &path).await.custom_metadata, marks(&[("owner", "me/ns/name")]));

    let api = path.metadata();
    let theirs = json!({"max_versions": 7, "custom_metadata": {"owner": "me/ns/name", "theirs": "x"}});
    set_up(vault, "POST", &api, &theirs).await;
    mark_as_found(&client, &path, &marks(&[("owner", "me/ns/other")])).await.unwrap();
    let found = read(&client, &path).await.custom_metadata;
    assert_eq!(found, marks(&[("owner", "me/ns/other"), ("theirs", "x")]));
    client.unmark(&path, &["owner", "none"]).await.unwrap();
    assert_eq!(client.metadata(&path).await.unwrap().unwrap().custom_metadata, marks(&[("theirs", "x")]));
    let raw = vault.as_root("GET", &api, None).await.unwrap().success().unwrap();
    assert_eq!(raw["data"]["max_versions"], 7, "other settings are kept");
}

/// A POST of custom metadata replaces all of them, so what another client adds between a read and a POST would be lost.
async fn marks_that_two_clients_set_and_remove_at_one_moment_are_all_there(vault: &Server) {
    let auth = app_role(vault, json!({})).await;
    let (one, two) = (client(vault, auth), root(vault));
    for round in 0..20 {
        let path = entry(&format!("shared-{round}"));
        let first = marks(&[("first", "1")]);
        mark_as_found(&one, &path, &first).await.unwrap();
        let (ours, theirs) = (marks(&[("ours", "a")]), marks(&[("theirs", "b")]));
        let (marked, by_other, removed) = tokio::join!(
            mark_as_found(&one, &path, &ours),
            mark_as_found(&two, &path, &theirs),
            two.unmark(&path, &["first"])
        );
        assert_eq!((marked, by_other, removed), (Ok(()), Ok(()), Ok(())));
        let found = one.metadata(&path).await.unwrap().unwrap().custom_metadata;
        assert_eq!(found, marks(&[("ours", "a"), ("theirs", "b")]), "round {round}");
    }
}

/// The policy permits `patch` and no `update`: no call replaces the metadata of another client.
async fn the_marks_of_another_client_are_kept_without_the_right_to_replace_them(vault: &Server) {
    let auth = app_role(vault, json!({})).await;
    let (client, path) = (client(vault, auth), entry("wallet"));
    client.unmark(&path, &["none"]).await.unwrap();
    assert_eq!(client.metadata(&path).await, Ok(None), "nothing is created");
    let theirs = json!({"custom_metadata": {"theirs": "x"}});
    set_up(vault, "POST", &path.metadata(), &theirs).await;
    mark_as_found(&client, &path, &marks(&[("ours", "a")])).await.unwrap();
    let found = client.metadata(&path).await.unwrap().unwrap().custom_metadata;
    assert_eq!(found, marks(&[("ours", "a"), ("theirs", "x")]));
    let allowed = client.capabilities(&[path.metadata()]).await.unwrap();
    assert_eq!(allowed[0].lacks(&["create", "read", "patch", "delete", "update"]), ["update"]);
}

async fn deleted_and_destroyed_versions_are_states_and_no_errors(vault: &Server) {
    let auth = app_role(vault, json!({})).await;
    let (client, path) = (client(vault, auth), entry("wallet"));
    client.write(&path, &content("one"), 0).await.unwrap();
    mark_as_found(&client, &path, &marks(&[("owner", "me")])).await.unwrap();
    set_up(vault, "DELETE", &path.data(), &json!({})).await;
    set_up(vault, "DELETE", &path.data(), &json!({})).await;
    let found = read(&client, &path).await;
    assert!(matches!(found.content, Content::Deleted), "{found:?}");
    assert_eq!((found.version, found.custom_metadata), (1, marks(&[("owner", "me")])));
    assert_eq!(client.write(&path, &content("two"), 0).await, Err(VaultError::CasMismatch));
    assert_eq!(client.write(&path, &content("two"), 1).await, Ok(2));

    let destroy = path.data().replace("secret/data", "secret/destroy");
    set_up(vault, "POST", &destroy, &json!({"versions": [2]})).await;
    let found = read(&client, &path).await;
    assert!(matches!(found.content, Content::Destroyed), "{found:?}");
    assert_eq!(client.write(&path, &content("three"), 2).await, Ok(3));
}

async fn a_deleted_entry_leaves_nothing(vault: &Server) {
    let auth = app_role(vault, json!({})).await;
    let (client, path) = (client(vault, auth), entry("wallet"));
    client.write(&path, &content("one"), 0).await.unwrap();
    mark_as_found(&client, &path, &marks(&[("owner", "me")])).await.unwrap();
    for _ in 0..2 {
        client.delete(&path).await.unwrap();
        assert!(client.read(&path).await.unwrap().is_none());
        assert_eq!(client.metadata(&path).await, Ok(None));
    }
    assert_eq!(client.write(&path, &content("again"), 0).await, Ok(1));
}
