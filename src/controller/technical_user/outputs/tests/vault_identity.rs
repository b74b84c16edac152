//! Whose an entry in a Vault is and where: the mark, the server, the folder.

use std::sync::Arc;

use serde_json::json;

use super::super::vault_entry::vaults::Vaults;
use super::super::vault_entry::vaults::id_of;
use super::vault_entries::{PATH, VaultEntries};
use super::{KindUnderTest as _, publish, values};
use crate::api::technical_user::{Output as Spec, RecordedEntry, RecordedOutput};
use crate::controller::technical_user::failure::Failure;
use crate::controller::test_support::apiserver::{Apiserver, context};
use crate::controller::test_support::vault::Entry;
use crate::domain::plan::OutputState;
use crate::domain::reason::Reason;

/// Another server has nothing of what was written to the former one, and the operator cannot reach that any more.
#[tokio::test]
async fn an_address_that_leads_to_another_server_gets_an_entry_of_its_own() {
    let mut place = VaultEntries::new().await;
    let recorded = publish(&place, "u1", None).await;
    place.record(recorded.clone());
    place.leads_to("cluster-2");
    place.delete();
    let mut output = place.output();
    assert_eq!(output.observe(Some(&recorded)).await.unwrap().state, OutputState::Absent);
    output.write(&values("u1")).await.unwrap();
    let replaced = output.record(&recorded.digest, Some(&recorded), true).unwrap();
    assert_eq!(replaced.entry.as_ref().unwrap().server, "cluster-2");
    let former = output.superseded().remove(0);
    assert_eq!(former.entry.as_ref().unwrap().server, "cluster-1");
    place.record(former.clone());
    super::super::of_record(&place.resource, &former.id()).unwrap().remove().await.unwrap();
    assert!(place.is_there(), "it is that of the other server");
}

/// A server that has the same entry, such as a replica that took over, needs no other one.
#[tokio::test]
async fn an_entry_that_another_server_has_as_well_is_recorded_there() {
    let place = VaultEntries::new().await;
    let recorded = publish(&place, "u1", None).await;
    place.leads_to("cluster-2");
    let mut output = place.output();
    assert!(matches!(
        output.observe(Some(&recorded)).await.unwrap().state,
        OutputState::Ours { metadata_as_wanted: true, .. }
    ));
    let found = output.record(&recorded.digest, Some(&recorded), false).unwrap();
    assert_eq!(found.entry.unwrap().server, "cluster-2");
    assert!(output.superseded().is_empty());
    assert_eq!(place.vault.get(PATH).unwrap().version, 1);
}

/// A person who replaces the custom metadata of an entry does not take it over.
#[tokio::test]
async fn an_entry_that_lost_its_mark_is_marked_again_and_removed() {
    for heals in [true, false] {
        let mut place = VaultEntries::new().await;
        let recorded = publish(&place, "u1", None).await;
        place.record(recorded.clone());
        let team = [("team".to_owned(), "blue".to_owned())];
        let mut marked = place.vault.get(PATH).unwrap().custom;
        marked.extend(team.clone());
        place.vault.put(PATH, Entry { custom: team.clone().into(), ..place.vault.get(PATH).unwrap() });
        if heals {
            place.come_due();
            let mut output = place.output();
            let state = output.observe(Some(&recorded)).await.unwrap().state;
            assert!(matches!(state, OutputState::Ours { metadata_as_wanted: false, .. }), "{state:?}");
            output.write(&values("u1")).await.unwrap();
            let entry = place.vault.get(PATH).unwrap();
            assert_eq!((entry.version, entry.custom), (1, marked), "the metadata of others is kept");
        }
        place.output().remove().await.unwrap();
        assert!(!place.is_there());
    }
}

#[tokio::test]
async fn an_entry_remains_in_the_folder_that_a_rule_still_permits() {
    let place = VaultEntries::new().await;
    let rule = |prefix: &str| json!({"namespaces": {"from": "Same"}, "prefix": prefix});
    let mut ctx = context(Apiserver::default().client());
    place.vault.serve_with(
        &mut ctx,
        "connector",
        &json!({"access": [rule("new"), rule("old"), rule("old/deep")]}),
    );
    let folder = async |path: Option<&str>, recorded: Option<&str>| {
        let spec: Spec =
            serde_json::from_value(json!({"vault": {"vaultRef": {"name": "vault"}, "path": path}})).unwrap();
        let id = id_of(&place.resource.key, spec.vault.as_ref().unwrap());
        let entry =
            recorded.map(|folder| RecordedEntry { folder: folder.to_owned(), ..RecordedEntry::default() });
        let recorded = RecordedOutput {
            kind: id.kind.clone(),
            name: id.name.clone(),
            entry,
            digest: "d1".into(),
            ..RecordedOutput::default()
        };
        let vaults = Vaults::of(&ctx, &place.resource.key, Some(&[spec]), &[recorded]).await.unwrap();
        vaults.place(&id).unwrap().unwrap().folder.as_str().to_owned()
    };
    assert_eq!(folder(None, None).await, "new");
    assert_eq!(folder(None, Some("old")).await, "old");
    assert_eq!(folder(None, Some("forbidden")).await, "new");
    assert_eq!(folder(Some("old/deep/edc"), None).await, "old");
    assert_eq!(folder(Some("old/deep/edc"), Some("old/deep")).await, "old/deep");
    assert_eq!(folder(Some("new/edc"), Some("old")).await, "new");
}

