//! What every kind of output has to do, for the Secret and for the kind in memory.

mod in_memory;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use parking_lot::Mutex;
use secrecy::SecretString;
use serde_json::{Value, json};

use self::in_memory::{InMemoryOutput, SharedStore, Store};
use super::merged_secret::MergedSecret;
use super::secret::SecretOutput;
use super::{History, Output, Resource, Spec, Vaults};
use crate::api::keys;
use crate::api::technical_user::RecordedOutput;
use crate::controller::objects::Key;
use crate::controller::technical_user::failure::Failure;
use crate::controller::test_support::apiserver::{Apiserver, context};
use crate::controller::test_support::vault::{Entry, Vault};
use crate::domain::format::{Known, Surroundings, Values};
use crate::domain::identity::Owner;
use crate::domain::plan::OutputState;
use crate::domain::reason::Reason;
use crate::domain::user::{Credential, UserId, UserKind};

const OWNER: &str = "prod/connector/edc";

/// A place where outputs of one kind are, and what other clients do there.
#[async_trait]
trait Place: Send + Sync {
    /// The output of the resource, as a new reconcile has it.
    fn output(&self) -> Box<dyn Output>;
    /// It belongs to this resource or client, whatever was there before.
    fn put_foreign(&self);
    /// Another client changes its content.
    fn edit(&self);
    /// Another client removes it.
    fn delete(&self);
    /// The status has this entry for it.
    fn record(&mut self, _recorded: RecordedOutput) {}
    /// What no watch reports is read at the next observation.
    fn come_due(&self) {}
    /// Writes are denied from now on.
    fn deny(&self);
    fn is_there(&self) -> bool;
}

struct Entries(SharedStore);

#[async_trait]
impl Place for Entries {
    fn output(&self) -> Box<dyn Output> {
        Box::new(InMemoryOutput::new("edc", OWNER, &self.0))
    }

    fn put_foreign(&self) {
        let owner = "Helm".to_owned();
        let entry = in_memory::Entry { owner, user: None, digest: String::new(), version: 1_000 };
        self.0.lock().entries.insert("edc".into(), entry);
    }

    fn edit(&self) {
        let mut store = self.0.lock();
        let entry = store.entries.get_mut("edc").unwrap();
        entry.version += 1_000;
        entry.digest = "another".into();
    }

    fn delete(&self) {
        self.0.lock().entries.clear();
    }

    fn deny(&self) {
        self.0.lock().denies = true;
    }

    fn is_there(&self) -> bool {
        self.0.lock().entries.contains_key("edc")
    }
}

/// Secrets of an apiserver in memory.
struct Secrets {
    apiserver: Apiserver,
    resource: Resource,
}

impl Secrets {
    fn new() -> Self {
        let apiserver = Apiserver::default();
        let key = Key { namespace: "connector".into(), name: "edc".into() };
        let owner =
            Owner { instance: "prod".into(), namespace: key.namespace.clone(), name: key.name.clone() };
        let ctx = Arc::new(context(apiserver.client()));
        Self {
            apiserver,
            resource: Resource {
                ctx,
                key,
                uid: "uid-of-edc".into(),
                owner,
                known: Some(Known::default()),
                vaults: Vaults::default(),
                history: History::default(),
                verification_interval: Duration::from_hours(1),
            },
        }
    }
}

#[async_trait]
impl Place for Secrets {
    fn output(&self) -> Box<dyn Output> {
        Box::new(SecretOutput::new(&self.resource, None))
    }

    fn put_foreign(&self) {
        self.apiserver.put(
            "connector",
            "edc",
            json!({"metadata": {"annotations": {"by": "Helm"}}, "data": {}}),
        );
    }

    fn edit(&self) {
        self.apiserver.change("connector", "edc", |secret| secret["data"]["client-id"] = json!("b3RoZXI="));
    }

    fn delete(&self) {
        self.apiserver.remove("connector", "edc");
    }

    fn deny(&self) {
        self.apiserver.deny("quota exceeded");
    }

    fn is_there(&self) -> bool {
        self.apiserver.get("connector", "edc").is_some()
    }
}

/// Keys in a Secret of another owner.
struct Merged(Secrets);

