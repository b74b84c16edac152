//! Restarts of workloads: a user that was replaced is not deleted while pods run that read its credential, each change of an output
//! restarts a workload once, and only if it permits that, in the order of the spec.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;
use tokio::time::Instant;
use uuid::Uuid;

use super::rotation::is_in_data;
use super::secrets::owner;
use super::{Moments, State};
use crate::apiserver::{ADMIN, Change, Pod};
use crate::world::NAMESPACE;
use crate::world::objects::secret_of;
use crate::world::workloads::{RESTARTED_AT, resource};

/// A change is recorded for the next whole second.
const SECOND: Duration = Duration::from_secs(2);
/// The most restarts for one change, if clocks differ: one by each clock.
const MOST_BY_CLOCKS: u32 = 4;

/// What is known of restarts.
#[derive(Debug, Default)]
pub struct Workloads {
    /// Since when spec and status of a resource name a workload, by the resource and the workload.
    named: BTreeMap<(String, String), Instant>,
    /// When a process last changed the content of a Secret, by its name, and to what.
    written: BTreeMap<String, (Instant, String)>,
    /// The Secrets into which a process wrote another content than the one before, and which no count of a change covers yet, with their
    /// resources.
    changed: BTreeSet<(String, String)>,
    /// The contents that people have written.
    theirs: BTreeSet<String>,
    /// When the status of a resource last counted a change.
    counted: BTreeMap<String, Instant>,
    /// When a process restarted a workload last, and how often since the last change, by the uid of the workload.
    restarted: BTreeMap<String, (Instant, u32)>,
}

/// `Deployment "plane"`.
fn name_of(target: &Value) -> String {
    format!("{} {}", target["kind"].as_str().unwrap_or_default(), target["name"])
}

fn targets(object: &Value) -> impl Iterator<Item = &Value> {
    object["spec"]["restart"].as_array().into_iter().flatten()
}

impl Workloads {
    /// A client changed a `TechnicalUser`: why it may not count a change of an output.
    pub(super) fn named(&mut self, change: &Change) -> Option<String> {
        let (owner, object, now) = (&change.id.name, &change.after, Instant::now());
        let recorded = object["status"]["restart"]["workloads"].as_array();
        let recorded: BTreeSet<_> = recorded.into_iter().flatten().map(name_of).collect();
        let named: BTreeSet<_> =
            targets(object).map(name_of).filter(|name| recorded.contains(name)).collect();
        self.named.retain(|(of, name), _| of != owner || named.contains(name));
        for name in named {
            self.named.entry((owner.clone(), name)).or_insert(now);
        }
        let count = |object: &Value| object["status"]["restart"]["generation"].as_i64().unwrap_or_default();
        if count(object) <= change.before.as_deref().map_or(0, count) {
            return None;
        }
        self.counted.insert(owner.clone(), now);
        // It covers the outputs whose content it records. That of another one may be recorded later, when its write is known.
        let digests = |object: &Value| -> BTreeSet<(String, String)> {
            let outputs = object["status"]["outputs"].as_array().into_iter().flatten();
            let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
            outputs.map(|output| (text(&output["name"]), text(&output["digest"]))).collect()
        };
        let former = change.before.as_deref().map(digests).unwrap_or_default();
        let recorded = digests(object).into_iter().filter(|output| !former.contains(output));
        let covered = recorded.filter(|(name, _)| self.changed.remove(&(owner.clone(), name.clone())));
        let is_new = covered.count() > 0;
        (!is_new).then(|| format!("{owner} counts one, and records no other content of a Secret"))
    }

