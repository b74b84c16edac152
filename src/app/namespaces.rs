//! Reports which of the watched namespaces may not be watched; the operator serves the others meanwhile. Watches the labels
//! of all namespaces.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use futures::stream::{self, BoxStream, StreamExt as _};
use k8s_openapi::api::core::v1::Namespace;
use kube::Client;
use kube::api::{Api, PartialObjectMeta};
use kube::runtime::watcher;

use crate::controller::context::Context;
use crate::domain::text::sentence;
use crate::health::{Gate, Health, Subject};
use crate::k8s::watch::{self, Refusals, Touched, WatchedKind};
use crate::process::Random;

/// A refusal that does not change is logged again after this time.
const SAY_AGAIN_AFTER: Duration = Duration::from_mins(10);
/// The kinds of a namespace are refused one after the other. After this time they are reported together.
const GATHER_FOR: Duration = Duration::from_secs(1);

/// Reports each change in log, readiness and metrics, and repeats the log periodically. Never returns.
///
/// Opens the gate of the cache once everything that may be listed was listed, and closes it while nothing may be.
pub async fn report(ctx: Arc<Context>, health: Health) {
    let mut refused = ctx.refusals.subscribe();
    let mut said = Vec::new();
    loop {
        let namespaces = by_namespace(&refused.borrow_and_update());
        let lines: Vec<_> = namespaces.iter().map(|(name, refused)| words(name, refused)).collect();
        ctx.metrics.namespaces_unwatched(namespaces.len());
        if lines != said {
            for line in &lines {
                tracing::warn!("{}", sentence(line));
            }
        }
        if lines.is_empty() && !said.is_empty() {
            tracing::info!("All watched namespaces are served");
        }
        said.clone_from(&lines);
        health.report(Subject::Namespaces, lines);
        if ctx.listed.is_cancelled() {
            if namespaces.len() < ctx.watched.len() {
                health.open(Gate::Cache);
            } else {
                health.close(Gate::Cache);
            }
        }
        let listed = ctx.listed.is_cancelled();
        tokio::select! {
            biased;
            changed = refused.changed() => match changed {
                Ok(()) => tokio::time::sleep(GATHER_FOR).await,
                Err(_) => return,
            },
            () = ctx.listed.cancelled(), if !listed => {}
            () = tokio::time::sleep(SAY_AGAIN_AFTER), if !namespaces.is_empty() => said.clear(),
        }
    }
}

type Seen = Touched<PartialObjectMeta<Namespace>>;

/// Watches the metadata of all namespaces, and reports why if that is refused. With Roles only, nothing is watched.
pub fn watch(client: &Client, scoped: bool, random: &Random) -> (BoxStream<'static, Seen>, Refusals) {
    let refusals = Refusals::default();
    if scoped {
        return (stream::pending().boxed(), refusals);
    }
    let keep = |mut namespace: PartialObjectMeta<Namespace>| {
        namespace.metadata.annotations = None;
        namespace.metadata.managed_fields = None;
        namespace.metadata.owner_references = None;
        namespace
    };
    let all = vec![Api::all(client.clone())];
    let (_, seen) = watch::cache(all, &watcher::Config::default(), &(), keep, &refusals, random);
    (seen.boxed(), refusals)
}

/// Reports a watch of all namespaces that is refused though the chart's `ClusterRole` should grant it. Never returns.
pub async fn report_labels(refusals: Refusals, health: Health) {
    let mut refused = refusals.subscribe();
    loop {
        let line = refused.borrow_and_update().values().next().map(|why| {
            format!(
                "namespaces cannot be watched: {why}. The operator reads their labels one by one, and a namespace that is \
                 deleted with TechnicalUsers in it may be stuck in deletion. The chart's ClusterRole grants this; if it is \
                 missing on purpose, set scopedRBAC"
            )
        });
        if let Some(line) = &line {
            tracing::warn!("{}", sentence(line));
        }
        health.report(Subject::NamespaceLabels, line.into_iter().collect());
        if refused.changed().await.is_err() {
            return;
        }
    }
}

type Refused = BTreeMap<String, Vec<(String, String)>>;

/// What is refused in each namespace: kinds, with the apiserver's message.
fn by_namespace(refused: &BTreeMap<WatchedKind, String>) -> Refused {
    let mut namespaces = Refused::new();
    for (place, why) in refused {
        let name = place.namespace.clone().unwrap_or_else(|| "*".to_owned());
        namespaces.entry(name).or_default().push((place.resource.clone(), why.clone()));
    }
    namespaces
}

fn words(namespace: &str, refused: &[(String, String)]) -> String {
    let kinds: Vec<_> = refused.iter().map(|(kind, _)| kind.as_str()).collect();
    let why = refused.first().map(|(_, why)| why.as_str()).unwrap_or_default();
    let ours = ["portals", "technicalusers"].map(|plural| format!("{plural}.{}", crate::api::GROUP));
    let stuck = if kinds.iter().any(|kind| ours.iter().any(|ours| ours == kind)) {
        ". If the namespace is being deleted, it is stuck until a ClusterRoleBinding grants this again (docs/operations.md)"
    } else {
        ""
    };
    format!(
        "namespace {namespace} is not served: list and watch of {} are refused: {why}; the chart creates a Role in each \
         namespace of watchNamespaces, which must exist; if it was deleted and created again, helm upgrade with the same values \
         creates the Role again. It is served as soon as it may be listed{stuck}",
        kinds.join(", ")
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kinds_of_a_namespace_are_reported_together() {
        let place = |namespace: &str, resource: &str| WatchedKind {
            namespace: Some(namespace.into()),
            resource: resource.into(),
        };
        let refused = [
            (place("b", "secrets"), "no secrets (403)".to_owned()),
            (place("a", "portals.x"), "no portals (403)".to_owned()),
            (place("a", "technicalusers.technicaluser.dev"), "no users (403)".to_owned()),
        ];
        let namespaces = by_namespace(&refused.into());
        assert!(!words("b", &namespaces["b"]).contains("ClusterRoleBinding"), "its own kinds are seen");
        assert_eq!(namespaces.keys().collect::<Vec<_>>(), ["a", "b"]);
        let line = words("a", &namespaces["a"]);
        for part in [
            "namespace a is not served",
            "portals.x, technicalusers.technicaluser.dev are refused",
            "ClusterRoleBinding",
            "no portals (403)",
            "watchNamespaces",
        ] {
            assert!(line.contains(part), "{part}: {line}");
        }
    }
}