impl Merged {
    fn new() -> Self {
        let merged = Self(Secrets::new());
        merged.delete();
        merged
    }
}

#[async_trait]
impl Place for Merged {
    fn output(&self) -> Box<dyn Output> {
        let spec = serde_json::from_value(json!({"creationPolicy": "Merge"})).unwrap();
        Box::new(MergedSecret::new(&self.0.resource, &spec))
    }

    /// Another `TechnicalUser` owns all of it.
    fn put_foreign(&self) {
        let owner = json!({keys::OWNER: "prod/connector/other"});
        let data = json!({"client-id": "eA=="});
        self.0.apiserver.put("connector", "edc", json!({"metadata": {"annotations": owner}, "data": data}));
    }

    fn edit(&self) {
        self.0.edit();
    }

    /// Its owner creates the Secret again.
    fn delete(&self) {
        self.0.delete();
        self.0.apiserver.put(
            "connector",
            "edc",
            json!({"metadata": {"labels": {"by": "Helm"}}, "data": {"theirs": "eA=="}}),
        );
    }

    fn deny(&self) {
        self.0.deny();
    }

    fn is_there(&self) -> bool {
        let secret = self.0.apiserver.get("connector", "edc");
        secret.is_some_and(|secret| !secret["data"]["client-id"].is_null())
    }
}

/// Entries of a Vault in memory, at the path of the first generation.
struct VaultEntries {
    vault: Vault,
    resource: Resource,
    spec: Spec,
    interval: Mutex<Duration>,
}

const PATH: &str = "edc-1";

impl VaultEntries {
    async fn new() -> Self {
        let (vault, apiserver) = (Vault::default(), Apiserver::default());
        let token = json!({"metadata": {}, "data": {"token": "cm9vdA=="}});
        apiserver.put("connector", "vault-token", token);
        let mut ctx = context(apiserver.client());
        vault.serve(&mut ctx, "connector");
        let spec: Spec = serde_json::from_value(json!({"vault": {"vaultRef": {"name": "vault"}}})).unwrap();
        let mut resource = Secrets::new().resource;
        resource.vaults = Vaults::of(&ctx, &resource.key, Some(std::slice::from_ref(&spec))).await.unwrap();
        resource.history = History { generation: 1, ..History::default() };
        resource.ctx = Arc::new(ctx);
        Self { vault, resource, spec, interval: Mutex::new(Duration::from_hours(1)) }
    }

    fn put(&self, data: Value, owner: Option<&str>) {
        let custom = owner.map(|owner| (keys::OWNER.to_owned(), owner.to_owned()));
        self.vault.put(PATH, Entry { version: 7, data, custom: custom.into_iter().collect() });
    }
}

