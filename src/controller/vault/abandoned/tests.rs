use super::*;
use crate::controller::test_support::apiserver::{Apiserver, context};
use crate::controller::test_support::vault::{Entry, Vault};
use crate::controller::vault::checks::check;
use crate::controller::vault::note;
use crate::k8s::stored::StoredObject;

const OWNER: &str = "prod/tenant/edc";

struct Scene {
    ctx: Arc<Context>,
    apiserver: Apiserver,
    vault: Vault,
    key: Key,
    spec: VaultSpec,
}

/// A Vault that has the entry `edc-1` with the mark of an owner.
fn scene(owner: &str) -> Scene {
    let (apiserver, vault) = (Apiserver::default(), Vault::default());
    let mut ctx = context(apiserver.client());
    vault.serve(&mut ctx, "ops");
    apiserver.put("ops", "vault-token", json!({"data": {"token": "aHZzLnQ="}}));
    let custom = EntryMark::custom_metadata(owner, &ctx.installation.hint);
    vault.put("edc-1", Entry { version: 1, data: json!({}), custom });
    let key = Key { namespace: "ops".into(), name: "vault".into() };
    let spec = part(&ctx.vaults.get(&key).unwrap(), "spec").unwrap();
    Scene { ctx: Arc::new(ctx), apiserver, vault, key, spec }
}

fn left(path: &str, owner: &str) -> AbandonedEntry {
    let why = "It is down.".into();
    AbandonedEntry { path: path.into(), owner: owner.into(), why, ..AbandonedEntry::default() }
}

impl Scene {
    /// What is listed of an entry after a check, and what the check found.
    async fn check(
        &self,
        entry: AbandonedEntry,
    ) -> (Vec<AbandonedEntry>, Result<String, crate::domain::blocker::Blocker>) {
        let found = check(&self.ctx, &self.key, (&self.spec, "")).await;
        let listed = clean_up(&self.ctx, &self.key, &found.site.unwrap(), &[entry]).await;
        (listed, found.version)
    }

    fn user(&self, outputs: &serde_json::Value) {
        let user = json!({
            "apiVersion": "technicaluser.dev/v1alpha1", "kind": "TechnicalUser",
            "spec": {"outputs": []}, "status": {"outputs": outputs},
        });
        self.apiserver.put_object("technicalusers", "tenant", "edc", user);
    }

    /// Whether the entry is there, and whether it is listed.
    async fn after_check(&self, owner: &str) -> (bool, bool) {
        let (listed, _) = self.check(left("secret/data/edc-1", owner)).await;
        (self.vault.get("edc-1").is_some(), !listed.is_empty())
    }
}

#[tokio::test]
async fn an_entry_is_listed_as_long_as_it_is_left() {
    let removed = scene(OWNER);
    assert_eq!(removed.after_check(OWNER).await, (false, false));
    assert_eq!(scene("another").after_check(OWNER).await, (true, false), "it is another client's");
    for unknown in ["no owner", "stage/tenant/edc"] {
        assert_eq!(scene(unknown).after_check(unknown).await, (true, true), "{unknown}");
    }
    let hidden = scene(OWNER);
    hidden.apiserver.hide("technicalusers");
    assert_eq!(hidden.after_check(OWNER).await, (true, true), "nobody knows whether the resource exists");

    let again = scene(OWNER);
    again.user(&json!([]));
    assert_eq!(again.after_check(OWNER).await, (false, false), "created again with other outputs");
    let again = scene(OWNER);
    again.user(&json!([{"kind": "VaultEntry", "name": "ops/vault/edc", "entry":
        {"pathsSecret": "/v1/secret", "secretAlias": "edc-1", "user": "u"}}]));
    assert_eq!(again.after_check(OWNER).await, (true, false), "created again with the same output");
}

/// Keys in an entry of another owner: the entry is as its owner wrote it after that.
#[tokio::test]
async fn keys_that_are_left_are_removed_from_an_entry_that_is_kept() {
    let scene = scene(OWNER);
    let (digests, owner) = (&scene.ctx.installation.digest_key, Owner::parse(OWNER).unwrap());
    let keys = [("content", "s3cret"), ("id", "sa1"), ("gone", "x")];
    let keys = keys.map(|(key, value)| (key.to_owned(), vec![note::digest(digests, key, &value.into())]));
    let note = EntryNote::new(&owner, &scene.ctx.installation.hint, keys.into());
    let note = [(EntryNote::name(&owner), note.text().unwrap())];
    let of_another = EntryMark::custom_metadata("prod/tenant/another", &scene.ctx.installation.hint);
    for theirs in [[("team".to_owned(), "blue".to_owned())].into(), of_another] {
        let custom = theirs.clone().into_iter().chain(note.clone()).collect();
        let data = json!({"theirs": 1, "content": "s3cret", "id": "of the owner"});
        scene.vault.put("edc-1", Entry { version: 1, data, custom });
        assert_eq!(scene.after_check(OWNER).await, (true, false));
        let entry = scene.vault.get("edc-1").unwrap();
        assert_eq!(entry.data, json!({"theirs": 1, "id": "of the owner"}));
        assert_eq!(entry.custom, theirs);
    }
}

