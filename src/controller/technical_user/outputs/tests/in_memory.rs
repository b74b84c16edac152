//! A second kind of output, for tests only: entries of a store in memory, which can be down alone and which Kubernetes does not
//! clean up. The credential cannot be read back from it.

use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;
use parking_lot::{Mutex, MutexGuard};
use secrecy::SecretString;

use super::{KindUnderTest, OWNER, publish, values};
use crate::api::technical_user::RecordedOutput;
use crate::controller::kube_error::KubeError;
use crate::controller::technical_user::failure::Failure;
use crate::controller::technical_user::outputs::{Observed, Output, Writable};
use crate::domain::blocker::Blocker;
use crate::domain::digest::DigestKey;
use crate::domain::format::{Content, FormatError, Values};
use crate::domain::plan::{OutputId, OutputState};
use crate::domain::reason::Reason;
use crate::domain::user::{Credential, UserId};

/// An entry of the store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Entry {
    pub owner: String,
    pub user: Option<UserId>,
    pub digest: String,
    pub version: u64,
}

/// Where the entries are.
#[derive(Debug, Default)]
pub(super) struct Store {
    pub entries: BTreeMap<String, Entry>,
    pub denies: bool,
    pub down: bool,
    /// What was left behind, and why.
    pub abandoned: Vec<(String, String)>,
    versions: u64,
}

/// The store, as several reconciles share it.
pub(super) type SharedStore = Arc<Mutex<Store>>;

/// An entry of one resource.
pub(super) struct InMemoryOutput {
    pub id: OutputId,
    pub owner: String,
    pub store: SharedStore,
    pub key: DigestKey,
    version: Option<u64>,
}

impl InMemoryOutput {
    pub(super) fn new(name: &str, owner: &str, store: &SharedStore) -> Self {
        Self {
            id: OutputId { kind: "Entry".into(), name: name.into() },
            owner: owner.into(),
            store: Arc::clone(store),
            key: DigestKey::new(&[1; 32]),
            version: None,
        }
    }

    /// The store, if it is not down.
    fn store(&self) -> Result<MutexGuard<'_, Store>, Failure> {
        let store = self.store.lock();
        if store.down {
            let blocker = Blocker::passing(Reason::OutputNotWritable, "the store is down");
            return Err(Failure::OutputUnavailable(blocker));
        }
        Ok(store)
    }

    fn state(&self, entry: Option<&Entry>, known: bool) -> OutputState {
        match entry {
            None => OutputState::Absent,
            Some(entry) if entry.owner != self.owner => OutputState::Foreign(entry.owner.clone()),
            Some(entry) => OutputState::Ours {
                user: entry.user.clone(),
                digest: known.then(|| entry.digest.clone()),
                metadata_as_wanted: true,
            },
        }
    }
}

#[async_trait]
impl Output for InMemoryOutput {
    fn id(&self) -> &OutputId {
        &self.id
    }

    fn is_readable(&self) -> bool {
        false
    }

    fn needs_restart(&self) -> bool {
        true
    }

    fn outlives_resource(&self) -> bool {
        true
    }

    fn content(&self, values: &Values) -> Result<Content, FormatError> {
        // As a Vault entry has it: one value in one document.
        let document = format!("{} of {}", values.credential.client_id, values.user_id);
        Ok(Content::from([("content".to_owned(), SecretString::from(document))]))
    }

    async fn observe(&mut self, recorded: Option<&RecordedOutput>) -> Result<Observed, Failure> {
        let entry = self.store()?.entries.get(&self.id.name).cloned();
        let entry = entry.as_ref();
        self.version = entry.map(|entry| entry.version);
        let known = entry.zip(recorded).is_some_and(|(entry, recorded)| {
            recorded.resource_version == entry.version.to_string() && recorded.digest == entry.digest
        });
        Ok(Observed { state: self.state(entry, known), read_in: None })
    }

    async fn read(&mut self, _: Option<&RecordedOutput>) -> Result<OutputState, Failure> {
        let entry = self.store()?.entries.get(&self.id.name).cloned();
        self.version = entry.as_ref().map(|entry| entry.version);
        Ok(self.state(entry.as_ref(), true))
    }

    async fn prove_writable(
        &mut self,
        state: &OutputState,
        _: i64,
    ) -> Result<Result<Writable, Blocker>, Failure> {
        if let OutputState::Foreign(owner) = state {
            return Ok(Err(Blocker::lasting(Reason::OutputNotOurs, format!("the entry belongs to {owner}"))));
        }
        if self.store()?.denies {
            return Ok(Err(Blocker::passing(Reason::OutputNotWritable, "the store denies writes")));
        }
        Ok(Ok(Writable::default()))
    }

    async fn write(&mut self, values: &Values) -> Result<OutputState, Failure> {
        let digest = self.key.of_content(&self.content(values)?);
        let mut store = self.store()?;
        if store.denies {
            return Err(KubeError::Denied { code: 403, message: "the store denies writes".into() }.into());
        }
        if store.entries.get(&self.id.name).map(|entry| entry.version) != self.version {
            return Err(Failure::Overtaken);
        }
        store.versions += 1;
        let user = Some(values.user_id.clone());
        let entry = Entry { owner: self.owner.clone(), user, digest, version: store.versions };
        let state = self.state(Some(&entry), true);
        let version = entry.version;
        store.entries.insert(self.id.name.clone(), entry);
        drop(store);
        self.version = Some(version);
        Ok(state)
    }

    async fn credential(&self) -> Result<Option<Credential>, Failure> {
        self.store().map(|_| None)
    }

    async fn remove(&mut self) -> Result<(), Failure> {
        let mut store = self.store()?;
        if store.entries.get(&self.id.name).is_some_and(|entry| entry.owner == self.owner) {
            store.entries.remove(&self.id.name);
        }
        Ok(())
    }

    async fn abandon(&mut self, why: &str) -> Result<(), Failure> {
        self.store.lock().abandoned.push((self.id.name.clone(), why.to_owned()));
        Ok(())
    }

    fn record(&self, digest: &str, before: Option<&RecordedOutput>, written: bool) -> Option<RecordedOutput> {
        let version = self.version?.to_string();
        let as_written = before.filter(|before| !written && before.digest == digest);
        Some(RecordedOutput {
            kind: self.id.kind.clone(),
            name: self.id.name.clone(),
            uid: String::new(),
            resource_version: as_written.map_or(version, |before| before.resource_version.clone()),
            digest: digest.to_owned(),
            entry: None,
            conditions: before.map(|before| before.conditions.clone()).unwrap_or_default(),
            ..RecordedOutput::default()
        })
    }
}

/// A place of the kind in memory.
#[derive(Default)]
pub(super) struct Entries(SharedStore);

#[async_trait]
impl KindUnderTest for Entries {
    fn output(&self) -> Box<dyn Output> {
        Box::new(InMemoryOutput::new("edc", OWNER, &self.0))
    }

    fn put_foreign(&self) {
        let owner = "Helm".to_owned();
        let entry = Entry { owner, user: None, digest: String::new(), version: 1_000 };
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
    assert!(is_unavailable(place.output().prove_writable(&OutputState::Absent, 1).await.unwrap_err()));
    assert!(is_unavailable(place.output().write(&values("u2")).await.unwrap_err()));
    assert!(is_unavailable(place.output().credential().await.unwrap_err()));
    assert!(is_unavailable(place.output().remove().await.unwrap_err()));
    place.output().abandon("it is down").await.unwrap();
    assert_eq!(store.lock().abandoned, [("edc".to_owned(), "it is down".to_owned())]);
}