#[async_trait]
impl Place for VaultEntries {
    fn output(&self) -> Box<dyn Output> {
        let resource = Resource { verification_interval: *self.interval.lock(), ..self.resource.clone() };
        super::of_entry(&resource, &self.spec).unwrap()
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

async fn places() -> Vec<Box<dyn Place>> {
    vec![
        Box::new(Merged::new()),
        Box::new(Entries(Arc::new(Mutex::new(Store::default())))),
        Box::new(Secrets::new()),
        Box::new(VaultEntries::new().await),
    ]
}

fn values(user: &str) -> Values {
    Values {
        credential: Credential::with_secret(
            format!("client-of-{user}"),
            SecretString::from(format!("secret-of-{user}")),
            "https://idp.example.org/token".into(),
        ),
        user_id: UserId::new(user),
        kind: UserKind::Internal,
        generation: 1,
        bpn: Some("BPNL1".into()),
        surroundings: Surroundings::default(),
    }
}

async fn state(place: &dyn Place, recorded: Option<&RecordedOutput>) -> OutputState {
    place.output().observe(recorded).await.unwrap().state
}

/// Writes the credential of a user as one reconcile does; what the status records of it.
async fn publish(place: &dyn Place, user: &str, recorded: Option<&RecordedOutput>) -> RecordedOutput {
    let mut output = place.output();
    output.observe(recorded).await.unwrap();
    let OutputState::Ours { digest: Some(digest), user: Some(holder), .. } =
        output.write(&values(user)).await.unwrap()
    else {
        panic!("it was written, and is not ours");
    };
    assert_eq!(holder, UserId::new(user));
    output.record(&digest, recorded, true).unwrap()
}

#[tokio::test]
async fn what_was_written_is_known_without_being_read() {
    for place in places().await {
        assert_eq!(state(place.as_ref(), None).await, OutputState::Absent);
        let recorded = publish(place.as_ref(), "u1", None).await;
        let ours = OutputState::Ours {
            user: Some(UserId::new("u1")),
            digest: Some(recorded.digest.clone()),
            metadata_as_wanted: true,
        };
        assert_eq!(state(place.as_ref(), Some(&recorded)).await, ours);
        assert_eq!(place.output().read(Some(&recorded)).await.unwrap(), ours);
        let mut output = place.output();
        output.observe(Some(&recorded)).await.unwrap();
        assert_eq!(output.record(&recorded.digest, Some(&recorded), false), Some(recorded), "no other entry");
    }
}

#[tokio::test]
async fn another_user_s_credential_is_another_content() {
    for place in places().await {
        let first = publish(place.as_ref(), "u1", None).await;
        let second = publish(place.as_ref(), "u2", Some(&first)).await;
        assert_ne!(first.digest, second.digest);
        let state = state(place.as_ref(), Some(&second)).await;
        assert!(matches!(state, OutputState::Ours { user: Some(user), .. } if user == UserId::new("u2")));
    }
}

#[tokio::test]
async fn what_another_client_changed_is_read_and_differs() {
    for place in places().await {
        let recorded = publish(place.as_ref(), "u1", None).await;
        place.edit();
        place.come_due();
        let seen = state(place.as_ref(), Some(&recorded)).await;
        let OutputState::Ours { digest, .. } = &seen else { panic!("{seen:?}") };
        assert_ne!(digest.as_ref(), Some(&recorded.digest), "{seen:?}");
        let OutputState::Ours { digest: Some(digest), .. } =
            place.output().read(Some(&recorded)).await.unwrap()
        else {
            panic!("the content was read, and has no digest");
        };
        assert_ne!(digest, recorded.digest);
        let repaired = publish(place.as_ref(), "u1", Some(&recorded)).await;
        assert_eq!(repaired.digest, recorded.digest);
    }
}

#[tokio::test]
async fn what_another_client_wrote_meanwhile_is_not_overwritten() {
    for place in places().await {
        let recorded = publish(place.as_ref(), "u1", None).await;
        let mut output = place.output();
        output.observe(Some(&recorded)).await.unwrap();
        place.edit();
        assert!(matches!(output.write(&values("u2")).await, Err(Failure::Overtaken)));
        // One that appears after it was seen absent.
        place.delete();
        let mut output = place.output();
        output.observe(None).await.unwrap();
        place.put_foreign();
        assert!(matches!(output.write(&values("u1")).await, Err(Failure::Overtaken)));
        assert!(matches!(state(place.as_ref(), None).await, OutputState::Foreign(_)));
    }
}

#[tokio::test]
async fn what_belongs_to_others_is_neither_written_nor_removed() {
    for place in places().await {
        place.put_foreign();
        let mut output = place.output();
        let state = output.observe(None).await.unwrap().state;
        assert!(matches!(state, OutputState::Foreign(_)), "{state:?}");
        assert!(output.prove_writable(&state).await.unwrap().is_err());
        output.remove().await.unwrap();
        assert!(place.is_there());
    }
}

#[tokio::test]
async fn whether_it_can_be_written_is_asked_without_a_change() {
    for place in places().await {
        let mut output = place.output();
        let state = output.observe(None).await.unwrap().state;
        assert!(output.prove_writable(&state).await.unwrap().is_ok());
        assert!(!place.is_there());
        let recorded = publish(place.as_ref(), "u1", None).await;
        let mut output = place.output();
        let state = output.observe(Some(&recorded)).await.unwrap().state;
        assert!(output.prove_writable(&state).await.unwrap().is_ok());
        assert_eq!(self::state(place.as_ref(), Some(&recorded)).await, state, "nothing was changed");
        place.deny();
        let blocker = output.prove_writable(&state).await.unwrap().unwrap_err();
        assert!(!blocker.message.is_empty());
        assert!(output.write(&values("u2")).await.is_err());
    }
}

#[tokio::test]
async fn ours_is_removed_and_removing_it_again_does_nothing() {
    for mut place in places().await {
        let recorded = publish(place.as_ref(), "u1", None).await;
        place.record(recorded);
        place.output().remove().await.unwrap();
        assert!(!place.is_there());
        place.output().remove().await.unwrap();
    }
}

#[tokio::test]
async fn a_credential_that_can_be_read_back_is_the_one_that_was_written() {
    for place in places().await {
        assert!(place.output().credential().await.unwrap().is_none());
        publish(place.as_ref(), "u1", None).await;
        let output = place.output();
        let credential = output.credential().await.unwrap();
        assert_eq!(credential.is_some(), output.is_readable());
        if let Some(credential) = credential {
            assert_eq!(credential.client_id, "client-of-u1");
        }
    }
}

/// A store that is down alone says so by each method, and never by another failure: the other outputs are served then.
#[tokio::test]
async fn a_store_that_is_down_is_reported_as_such() {
    let store = SharedStore::default();
    let place = Entries(Arc::clone(&store));
    let recorded = publish(&place, "u1", None).await;
    store.lock().down = true;
    let is_unavailable = |failure: Failure| matches!(failure, Failure::OutputUnavailable(_));
    assert!(is_unavailable(place.output().observe(Some(&recorded)).await.unwrap_err()));
    assert!(is_unavailable(place.output().read(Some(&recorded)).await.unwrap_err()));
    assert!(is_unavailable(place.output().prove_writable(&OutputState::Absent).await.unwrap_err()));
    assert!(is_unavailable(place.output().write(&values("u2")).await.unwrap_err()));
    assert!(is_unavailable(place.output().credential().await.unwrap_err()));
    assert!(is_unavailable(place.output().remove().await.unwrap_err()));
    place.output().abandon("it is down").await.unwrap();
    assert_eq!(store.lock().abandoned, [("edc".to_owned(), "it is down".to_owned())]);
}

#[tokio::test]
async fn a_secret_has_the_owner_the_mark_and_the_keys_of_its_format_and_no_others() {
    let secrets = Secrets::new();
    let recorded = publish(&secrets, "u1", None).await;
    secrets.apiserver.change("connector", "edc", |secret| secret["data"]["added"] = json!("eA=="));
    publish(&secrets, "u1", Some(&recorded)).await;
    let secret = secrets.apiserver.get("connector", "edc").unwrap();
    let keys: BTreeMap<String, Value> = serde_json::from_value(secret["data"].clone()).unwrap();
    let keys: Vec<&String> = keys.keys().collect();
    assert_eq!(keys, ["bpn", "client-id", "client-secret", "technical-user-id", "token-url"]);
    let metadata = &secret["metadata"];
    assert_eq!(metadata["annotations"][keys::OWNER], OWNER);
    assert_eq!(metadata["annotations"][keys::USER_ID], "u1");
    assert_eq!(metadata["ownerReferences"][0]["uid"], "uid-of-edc");
}

#[test]
fn an_entry_of_an_unknown_kind_is_not_taken_for_a_secret() {
    let resource = Key { namespace: "connector".into(), name: "edc".into() };
    let why = |outputs: Value| {
        let outputs: Vec<super::Spec> = serde_json::from_value(outputs).unwrap();
        super::unreadable(&resource, Some(&outputs)).unwrap_or_default()
    };
    assert_eq!(super::unreadable(&resource, None), None);
    assert_eq!(why(json!([{"secret": {}}, {"secret": {"name": "other"}}])), "");
    assert!(why(json!([{"secret": {"name": "a"}}, {"later": {"name": "b"}}])).contains("kind"));
    assert!(why(json!([{"secret": {}}, {"secret": {"name": "edc"}}])).contains("\"edc\""));
}

#[tokio::test]
async fn a_secret_of_another_owner_gets_our_keys_and_loses_no_other_thing() {
    let merged = Merged::new();
    let before = merged.0.apiserver.get("connector", "edc").unwrap();
    let recorded = publish(&merged, "u1", None).await;
    let secret = merged.0.apiserver.get("connector", "edc").unwrap();
    for field in ["theirs", "client-id", "client-secret"] {
        assert!(secret["data"][field].is_string(), "{field}");
    }
    assert_eq!(secret["metadata"]["labels"], before["metadata"]["labels"]);
    assert!(secret["metadata"]["ownerReferences"].is_null() && secret["type"].is_null());

    // Another client removes the note, as a restore of the manifest does: the keys are still ours.
    merged.0.apiserver.change("connector", "edc", |secret| secret["metadata"]["annotations"] = json!({}));
    assert_eq!(state(&merged, Some(&recorded)).await, OutputState::Absent);
    let again = publish(&merged, "u1", Some(&recorded)).await;
    assert_eq!(again.digest, recorded.digest);
    merged.output().remove().await.unwrap();
    let after = merged.0.apiserver.get("connector", "edc").unwrap();
    assert_eq!(after["data"], before["data"]);
    assert_eq!(after["metadata"]["annotations"], json!({}));
}

#[tokio::test]
async fn a_key_of_another_client_is_never_overwritten() {
    let merged = Merged::new();
    merged.0.apiserver.change("connector", "edc", |secret| secret["data"]["client-id"] = json!("eA=="));
    let before = merged.0.apiserver.get("connector", "edc").unwrap();
    let mut output = merged.output();
    let state = output.observe(None).await.unwrap().state;
    let blocker = output.prove_writable(&state).await.unwrap().unwrap_err();
    assert_eq!(blocker.reason, Reason::KeyTaken);
    assert!(blocker.message.contains("\"client-id\""), "{}", blocker.message);
    let failure = output.write(&values("u1")).await.unwrap_err();
    assert!(matches!(failure, Failure::OutputUnavailable(blocker) if blocker.reason == Reason::KeyTaken));
    assert_eq!(merged.0.apiserver.get("connector", "edc").unwrap(), before);
}

#[tokio::test]
async fn keys_are_added_only_to_a_secret_that_exists() {
    let merged = Merged::new();
    merged.0.delete();
    let mut output = merged.output();
    let state = output.observe(None).await.unwrap().state;
    assert_eq!(state, OutputState::Absent);
    assert_eq!(output.prove_writable(&state).await.unwrap().unwrap_err().reason, Reason::MergeTargetMissing);
    assert!(output.write(&values("u1")).await.is_err());
    assert!(merged.0.apiserver.get("connector", "edc").is_none());
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
        why(place.output().prove_writable(&OutputState::Absent).await.unwrap_err()),
        Reason::VaultSealed
    );
    assert_eq!(why(place.output().write(&values("u2")).await.unwrap_err()), Reason::VaultSealed);
    assert_eq!(why(place.output().remove().await.unwrap_err()), Reason::VaultSealed);
}

/// The mark comes first and is read back, so that data without our mark is never ours.
#[tokio::test]
async fn an_entry_that_another_resource_marked_is_not_written() {
    let place = VaultEntries::new().await;
    let mut output = place.output();
    assert_eq!(output.observe(None).await.unwrap().state, OutputState::Absent);
    let custom = [(keys::OWNER.to_owned(), "prod/connector/other".to_owned())].into();
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
    super::of_record(&place.resource, &former.id()).unwrap().remove().await.unwrap();
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
    place.resource.vaults = Vaults::default();
    assert!(place.is_there());
    super::of_record(&place.resource, &announced.id()).unwrap().remove().await.unwrap();
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

/// The same entry under another name in the spec is not removed with the former name.
#[tokio::test]
async fn a_former_output_is_not_removed_where_another_one_has_its_entry() {
    let mut place = VaultEntries::new().await;
    let recorded = publish(&place, "u1", None).await;
    let former = RecordedOutput { name: "connector/vault/other".into(), ..recorded };
    place.resource.history.outputs = vec![former.clone()];
    super::of_record(&place.resource, &former.id()).unwrap().remove().await.unwrap();
    assert!(place.is_there());
}
