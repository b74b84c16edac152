//! Every state that the objects of one kind go through, as a watch shows them.

use std::collections::BTreeMap;
use std::fmt::Debug;
use std::sync::Arc;
use std::time::Instant;

use futures::StreamExt as _;
use kube::api::{Api, ListParams, WatchEvent, WatchParams};
use kube::{Resource, ResourceExt as _};
use parking_lot::Mutex;
use serde::de::DeserializeOwned;
use tokio::task::JoinHandle;

use super::site::Site;

/// The states that the objects of one kind in a namespace go through from now on.
pub struct States<K> {
    api: Api<K>,
    seen: Arc<Mutex<Seen<K>>>,
    watch: JoinHandle<()>,
}

/// A state, and when the watch showed it.
#[derive(Clone)]
pub struct State<K> {
    pub at: Instant,
    pub object: K,
}

struct Seen<K> {
    states: Vec<State<K>>,
    /// The versions of the objects that are there, by name.
    live: BTreeMap<String, String>,
}

impl<K: Resource> Seen<K> {
    fn event(&mut self, event: WatchEvent<K>) {
        match event {
            WatchEvent::Added(object) | WatchEvent::Modified(object) => {
                self.live.insert(object.name_any(), object.resource_version().unwrap());
                self.states.push(State { at: Instant::now(), object });
            }
            WatchEvent::Deleted(object) => {
                self.live.remove(&object.name_any());
            }
            _ => {}
        }
    }
}

impl<K: Resource + Clone + DeserializeOwned + Debug + Send + 'static> States<K> {
    /// Watches from now on. The first states are those of now.
    pub async fn of(api: Api<K>) -> Self {
        // The apiserver answers 429 to the first list of a kind while it fills its cache.
        let list = async || api.list(&ListParams::default()).await.ok();
        let from = testbed::eventually("a first list", list).await.unwrap();
        let live =
            from.items.iter().map(|item| (item.name_any(), item.resource_version().unwrap())).collect();
        let version = from.metadata.resource_version.unwrap();
        let at = Instant::now();
        let states = from.items.into_iter().map(|object| State { at, object }).collect();
        let seen = Arc::new(Mutex::new(Seen { states, live }));
        let mut events = api.watch(&WatchParams::default(), &version).await.unwrap().boxed();
        let sink = Arc::clone(&seen);
        let watch = tokio::spawn(async move {
            while let Some(Ok(event)) = events.next().await {
                sink.lock().event(event);
            }
        });
        Self { api, seen, watch }
    }

    /// The states so far, once the watch shows what the apiserver has.
    pub async fn so_far(&self, site: &Site) -> Vec<State<K>> {
        let now = async || self.api.list(&ListParams::default()).await.unwrap().items;
        site.eventually("the watch shows what the apiserver has", async || {
            let now = now().await.into_iter().map(|item| (item.name_any(), item.resource_version().unwrap()));
            now.collect::<BTreeMap<_, _>>() == self.seen.lock().live
        })
        .await;
        self.seen.lock().states.clone()
    }
}

impl<K> Drop for States<K> {
    fn drop(&mut self) {
        self.watch.abort();
    }
}
