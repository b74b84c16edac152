//! Waits for a state that no watch shows. What does not come fails with the end of the operator's log.

use std::fmt::{self, Debug};

use k8s_openapi::api::events::v1::Event;
use kube::api::{Api, DynamicObject, ListParams};
use technical_user_operator::api::portal::PortalStatus;

use super::objects::{condition, message, portal_status, reason};
use super::site::Site;

/// How many lines of the operator's log a failure quotes.
const QUOTED_LINES: usize = 60;

/// An object as a failure shows it: as JSON, and without the managers of its fields.
struct Seen(String);

impl From<Option<DynamicObject>> for Seen {
    fn from(object: Option<DynamicObject>) -> Self {
        let Some(mut object) = object else { return Self("no such object".to_owned()) };
        object.metadata.managed_fields = None;
        Self(serde_json::to_string_pretty(&object).unwrap())
    }
}

impl Debug for Seen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Site {
    /// Polls until the check returns `Ok`. Fails with the last `Err`, which is what was there instead, and the end of the
    /// operator's log.
    pub async fn wait_for<T, S: Debug>(&self, what: &str, mut check: impl AsyncFnMut() -> Result<T, S>) -> T {
        let mut last = None;
        let found = testbed::eventually(what, async || match check().await {
            Ok(found) => Some(found),
            Err(seen) => {
                last = Some(seen);
                None
            }
        });
        match found.await {
            Ok(found) => found,
            Err(error) => {
                let last = last.map(|last| format!("{last:#?}")).unwrap_or_default();
                panic!("{error}; last seen: {last}\nthe operator's last lines:\n{}", self.end_of_log())
            }
        }
    }

    fn end_of_log(&self) -> String {
        let log = self.log();
        let lines: Vec<_> = log.lines().collect();
        lines[lines.len().saturating_sub(QUOTED_LINES)..].join("\n")
    }

    /// Polls until a condition is true.
    pub async fn eventually(&self, what: &str, mut check: impl AsyncFnMut() -> bool) {
        self.wait_for(what, async || if check().await { Ok(()) } else { Err(()) }).await;
    }

    /// Waits until a resource is as the check wants it.
    pub async fn until(
        &self,
        name: &str,
        what: &str,
        mut check: impl FnMut(&DynamicObject) -> bool,
    ) -> DynamicObject {
        self.wait_for(what, async || match self.user(name).await {
            Some(object) if check(&object) => Ok(object),
            seen => Err(Seen::from(seen)),
        })
        .await
    }

    /// Waits until a resource is ready for its present spec.
    pub async fn ready(&self, name: &str) -> DynamicObject {
        self.until(name, &format!("{name} is ready"), is_ready).await
    }

    /// Waits until a resource gives this reason in its condition Ready. Returns the message.
    pub async fn because(&self, name: &str, wanted: &str) -> String {
        let what = format!("{name} has the reason {wanted}");
        message(&self.until(name, &what, |object| reason(object) == wanted).await)
    }

    /// Waits until a resource is deleted.
    pub async fn gone(&self, name: &str) {
        let what = format!("{name} is gone");
        self.wait_for(&what, async || match self.user(name).await {
            None => Ok(()),
            seen => Err(Seen::from(seen)),
        })
        .await;
    }

    /// Waits until the Portal is as the check wants it. Returns its status.
    pub async fn portal_until(&self, what: &str, check: impl Fn(&DynamicObject) -> bool) -> PortalStatus {
        portal_status(&self.portal_object_until(what, check).await)
    }

    async fn portal_object_until(&self, what: &str, check: impl Fn(&DynamicObject) -> bool) -> DynamicObject {
        self.wait_for(what, async || match self.portal().await {
            Some(portal) if check(&portal) => Ok(portal),
            seen => Err(Seen::from(seen)),
        })
        .await
    }

    /// Waits until the Portal is ready for its present spec. Returns its status.
    pub async fn portal_ready(&self) -> PortalStatus {
        self.portal_until("the Portal is ready", is_ready).await
    }

    /// Waits until the Portal gives this reason in its condition Ready. Returns the message.
    pub async fn portal_because(&self, wanted: &str) -> String {
        let what = format!("the Portal has the reason {wanted}");
        message(&self.portal_object_until(&what, |portal| reason(portal) == wanted).await)
    }

    /// The notes of the events with this reason about a resource.
    pub async fn notes(&self, name: &str, reason: &str) -> Vec<String> {
        let api: Api<Event> = Api::namespaced(self.client.clone(), &self.namespace);
        let events = api.list(&ListParams::default()).await.unwrap().items.into_iter();
        let about = |event: &Event| event.regarding.as_ref().and_then(|about| about.name.clone());
        let events = events
            .filter(|event| event.reason.as_deref() == Some(reason) && about(event).as_deref() == Some(name));
        events.filter_map(|event| event.note).collect()
    }

    /// Waits for an event with this reason about a resource. Returns its type and note.
    pub async fn event(&self, name: &str, reason: &str) -> (String, String) {
        let api: Api<Event> = Api::namespaced(self.client.clone(), &self.namespace);
        let is_it = |event: &Event| {
            event.reason.as_deref() == Some(reason)
                && event.regarding.as_ref().and_then(|about| about.name.as_deref()) == Some(name)
        };
        let what = format!("an event {reason} about {name}");
        let found = self.wait_for(&what, async || {
            let events = api.list(&ListParams::default()).await.unwrap().items;
            events.iter().find(|event| is_it(event)).cloned().ok_or(events)
        });
        let found = found.await;
        (found.type_.unwrap_or_default(), found.note.unwrap_or_default())
    }
}

/// Whether a resource is ready for its present spec.
pub fn is_ready(object: &DynamicObject) -> bool {
    condition(object, "Ready").is_some_and(|ready| {
        ready.status == "True" && ready.observed_generation == object.metadata.generation
    })
}
