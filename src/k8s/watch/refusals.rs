//! What may not be watched at the moment: shared by all caches of a process.

use std::collections::BTreeMap;
use std::sync::Arc;

use tokio::sync::watch;

/// One watch: a kind in a namespace, or in all (`None`).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct WatchedKind {
    /// The namespace.
    pub namespace: Option<String>,
    /// The kind's plural with its group, such as `portals.example.org`.
    pub resource: String,
}

impl std::fmt::Display for WatchedKind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.namespace {
            Some(namespace) => write!(f, "{} in namespace {namespace}", self.resource),
            None => write!(f, "{} in all namespaces", self.resource),
        }
    }
}

/// The watches that the apiserver refuses, each with its message. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub struct Refusals(Arc<watch::Sender<BTreeMap<WatchedKind, String>>>);

impl Refusals {
    /// The apiserver refuses a watch.
    pub(crate) fn refused(&self, place: &WatchedKind, words: &str) {
        self.0.send_if_modified(|all| all.insert(place.clone(), words.to_owned()).as_deref() != Some(words));
    }

    /// Everything at a place was listed.
    pub(crate) fn listed(&self, place: &WatchedKind) {
        self.0.send_if_modified(|all| all.remove(place).is_some());
    }

    /// All of them, and each change.
    #[must_use]
    pub fn subscribe(&self) -> watch::Receiver<BTreeMap<WatchedKind, String>> {
        self.0.subscribe()
    }

    /// Whether anything is refused.
    #[must_use]
    pub fn any(&self) -> bool {
        !self.0.borrow().is_empty()
    }

    /// Whether the operator may not see the objects of this kind in a namespace, or not see their deletion. Their absence
    /// then proves nothing.
    #[must_use]
    pub fn hide(&self, resource: &str, namespace: &str) -> bool {
        self.0.borrow().keys().any(|place| {
            place.resource == resource && place.namespace.as_deref().is_none_or(|hidden| hidden == namespace)
        })
    }

    /// The first namespace in which the operator may not see the objects of this kind.
    #[must_use]
    pub fn anywhere(&self, resource: &str) -> Option<String> {
        let all = self.0.borrow();
        let place = all.keys().find(|place| place.resource == resource)?;
        Some(place.namespace.clone().unwrap_or_else(|| "*".to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(namespace: Option<&str>, resource: &str) -> WatchedKind {
        WatchedKind { namespace: namespace.map(str::to_owned), resource: resource.to_owned() }
    }

    #[test]
    fn what_is_refused_hides_until_it_is_listed() {
        let refusals = Refusals::default();
        let mut changes = refusals.subscribe();
        assert!(!refusals.hide("users", "a") && refusals.anywhere("users").is_none() && !refusals.any());
        refusals.refused(&place(Some("a"), "users"), "no");
        assert!(changes.has_changed().unwrap());
        changes.mark_unchanged();
        refusals.refused(&place(Some("a"), "users"), "no");
        assert!(!changes.has_changed().unwrap(), "a repetition is not reported");
        assert!(refusals.hide("users", "a") && refusals.any());
        assert!(!refusals.hide("users", "b") && !refusals.hide("portals", "a"));
        assert_eq!(refusals.anywhere("users").as_deref(), Some("a"));
        refusals.listed(&place(Some("a"), "users"));
        assert!(!refusals.hide("users", "a"));
        refusals.refused(&place(None, "users"), "no");
        assert!(refusals.hide("users", "a") && refusals.hide("users", "b"));
    }
}
