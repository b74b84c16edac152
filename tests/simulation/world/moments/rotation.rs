//! Rotations: a credential in an output stays valid, a former user is kept for its overlap, a secret is reset only where that was
//! recorded, and a resource that nothing disturbs stays Ready.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use portal_simulator::Status;
use portal_simulator::role_names::IDENTITY_WALLET_MANAGEMENT;
use serde_json::{Value, json};
use tokio::time::Instant;
use uuid::Uuid;

use super::known::mark_of;
use super::outputs::{WHOLE_SECONDS, overlap_of};
use super::{Known, Moments, State};
use crate::apiserver::Change;
use crate::world::NAMESPACE;
use crate::world::vault::{FOLDER, MOUNT};

/// A reset is sent within this time of the write that records it, and a little more on its way.
const STARTS_WITHIN: Duration = Duration::from_millis(10_500);
const RESETTING: &str = "technicaluser.dev/resetting";
const ROTATE: &str = "technicaluser.dev/rotate";
const COMPROMISED: &str = "technicaluser.dev/compromised";

/// What is known of rotations.
#[derive(Debug, Default)]
pub struct Rotations {
    of: BTreeMap<String, Rotation>,
    /// Credentials that others may know.
    compromised: Vec<Compromised>,
    /// The resources that nothing disturbs.
    undisturbed: BTreeSet<String>,
}

/// A credential that others may know.
#[derive(Debug)]
struct Compromised {
    owner: String,
    user: Uuid,
    secret: String,
}

/// What is known of one resource.
#[derive(Debug, Default)]
struct Rotation {
    uid: String,
    /// The users whose credential was in all outputs that the spec names, and since when, in order.
    complete: Vec<(Uuid, Instant)>,
    /// The overlaps of the spec, and since when.
    overlaps: Vec<(Instant, Duration)>,
    /// When people said last that somebody else may know the credential.
    compromised: Option<Instant>,
    /// Whether other users than the first one were ever asked for.
    has_successors: bool,
    /// When a reset was recorded last.
    resetting: Option<Instant>,
    /// When the spec permitted a reset last.
    may_reset: Option<Instant>,
}

impl Rotations {
    /// The resources are not what they were.
    pub fn forget(&mut self) {
        self.of.clear();
        self.compromised.clear();
    }

    /// Whether people said that others may know the credential of a user, or of a later one.
    pub fn is_compromised_since(&self, state: &State, owner: &str, id: Uuid) -> bool {
        let since = state.users.get(&id).map(|user| user.appeared);
        let asked = self.of.get(owner).and_then(|rotation| rotation.compromised);
        asked.is_some_and(|asked| since.is_none_or(|since| asked >= since))
    }

    /// How many users a resource may have beside those that retire.
    pub fn most_users(&self, owner: &str) -> usize {
        if self.of.get(owner).is_some_and(|rotation| rotation.has_successors) { 2 } else { 1 }
    }
}

impl Moments {
    /// From now on nothing disturbs a resource, or that is over.
    pub fn stays_ready(&self, name: &str, stays: bool) {
        let undisturbed = &mut self.0.state.lock().rotations.undisturbed;
        if stays {
            undisturbed.insert(name.to_owned());
        } else {
            undisturbed.remove(name);
        }
    }

    /// A person says that others may know the credential in the outputs of a resource. Where another one is on its way already,
    /// that one may be the answer.
    pub fn is_compromised(&self, name: &str) {
        let answered = |object: &Arc<Value>| is_calm(object) && is_replaced_if_compromised(object);
        let Some(object) = self.technical_user(name).filter(answered) else { return };
        let mut state = self.0.state.lock();
        let id = object["status"]["user"]["id"].as_str().and_then(|id| id.parse::<Uuid>().ok());
        let Some(user) = id.and_then(|id| state.users.get(&id)) else { return };
        let published = state.published.get(name);
        let published =
            published.filter(|published| user.view.client_id.as_ref() == Some(&published.client_id));
        if let (Some(id), Some(secret)) = (id, published.map(|published| published.secret.clone())) {
            state.rotations.compromised.push(Compromised { owner: name.to_owned(), user: id, secret });
        }
    }

