//! Entries of a Vault.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use parking_lot::Mutex;
use serde_json::{Value, json};

use super::secrets::Secrets;
use super::{KindUnderTest, publish, state, values};
use crate::api::technical_user::{Output as Spec, RecordedOutput};
use crate::controller::objects::Key;
use crate::controller::technical_user::failure::Failure;
use crate::controller::technical_user::outputs::vault_entry::vaults::Vaults;
use crate::controller::technical_user::outputs::{History, Output, Resource, of_entry, of_record};
use crate::controller::test_support::apiserver::{Apiserver, context};
use crate::controller::test_support::vault::{Entry, Vault};
use crate::controller::vault::mark::EntryMark;
use crate::controller::vault::view::state as state_of;
use crate::domain::blocker::Blocker;
use crate::domain::format::Values;
use crate::domain::plan::OutputState;
use crate::domain::reason::Reason;
use crate::domain::vault::place::Server;

/// Entries of a Vault in memory, at the path of the first generation.
pub(super) struct VaultEntries {
    pub(super) vault: Vault,
    pub(super) apiserver: Apiserver,
    pub(super) resource: Resource,
    spec: Spec,
    interval: Mutex<Duration>,
}

pub(super) const PATH: &str = "edc-1";

impl VaultEntries {
    pub(super) async fn new() -> Self {
        Self::with(json!({"vaultRef": {"name": "vault"}})).await
    }

    /// Those that this output of a spec describes.
    pub(super) async fn with(output: Value) -> Self {
        let (vault, apiserver) = (Vault::default(), Apiserver::default());
        let token = json!({"metadata": {}, "data": {"token": "cm9vdA=="}});
        apiserver.put("connector", "vault-token", token);
        let mut ctx = context(apiserver.client());
        vault.serve(&mut ctx, "connector");
        let spec: Spec = serde_json::from_value(json!({ "vault": output })).unwrap();
        let mut resource = Secrets::new().resource;
        resource.stores.vaults =
            Vaults::of(&ctx, &resource.key, Some(std::slice::from_ref(&spec)), &[]).await.unwrap();
        resource.history = History { generation: 1, ..History::default() };
        resource.ctx = Arc::new(ctx);
        Self { vault, apiserver, resource, spec, interval: Mutex::new(Duration::from_hours(1)) }
    }

    /// The spec names the entry by another Vault resource instead. Where that leads to is not known yet.
    pub(super) async fn moves_to_other(&mut self) {
        let mut ctx = context(self.apiserver.client());
        self.vault.serve_named(&mut ctx, "connector", &["vault", "other"]);
        let spec: Spec = serde_json::from_value(json!({"vault": {"vaultRef": {"name": "other"}}})).unwrap();
        self.resource.stores.vaults = Vaults::of(&ctx, &self.resource.key, Some(&[spec]), &[]).await.unwrap();
        self.resource.ctx = Arc::new(ctx);
    }

    /// The address leads to this server from now on.
    pub(super) fn leads_to(&self, cluster: &str) {
        assert!(self.answers("vault", cluster), "it was another server");
    }

    /// This server has answered a check of a Vault; whether it is another one than before.
    pub(super) fn answers(&self, vault: &str, cluster: &str) -> bool {
        answers(&self.resource, vault, cluster)
    }

    /// The last check of the Vault has found this.
    fn finds(&self, result: Result<(), Blocker>) {
        let ctx = &self.resource.ctx;
        let key = Key { namespace: "connector".into(), name: "vault".into() };
        ctx.vault_memory.found(&key, &state_of(&ctx.vaults.get(&key).unwrap()), result);
    }

    fn put(&self, data: Value, owner: Option<&str>) {
        let hint = &self.resource.ctx.installation.hint;
        let custom = owner.map(|owner| EntryMark::custom_metadata(owner, hint)).unwrap_or_default();
        self.vault.put(PATH, Entry { version: 7, data, custom });
    }
}

pub(super) fn answers(resource: &Resource, vault: &str, cluster: &str) -> bool {
    let key = Key { namespace: "connector".into(), name: vault.to_owned() };
    let memory = &resource.ctx.vault_memory;
    let object = resource.ctx.vaults.get(&key).unwrap();
    memory.answered(&key, &state_of(&object), &Server::new(cluster, None))
}

