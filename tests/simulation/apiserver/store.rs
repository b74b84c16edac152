//! The objects, each in its current state, and the changes that led to it.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use serde_json::{Value, json};
use technical_user_operator::process::{Clock, Random};
use tokio::sync::watch;
use tokio::time::Instant;

use super::kinds::Kind;

/// The first version that an object gets. Real ones are not near zero either.
const FIRST_VERSION: u64 = 1000;

/// Which object.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Id {
    /// Such as `secrets` or `widgets.example.org`.
    pub resource: String,
    /// Empty for objects of the cluster.
    pub namespace: String,
    pub name: String,
}

impl Id {
    /// The object of this kind with this name.
    pub fn new(kind: &Kind, namespace: &str, name: &str) -> Self {
        Self { resource: kind.resource(), namespace: namespace.to_owned(), name: name.to_owned() }
    }
}

/// One change of one object.
#[derive(Debug, Clone)]
pub struct Change {
    pub version: u64,
    pub at: Instant,
    pub id: Id,
    /// `None`: it is created.
    pub before: Option<Arc<Value>>,
    /// The object with the version of this change.
    pub after: Arc<Value>,
    pub deleted: bool,
}

impl Change {
    /// The change that leads to an object of which nothing was known.
    pub fn of_object(resource: &str, after: Arc<Value>) -> Self {
        let text = |field: &str| after["metadata"][field].as_str().unwrap_or_default().to_owned();
        let id = Id { resource: resource.to_owned(), namespace: text("namespace"), name: text("name") };
        Self { version: 0, at: Instant::now(), id, before: None, after, deleted: false }
    }
}

/// All objects at one version.
#[derive(Clone)]
pub struct Backup {
    objects: BTreeMap<Id, Arc<Value>>,
    version: u64,
}

/// All objects.
pub struct Store {
    objects: BTreeMap<Id, Arc<Value>>,
    log: Vec<Change>,
    version: u64,
    compacted: u64,
    /// How often it was restored from a backup.
    restores: u64,
    random: Random,
    clock: Clock,
    /// The version of the last change of each resource that is no longer stored.
    forgotten: BTreeMap<String, u64>,
    /// Notified of the changes of each resource, and of those of all.
    changed: BTreeMap<String, watch::Sender<u64>>,
    any_changed: watch::Sender<u64>,
}

impl Store {
    /// Without objects. Uids come from `random`, times from `clock`.
    pub fn new(random: Random, clock: Clock) -> Self {
        Self {
            objects: BTreeMap::new(),
            log: Vec::new(),
            version: FIRST_VERSION,
            compacted: FIRST_VERSION,
            restores: 0,
            random,
            clock,
            forgotten: BTreeMap::new(),
            changed: BTreeMap::new(),
            any_changed: watch::Sender::new(FIRST_VERSION),
        }
    }

    /// The version of the last change.
    pub fn version(&self) -> u64 {
        self.version
    }

    /// Changes up to this version are no longer stored.
    pub fn compacted(&self) -> u64 {
        self.compacted
    }

    /// Whether a change of a resource after this version is no longer stored.
    pub fn has_forgotten(&self, resource: &str, since: u64) -> bool {
        self.forgotten.get(resource).is_some_and(|version| *version > since)
    }

    /// Notifies of each change.
    pub fn subscribe(&self) -> watch::Receiver<u64> {
        self.any_changed.subscribe()
    }

    /// Notifies of each change of a resource.
    pub fn subscribe_to(&mut self, resource: &str) -> watch::Receiver<u64> {
        let changed = self.changed.entry(resource.to_owned());
        changed.or_insert_with(|| watch::Sender::new(FIRST_VERSION)).subscribe()
    }

    /// The changes that are kept, in order.
    pub fn log(&self) -> &[Change] {
        &self.log
    }

    /// The version of some time ago, or the oldest one whose changes are kept.
    pub fn version_before(&self, time: Duration) -> u64 {
        let now = Instant::now();
        let since = self.log.iter().find(|change| now.duration_since(change.at) < time);
        since.map_or(self.version, |change| change.version - 1)
    }

    /// The changes after this version, as far as they are kept.
    pub fn since(&self, version: u64) -> &[Change] {
        let start = self.log.partition_point(|change| change.version <= version);
        self.log.get(start..).unwrap_or_default()
    }

