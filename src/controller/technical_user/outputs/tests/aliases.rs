//! Which alias a Secret names: that of an entry that holds the credential of its user.

use serde_json::{Value, json};

use super::super::of_entry;
use super::super::vault_entry::vaults::Vaults;
use super::vault_entries::VaultEntries;
use super::{KindUnderTest as _, values};
use crate::api::technical_user::{Output as Spec, RecordedEntry, RecordedOutput};
use crate::controller::technical_user::outputs::Resource;
use crate::domain::format::{Known, Surroundings, Values};
use crate::domain::reason::Reason;
use crate::domain::user::UserId;

/// What a status records of an output in the Vault: its path in the spec, the alias of its entry, and whose credential that has.
fn recorded(path: &str, alias: &str, user: &str) -> RecordedOutput {
    let entry = RecordedEntry {
        paths_secret: "/v1/secret".into(),
        secret_alias: alias.into(),
        user: user.into(),
        ..RecordedEntry::default()
    };
    RecordedOutput {
        kind: "VaultEntry".into(),
        name: format!("connector/vault/{path}"),
        entry: Some(entry),
        digest: "d1".into(),
        credential: Some(1),
        ..RecordedOutput::default()
    }
}

/// Keys in an entry of another owner, as a status records them.
fn merged(path: &str, user: &str) -> RecordedOutput {
    RecordedOutput { kind: "MergedVaultEntry".into(), ..recorded(path, path, user) }
}

/// A resource whose spec names an entry at this path.
async fn at_path(place: &VaultEntries, path: &str, status: Vec<RecordedOutput>) -> Resource {
    let specs = [path, "second"].map(|path| json!({"path": path}));
    with_outputs(place, &specs, status).await
}

/// A resource whose spec names these outputs in the Vault.
async fn with_outputs(place: &VaultEntries, specs: &[Value], status: Vec<RecordedOutput>) -> Resource {
    let spec = |more: &Value| -> Spec {
        let mut vault = json!({"vaultRef": {"name": "vault"}});
        vault.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        serde_json::from_value(json!({ "vault": vault })).unwrap()
    };
    let specs: Vec<_> = specs.iter().map(spec).collect();
    let mut resource = place.resource.clone();
    let ctx = &resource.ctx;
    resource.stores.vaults = Vaults::of(ctx, &resource.key, Some(&specs), &status).await.unwrap();
    resource.history.outputs = status;
    resource.history.user = Some(UserId::new("u1"));
    resource
}

#[tokio::test]
async fn a_secret_names_the_alias_of_an_entry_that_holds_the_credential_of_its_user() {
    let place = VaultEntries::new().await;
    let in_overlap = RecordedOutput {
        delete_after: Some("2026-11-27T12:00:00Z".into()),
        ..recorded("older", "older-1", "u1")
    };
    let reset = |recorded: RecordedOutput| RecordedOutput { credential: Some(2), ..recorded };
    let begun = RecordedOutput {
        entry: None,
        digest: String::new(),
        begun: recorded("edc", "edc-1", "u1").entry.into_iter().collect(),
        ..recorded("edc", "edc-1", "u1")
    };
    // What is left of a write that was only announced, once another place is written.
    let left = RecordedOutput { digest: String::new(), credential: None, ..recorded("left", "left-1", "u1") };
    let second = || recorded("second", "second-1", "u1");
    for (about, status, expected) in [
        ("nothing is written", vec![], None),
        ("a write that was only announced", vec![begun], None),
        ("one that was only announced elsewhere", vec![left], None),
        ("as the spec wants it", vec![recorded("edc", "edc-1", "u1")], Some("edc-1")),
        ("the credential of another user", vec![recorded("edc", "edc-1", "u0")], None),
        ("the alias was fixed", vec![recorded("edc", "edc", "u1")], Some("edc")),
        ("another path", vec![recorded("former", "former-1", "u1")], Some("former-1")),
        ("another path, and another user", vec![recorded("former", "former-1", "u0")], None),
        ("one that the spec still names", vec![second()], Some("second-1")),
        (
            "before one that the spec still names",
            vec![recorded("former", "former-1", "u1"), second()],
            Some("former-1"),
        ),
        ("not one that is kept for an overlap", vec![in_overlap.clone(), second()], Some("second-1")),
        (
            "the one with the last secret",
            vec![reset(second()), recorded("former", "former-1", "u1")],
            Some("second-1"),
        ),
    ] {
        let resource = at_path(&place, "edc", status).await;
        let found = resource.alias(&UserId::new("u1"), 1, false);
        let found = found.map_err(|why| why.reason);
        assert_eq!(found, expected.map(|alias| Some(alias.to_owned())).ok_or(Reason::NotYet), "{about}");
        let written = resource.alias(&UserId::new("u1"), 1, true).unwrap();
        assert_eq!(written.as_deref(), Some("edc-1"), "{about}: it is written now");
        let successor = resource.alias(&UserId::new("u2"), 2, false);
        assert_eq!(successor.map_err(|why| why.reason), Err(Reason::NotYet), "{about}: the successor");
    }
    let mut without = place.resource.clone();
    without.stores.vaults = Vaults::default();
    assert_eq!(without.alias(&UserId::new("u1"), 1, false), Ok(None));
}