    /// A client changed a Secret.
    pub(super) fn written(&mut self, caller: &str, change: &Change) {
        let data = &change.after["data"];
        if change.before.as_ref().is_some_and(|before| before["data"] == *data) {
            return;
        }
        if caller == ADMIN {
            self.theirs.insert(data.to_string());
        } else if !change.deleted {
            let (now, data) = (Instant::now(), data.to_string());
            let is_other = self.written.get(&change.id.name).is_some_and(|(_, former)| *former != data);
            if let Some(owner) = owner(&change.after).filter(|_| is_other) {
                self.changed.insert((owner.to_owned(), change.id.name.clone()));
            }
            self.written.insert(change.id.name.clone(), (now, data));
        }
    }

    /// Whether a pod has to be replaced for what was written into the Secret of a resource: its workload is named since before that.
    fn is_outdated(&self, owner: &str, target: &Value, secret: &str, pod: &Pod, skew: Duration) -> bool {
        let Some((written, _)) = self.written.get(secret) else { return false };
        let named = self.named.get(&(owner.to_owned(), name_of(target)));
        let is_theirs =
            || pod.secrets.get(secret).is_some_and(|took| self.theirs.contains(&took["data"].to_string()));
        named.is_some_and(|named| named < written)
            && (skew.is_zero() || pod.started + 2 * skew < *written)
            && !is_theirs()
    }
}

impl Moments {
    fn workload(&self, target: &Value) -> Option<Arc<Value>> {
        let kind = target["kind"].as_str().unwrap_or_default();
        self.0.apiserver.object(resource(kind), NAMESPACE, target["name"].as_str().unwrap_or_default())
    }

    /// The operator deletes a user: a pod that runs with its credential, and that is to be replaced before that.
    pub(super) fn still_read(&self, state: &State, id: Uuid) -> Option<String> {
        let user = state.users.get(&id)?;
        let owner = user.owner.as_deref()?;
        let object = self.technical_user(owner)?;
        let ends = object["metadata"]["deletionTimestamp"].is_string()
            || state.rotations.is_compromised_since(state, owner, id)
            || state.ended.has(&object, &id.to_string(), state.paused.shortly());
        if ends {
            return None;
        }
        let secret = secret_of(&object);
        targets(&object).find_map(|target| {
            let reads = |pod: &&Pod| {
                pod.secrets.get(&secret).is_some_and(|took| is_in_data(took, user))
                    && state.workloads.is_outdated(owner, target, &secret, pod, state.most_skew)
            };
            let workload = self.workload(target)?;
            let pods = self.0.apiserver.pods(&workload);
            let pod = pods.iter().find(reads)?;
            let age = pod.started.elapsed();
            Some(format!(
                "user {id} of {owner} is deleted, and a pod of {} that started {age:?} ago read it",
                name_of(target)
            ))
        })
    }

    /// Where a workload runs with another content than the present one of the Secret of a resource, at rest.
    pub fn runs_with_another(&self, owner: &str, object: &Value, target: &Value) -> Option<String> {
        let state = self.0.state.lock();
        let Some(workload) = self.workload(target) else {
            return Some(format!("{owner} names {}, which is not there", name_of(target)));
        };
        let secret = secret_of(object);
        let present = self.0.apiserver.object("secrets", NAMESPACE, &secret)?;
        let is_other = |pod: &&Pod| {
            pod.secrets.get(&secret).is_none_or(|took| took["data"] != present["data"])
                && state.workloads.is_outdated(owner, target, &secret, pod, state.most_skew)
        };
        let pods = self.0.apiserver.pods(&workload);
        pods.iter()
            .find(is_other)
            .map(|_| format!("{} runs with a former content of {secret}", name_of(target)))
    }