#[tokio::test]
async fn two_outputs_with_one_entry_are_refused() {
    let place = VaultEntries::new().await;
    let rule = json!({"namespaces": {"from": "Same"}, "prefix": "teams"});
    let mut ctx = context(Apiserver::default().client());
    place.vault.serve_with(&mut ctx, "connector", &json!({"access": [rule]}));
    let specs = [None, Some("teams/other"), Some("teams/edc")].map(|path| -> Spec {
        serde_json::from_value(json!({"vault": {"vaultRef": {"name": "vault"}, "path": path}})).unwrap()
    });
    let key = &place.resource.key;
    let vaults = Vaults::of(&ctx, key, Some(&specs), &[]).await.unwrap();
    let why = specs.each_ref().map(|spec| {
        let id = id_of(key, spec.vault.as_ref().unwrap());
        vaults.place(&id).unwrap().err().map(|why| why.reason)
    });
    assert_eq!(why, [None, None, Some(Reason::OutputInvalid)]);
}

/// Which server answers at the address of the second Vault resource is known after its first check.
#[tokio::test]
async fn two_outputs_with_one_entry_are_refused_also_where_they_name_two_vault_resources() {
    for (vaults, server_of_other, refused) in [
        (["other", "other"], None, true),
        (["vault", "other"], None, false),
        (["vault", "other"], Some("cluster-2"), false),
        (["vault", "other"], Some("cluster-1"), true),
    ] {
        let mut place = VaultEntries::new().await;
        let mut ctx = context(Apiserver::default().client());
        let rule = json!({"namespaces": {"from": "Same"}, "prefix": "teams"});
        place.vault.serve_all(&mut ctx, "connector", &["vault", "other"], &json!({"access": [rule]}));
        place.resource.ctx = Arc::new(ctx);
        if let Some(server) = server_of_other {
            place.answers("other", server);
        }
        // The second one names the path that the first one has by the name of the resource.
        let spec = |vault: &str, path: Option<&str>| -> Spec {
            serde_json::from_value(json!({"vault": {"vaultRef": {"name": vault}, "path": path}})).unwrap()
        };
        let specs = [spec(vaults[0], None), spec(vaults[1], Some("teams/edc"))];
        let found = Vaults::of(&place.resource.ctx, &place.resource.key, Some(&specs), &[]).await.unwrap();
        let id = id_of(&place.resource.key, specs[1].vault.as_ref().unwrap());
        let why = found.place(&id).unwrap().err().map(|why| why.reason);
        assert_eq!(why, refused.then_some(Reason::OutputInvalid), "{vaults:?} {server_of_other:?}");
    }
}

/// What another client puts into the place of an entry that was deleted is not ours, though the status has its version.
#[tokio::test]
async fn an_entry_that_another_client_created_again_is_not_marked() {
    let mut place = VaultEntries::new().await;
    let recorded = publish(&place, "u1", None).await;
    place.record(recorded.clone());
    let theirs = Entry { version: 1, data: json!({"content": "of a person"}), ..Entry::default() };
    place.vault.put(PATH, theirs);
    let mut output = place.output();
    output.observe(Some(&recorded)).await.unwrap();
    assert!(matches!(output.write(&values("u2")).await, Err(Failure::Overtaken)));
    let entry = place.vault.get(PATH).unwrap();
    assert_eq!((entry.version, entry.custom.len()), (1, 0));
}

/// Under deletion an entry on another server is tried again, and listed in the end: the address may be corrected.
#[tokio::test]
async fn a_deletion_does_not_take_an_entry_on_another_server_for_removed() {
    let mut place = VaultEntries::new().await;
    let recorded = publish(&place, "u1", None).await;
    place.record(recorded);
    place.resource.deleting = true;
    place.resource.stores.vaults = Vaults::default();
    let entry = place.vault.get(PATH).unwrap();
    place.leads_to("cluster-2");
    place.delete();
    let failure = place.output().remove().await.unwrap_err();
    assert!(matches!(failure, Failure::OutputUnavailable(why) if why.reason == Reason::EntryAbandoned));
    // A replica has the entry as well, and the operator removes it there.
    place.vault.put(PATH, entry);
    place.output().remove().await.unwrap();
    assert!(!place.is_there());
}