    /// A credential that others may know and that is valid all the same; for a world at rest. A person may have kept its user.
    pub fn valid_although_compromised(&self) -> Option<String> {
        self.see_portal();
        let state = self.0.state.lock();
        state.rotations.compromised.iter().find_map(|Compromised { user: id, secret, .. }| {
            let user = state.users.get(id)?;
            let valid = user.credentials.iter().any(|known| known.secret == *secret && known.until.is_none());
            (valid && user.marked_within(Duration::ZERO)).then(|| format!("that of user {id}"))
        })
    }

    /// A client changed a `TechnicalUser`.
    pub(super) fn rotation_changed(&self, state: &mut State, change: &Change) {
        let (name, object, now) = (&change.id.name, &change.after, Instant::now());
        let uid = object["metadata"]["uid"].as_str().unwrap_or_default();
        let rotation = state.rotations.of.entry(name.clone()).or_default();
        if rotation.uid != uid {
            *rotation = Rotation { uid: uid.to_owned(), ..Rotation::default() };
        }
        let overlap = overlap_of(&object["spec"]);
        if rotation.overlaps.last().is_none_or(|(_, last)| *last != overlap) {
            rotation.overlaps.push((now, overlap));
        }
        let before = change.before.as_deref();
        let is_new = |pointer: &str| {
            object
                .pointer(pointer)
                .is_some_and(|value| before.and_then(|before| before.pointer(pointer)) != Some(value))
        };
        if is_new("/metadata/annotations/technicaluser.dev~1compromised") {
            rotation.compromised = Some(now);
        }
        if is_new("/metadata/annotations/technicaluser.dev~1resetting") {
            rotation.resetting = Some(now);
        }
        let asks = |key: &str| object["metadata"]["annotations"][key].is_string();
        let other_roles = before.is_some() && is_new("/spec/user/create/roles");
        rotation.has_successors |= asks(ROTATE)
            || asks(COMPROMISED)
            || object["spec"]["rotation"]["interval"].is_string()
            || other_roles;
        let unasked = self.begun_without_reason(state, change);
        self.check(state, "a rotation begins where it is asked for, or due and in a window", unasked);
        let Some(rotation) = state.rotations.of.get_mut(name) else { return };
        if permits_reset(object) || before.is_some_and(permits_reset) {
            rotation.may_reset = Some(now);
        }
        // A person may have made the request impossible.
        if is_new("/spec") && !is_replaced_if_compromised(object) {
            let is_handled =
                object["metadata"]["annotations"][COMPROMISED] == object["status"]["handled"]["compromised"];
            state.rotations.compromised.retain(|compromised| is_handled || compromised.owner != *name);
        }
        let broken = state.rotations.undisturbed.contains(name).then(|| not_ready(object)).flatten();
        let broken = broken.map(|condition| format!("{name}: {condition}"));
        if state.rotations.undisturbed.contains(name) {
            self.check(state, "Ready stays True while a user is replaced", broken);
        }
        self.completed(state, name);
    }

    /// Takes in whose credential is in all outputs of a resource, after something has changed there.
    pub(super) fn completed(&self, state: &mut State, owner: &str) {
        let Some(object) = self.technical_user(owner) else { return };
        let Some(rotation) = state.rotations.of.get(owner) else { return };
        let last = rotation.complete.last().map(|(id, _)| *id);
        let is_candidate = |user: &&Known| user.is_of(owner) && user.view.status == Status::Active;
        let found = state.users.values().filter(is_candidate).find(|user| self.is_in_all(&object, user));
        let found = found.map(|user| user.view.id).filter(|id| last != Some(*id));
        if let (Some(id), Some(rotation)) = (found, state.rotations.of.get_mut(owner)) {
            rotation.complete.push((id, Instant::now()));
        }
    }