#[async_trait]
impl KindUnderTest for VaultEntries {
    fn output(&self) -> Box<dyn Output> {
        let resource = Resource { verification_interval: *self.interval.lock(), ..self.resource.clone() };
        of_entry(&resource, &self.spec).unwrap()
    }

    fn put_foreign(&self) {
        self.put(json!({"content": "of a person"}), None);
    }

    fn edit(&self) {
        self.vault.change(PATH, json!({"content": "another"}));
    }

    fn delete(&self) {
        self.vault.remove(PATH);
    }

    fn record(&mut self, recorded: RecordedOutput) {
        self.resource.history.outputs = vec![recorded];
    }

    fn come_due(&self) {
        *self.interval.lock() = Duration::ZERO;
    }

    fn deny(&self) {
        self.vault.deny();
    }

    fn is_there(&self) -> bool {
        self.vault.get(PATH).is_some()
    }
}

/// What the status says of an entry does not count again after another client was found to have it, or after a repair that failed.
#[tokio::test]
async fn an_entry_that_is_not_as_it_was_written_is_read_again_until_it_is() {
    let place = VaultEntries::new().await;
    let recorded = publish(&place, "u1", None).await;
    let before = || *place.interval.lock() = Duration::from_hours(1);
    let taken = || place.put_foreign();
    for (change, is_taken) in [(&taken as &dyn Fn(), true), (&|| place.delete(), false)] {
        place.come_due();
        change();
        let found = state(&place, Some(&recorded)).await;
        assert_eq!(matches!(found, OutputState::Foreign(_)), is_taken, "{found:?}");
        before();
        assert_eq!(state(&place, Some(&recorded)).await, found);
    }
    let mut output = place.output();
    output.observe(Some(&recorded)).await.unwrap();
    output.write(&values("u1")).await.unwrap();
    let written = output.record(&recorded.digest, Some(&recorded), true).unwrap();
    place.delete();
    let known = state(&place, Some(&written)).await;
    assert!(matches!(known, OutputState::Ours { user: Some(_), .. }), "it was just written: {known:?}");
}

/// An output whose Vault is sealed is known by its status, and its other methods report that the Vault is down.
#[tokio::test]
async fn a_vault_that_is_sealed_is_reported_as_such() {
    let mut place = VaultEntries::new().await;
    let recorded = publish(&place, "u1", None).await;
    place.record(recorded.clone());
    place.vault.seal();
    assert!(matches!(state(&place, Some(&recorded)).await, OutputState::Ours { .. }), "nothing is due");
    place.come_due();
    let why = |failure: Failure| match failure {
        Failure::OutputUnavailable(blocker) => blocker.reason,
        other => panic!("{other:?}"),
    };
    assert_eq!(why(place.output().observe(Some(&recorded)).await.unwrap_err()), Reason::VaultSealed);
    assert_eq!(
        why(place.output().prove_writable(&OutputState::Absent, 1).await.unwrap_err()),
        Reason::VaultSealed
    );
    assert_eq!(why(place.output().write(&values("u2")).await.unwrap_err()), Reason::VaultSealed);
    assert_eq!(why(place.output().remove().await.unwrap_err()), Reason::VaultSealed);
}

/// The spec named a Vault that does not exist, and names the output no longer.
#[tokio::test]
async fn an_output_that_was_never_written_is_removed_without_its_vault() {
    for kind in ["VaultEntry", "MergedVaultEntry"] {
        let mut place = VaultEntries::new().await;
        let named = RecordedOutput {
            kind: kind.into(),
            name: "connector/nowhere/edc".into(),
            ..RecordedOutput::default()
        };
        place.record(named.clone());
        of_record(&place.resource, &named.id()).unwrap().remove().await.unwrap();
    }
}

