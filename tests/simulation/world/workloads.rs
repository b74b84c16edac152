//! Workloads that resources restart, and what people do with them meanwhile.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::objects::{secret_of, send_as};
use super::swarm::Trouble;
use super::{NAMESPACE, World};
use crate::apiserver::{Verb, WORKLOADS};

/// The annotation by which a workload permits its restart.
const CONSENT: &str = "technicaluser.dev/restart";
/// The annotation that `kubectl rollout restart` sets.
pub const RESTARTED_AT: &str = "kubectl.kubernetes.io/restartedAt";
/// The workloads, by their kinds.
const DEPLOYMENT: (&str, &str) = ("Deployment", "plane");
const STATEFUL_SET: (&str, &str) = ("StatefulSet", "store");
/// What the two resources of a run name.
const NAMED: [[&[(&str, &str)]; 2]; 5] = [
    [&[], &[]],
    [&[DEPLOYMENT], &[]],
    [&[DEPLOYMENT], &[DEPLOYMENT]],
    [&[DEPLOYMENT, STATEFUL_SET], &[STATEFUL_SET]],
    [&[STATEFUL_SET, DEPLOYMENT], &[]],
];

impl World {
    /// Some resources name workloads to restart, which read their Secrets.
    pub async fn install_workloads(&self, resources: [&str; 2]) {
        let named = self.one_of(&NAMED);
        for (kind, name) in [DEPLOYMENT, STATEFUL_SET] {
            let readers = resources.iter().zip(&named);
            let readers = readers.filter(|(_, named)| named.contains(&(kind, name)));
            let readers: Vec<_> = readers.map(|(resource, _)| *resource).collect();
            if readers.is_empty() {
                continue;
            }
            let secrets = readers.iter().filter_map(|reader| self.user(reader).map(|user| secret_of(&user)));
            let sources: Vec<_> = secrets.map(|secret| json!({ "secretRef": { "name": secret } })).collect();
            let containers = json!([{ "name": "main", "image": "main", "envFrom": sources }]);
            let workload = json!({
                "kind": kind,
                "metadata": { "name": name, "annotations": { CONSENT: readers.join(", ") } },
                "spec": { "replicas": 1 + self.below(3), "template": { "spec": { "containers": containers } } },
            });
            self.create(&path(kind, ""), &workload).await;
            self.workloads.lock().push(workload);
        }
        for (resource, named) in resources.iter().zip(named).filter(|(_, named)| !named.is_empty()) {
            let restart: Vec<_> =
                named.iter().map(|(kind, name)| json!({ "kind": kind, "name": name })).collect();
            self.change_spec(resource, &json!({ "restart": restart })).await;
        }
    }

    /// The pods of workloads are slow, and nobody may read or restart some of them.
    pub fn trouble_workloads(&self) {
        let slow = self.one_of(&[0.0, 0.0, 0.3]);
        self.record.add(format!("{slow} of the pods are slow"));
        self.apiserver.slow_pods(Some(slow));
        if self.below(4) == 0 {
            let right = (self.one_of(&[Verb::Get, Verb::Patch]), self.one_of(&WORKLOADS).to_owned());
            self.record.add(format!("nobody may {} {}", right.0.name(), right.1));
            self.apiserver.faults(|faults| faults.missing_rights.insert(right));
        }
    }

    /// People restart, scale, pause and delete workloads, create them again and withdraw their consent, by chance.
    pub async fn interfere_with_workloads(&self, troubles: &BTreeSet<Trouble>) {
        if !troubles.contains(&Trouble::Workloads) {
            return;
        }
        let workloads = self.workloads.lock().clone();
        for workload in &workloads {
            if self.below(2) == 0 || !self.may_change() {
                continue;
            }
            if self.workload(workload).is_none() {
                self.create_workload(workload).await;
                continue;
            }
            let may_pause = workload["kind"] == DEPLOYMENT.0;
            let consent = |names: Value| json!({ "metadata": { "annotations": { CONSENT: names } } });
            match self.below(7) {
                0 => {
                    let now = self.clock.clock().now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
                    let metadata = json!({ "annotations": { RESTARTED_AT: now } });
                    let patch = json!({ "spec": { "template": { "metadata": metadata } } });
                    self.change_workload(workload, &patch).await;
                }
                1 => {
                    self.change_workload(workload, &json!({ "spec": { "replicas": self.below(4) } })).await;
                }
                2 => {
                    self.record
                        .add(format!("a person deletes the workload {}", workload["metadata"]["name"]));
                    let _answer =
                        send_as(&self.apiserver.admin(), "DELETE", &path_of(workload), &json!({})).await;
                }
                3 => self.change_workload(workload, &consent(Value::Null)).await,
                4 => {
                    let names = workload["metadata"]["annotations"][CONSENT].clone();
                    self.change_workload(workload, &consent(names)).await;
                }
                5 if may_pause => {
                    let paused = self.below(3) != 0;
                    self.change_workload(workload, &json!({ "spec": { "paused": paused } })).await;
                }
                _ => self.name_other_workloads().await,
            }
        }
    }