/// Another client wrote the data after the mark, or changed them.
#[tokio::test]
async fn an_entry_with_other_data_than_its_mark_has_is_kept_unless_it_was_written() {
    let scene = scene(OWNER);
    let custom = EntryMark::for_content(OWNER, &scene.ctx.installation.hint, "of other data");
    scene.vault.put("edc-1", Entry { version: 1, data: json!({"content": "of another"}), custom });
    assert_eq!(scene.after_check(OWNER).await, (true, false));
    let written = AbandonedEntry { written: true, ..left("secret/data/edc-1", OWNER) };
    let (listed, _) = scene.check(written).await;
    assert!(listed.is_empty() && scene.vault.get("edc-1").is_none());
}

/// Its resource had permission to take over the users of the installation that wrote the entry.
#[tokio::test]
async fn an_entry_of_another_installation_is_removed_if_it_was_taken_over() {
    let scene = scene(OWNER);
    let there = || EntryMark::for_content(OWNER, &Hint::read("zzzzzz"), "of another key");
    scene.vault.put("edc-1", Entry { version: 1, data: json!({"content": "s3cret"}), custom: there() });
    assert_eq!(scene.after_check(OWNER).await, (true, true));
    for (hint, is_left) in [("yyyyyy", true), ("zzzzzz", false)] {
        let entry = AbandonedEntry { taken_over: vec![hint.into()], ..left("secret/data/edc-1", OWNER) };
        let (listed, _) = scene.check(entry).await;
        assert_eq!((scene.vault.get("edc-1").is_some(), !listed.is_empty()), (is_left, is_left), "{hint}");
    }
}

/// The mark alone is there, or the status did not record the write of the data that it has the digest of.
#[tokio::test]
async fn an_entry_whose_write_the_status_did_not_record_is_removed_with_the_data_of_its_mark() {
    let scene = scene(OWNER);
    let content = [("content".to_owned(), "s3cret".into())].into();
    let digest = scene.ctx.installation.digest_key.of_content(&content);
    for (version, data) in [(0, serde_json::Value::Null), (1, json!({"content": "s3cret"}))] {
        let custom = EntryMark::for_content(OWNER, &scene.ctx.installation.hint, &digest);
        scene.vault.put("edc-1", Entry { version, data, custom });
        assert_eq!(scene.after_check(OWNER).await, (false, false), "{version}");
    }
}

/// Another server has another entry at the same path, or none yet.
#[tokio::test]
async fn an_entry_on_another_server_is_neither_removed_nor_taken_for_removed() {
    let there = |server: &str| AbandonedEntry { server: server.into(), ..left("secret/data/edc-1", OWNER) };
    for exists in [true, false] {
        let scene = scene(OWNER);
        if !exists {
            scene.vault.remove("edc-1");
        }
        let (listed, _) = scene.check(there("another")).await;
        assert_eq!((listed.len(), scene.vault.get("edc-1").is_some()), (1, exists));
        let site = check(&scene.ctx, &scene.key, (&scene.spec, "")).await.site.unwrap();
        let (listed, _) = scene.check(there(site.server.unwrap().as_str())).await;
        assert_eq!((listed.len(), scene.vault.get("edc-1").is_some()), (0, false));
    }
}

#[tokio::test]
async fn a_vault_whose_policy_is_too_narrow_is_cleaned_too() {
    let scene = scene(OWNER);
    scene.vault.narrow();
    let (listed, version) = scene.check(left("secret/data/edc-1", OWNER)).await;
    assert_eq!(version.unwrap_err().reason, Reason::PolicyTooNarrow);
    assert!(listed.is_empty() && scene.vault.get("edc-1").is_none());
    // What cannot be removed is listed still.
    let scene = self::scene(OWNER);
    scene.vault.deny();
    assert_eq!(scene.after_check(OWNER).await, (true, true));
}

#[tokio::test]
async fn an_entry_for_which_the_list_has_no_room_is_reported() {
    let scene = scene(OWNER);
    let entries = |range: std::ops::Range<usize>| -> Vec<_> {
        range.map(|number| left(&format!("secret/data/a-{number}"), OWNER)).collect()
    };
    let object = json!({
        "apiVersion": "technicaluser.dev/v1alpha1", "kind": "Vault", "spec": scene.spec,
        "status": {"abandoned": entries(0..ABANDONED - 1)},
    });
    scene.apiserver.put_object("vaults", "ops", "vault", object);
    list(&scene.ctx, &scene.key, entries(ABANDONED - 2..ABANDONED + 1)).await.unwrap();
    let object = scene.apiserver.object("vaults", "ops", "vault").unwrap();
    assert_eq!(object["status"]["abandoned"].as_array().unwrap().len(), ABANDONED);
    scene
        .apiserver
        .eventually_event(|note| {
            note.contains("/a-128.") && note.contains("status.abandoned of the Vault is full")
        })
        .await;
}

#[tokio::test]
async fn what_is_left_is_removed_or_named_before_the_vault_is_deleted() {
    let object = |scene: &Scene| -> StoredObject {
        serde_json::from_value(json!({
            "apiVersion": "technicaluser.dev/v1alpha1", "kind": "Vault",
            "metadata": {"namespace": "ops", "name": "vault"}, "spec": scene.spec,
            "status": {"abandoned": [left("secret/data/edc-1", OWNER)]},
        }))
        .unwrap()
    };
    let up = scene(OWNER);
    end(&up.ctx, &up.key, &object(&up), Some(&up.spec)).await;
    assert!(up.vault.get("edc-1").is_none());
    let down = scene(OWNER);
    down.vault.seal();
    end(&down.ctx, &down.key, &object(&down), Some(&down.spec)).await;
    down.apiserver.eventually_event(|note| note.contains("secret/data/edc-1. Delete them there")).await;
}