/// The check of the Vault tries a login again that was refused, and no output does so.
#[tokio::test]
async fn outputs_wait_for_a_person_who_repairs_the_vault_and_send_nothing() {
    let mut place = VaultEntries::new().await;
    let recorded = publish(&place, "u1", None).await;
    place.record(recorded.clone());
    // A request would be answered with that.
    place.vault.seal();
    place.finds(Err(Blocker::lasting(Reason::LoginRefused, "it is refused")));
    let why = |failure: Failure| match failure {
        Failure::OutputUnavailable(blocker) => blocker,
        other => panic!("{other:?}"),
    };
    let mut found = vec![why(place.output().observe(Some(&recorded)).await.unwrap_err())];
    place.come_due();
    found.push(why(place.output().observe(Some(&recorded)).await.unwrap_err()));
    found.push(why(place.output().prove_writable(&OutputState::Absent, 1).await.unwrap_err()));
    found.push(why(place.output().remove().await.unwrap_err()));
    for blocker in found {
        assert_eq!((blocker.reason, blocker.stalled), (Reason::VaultNotReady, true), "{}", blocker.message);
        assert!(blocker.message.contains("Vault connector/vault is not ready (LoginRefused)"));
    }
    // What passes says nothing of what was written.
    *place.interval.lock() = Duration::from_hours(1);
    place.finds(Err(Blocker::passing(Reason::Unreachable, "it is down")));
    assert!(matches!(state(&place, Some(&recorded)).await, OutputState::Ours { .. }));
}

/// The mark comes first and is read back, so that data without our mark is never ours.
#[tokio::test]
async fn an_entry_that_another_resource_marked_is_not_written() {
    let place = VaultEntries::new().await;
    let mut output = place.output();
    assert_eq!(output.observe(None).await.unwrap().state, OutputState::Absent);
    let custom = EntryMark::custom_metadata("prod/connector/other", &place.resource.ctx.installation.hint);
    place.vault.put(PATH, Entry { custom, ..Entry::default() });
    assert!(matches!(output.write(&values("u1")).await, Err(Failure::Overtaken)));
    let state = state(&place, None).await;
    assert_eq!(state, OutputState::Foreign("the TechnicalUser prod/connector/other".into()));
    assert_eq!(place.vault.get(PATH).unwrap().version, 0);
}

/// What was written and is not in the status yet is found, and no further version is written.
#[tokio::test]
async fn the_same_content_is_not_written_twice() {
    let place = VaultEntries::new().await;
    let recorded = publish(&place, "u1", None).await;
    assert_eq!(place.vault.get(PATH).unwrap().data, json!({"content": "secret-of-u1"}));
    assert_eq!(publish(&place, "u1", None).await, recorded);
    assert_eq!(place.vault.get(PATH).unwrap().version, 1);
}

/// The entry of a later user is another one; the former one is removed after that.
#[tokio::test]
async fn a_later_user_has_another_entry_and_the_former_one_is_superseded() {
    let mut place = VaultEntries::new().await;
    let recorded = publish(&place, "u1", None).await;
    place.resource.history.outputs = vec![recorded.clone()];
    let mut output = place.output();
    output.observe(Some(&recorded)).await.unwrap();
    output.write(&Values { generation: 2, ..values("u2") }).await.unwrap();
    let replaced = output.record("d2", Some(&recorded), true).unwrap();
    let former = output.superseded().remove(0);
    assert_eq!(former.entry, recorded.entry);
    place.resource.history.outputs.push(former.clone());
    assert!(place.is_there() && place.vault.get("edc-2").is_some());
    place.resource.history.generation = 2;
    of_record(&place.resource, &former.id()).unwrap().remove().await.unwrap();
    assert!(!place.is_there() && place.vault.get("edc-2").is_some());
    // The output itself is removed with its resource.
    place.record(replaced);
    place.output().remove().await.unwrap();
    assert!(place.vault.get("edc-2").is_none());
}

/// An entry that was written and is not in the status yet is found by what the status says before the write.
#[tokio::test]
async fn an_entry_is_removed_whose_write_the_status_only_announces() {
    let mut place = VaultEntries::new().await;
    let (mut output, values) = (place.output(), values("u1"));
    let announced = output.announced(None, &values).unwrap();
    assert!(output.goes_elsewhere(Some(&RecordedOutput { begun: Vec::new(), ..announced.clone() }), &values));
    assert!(!output.goes_elsewhere(Some(&announced), &values));
    let later = Values { generation: 2, ..values.clone() };
    assert!(output.goes_elsewhere(Some(&announced), &later), "another generation has another place");
    output.observe(None).await.unwrap();
    output.write(&values).await.unwrap();
    // The operator ends here, and the spec changes.
    place.resource.history.outputs = vec![announced.clone()];
    place.resource.stores.vaults = Vaults::default();
    assert!(place.is_there());
    of_record(&place.resource, &announced.id()).unwrap().remove().await.unwrap();
    assert!(!place.is_there());
}