    /// Whether each output that the spec names holds the credential of a user.
    fn is_in_all(&self, object: &Value, user: &Known) -> bool {
        outputs_of(object).iter().all(|output| self.is_in(object, output, user))
    }

    /// Whether an output that the spec names holds the credential of a user.
    pub(super) fn is_in_one(&self, object: &Value, user: &Known) -> bool {
        outputs_of(object).iter().any(|output| self.is_in(object, output, user))
    }

    fn is_in(&self, object: &Value, output: &Value, user: &Known) -> bool {
        let name = object["metadata"]["name"].as_str().unwrap_or_default();
        if output["vault"].is_object() {
            return self.entry_holds(&output["vault"], name, user);
        }
        self.secret_holds(output["secret"]["name"].as_str().unwrap_or(name), user)
    }

    fn secret_holds(&self, name: &str, user: &Known) -> bool {
        let secret = self.0.apiserver.object("secrets", NAMESPACE, name);
        secret.is_some_and(|secret| is_in_data(&secret, user))
    }

    fn entry_holds(&self, spec: &Value, name: &str, user: &Known) -> bool {
        let prefix = format!("{FOLDER}/");
        let path = spec["path"].as_str();
        let alias = path.map_or(name, |path| path.strip_prefix(&prefix).unwrap_or(path));
        let (_, generation) = mark_of(&user.view.description).unwrap_or_default();
        let entries = self.0.vault.entries();
        let places = [alias.to_owned(), format!("{alias}-{generation}")];
        places.iter().any(|alias| {
            let entry = entries.get(&format!("{MOUNT}/{FOLDER}/{alias}"));
            entry.and_then(|entry| entry.data.as_ref()).is_some_and(|data| is_in_fields(data, user))
        })
    }