/// A connector reads the key `content`, and an entry of another owner has the keys that its readers expect.
#[tokio::test]
async fn an_entry_of_another_owner_has_no_alias_for_a_secret() {
    let place = VaultEntries::new().await;
    let (app, own) = (json!({"path": "app", "creationPolicy": "Merge"}), json!({"path": "edc"}));
    let user = UserId::new("u1");
    for specs in [[app.clone(), own.clone()], [own, app.clone()]] {
        let only_app = with_outputs(&place, &specs, vec![merged("app", "u1")]).await;
        assert_eq!(only_app.alias(&user, 1, false).map_err(|why| why.reason), Err(Reason::NotYet));
        let both =
            with_outputs(&place, &specs, vec![merged("app", "u1"), recorded("edc", "edc-1", "u1")]).await;
        for written in [false, true] {
            assert_eq!(both.alias(&user, 1, written), Ok(Some("edc-1".to_owned())), "{written}");
        }
    }
    let alone = with_outputs(&place, &[app], vec![merged("app", "u1")]).await;
    for written in [false, true] {
        assert_eq!(alone.alias(&user, 1, written), Ok(None), "{written}");
    }
    let spec: Spec = serde_json::from_value(json!({"secret": {"format": "EdcEnv"}})).unwrap();
    assert!(!of_entry(&alone, &spec).unwrap().names_alias());
}

/// The annotation of a Secret shows that its alias is another one, and not that its user is.
#[tokio::test]
async fn a_secret_shows_which_alias_it_names_without_a_read_of_the_user() {
    let place = VaultEntries::new().await;
    let digest = |resource: &Resource, spec: Value, values: Option<&Values>| {
        let known = Known { surroundings: Surroundings::default(), ..Known::default() };
        let resource = Resource { known: Some(known), ..resource.clone() };
        let spec = serde_json::from_value(spec).unwrap();
        let layout = super::super::layout::Layout::new(&spec, &resource);
        match values {
            Some(values) => layout.digest_of(&resource, values),
            None => layout.digest(&resource.ctx.installation.digest_key),
        }
    };
    let variables = || json!({"format": "EdcEnv"});
    let named = |alias: &str, generation| {
        let surroundings = Surroundings { secret_alias: Some(alias.to_owned()), ..Surroundings::default() };
        Values { generation, surroundings, ..values("u1") }
    };
    let written = at_path(&place, "edc", vec![recorded("edc", "edc-1", "u1")]).await;
    let moved = at_path(&place, "other", vec![recorded("edc", "edc-1", "u1")]).await;
    let done = at_path(&place, "other", vec![recorded("other", "other-1", "u1")]).await;
    assert_eq!(digest(&written, variables(), None), digest(&moved, variables(), None), "not written yet");
    assert_ne!(digest(&moved, variables(), None), digest(&done, variables(), None));
    let kept = digest(&moved, variables(), Some(&named("edc-1", 1)));
    assert_eq!(kept, digest(&moved, variables(), None));
    let changed = digest(&moved, variables(), Some(&named("other-1", 1)));
    assert_eq!(changed, digest(&done, variables(), None), "what is written is what is wanted after it");
    let successor = digest(&written, variables(), Some(&named("edc-2", 2)));
    assert_eq!(successor, digest(&written, variables(), None), "its user is no part of it");
    let own = json!({"format": "EdcEnv", "secretAlias": "mine"});
    assert_eq!(digest(&moved, own.clone(), None), digest(&done, own.clone(), None));
    assert_eq!(digest(&moved, own.clone(), None), digest(&moved, own, Some(&named("other-1", 1))));
}

#[tokio::test]
async fn only_formats_with_the_alias_wait_for_the_entry() {
    let place = VaultEntries::new().await;
    let resource = at_path(&place, "edc", Vec::new()).await;
    for (secret, names) in [
        (json!({"format": "EdcEnv"}), true),
        (json!({"format": "EdcEnv", "immutable": true}), true),
        (json!({"format": "EdcEnv", "creationPolicy": "Merge"}), true),
        (json!({"format": "EdcEnv", "secretAlias": "mine"}), false),
        (json!({"format": "Template", "template": {"a": "{{ secretAlias }}"}}), true),
        (json!({"format": "Template", "template": {"a": "{{ did }}"}}), false),
        (json!({}), false),
    ] {
        let spec: Spec = serde_json::from_value(json!({ "secret": secret })).unwrap();
        let output = of_entry(&resource, &spec).unwrap();
        assert_eq!(output.names_alias(), names, "{secret}");
    }
    assert!(!place.output().names_alias());
}
