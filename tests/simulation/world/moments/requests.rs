//! Requests of the operator that change something in the portal, when they arrive there.

use std::sync::Arc;
use std::time::Duration;

use http::Method;
use serde_json::Value;
use tokio::time::Instant;
use uuid::Uuid;

use super::existing::selector;
use super::known::{Known, marked_for};
use super::rotation::is_in_data;
use super::{Moments, State};

/// The POST is sent within this time of the write that records the attempt, and a little more on its way.
const STARTS_WITHIN: Duration = Duration::from_millis(10_500);
/// A mark that a person removed is read again within this time before a user is changed.
const READ_WITHIN: Duration = Duration::from_mins(1);
const USERS: &str = "/serviceaccounts";
const RESET: &str = "/resetCredentials";

impl Moments {
    /// A request for users of the portal is sent.
    pub fn sent(&self, method: &Method, path: &str, body: &[u8]) {
        if *method == Method::POST && path.ends_with(USERS) {
            let body: Value = serde_json::from_slice(body).unwrap_or_default();
            let mut state = self.0.state.lock();
            let broken = self.unrecorded(&state, &body);
            self.check(&mut state, "a create is sent right after its attempt is recorded", broken);
            let name = body["name"].as_str().unwrap_or_default().to_owned();
            let owner = marked_for(body["description"].as_str().unwrap_or_default()).unwrap_or_default();
            let attempt = state.attempts.get(&owner).copied().unwrap_or_else(Instant::now);
            state.sent.entry(name).or_default().push(attempt);
        }
    }

    /// A process has the answer to a create. It knows by that whose user it is, and repairs what a person changes in its description.
    pub fn created(&self, process: &str, answer: &[u8]) {
        let answer: Value = serde_json::from_slice(answer).unwrap_or_default();
        let users = answer.as_array().into_iter().flatten().chain([&answer]);
        let ids = users.filter_map(|user| user["serviceAccountId"].as_str()?.parse::<Uuid>().ok());
        self.0.state.lock().answered.extend(ids.map(|id| (process.to_owned(), id)));
    }

    /// Why a create may not be sent: its attempt must be on the resource, and not for long.
    fn unrecorded(&self, state: &State, body: &Value) -> Option<String> {
        let Some(owner) = marked_for(body["description"].as_str().unwrap_or_default()) else {
            return Some("the new user has no mark".to_owned());
        };
        let Some(object) = self.technical_user(&owner) else {
            return Some(format!("{owner} does not exist any more"));
        };
        if selector(&object).is_some() {
            return Some(format!("{owner} publishes a user that exists"));
        }
        let attempt = object["metadata"]["annotations"]["technicaluser.dev/creating"].as_str();
        if attempt.is_none() || object["metadata"]["finalizers"].is_null() {
            return Some(format!("{owner} has no attempt or no finalizer"));
        }
        let since = state.attempts.get(&owner).map(|at| Instant::now() - *at);
        since
            .filter(|since| *since > STARTS_WITHIN)
            .map(|since| format!("{owner}: {since:?} after its attempt"))
    }

    /// A request arrives at the portal that changes a user which is there.
    pub fn arrives(&self, process: &str, method: &Method, path: &str) {
        let Some((_, rest)) = path.split_once("/serviceaccounts/") else { return };
        let id = rest.split('/').next().and_then(|id| id.parse::<Uuid>().ok());
        let Some(id) = id.filter(|_| *method != Method::GET) else { return };
        self.see_portal();
        let mut state = self.0.state.lock();
        let is_known = *method == Method::PUT && state.answered.contains(&(process.to_owned(), id));
        let foreign = self.foreign(&state, id).filter(|_| !is_known);
        let foreign = foreign.map(|why| format!("{method} of user {id}: {why}"));
        self.check(&mut state, "no user of others is changed", foreign);
        let held = self.although_held(&state, id).map(|why| format!("{method} of user {id}: {why}"));
        self.check(&mut state, "nothing is changed at the portal for a resource that is held", held);
        if *method == Method::DELETE {
            let published = self.in_use(&state, id);
            self.check(&mut state, "no user is deleted that is published", published);
            let needed = self.still_needed(&state, id);
            self.check(&mut state, "a former user is kept until nothing needs it", needed);
            let read = self.still_read(&state, id);
            self.check(&mut state, "a former user is kept until the workloads are restarted", read);
        }
        if path.ends_with(RESET) {
            let broken = self.reset_without_reason(&state, id);
            self.check(&mut state, "a secret is reset where that is recorded and wanted", broken);
        }
    }

    /// Why a user is none that the operator may change: the mark is gone for long, and no status names the user.
    fn foreign(&self, state: &State, id: Uuid) -> Option<String> {
        let user = state.users.get(&id)?;
        let marked = user.marked_within(READ_WITHIN);
        let is_recorded = |object: &Arc<Value>| {
            let status = &object["status"];
            let retiring = status["retiring"].as_array().into_iter().flatten();
            let mut named = retiring.chain([&status["user"]]);
            selector(object).is_none() && named.any(|user| user["id"] == id.to_string())
        };
        let users = self.0.apiserver.objects("technicalusers.technicaluser.dev");
        (!marked && !users.iter().any(is_recorded))
            .then(|| format!("its description is {:?}", user.view.description))
    }

    /// Whether a resource that is not under deletion publishes a user.
    fn in_use(&self, state: &State, id: Uuid) -> Option<String> {
        let user = state.users.get(&id)?;
        let owner = user.owner.as_deref()?;
        let object = self.technical_user(owner)?;
        let is_used = state
            .published
            .get(owner)
            .is_some_and(|published| user.view.client_id.as_ref() == Some(&published.client_id));
        let lives =
            object["metadata"]["deletionTimestamp"].is_null() && object["status"]["user"]["id"].is_string();
        (lives && is_used && !self.is_unannounced(&object, user)).then(|| format!("user {id} of {owner}"))
    }

    /// Whether the only place of a user's credential is an entry whose alias nothing reports: the process ended before it recorded the
    /// write, or the entry was not readable after it, and the user was not needed any more.
    pub(super) fn is_unannounced(&self, object: &Value, user: &Known) -> bool {
        let id = Value::from(user.view.id.to_string());
        let outputs = || object["status"]["outputs"].as_array().into_iter().flatten();
        let begun = |output: &Value| {
            output["begun"].as_array().is_some_and(|all| all.iter().any(|one| one["user"] == id))
        };
        let holds = |output: &Value| output["entry"]["user"] == id;
        let is_former = |output: &Value| output["deleteAfter"].is_string();
        let secrets = self.0.apiserver.objects("secrets");
        outputs().any(|output| begun(output) || is_former(output) && holds(output))
            && !outputs().any(|output| holds(output) && !is_former(output))
            && !secrets.iter().any(|secret| is_in_data(secret, user))
    }
}