    /// A user of a resource that is not under deletion.
    fn living<'a>(&self, state: &'a State, id: Uuid) -> Option<Living<'a>> {
        let user = state.users.get(&id)?;
        let owner = user.owner.as_deref()?;
        let object = self.technical_user(owner)?;
        if object["metadata"]["deletionTimestamp"].is_string() {
            return None;
        }
        Some(Living { user, owner, object, rotation: state.rotations.of.get(owner)? })
    }

    /// The operator deletes a user: why its credential is still needed.
    pub(super) fn still_needed(&self, state: &State, id: Uuid) -> Option<String> {
        let Living { user, owner, object, rotation } = self.living(state, id)?;
        let at = rotation.complete.iter().rposition(|(complete, _)| *complete == id);
        let is_hurried = is_hurried(state, rotation, at.unwrap_or_default())
            || state.ended.has(&object, &id.to_string(), state.paused.shortly());
        let place = self.place_of(state, &object, user, is_hurried);
        if let Some(place) = place.filter(|_| !self.is_unannounced(&object, user)) {
            return Some(format!("user {id} of {owner} is deleted, and {place} holds its credential"));
        }
        let since = rotation.complete.get(at? + 1).map(|(_, since)| *since);
        let Some(since) = since else {
            return Some(format!("user {id} of {owner} is deleted, and no other one is in all outputs"));
        };
        let overlap = rotation.shortest_overlap(since);
        let kept = since.elapsed();
        let is_early = !is_hurried && kept + WHOLE_SECONDS + 2 * state.most_skew < overlap;
        is_early.then(|| format!("user {id} of {owner} is deleted after {kept:?} of {overlap:?}"))
    }

    /// Where the credential of a user is, in an output of a resource. If the user is deleted without overlap, former outputs do not
    /// count.
    fn place_of(&self, state: &State, object: &Value, user: &Known, is_hurried: bool) -> Option<String> {
        let name = object["metadata"]["name"].as_str().unwrap_or_default();
        let default = serde_json::json!([{ "secret": {} }]);
        let outputs =
            if object["spec"]["outputs"].is_array() { &object["spec"]["outputs"] } else { &default };
        let outputs = outputs.as_array().into_iter().flatten().filter(|output| output["vault"].is_null());
        let named: BTreeSet<_> =
            outputs.map(|output| output["secret"]["name"].as_str().unwrap_or(name).to_owned()).collect();
        let secrets = self.0.apiserver.objects("secrets");
        let mut secrets = secrets.iter().filter(|secret| {
            let name = secret["metadata"]["name"].as_str().unwrap_or_default();
            let is_owned = secret["metadata"]["ownerReferences"][0]["uid"] == object["metadata"]["uid"];
            is_owned && (named.contains(name) || !is_hurried)
        });
        if let Some(secret) = secrets.find(|secret| is_in_data(secret, user)) {
            return Some(format!("the Secret {}", secret["metadata"]["name"]));
        }
        if is_hurried {
            return None;
        }
        let client = user.view.client_id.as_deref();
        self.0.vault.entries().into_iter().find_map(|(path, entry)| {
            let is_ours = client.is_some() && state.entries.client(&path) == client;
            let holds = entry.data.as_ref().is_some_and(|data| is_in_fields(data, user));
            (is_ours && holds).then(|| format!("the entry {path}"))
        })
    }

    /// The operator resets the secret of a user: why it may not.
    pub(super) fn reset_without_reason(&self, state: &State, id: Uuid) -> Option<String> {
        let Living { owner, object, rotation, .. } = self.living(state, id)?;
        if object["status"]["user"]["id"] != id.to_string() {
            return Some(format!("{owner} does not use user {id}"));
        }
        let within = |at: Option<Instant>, time: Duration| at.is_some_and(|at| at.elapsed() <= time);
        if !object["metadata"]["annotations"][RESETTING].is_string()
            || !within(rotation.resetting, STARTS_WITHIN)
        {
            return Some(format!(
                "{owner}: the reset is not recorded, or was {:?} ago",
                rotation.resetting.map(|at| at.elapsed())
            ));
        }
        let permitted = permits_reset(&object) || within(rotation.may_reset, state.paused.shortly());
        (!permitted).then(|| format!("{owner}: the spec wants a successor"))
    }
}

/// A user, and the resource that it was created for.
struct Living<'a> {
    user: &'a Known,
    owner: &'a str,
    object: Arc<Value>,
    rotation: &'a Rotation,
}

impl Rotation {
    /// The shortest overlap that the spec had since a time.
    fn shortest_overlap(&self, since: Instant) -> Duration {
        let at_first = self.overlaps.iter().rfind(|(at, _)| *at <= since);
        let later = self.overlaps.iter().filter(|(at, _)| *at > since);
        at_first.into_iter().chain(later).map(|(_, overlap)| *overlap).min().unwrap_or_default()
    }
}

/// Whether a user that was the one at this place is deleted without overlap: somebody else may know a credential since the user is
/// there, or roles were taken away since.
fn is_hurried(state: &State, rotation: &Rotation, at: usize) -> bool {
    let user = rotation.complete.get(at).and_then(|(id, _)| state.users.get(id));
    let since = user.map(|user| user.appeared);
    let roles = |id: &Uuid| state.users.get(id).map(|user| &user.roles);
    let takes_away = rotation.complete.iter().skip(at).zip(rotation.complete.iter().skip(at + 1));
    let mut takes_away =
        takes_away.filter_map(|((former, _), (next, _))| Some((roles(former)?, roles(next)?)));
    rotation.compromised.is_some_and(|asked| since.is_none_or(|since| asked >= since))
        || takes_away.any(|(former, next)| !former.is_subset(next))
}