    /// Forgets the changes so far: a watch from an earlier version is refused.
    pub fn compact(&mut self) {
        self.compacted = self.version;
        let changes = self.log.drain(..);
        self.forgotten.extend(changes.map(|change| (change.id.resource, change.version)));
    }

    /// All objects as they are now.
    pub fn back_up(&self) -> Backup {
        Backup { objects: self.objects.clone(), version: self.version }
    }

    /// It has what it had at the time of a backup, and goes on with the versions after it. Nothing is known of other changes.
    pub fn restore(&mut self, backup: &Backup) {
        self.objects = backup.objects.clone();
        self.version = backup.version;
        self.compacted = backup.version;
        self.log.clear();
        self.forgotten.clear();
        self.restores += 1;
        self.any_changed.send_replace(self.version);
        for changed in self.changed.values() {
            changed.send_replace(self.version);
        }
    }

    /// How often it was restored.
    pub fn restores(&self) -> u64 {
        self.restores
    }

    /// An object.
    pub fn get(&self, id: &Id) -> Option<&Arc<Value>> {
        self.objects.get(id)
    }

    /// All objects, in the order of their keys.
    pub fn all(&self) -> impl Iterator<Item = (&Id, &Arc<Value>)> {
        self.objects.iter()
    }

    /// The objects of a resource, in the order of their keys.
    pub fn of(&self, resource: &str) -> impl Iterator<Item = (&Id, &Arc<Value>)> {
        let first = Id { resource: resource.to_owned(), namespace: String::new(), name: String::new() };
        let resource = first.resource.clone();
        self.objects.range(first..).take_while(move |(id, _)| id.resource == resource)
    }

    /// The objects of a resource as they were at a version that is not compacted; in all namespaces if `namespace` is empty.
    pub fn at(&self, version: u64, resource: &str, namespace: &str) -> Vec<(Id, Arc<Value>)> {
        let fits = |id: &Id| id.resource == resource && (namespace.is_empty() || id.namespace == namespace);
        let now = self.of(resource).filter(|(id, _)| fits(id));
        let mut found: BTreeMap<Id, Arc<Value>> =
            now.map(|(id, object)| (id.clone(), Arc::clone(object))).collect();
        for change in self.log.iter().rev().take_while(|change| change.version > version) {
            if fits(&change.id) {
                match &change.before {
                    Some(before) => found.insert(change.id.clone(), Arc::clone(before)),
                    None => found.remove(&change.id),
                };
            }
        }
        found.into_iter().collect()
    }

    /// What a new object gets from the server.
    pub fn begin(&self, object: &mut Value, has_generation: bool) {
        let metadata = &mut object["metadata"];
        metadata["uid"] = json!(self.random.uuid().to_string());
        metadata["creationTimestamp"] = json!(self.time());
        if has_generation {
            metadata["generation"] = json!(1);
        }
    }

    /// The time now.
    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// The time now, as it is written into objects.
    pub fn time(&self) -> String {
        self.clock.now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
    }

    /// Stores an object with a new version, and returns it.
    pub fn put(&mut self, id: &Id, mut object: Value) -> Arc<Value> {
        self.version += 1;
        object["metadata"]["resourceVersion"] = json!(self.version.to_string());
        let object = Arc::new(object);
        let before = self.objects.insert(id.clone(), Arc::clone(&object));
        self.record(id, before, Arc::clone(&object), false);
        object
    }

    /// Removes an object. Its last state is the one in `last`, or the stored one.
    pub fn remove(&mut self, id: &Id, last: Option<Value>) {
        let Some(before) = self.objects.remove(id) else { return };
        self.version += 1;
        let mut after = last.unwrap_or_else(|| (*before).clone());
        after["metadata"]["resourceVersion"] = json!(self.version.to_string());
        self.record(id, Some(before), Arc::new(after), true);
    }

    fn record(&mut self, id: &Id, before: Option<Arc<Value>>, after: Arc<Value>, deleted: bool) {
        let change =
            Change { version: self.version, at: Instant::now(), id: id.clone(), before, after, deleted };
        self.log.push(change);
        self.any_changed.send_replace(self.version);
        if let Some(changed) = self.changed.get(&id.resource) {
            changed.send_replace(self.version);
        }
    }
}
