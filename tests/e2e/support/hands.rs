//! What a person does to the cluster, and what a test counts.

use kube::api::{Api, ListParams};
use portal_simulator::{Endpoint, UserView};
use serde_json::{Value, json};

use super::objects::{condition, status};
use super::site::Site;

impl Site {
    /// Has the whole user list read twice, and waits until that was done: whatever was due has had its occasion twice.
    pub async fn two_sweeps(&self) {
        for _ in 0..2 {
            self.sweep().await;
        }
    }

    /// Has the whole user list read, by an annotation of no other effect, and waits until that was done.
    pub async fn sweep(&self) {
        // A reading that was under way when the first annotation came may be the first of them.
        for _ in 0..2 {
            let before = self.simulator.count(Endpoint::List);
            let portal = self.portal().await.expect("the Portal is there");
            let hints = portal.metadata.annotations.unwrap_or_default();
            let hints = hints.get("technicaluser.dev/take-over").cloned().unwrap_or_default();
            let more = format!("{hints} {}", hints.split(' ').count());
            self.patch_portal(&json!({"metadata": {"annotations": {"technicaluser.dev/take-over": more}}}))
                .await;
            self.lists_answered(before + 1).await;
        }
    }

    /// Waits until so many pages of the user list were answered.
    pub async fn lists_answered(&self, pages: usize) {
        self.simulator.wait_for(|view| view.answered(Endpoint::List) >= pages).await;
    }

    /// Has the Portal looked at, without waiting for it.
    pub async fn sweep_soon(&self) {
        let value = self.simulator.calls().len().to_string();
        self.patch_portal(&json!({"metadata": {"annotations": {"technicaluser.dev/take-over": value}}}))
            .await;
    }

    /// How often an endpoint of the simulator was called.
    pub fn count(&self, endpoint: Endpoint) -> usize {
        self.simulator.count(endpoint)
    }

    /// How often the portal was asked to change something.
    pub fn portal_writes(&self) -> usize {
        [Endpoint::Create, Endpoint::Update, Endpoint::Delete, Endpoint::Reset]
            .map(|e| self.count(e))
            .iter()
            .sum()
    }

    /// The living user in the portal that bears the mark of a resource of this namespace.
    pub fn user_of(&self, name: &str) -> UserView {
        let mark = format!("[technicaluser.dev/1 e2e/{}/{name} ", self.namespace);
        let mut found: Vec<_> =
            self.ours().into_iter().filter(|user| user.description.contains(&mark)).collect();
        assert_eq!(found.len(), 1, "one user of {name}: {found:#?}");
        found.remove(0)
    }

    /// Waits until the Portal is ready for its present spec.
    pub async fn portal_ready(&self) -> Value {
        self.portal_until("the Portal is ready", |portal| {
            condition(portal, "Ready").is_some_and(|ready| {
                ready["status"] == "True" && ready["observedGeneration"] == json!(portal.metadata.generation)
            })
        })
        .await
    }

    /// Waits until the Portal is as it should be, and tells its status.
    pub async fn portal_until(&self, what: &str, check: impl Fn(&kube::api::DynamicObject) -> bool) -> Value {
        let limit = tokio::time::Instant::now() + testbed::LIMIT;
        loop {
            let portal = self.portal().await;
            if let Some(portal) = portal.as_ref().filter(|portal| check(portal)) {
                return status(portal).clone();
            }
            self.fail_late(limit, what, &portal);
            tokio::time::sleep(std::time::Duration::from_millis(100)).await;
        }
    }

    /// Waits for an event with this reason about a resource, and tells its type and note.
    pub async fn event(&self, name: &str, reason: &str) -> (String, String) {
        let api: Api<k8s_openapi::api::events::v1::Event> =
            Api::namespaced(self.client.clone(), &self.namespace);
        let limit = tokio::time::Instant::now() + testbed::LIMIT;
        loop {
            let events = api.list(&ListParams::default()).await.unwrap();
            let found = events.items.into_iter().find(|event| {
                event.reason.as_deref() == Some(reason)
                    && event.regarding.as_ref().and_then(|about| about.name.as_deref()) == Some(name)
            });
            if let Some(event) = found {
                return (event.type_.unwrap_or_default(), event.note.unwrap_or_default());
            }
            self.fail_late(limit, &format!("an event {reason} about {name}"), &found);
            tokio::time::sleep(std::time::Duration::from_millis(100)).await;
        }
    }

    /// Waits until something is so that no watch tells.
    pub async fn eventually(&self, what: &str, mut check: impl AsyncFnMut() -> bool) {
        let limit = tokio::time::Instant::now() + testbed::LIMIT;
        while !check().await {
            self.fail_late(limit, what, &());
            tokio::time::sleep(std::time::Duration::from_millis(100)).await;
        }
    }
}