    /// A client changed a workload.
    pub(super) fn workload_changed(&self, state: &mut State, caller: &str, change: &Change) {
        let Some(before) = change.before.as_deref().filter(|_| caller != ADMIN) else { return };
        let other = (without_restart(before) != without_restart(&change.after) || change.deleted)
            .then(|| format!("{caller} changes {}", change.id.name));
        self.check(state, "nothing of a workload is changed but the time of its restart", other);
        let users = self.0.apiserver.objects("technicalusers.technicaluser.dev");
        let consent = before["metadata"]["annotations"]["technicaluser.dev/restart"].as_str();
        let permitted: BTreeSet<_> = consent.unwrap_or_default().split(", ").collect();
        let this = (&change.after["kind"], &change.after["metadata"]["name"]);
        let named = |user: &Value| {
            let recorded = user["status"]["restart"]["workloads"].as_array().into_iter().flatten();
            targets(user).chain(recorded).any(|target| (&target["kind"], &target["name"]) == this)
        };
        let owners: Vec<_> = users
            .iter()
            .filter(|user| named(user))
            .filter_map(|user| Some((user["metadata"]["name"].as_str()?, user)))
            .filter(|(name, _)| permitted.contains(name))
            .collect();
        let refused = owners.is_empty().then(|| format!("{} permits it for {consent:?}", change.id.name));
        self.check(state, "a workload is restarted where it permits that", refused);
        let uid = change.after["metadata"]["uid"].as_str().unwrap_or_default();
        let former = state.workloads.restarted.get(uid).copied();
        let is_new = |owner: &str| {
            let counted = state.workloads.counted.get(owner);
            counted.is_some_and(|counted| former.is_none_or(|(former, _)| *counted + SECOND > former))
        };
        let reasons: Vec<_> = owners.iter().filter(|(owner, _)| is_new(owner)).collect();
        let times = if reasons.is_empty() { former.map_or(1, |(_, times)| times + 1) } else { 1 };
        let most = if state.most_skew.is_zero() { 1 } else { MOST_BY_CLOCKS };
        let again = (times > most || former.is_none() && reasons.is_empty())
            .then(|| format!("{} is restarted, and nothing has changed since {former:?}", change.id.name));
        let early = reasons.iter().filter_map(|(owner, user)| self.restarted_early(state, owner, user, this));
        let early = early.collect::<Vec<_>>();
        let early = early.first().filter(|_| !reasons.is_empty() && early.len() == reasons.len()).cloned();
        state.workloads.restarted.insert(uid.to_owned(), (Instant::now(), times));
        self.check(state, "a workload is restarted once for a change", again);
        self.check(state, "the workloads of a resource are restarted one after the other", early);
    }

    /// The workload before this one in the spec of a resource whose pods are not replaced yet.
    fn restarted_early(
        &self,
        state: &State,
        owner: &str,
        user: &Value,
        this: (&Value, &Value),
    ) -> Option<String> {
        let counted = *state.workloads.counted.get(owner)?;
        let before = targets(user).take_while(|target| (&target["kind"], &target["name"]) != this);
        before.into_iter().find_map(|target| {
            let workload = self.workload(target)?;
            let consent = workload["metadata"]["annotations"]["technicaluser.dev/restart"].as_str();
            let is_passed = !consent.unwrap_or_default().split(", ").any(|name| name == owner)
                || workload["spec"]["paused"] == true
                || state
                    .workloads
                    .named
                    .get(&(owner.to_owned(), name_of(target)))
                    .is_none_or(|at| *at > counted);
            let pods = self.0.apiserver.pods(&workload);
            let is_old = pods.iter().any(|pod| pod.started + 2 * state.most_skew < counted);
            (!is_passed && is_old).then(|| format!("{} is not restarted for {owner} yet", name_of(target)))
        })
    }
}

/// A workload without what a restart changes.
fn without_restart(workload: &Value) -> Value {
    let mut rest = workload.clone();
    if let Some(annotations) = rest["spec"]["template"]["metadata"]["annotations"].as_object_mut() {
        annotations.remove(RESTARTED_AT);
    }
    if rest["spec"]["template"]["metadata"]["annotations"].as_object().is_none_or(serde_json::Map::is_empty) {
        rest["spec"]["template"]["metadata"] = Value::Null;
    }
    for field in ["resourceVersion", "generation"] {
        rest["metadata"][field] = Value::Null;
    }
    rest
}