/// Each place that may have been written is removed, whatever came between.
#[tokio::test]
async fn entries_of_writes_that_were_only_announced_are_superseded_too() {
    let mut place = VaultEntries::new().await;
    let generations: Vec<_> = (1..=3).map(|generation| Values { generation, ..values("u1") }).collect();
    let mut recorded = None;
    for values in &generations[..2] {
        let mut output = place.output();
        recorded = Some(output.announced(recorded.as_ref(), values).unwrap());
        // The operator ends after the write.
        output.observe(None).await.unwrap();
        output.write(values).await.unwrap();
    }
    place.record(recorded.unwrap());
    let mut output = place.output();
    output.write(&generations[2]).await.unwrap();
    let superseded = output.superseded();
    let aliases: Vec<_> =
        superseded.iter().map(|former| &*former.entry.as_ref().unwrap().secret_alias).collect();
    assert_eq!(aliases, ["edc-1", "edc-2"]);
    assert!(output.record("d3", None, true).unwrap().begun.is_empty());
}

/// The mode of the alias has changed, and the operator ended after the write to the other place: what is found there is not what the
/// status records.
#[tokio::test]
async fn an_entry_at_another_place_is_recorded_there_although_its_content_is_the_same() {
    let mut place = VaultEntries::new().await;
    let at_former = |mut recorded: RecordedOutput| {
        recorded.entry.as_mut().unwrap().secret_alias = "edc".into();
        recorded
    };
    let recorded = at_former(publish(&place, "u1", None).await);
    place.record(recorded.clone());
    let mut output = place.output();
    let state = output.observe(Some(&recorded)).await.unwrap().state;
    assert!(matches!(state, OutputState::Ours { user: None, .. }), "{state:?}");
    output.write(&values("u1")).await.unwrap();
    let replaced = output.record(&recorded.digest, Some(&recorded), true).unwrap();
    assert_eq!(replaced.entry.unwrap().secret_alias, "edc-1");
    assert_eq!(output.superseded().remove(0).entry, recorded.entry);
    assert_eq!(place.vault.get(PATH).unwrap().version, 1);
}

/// What another client did to an entry is repaired, and named.
#[tokio::test]
async fn what_another_client_did_to_an_entry_is_found() {
    for (method, call, expected) in [
        ("DELETE", "data", "its newest version was deleted in Vault"),
        ("PUT", "destroy", "its newest version was destroyed in Vault"),
        ("DELETE", "metadata", "it was deleted in Vault with all its versions"),
    ] {
        let place = VaultEntries::new().await;
        let recorded = publish(&place, "u1", None).await;
        assert_eq!(place.output().damage(), None);
        place.vault.call(method, &format!("{call}/{PATH}"), &json!({"versions": [1]}));
        place.come_due();
        let mut output = place.output();
        output.observe(Some(&recorded)).await.unwrap();
        assert_eq!(output.damage().map(|damage| damage.words), Some(expected));
        output.write(&values("u1")).await.unwrap();
        assert_eq!(place.vault.get(PATH).unwrap().data, json!({"content": "secret-of-u1"}));
        place.vault.narrow();
        let why = output.prove_writable(&OutputState::Absent, 1).await.unwrap().unwrap_err();
        assert!(why.message.contains(expected), "{}", why.message);
    }
}

/// The same entry under another name in the spec is not removed with the former name.
#[tokio::test]
async fn a_former_output_is_not_removed_where_another_one_has_its_entry() {
    let mut place = VaultEntries::new().await;
    let recorded = publish(&place, "u1", None).await;
    let former = RecordedOutput { name: "connector/vault/other".into(), ..recorded };
    place.resource.history.outputs = vec![former.clone()];
    of_record(&place.resource, &former.id()).unwrap().remove().await.unwrap();
    assert!(place.is_there());
}