/// Whether the spec wants the secret to be reset, for some reason to rotate it.
fn permits_reset(object: &Value) -> bool {
    let strategy = object["spec"]["rotation"]["strategy"].as_str();
    let is_compromised = object["metadata"]["annotations"][COMPROMISED].is_string();
    match strategy {
        Some("Replace") => false,
        Some("InPlace") => true,
        // An entry may have a fixed alias.
        _ => is_compromised || has_entry(object),
    }
}

/// Whether nothing keeps a credential from being replaced that others may know: neither a strategy nor an alias that may be fixed.
fn is_replaced_if_compromised(object: &Value) -> bool {
    let roles = object["spec"]["user"]["create"]["roles"].as_array();
    let is_external = roles.into_iter().flatten().any(|role| role == IDENTITY_WALLET_MANAGEMENT);
    let is_reset = !is_external && object["spec"]["rotation"]["strategy"] != "Replace";
    let is_replaced = !has_entry(object) && object["spec"]["rotation"]["strategy"] != "InPlace";
    is_reset || is_replaced
}

/// The outputs of a spec.
fn outputs_of(object: &Value) -> Vec<Value> {
    let default = || vec![json!({ "secret": {} })];
    object["spec"]["outputs"].as_array().cloned().unwrap_or_else(default)
}

/// Whether a spec names an entry in a Vault.
fn has_entry(object: &Value) -> bool {
    object["spec"]["outputs"].as_array().into_iter().flatten().any(|output| output["vault"].is_object())
}

/// Whether no rotation is on its way, as far as the object says.
fn is_calm(object: &Value) -> bool {
    let annotation = |key: &str| &object["metadata"]["annotations"][key];
    let number = |text: &Value| {
        let first = text.as_str().and_then(|text| text.split(' ').next());
        first.and_then(|first| first.parse::<i64>().ok()).unwrap_or_default()
    };
    let is_handled = |key: &str, field: &str| {
        annotation(key).is_null() || *annotation(key) == object["status"]["handled"][field]
    };
    let status = &object["status"];
    let conditions = status["conditions"].as_array();
    let is_rotating = conditions.into_iter().flatten().any(|condition| condition["type"] == "Rotating");
    status["user"]["id"].is_string()
        && is_handled(ROTATE, "rotate")
        && is_handled(COMPROMISED, "compromised")
        && number(annotation("technicaluser.dev/creating"))
            <= status["user"]["generation"].as_i64().unwrap_or_default()
        && number(annotation(RESETTING)) <= status["credential"]["generation"].as_i64().unwrap_or_default()
        && object["spec"]["rotation"]["interval"].is_null()
        && object["metadata"]["generation"] == status["observedGeneration"]
        && !is_rotating
        && not_ready(object).is_none()
}

/// The condition Ready of an object, if it is not True.
fn not_ready(object: &Value) -> Option<String> {
    let conditions = object["status"]["conditions"].as_array();
    let ready = conditions.into_iter().flatten().find(|condition| condition["type"] == "Ready");
    match ready {
        Some(ready) if ready["status"] == "True" => None,
        Some(ready) => Some(ready.to_string()),
        None => Some("there is no condition Ready".to_owned()),
    }
}

/// Whether a Secret holds the credential of a user: the secret, or the client ID beside the alias of the secret.
pub(super) fn is_in_data(secret: &Value, user: &Known) -> bool {
    let texts = secret["data"].as_object().into_iter().flatten();
    let mut texts = texts.filter_map(|(_, text)| STANDARD.decode(text.as_str()?).ok());
    texts.any(|text| is_in_text(&String::from_utf8_lossy(&text), user))
}

pub(super) fn is_in_fields(data: &Value, user: &Known) -> bool {
    let fields = data.as_object().into_iter().flatten();
    { fields }.any(|(_, text)| is_in_text(text.as_str().unwrap_or_default(), user))
}

fn is_in_text(text: &str, user: &Known) -> bool {
    let is_secret = || user.credentials.iter().any(|known| text.contains(&known.secret));
    user.view.client_id.as_deref() == Some(text) || is_secret()
}
