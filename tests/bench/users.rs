//! The users that a profile creates, and a watch that sees what becomes of them.

use std::collections::{BTreeMap, BTreeSet};
use std::pin::pin;
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures::StreamExt as _;
use kube::ResourceExt as _;
use kube::api::{Api, DynamicObject, PostParams};
use kube::runtime::watcher::{self, Event, watcher};
use parking_lot::Mutex;
use serde_json::{Map, Value};
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::support::{CREATING, Site, create, is_ready, stored_status};

/// How many requests the bare client has in flight.
pub const IN_FLIGHT: usize = 16;

/// How long nothing may happen before a measurement is given up.
const STALL: Duration = Duration::from_mins(3);

/// When something happened to the resource of a name.
pub type Times = BTreeMap<String, Instant>;

/// Names of resources.
pub fn names(prefix: &str, count: usize) -> Vec<String> {
    (0..count).map(|number| format!("{prefix}-{number:05}")).collect()
}

/// What the resources of a profile have in common.
#[derive(Debug, Clone)]
pub struct Template {
    role: &'static str,
    spec: Map<String, Value>,
}

impl Template {
    /// Users with this role, and everything else by default.
    pub fn of_role(role: &'static str) -> Self {
        Self { role, spec: Map::new() }
    }

    /// The same with a field of the spec.
    pub fn with(mut self, field: &str, value: Value) -> Self {
        self.spec.insert(field.to_owned(), value);
        self
    }

    /// Creates one resource.
    pub async fn create(&self, api: &Api<DynamicObject>, name: &str, namespace: &str) -> DynamicObject {
        let mut manifest = create(name, namespace, self.role);
        manifest["spec"].as_object_mut().unwrap().extend(self.spec.clone());
        let object: DynamicObject = serde_json::from_value(manifest).unwrap();
        api.create(&PostParams::default(), &object).await.unwrap()
    }
}

/// Creates resources as fast as the apiserver takes them. Returns when each was sent.
pub async fn create_all(site: &Site, names: &[String], template: &Template) -> Times {
    let api = site.users_api();
    let requests = names.iter().map(async |name| {
        let at = Instant::now();
        template.create(&api, name, &site.namespace).await;
        (name.clone(), at)
    });
    all(requests).await.into_iter().collect()
}

/// A watch of all resources of a namespace.
pub struct Watch {
    seen: Arc<Mutex<Seen>>,
    changed: watch::Receiver<()>,
    task: JoinHandle<()>,
}

/// What a watch has seen.
#[derive(Default)]
pub struct Seen {
    listed: bool,
    /// When each resource was first ready.
    pub ready: Times,
    /// Those that are ready now.
    pub ready_now: BTreeSet<String>,
    /// How often a resource that was ready was so no longer.
    pub lapses: usize,
    /// When each resource was first ready with its second credential.
    pub rotated: Times,
    /// When each resource was gone.
    pub gone: Times,
    /// The text of an attempt, as the operator records it.
    pub attempt: Option<String>,
}

impl Seen {
    fn event(&mut self, event: Event<DynamicObject>) {
        match event {
            Event::Apply(object) | Event::InitApply(object) => self.object(&object),
            Event::Delete(object) => {
                self.ready_now.remove(&object.name_any());
                self.gone.insert(object.name_any(), Instant::now());
            }
            Event::InitDone => self.listed = true,
            Event::Init => {}
        }
    }

    fn object(&mut self, object: &DynamicObject) {
        let name = object.name_any();
        if is_ready(object) {
            self.ready_now.insert(name.clone());
            if stored_status(object)["credential"]["generation"].as_i64() == Some(2) {
                self.rotated.entry(name.clone()).or_insert_with(Instant::now);
            }
            self.ready.entry(name).or_insert_with(Instant::now);
        } else if self.ready_now.remove(&name) {
            self.lapses += 1;
        }
        if self.attempt.is_none() {
            self.attempt = object.annotations().get(CREATING).cloned();
        }
    }
}

impl Watch {
    /// Watches from now on.
    pub async fn start(site: &Site) -> Self {
        let seen = Arc::new(Mutex::new(Seen::default()));
        let (news, changed) = watch::channel(());
        let (api, sink) = (site.users_api(), Arc::clone(&seen));
        let task = tokio::spawn(async move {
            let mut events = pin!(watcher(api, watcher::Config::default()));
            // The watcher connects again after an error.
            while let Some(event) = events.next().await {
                if let Ok(event) = event {
                    sink.lock().event(event);
                    news.send_replace(());
                }
            }
        });
        let watch = Self { seen, changed, task };
        watch.until(site, "the list", |seen| seen.listed).await;
        watch
    }

    /// Waits until the watch has seen this. Fails with the end of the operator's log when nothing happens any more.
    pub async fn until(&self, site: &Site, what: &str, condition: impl Fn(&Seen) -> bool) {
        let mut changed = self.changed.clone();
        loop {
            changed.borrow_and_update();
            if condition(&self.seen.lock()) {
                return;
            }
            if tokio::time::timeout(STALL, changed.changed()).await.is_err() {
                let ready = self.seen.lock().ready_now.len();
                let log = site.log();
                let last: Vec<_> = log.lines().rev().take(40).collect();
                panic!(
                    "nothing happened for {STALL:?} before {what}; {ready} are ready; the last lines: {last:#?}"
                );
            }
        }
    }

    /// Waits until this many resources were ready once. Returns when they were.
    pub async fn ready(&self, site: &Site, count: usize) -> Times {
        self.until(site, "resources that are ready", |seen| seen.ready.len() >= count).await;
        self.read(|seen| seen.ready.clone())
    }

    /// What was seen so far.
    pub fn read<T>(&self, read: impl FnOnce(&Seen) -> T) -> T {
        read(&self.seen.lock())
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Creates this many users, and waits until they are ready.
pub async fn fill(site: &Site, count: usize, template: &Template) -> Watch {
    let watch = Watch::start(site).await;
    create_all(site, &names("user", count), template).await;
    watch.ready(site, count).await;
    watch
}

/// The time between two moments of each resource.
pub fn between(from: &Times, to: &Times) -> Vec<Duration> {
    let time = |(name, at): (&String, &Instant)| to[name].saturating_duration_since(*at);
    from.iter().map(time).collect()
}

/// The versions of all resources and of their Secrets: what differs later was written meanwhile.
pub async fn versions(site: &Site) -> BTreeMap<String, String> {
    let params = kube::api::ListParams::default();
    let users = site.users_api().list_metadata(&params).await.unwrap();
    let secrets = site.secrets_api().list_metadata(&params).await.unwrap();
    let users = users.items.into_iter().map(|user| user.metadata);
    let metadata = users.chain(secrets.items.into_iter().map(|secret| secret.metadata));
    metadata.map(|metadata| (metadata.uid.unwrap(), metadata.resource_version.unwrap())).collect()
}

/// How many of these objects were written or deleted since.
pub async fn changed_since(site: &Site, before: &BTreeMap<String, String>) -> usize {
    let now = versions(site).await;
    before.iter().filter(|(uid, version)| now.get(*uid) != Some(*version)).count()
}

/// Carries out requests, [`IN_FLIGHT`] at a time.
pub async fn all<T>(requests: impl IntoIterator<Item = impl Future<Output = T>>) -> Vec<T> {
    futures::stream::iter(requests).buffer_unordered(IN_FLIGHT).collect().await
}
