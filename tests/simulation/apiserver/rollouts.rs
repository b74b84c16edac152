//! The roll-outs of Deployments and `StatefulSets`: pods are replaced one after the other when the template is another one. A pod
//! takes the content of its Secrets when it starts, waits for those that do not exist, and keeps what it took.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use technical_user_operator::process::Random;
use tokio::time::Instant;

use super::state::State;
use super::store::{Id, Store};

/// The kinds of workloads.
pub const WORKLOADS: [&str; 2] = ["deployments.apps", "statefulsets.apps"];
/// How long a pod needs to become available, at most.
const STARTS_WITHIN: Duration = Duration::from_secs(40);
/// How long one needs that is slow.
const SLOW: Duration = Duration::from_mins(20);
/// `progressDeadlineSeconds` of a Deployment.
const DEADLINE: Duration = Duration::from_mins(10);

/// A pod of a workload.
#[derive(Debug, Clone)]
pub struct Pod {
    template: Arc<str>,
    pub started: Instant,
    available_at: Instant,
    /// What it took, by the name of the Secret.
    pub secrets: BTreeMap<String, Arc<Value>>,
}

/// The pods of all workloads.
pub struct Rollouts {
    random: Random,
    /// By the uid of the workload.
    pods: BTreeMap<String, Vec<Pod>>,
    /// When a pod was started or became available last, by the uid of the workload.
    progress: BTreeMap<String, Instant>,
    /// The share of the pods that are slow.
    pub slow: f64,
    /// When something happens without a change.
    next: Option<Instant>,
}

impl Rollouts {
    pub fn new(random: Random) -> Self {
        Self { random, pods: BTreeMap::new(), progress: BTreeMap::new(), slow: 0.0, next: None }
    }

    /// The pods of a workload.
    pub fn pods_of(&self, workload: &Value) -> &[Pod] {
        let uid = workload["metadata"]["uid"].as_str().unwrap_or_default();
        self.pods.get(uid).map(Vec::as_slice).unwrap_or_default()
    }

    /// When there is something to do without a change.
    pub fn next(&self) -> Option<Instant> {
        self.next
    }

    /// Pods that are slow become available soon.
    pub fn hasten(&mut self) {
        let soon = Instant::now() + STARTS_WITHIN;
        self.slow = 0.0;
        self.pods.values_mut().flatten().for_each(|pod| pod.available_at = pod.available_at.min(soon));
        self.next = self.next.map(|next| next.min(soon));
    }

    /// A new pod, unless a Secret is missing that it needs.
    fn start(&self, store: &Store, id: &Id, template: &Arc<str>, spec: &Value) -> Option<Pod> {
        let containers = spec["template"]["spec"]["containers"].as_array().into_iter().flatten();
        let sources = containers.flat_map(|container| container["envFrom"].as_array().into_iter().flatten());
        let names = sources.filter_map(|source| source["secretRef"]["name"].as_str());
        let secret = |name: &str| {
            let id =
                Id { resource: "secrets".to_owned(), namespace: id.namespace.clone(), name: name.to_owned() };
            Some((name.to_owned(), Arc::clone(store.get(&id)?)))
        };
        let secrets = names.map(secret).collect::<Option<_>>()?;
        let longest = if self.random.fraction() < self.slow { SLOW } else { STARTS_WITHIN };
        let now = Instant::now();
        let available_at = now + longest.mul_f64(self.random.fraction());
        Some(Pod { template: Arc::clone(template), started: now, available_at, secrets })
    }

    /// One step of a workload. Returns its pods, and whether something was done.
    fn step(&self, store: &Store, id: &Id, spec: &Value, pods: &mut Vec<Pod>) -> bool {
        let wanted = usize::try_from(spec["replicas"].as_u64().unwrap_or(1)).unwrap_or_default();
        let template: Arc<str> = spec["template"].to_string().into();
        if spec["paused"] == true {
            return false;
        }
        let now = Instant::now();
        let is_new = |pod: &Pod| pod.template == template;
        let news = pods.iter().filter(|pod| is_new(pod)).count();
        let available = pods.iter().filter(|pod| is_new(pod) && pod.available_at <= now).count();
        let olds = pods.len() - news;
        // A Deployment starts a pod before it ends another one, a StatefulSet has room for one less.
        let room =
            if id.resource == WORKLOADS[0] { 0 } else { usize::from(news == available && news < wanted) };
        let too_many = (olds > 0 && available + olds + room > wanted) || news > wanted;
        if too_many {
            let at = pods.iter().rposition(|pod| is_new(pod) == (news > wanted)).unwrap_or_default();
            pods.remove(at);
            return true;
        }
        if news == available
            && news < wanted
            && let Some(pod) = self.start(store, id, &template, spec)
        {
            pods.push(pod);
            return true;
        }
        false
    }
}

/// Replaces pods, and writes how far that is.
pub fn round(state: &mut State) {
    let workloads: Vec<(Id, Arc<Value>)> = WORKLOADS
        .iter()
        .flat_map(|resource| state.store.of(resource))
        .map(|(id, object)| (id.clone(), Arc::clone(object)))
        .collect();
    let uid = |object: &Value| object["metadata"]["uid"].as_str().unwrap_or_default().to_owned();
    let there: Vec<String> = workloads.iter().map(|(_, object)| uid(object)).collect();
    state.rollouts.pods.retain(|uid, _| there.contains(uid));
    state.rollouts.next = None;
    for (id, object) in workloads {
        let (uid, now) = (uid(&object), Instant::now());
        let mut pods = state.rollouts.pods.remove(&uid).unwrap_or_default();
        while state.rollouts.step(&state.store, &id, &object["spec"], &mut pods) {
            state.rollouts.progress.insert(uid.clone(), now);
        }
        let progress = *state.rollouts.progress.entry(uid.clone()).or_insert(now);
        let (status, is_complete) = status(&object, &pods, progress);
        let times =
            pods.iter().map(|pod| pod.available_at).chain((!is_complete).then_some(progress + DEADLINE));
        let next = times.filter(|at| *at > now).min();
        state.rollouts.next = state.rollouts.next.into_iter().chain(next).min();
        state.rollouts.pods.insert(uid, pods);
        if object["status"] != status {
            let mut object = Value::clone(&object);
            object["status"] = status;
            state.store.put(&id, object);
        }
    }
}

/// The status of a workload, and whether all its pods have the template and are available.
fn status(object: &Value, pods: &[Pod], progress: Instant) -> (Value, bool) {
    let template = object["spec"]["template"].to_string();
    let now = Instant::now();
    let wanted = object["spec"]["replicas"].as_u64().unwrap_or(1);
    let is_new = |pod: &&Pod| *pod.template == *template;
    let is_available = |pod: &&Pod| pod.available_at <= now;
    let updated = pods.iter().filter(is_new).count();
    let available = pods.iter().filter(is_available).count();
    let is_complete = updated as u64 == wanted && updated == pods.len() && available == updated;
    let mut status = json!({
        "observedGeneration": object["metadata"]["generation"],
        "replicas": pods.len(), "updatedReplicas": updated,
        "availableReplicas": available, "readyReplicas": available,
    });
    let is_late = !is_complete && object["spec"]["paused"] != true && progress + DEADLINE <= now;
    if object["kind"] == "Deployment" && is_late {
        status["conditions"] = json!([{
            "type": "Progressing", "status": "False", "reason": "ProgressDeadlineExceeded",
            "message": "ReplicaSet has timed out progressing.",
        }]);
    }
    (status, is_complete)
}