/// Nothing lists an entry whose Vault resource is gone, so its `TechnicalUser` reports it.
#[tokio::test]
async fn an_entry_in_a_vault_that_cannot_be_read_is_reported_with_its_resource() {
    let mut place = VaultEntries::new().await;
    let recorded = publish(&place, "u1", None).await;
    place.record(recorded);
    place.resource.ctx = Arc::new(context(place.apiserver.client()));
    place.output().abandon("It is down.").await.unwrap();
    place
        .apiserver
        .eventually_event(|note| {
            note.contains("secret/data/edc-1") && note.contains("There is no Vault connector/vault")
        })
        .await;
}

/// An output that moved to another Vault resource: whether both are one server is known before its former entry is removed.
#[tokio::test]
async fn a_former_entry_is_kept_while_it_may_be_the_current_one() {
    for (server, same) in [("cluster-1", true), ("cluster-2", false)] {
        let mut place = VaultEntries::new().await;
        let recorded = publish(&place, "u1", None).await;
        place.moves_to_other().await;
        place.record(recorded.clone());
        let remove =
            async || super::super::of_record(&place.resource, &recorded.id()).unwrap().remove().await;
        let failure = remove().await.unwrap_err();
        assert!(matches!(failure, Failure::OutputUnavailable(why) if why.reason == Reason::VaultNotReady));
        assert!(place.is_there());
        place.answers("other", server);
        remove().await.unwrap();
        assert_eq!(place.is_there(), same, "{server}");
    }
}

/// The place of a later user does not keep the entry of the present one from being repaired.
#[tokio::test]
async fn only_the_place_is_asked_about_that_is_written() {
    let place = VaultEntries::new().await;
    let recorded = publish(&place, "u1", None).await;
    place.vault.put("edc-2", Entry { version: 3, data: json!({"content": "theirs"}), ..Entry::default() });
    place.vault.forbid("edc-3");
    place.delete();
    place.come_due();
    let mut output = place.output();
    let state = output.observe(Some(&recorded)).await.unwrap().state;
    let mut why = async |generation| {
        output.prove_writable(&state, generation).await.unwrap().err().map(|why| why.reason)
    };
    assert_eq!(why(1).await, None);
    assert_eq!(why(2).await, Some(Reason::OutputNotOurs));
    assert_eq!(why(3).await, Some(Reason::PolicyTooNarrow));
    assert_eq!(why(4).await, None);
    // A foreign entry in the present place says nothing of the place of the successor.
    place.put_foreign();
    let mut output = place.output();
    let state = output.observe(None).await.unwrap().state;
    assert_eq!(output.prove_writable(&state, 1).await.unwrap().unwrap_err().reason, Reason::OutputNotOurs);
    assert!(output.prove_writable(&state, 4).await.unwrap().is_ok());
}

/// A Secret with the variables of a connector names the alias of the entry, so the entry is written first.
#[tokio::test]
async fn an_entry_comes_before_the_secrets_that_may_name_its_alias() {
    let place = VaultEntries::new().await;
    let specs: Vec<Spec> = serde_json::from_value(json!([
        {"secret": {"name": "b"}}, {"vault": {"vaultRef": {"name": "vault"}}}, {"secret": {"name": "a"}},
    ]))
    .unwrap();
    let outputs = super::super::of_spec(&place.resource, Some(&specs));
    let names: Vec<_> = outputs.iter().map(|output| output.id().name.as_str()).collect();
    assert_eq!(names, ["connector/vault/edc", "b", "a"]);
}

/// An entry and one whose write was only announced may have one path on two servers, which a third one replaces.
#[tokio::test]
async fn entries_of_one_path_on_two_servers_have_two_names() {
    let mut place = VaultEntries::new().await;
    let recorded = publish(&place, "u1", None).await;
    place.leads_to("cluster-2");
    let announced = place.output().announced(Some(&recorded), &values("u1")).unwrap();
    place.record(announced.clone());
    place.leads_to("cluster-3");
    place.delete();
    let mut output = place.output();
    output.observe(Some(&announced)).await.unwrap();
    output.write(&values("u1")).await.unwrap();
    let former = output.superseded();
    let servers: Vec<_> = former.iter().map(|former| &*former.entry.as_ref().unwrap().server).collect();
    assert_eq!(servers, ["cluster-1", "cluster-2"]);
    assert_ne!(former[0].name, former[1].name);
}