    /// A person removes the workloads from a spec, or a spec gets those that the resource has named at first.
    async fn name_other_workloads(&self) {
        for user in self.users() {
            let name = user["metadata"]["name"].as_str().unwrap_or_default();
            let first = self.first_named(name);
            if !first.is_empty() && user["metadata"]["deletionTimestamp"].is_null() && self.below(2) == 0 {
                let restart = if user["spec"]["restart"].is_array() { Value::Null } else { json!(first) };
                self.change_spec(name, &json!({ "restart": restart })).await;
            }
        }
    }

    /// The workloads that permit their restart for a resource.
    fn first_named(&self, resource: &str) -> Vec<Value> {
        let workloads = self.workloads.lock();
        let permits = |workload: &&Value| {
            let names = workload["metadata"]["annotations"][CONSENT].as_str().unwrap_or_default();
            names.split(", ").any(|name| name == resource)
        };
        let entry =
            |workload: &Value| json!({ "kind": workload["kind"], "name": workload["metadata"]["name"] });
        workloads.iter().filter(permits).map(entry).collect()
    }

    /// The workloads read another Secret of a resource.
    pub(super) async fn read_another_secret(&self, from: &str, to: &str) {
        self.read_other_secrets(|name| Some(if name == from { to } else { name }.to_owned())).await;
    }

    /// The workloads read other Secrets: for each one another one, or none.
    async fn read_other_secrets(&self, other: impl Fn(&str) -> Option<String>) {
        let mut changed = Vec::new();
        for workload in self.workloads.lock().iter_mut() {
            let sources = &mut workload["spec"]["template"]["spec"]["containers"][0]["envFrom"];
            let names = sources.as_array().into_iter().flatten();
            let names = names.filter_map(|source| source["secretRef"]["name"].as_str());
            let others = names.filter_map(&other).map(|name| json!({ "secretRef": { "name": name } }));
            let others = Value::Array(others.collect());
            if *sources != others {
                *sources = others;
                changed.push(workload.clone());
            }
        }
        for workload in changed {
            let containers = &workload["spec"]["template"]["spec"]["containers"];
            let template = json!({ "spec": { "containers": containers } });
            self.change_workload(&workload, &json!({ "spec": { "template": template } })).await;
        }
    }

    /// All workloads are there, permit their restart, and may be read and restarted; their pods become available.
    pub(super) async fn mend_workloads(&self) {
        self.apiserver.slow_pods(None);
        // A pod does not start without its Secret, and that of a deleted resource does not come again.
        let users = self.users();
        let stay = users.iter().filter(|user| user["metadata"]["deletionTimestamp"].is_null());
        let stay: BTreeSet<_> = stay.map(|user| secret_of(user)).collect();
        self.read_other_secrets(|name| stay.contains(name).then(|| name.to_owned())).await;
        let workloads = self.workloads.lock().clone();
        for workload in &workloads {
            let Some(present) = self.workload(workload) else {
                self.create_workload(workload).await;
                continue;
            };
            let consent = &workload["metadata"]["annotations"][CONSENT];
            if present["metadata"]["annotations"][CONSENT] != *consent || present["spec"]["paused"] == true {
                let annotations = json!({ CONSENT: consent });
                let patch = json!({ "metadata": { "annotations": annotations }, "spec": { "paused": null } });
                self.change_workload(workload, &patch).await;
            }
        }
    }

    async fn create_workload(&self, workload: &Value) {
        self.record.add(format!("a person creates the workload {}", workload["metadata"]["name"]));
        self.create(&path(workload["kind"].as_str().unwrap_or_default(), ""), workload).await;
    }

    /// Changes a workload, which may be gone, by a merge patch.
    async fn change_workload(&self, workload: &Value, patch: &Value) {
        self.record.add(format!("a person changes the workload {}: {patch}", workload["metadata"]["name"]));
        let _answer = send_as(&self.apiserver.admin(), "PATCH", &path_of(workload), patch).await;
    }

    fn workload(&self, of: &Value) -> Option<std::sync::Arc<Value>> {
        let name = of["metadata"]["name"].as_str().unwrap_or_default();
        self.apiserver.object(resource(of["kind"].as_str().unwrap_or_default()), NAMESPACE, name)
    }

    /// Where the workloads that a resource names are not restarted, at rest.
    pub(super) fn workloads_differ(&self, name: &str, object: &Value) -> Option<String> {
        let targets = object["spec"]["restart"].as_array()?;
        let conditions = object["status"]["conditions"].as_array();
        let restarted = conditions.into_iter().flatten().find(|one| one["type"] == "ConsumersRestarted");
        if restarted.is_none_or(|restarted| restarted["status"] != "True") {
            return Some(format!("the workloads of {name} are not restarted: {restarted:?}"));
        }
        targets.iter().find_map(|target| self.moments.runs_with_another(name, object, target))
    }
}

/// The resource of a kind of workloads.
pub fn resource(kind: &str) -> &'static str {
    WORKLOADS[usize::from(kind == STATEFUL_SET.0)]
}

fn path(kind: &str, name: &str) -> String {
    let (plural, _) = resource(kind).split_once('.').unwrap_or_default();
    let path = format!("/apis/apps/v1/namespaces/{NAMESPACE}/{plural}");
    if name.is_empty() { path } else { format!("{path}/{name}") }
}

fn path_of(workload: &Value) -> String {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    path(&text(&workload["kind"]), &text(&workload["metadata"]["name"]))
}
