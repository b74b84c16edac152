//! The command `preflight`, which `helm test` runs: it checks with the operator's own `ServiceAccount` whether the operator can
//! work in the cluster.

pub mod permissions;

use std::collections::BTreeMap;
use std::io::Write;

use k8s_openapi::api::authorization::v1::{
    ResourceAttributes, SelfSubjectAccessReview, SelfSubjectAccessReviewSpec,
};
use k8s_openapi::api::core::v1::Namespace;
use kube::api::{Api, DynamicObject, ListParams, PostParams};
use kube::core::ApiResource;
use kube::{Client, Config, ResourceExt as _};
use serde_json::Value;

use crate::api::{self, ROLE_AGAIN};
use crate::check::print::Printer;
use crate::check::report::{Step, Verdict};
use crate::config::{PreflightArgs, WatchNamespaces};
use crate::k8s::{account, client, definitions, words};
use permissions::Permission;

const CLUSTER_ROLE: &str =
    "the chart creates a ClusterRole for this; if you may not create a ClusterRole, set scopedRBAC=true";
const ROLES_ONLY: &str = "scopedRBAC is true: a watched namespace that is deleted while TechnicalUsers or Portals are in it \
     is stuck in deletion, as Kubernetes deletes the RoleBinding first. Delete the TechnicalUsers, then the Portals, then the \
     namespace. docs/operations.md says how a ClusterRoleBinding frees a namespace that is stuck";

/// Checks, writes the result to `out`, and returns the exit code: 0, 1 if something is missing, 2 if the Kubernetes API is not
/// reached.
pub async fn run(args: PreflightArgs, out: &mut (dyn Write + Send)) -> u8 {
    let mut printer = Printer::new(out, args.output);
    let client = match Config::infer().await {
        Ok(config) => client::client(config).map_err(|error| words(&error)),
        Err(error) => Err(error.to_string()),
    };
    match client {
        Ok(client) => ask(&client, &args, &mut printer).await,
        Err(error) => printer.step(unreached(&error)),
    }
    printer.finish()
}

fn unreached(why: &str) -> Step {
    Step::new("apiserver", Verdict::Unreached, format!("the Kubernetes API cannot be reached: {why}"))
}

async fn ask(client: &Client, args: &PreflightArgs, printer: &mut Printer<'_>) {
    let PreflightArgs { installation: args, restart, vault_kubernetes_auth, .. } = args;
    match client.apiserver_version().await {
        Ok(version) => printer.step(Step::ok("apiserver", format!("Kubernetes {}", version.git_version))),
        Err(error @ kube::Error::Api(_)) => printer.step(Step::failed("apiserver", words(&error))),
        Err(error) => return printer.step(unreached(&words(&error))),
    }
    let fit = definitions_fit(client, printer).await;
    let lease = args.lease_name();
    // A person who asks has no account; whether the operator's may request tokens is not known then.
    let account = if *vault_kubernetes_auth { account::own(client).await.ok().flatten() } else { None };
    let account = account.map(|account| account.name);
    let own = permissions::own(
        &args.own_object(),
        account.as_deref(),
        args.leader_election.then_some(lease.as_str()),
    );
    may(client, Some(&args.namespace), "own-namespace", &own, ROLE_AGAIN, printer).await;
    let mut wanted = if args.scoped_rbac {
        printer.step(Step::note("namespace-deletion", ROLES_ONLY));
        printer.note(ROLES_ONLY);
        permissions::watched_with_roles_only()
    } else {
        may(client, None, "cluster", &permissions::cluster(), CLUSTER_ROLE, printer).await;
        permissions::watched()
    };
    if *restart {
        wanted.extend(permissions::restart());
    }
    let watched = match args.watch_namespaces() {
        WatchNamespaces::All => vec![None],
        WatchNamespaces::Some(names) => names.into_iter().map(Some).collect(),
    };
    for namespace in watched.iter().map(Option::as_deref) {
        if exists(client, namespace, printer).await
            && may(client, namespace, "namespace", &wanted, ROLE_AGAIN, printer).await
            && fit
        {
            portals(client, namespace, printer).await;
        }
    }
}

async fn definitions_fit(client: &Client, printer: &mut Printer<'_>) -> bool {
    match definitions::compare(client, api::definitions()).await {
        Ok(fit) => {
            for unknown in &fit.unknown {
                printer.note(format!("{unknown}: the definitions are newer than this program"));
            }
            for lacking in &fit.lacking {
                printer.step(Step::missing("definitions", lacking.clone()));
                printer.missing(format!("{lacking}: install the definitions of this release (crds.install)"));
            }
            if fit.lacking.is_empty() {
                printer.step(Step::ok("definitions", "all kinds are served with all their fields"));
            }
            fit.lacking.is_empty()
        }
        Err(error) => {
            printer.step(Step::note(
                "definitions",
                format!("the definitions cannot be read: {}", words(&error)),
            ));
            true
        }
    }
}

/// Whether a namespace exists. If that cannot be read, a permission is missing, which the next step reports.
async fn exists(client: &Client, namespace: Option<&str>, printer: &mut Printer<'_>) -> bool {
    let Some(name) = namespace else { return true };
    let absent = matches!(Api::<Namespace>::all(client.clone()).get_opt(name).await, Ok(None));
    if absent {
        let line = format!("namespace {name} does not exist");
        printer.step(Step::missing("namespace", line.clone()).with("namespace", name));
        printer.missing(format!(
            "{line}: create it, then run helm upgrade with the same values, which creates the Role in it"
        ));
    }
    !absent
}

