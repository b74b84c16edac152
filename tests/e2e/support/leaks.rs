//! The scan at the end of each test: no secret that the simulator ever returned, or that the test wrote, occurs in what the operator writes.
//!
//! It runs where the world is dropped, so no test can omit it.

use std::fmt::Debug;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use k8s_openapi::api::events::v1::Event;
use kube::api::{Api, DynamicObject, ListParams, ObjectList};
use serde::de::DeserializeOwned;

use super::probes::address;
use super::site::Site;
use super::world::World;

impl Drop for World {
    fn drop(&mut self) {
        scan_at_end(async || {
            self.assert_no_secret_in("the log", &self.log());
            let neighbours = self.neighbours.iter().map(String::as_str);
            for namespace in neighbours.chain([self.namespace.as_str()]) {
                self.assert_no_secret_in_objects_of(namespace).await;
            }
            self.assert_no_secret_in_metrics().await;
        });
    }
}

impl World {
    /// Fails where a secret occurs in the metrics of an operator that runs.
    async fn assert_no_secret_in_metrics(&self) {
        let running = self.operators().iter().filter(|operator| operator.try_wait().unwrap().is_none());
        for address in running.filter_map(address) {
            let answer = self.http().get(format!("http://{address}/metrics")).send().await.unwrap();
            self.assert_no_secret_in("the metrics", &answer.text().await.unwrap());
        }
    }
}

impl Site {
    /// Fails where a secret occurs in a text.
    pub fn assert_no_secret_in(&self, what: &str, text: &str) {
        assert_no_secret(self.secrets(), what, text);
    }

    /// Fails where a secret occurs in the events or in our resources of a namespace.
    pub async fn assert_no_secret_in_objects_of(&self, namespace: &str) {
        // A client works only in the runtime that created it.
        let client = self.plane.admin_client().await.unwrap();
        let events = list(&Api::<Event>::namespaced(client.clone(), namespace)).await;
        self.assert_no_secret_in("the events", &serde_json::to_string(&events).unwrap());
        for resource in ["Portal", "TechnicalUser", "Vault"].map(Self::resource) {
            let objects = Api::<DynamicObject>::namespaced_with(client.clone(), namespace, &resource);
            let objects = list(&objects).await;
            self.assert_no_secret_in(&resource.kind, &serde_json::to_string(&objects).unwrap());
        }
    }
}

/// The objects of a kind. The apiserver answers 429 for a moment after the definition of the kind was changed.
async fn list<K: Clone + DeserializeOwned + Debug>(api: &Api<K>) -> ObjectList<K> {
    testbed::eventually("the objects are listed", async || match api.list(&ListParams::default()).await {
        Ok(objects) => Some(objects),
        Err(kube::Error::Api(status)) if status.code == 429 => None,
        Err(error) => panic!("{error}"),
    })
    .await
    .unwrap()
}

/// Runs the scan of a test that ends. Nothing can be awaited where a value is dropped: the scan has a thread and a runtime of
/// its own. A test that has failed already reports its own failure, and is not scanned.
pub fn scan_at_end(scan: impl AsyncFnOnce() + Send) {
    if std::thread::panicking() {
        return;
    }
    let scanned = std::thread::scope(|threads| threads.spawn(|| runtime().block_on(scan())).join());
    if let Err(failure) = scanned {
        std::panic::resume_unwind(failure);
    }
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap()
}

/// Fails where one of the secrets occurs in a text, as it is or in base64.
pub fn assert_no_secret(secrets: Vec<String>, what: &str, text: &str) {
    // A short one (a stub's client id, say) may occur by chance.
    for secret in secrets.into_iter().filter(|secret| secret.len() >= 8) {
        for form in [STANDARD.encode(&secret), secret] {
            assert!(!text.contains(&form), "a secret occurs in {what}: …{}…", around(text, &form));
        }
    }
}

/// What stands before and after a secret, so that a failure shows the place.
fn around(text: &str, secret: &str) -> String {
    let (before, after) = text.split_once(secret).unwrap_or_default();
    let start = before.char_indices().rev().nth(199).map_or(0, |(start, _)| start);
    let after: String = after.chars().take(100).collect();
    format!("{}<the secret>{after}", &before[start..]).replace(secret, "<the secret>")
}