/// Whether everything is allowed that the operator does in a namespace (`None`: in all).
async fn may(
    client: &Client,
    namespace: Option<&str>,
    step: &'static str,
    wanted: &[Permission],
    granted_by: &str,
    printer: &mut Printer<'_>,
) -> bool {
    let place = namespace.map_or_else(|| "all namespaces".to_owned(), |name| format!("namespace {name}"));
    let mut missing: BTreeMap<String, Vec<&str>> = BTreeMap::new();
    for permission in wanted {
        match allowed(client, namespace, permission).await {
            Ok(true) => {}
            Ok(false) => missing.entry(permission.what()).or_default().push(permission.verb),
            Err(error) => {
                let verdict =
                    if matches!(error, kube::Error::Api(_)) { Verdict::Failed } else { Verdict::Unreached };
                printer.step(Step::new(
                    step,
                    verdict,
                    format!("{place}: the permissions cannot be checked: {}", words(&error)),
                ));
                return false;
            }
        }
    }
    let name = namespace.unwrap_or("*");
    if missing.is_empty() {
        let line = format!("{place}: all {} permissions", wanted.len());
        printer.step(Step::ok(step, line).with("namespace", name));
        return true;
    }
    let lines: Vec<_> = missing.iter().map(|(what, verbs)| format!("{} {what}", verbs.join(", "))).collect();
    let report = Step::missing(step, format!("{place}: permissions are missing"))
        .with("namespace", name)
        .with("missing", lines.clone());
    printer.step(lines.iter().fold(report, Step::line));
    printer.missing(format!("{place}: {}; {granted_by}", lines.join("; ")));
    false
}

async fn allowed(
    client: &Client,
    namespace: Option<&str>,
    permission: &Permission,
) -> Result<bool, kube::Error> {
    let (resource, subresource) = permission.resource.split_once('/').unwrap_or((permission.resource, ""));
    // A Role opens the namespace that it is in under that name.
    let itself = if resource == "namespaces" { namespace.map(str::to_owned) } else { None };
    let attributes = ResourceAttributes {
        group: Some(permission.group.to_owned()),
        resource: Some(resource.to_owned()),
        subresource: Some(subresource.to_owned()),
        verb: Some(permission.verb.to_owned()),
        namespace: namespace.map(str::to_owned),
        name: permission.name.clone().or(itself),
        ..ResourceAttributes::default()
    };
    let review = SelfSubjectAccessReview {
        spec: SelfSubjectAccessReviewSpec {
            resource_attributes: Some(attributes),
            ..SelfSubjectAccessReviewSpec::default()
        },
        ..SelfSubjectAccessReview::default()
    };
    let answer = Api::all(client.clone()).create(&PostParams::default(), &review).await?;
    Ok(answer.status.is_some_and(|status| status.allowed))
}

/// Reports the Portals. One that is not ready is reported and fails nothing: it is no part of the release.
async fn portals(client: &Client, namespace: Option<&str>, printer: &mut Printer<'_>) {
    let kind = ApiResource::erase::<api::Portal>(&());
    let found: Api<DynamicObject> = match namespace {
        Some(namespace) => Api::namespaced_with(client.clone(), namespace, &kind),
        None => Api::all_with(client.clone(), &kind),
    };
    match found.list(&ListParams::default()).await {
        Ok(list) => {
            for portal in &list {
                printer.step(reported(portal));
            }
        }
        Err(error) => {
            printer.step(Step::note("portal", format!("the Portals cannot be listed: {}", words(&error))));
        }
    }
}

fn reported(portal: &DynamicObject) -> Step {
    let name = format!("{}/{}", portal.namespace().unwrap_or_default(), portal.name_any());
    let conditions = portal.data.pointer("/status/conditions").and_then(Value::as_array);
    let ready = conditions.into_iter().flatten().find(|condition| condition["type"] == "Ready");
    let text = |field: &str| ready.and_then(|ready| ready.get(field)?.as_str()).unwrap_or_default();
    let reason = text("reason");
    let step = match text("status") {
        "True" => Step::ok("portal", format!("{name} is ready ({reason})")),
        "" => Step::note("portal", format!("{name} was not reconciled yet")),
        _ => Step::note("portal", format!("{name} is not ready ({reason}): {}", text("message"))),
    };
    step.with("portal", name).with("reason", reason)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_portal_that_is_not_ready_fails_nothing() {
        let portal = |status: Value| -> DynamicObject {
            serde_json::from_value(json!({"metadata": {"name": "p", "namespace": "n"}, "status": status}))
                .unwrap()
        };
        let condition = |status: &str| {
            portal(
                json!({"conditions": [{"type": "Ready", "status": status, "reason": "R", "message": "why"}]}),
            )
        };
        for (portal, verdict, words) in [
            (condition("True"), Verdict::Ok, "n/p is ready (R)"),
            (condition("False"), Verdict::Note, "n/p is not ready (R): why"),
            (portal(json!({})), Verdict::Note, "n/p was not reconciled yet"),
        ] {
            let step = reported(&portal);
            assert_eq!((step.verdict, step.words.as_str()), (verdict, words));
        }
    }
}
