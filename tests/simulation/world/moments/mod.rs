//! The judge at every moment: what must hold whenever the operator writes, whenever one of its requests arrives, and whenever
//! the portal changes. The first rule that is broken is kept, and fails the run.

mod due;
mod entries;
mod existing;
mod holds;
mod known;
mod lists;
mod objects;
mod outputs;
mod overlaps;
mod paused;
mod rates;
mod requests;
mod restored;
mod rotation;
mod secrets;
mod workloads;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use portal_simulator::Simulator;
use serde_json::Value;
use tokio::time::Instant;
use uuid::Uuid;

use super::vault::VaultServer;
use super::{COMPANY, NAMESPACE};
use crate::apiserver::{ADMIN, Apiserver, Call, Change, Observer, Verb};
use crate::record::Record;
pub use existing::{adopts, is_selected, selector};
use known::Known;
use rates::Rates;

/// The judge. Cheap to clone; clones are the same one.
#[derive(Clone)]
pub struct Moments(Arc<Parts>);

struct Parts {
    apiserver: Apiserver,
    portal: Arc<Simulator>,
    vault: VaultServer,
    record: Record,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// The first rule that was broken.
    broken: Option<String>,
    /// How often each rule was checked.
    checked: BTreeMap<&'static str, u64>,
    users: BTreeMap<Uuid, Known>,
    /// The state of the portal from which these are.
    seen: Option<u64>,
    /// When an attempt was last written on a resource.
    attempts: BTreeMap<String, Instant>,
    /// The creates that were sent, by the name of the user: when the attempt of each was written.
    sent: BTreeMap<String, Vec<Instant>>,
    /// The creates whose users were seen, by the numbers of the calls.
    carried_out: BTreeSet<u64>,
    /// The users whose creates were answered to a process.
    answered: BTreeSet<(String, Uuid)>,
    /// The uids of the Secrets that processes of the operator created.
    own_secrets: Vec<String>,
    /// The keys that processes of the operator wrote into Secrets, by the uid of the Secret, with their values.
    own_keys: BTreeSet<(String, String, String)>,
    /// The credentials with which a process obtained a token, and when it last did.
    tokens: BTreeMap<(String, String, String), Instant>,
    /// The client ID that each resource's Secret held last.
    published: BTreeMap<String, secrets::Published>,
    /// The uids of the resources that were Ready once.
    were_ready: Vec<String>,
    /// Since when the Portal says that nothing may be changed in the portal.
    suspended: Option<Instant>,
    /// The reasons that conditions had.
    reasons: BTreeSet<String>,
    rates: Rates,
    /// How far the clock of a process that starts is ahead or behind, and how far one was.
    skew: Duration,
    most_skew: Duration,
    /// When processes were paused.
    paused: paused::Paused,
    /// When the cluster was restored from a backup last.
    restored: Option<Instant>,
    /// The users whose resource did not exist then, or could be deleted without its user.
    forgotten: BTreeSet<Uuid>,
    entries: entries::Entries,
    /// What the specs of each resource have named.
    named: BTreeMap<String, outputs::Named>,
    rotations: rotation::Rotations,
    workloads: workloads::Workloads,
    holds: holds::Holds,
    /// The overlaps that people have ended.
    ended: overlaps::Ended,
    /// What the list has shown to each process.
    lists: lists::Lists,
}

impl Moments {
    /// A judge of what happens between these.
    pub fn begin(
        apiserver: &Apiserver,
        portal: &Arc<Simulator>,
        vault: &VaultServer,
        record: &Record,
    ) -> Self {
        let parts = Parts {
            apiserver: apiserver.clone(),
            portal: Arc::clone(portal),
            vault: vault.clone(),
            record: record.clone(),
            state: Mutex::default(),
        };
        let moments = Self(Arc::new(parts));
        moments.see_portal();
        apiserver.observe(Some(Arc::new(moments.clone())));
        tokio::spawn(moments.clone().watch_portal());
        moments
    }

    /// Ends the judgement, so that the parts of the world do not hold each other.
    pub fn end(&self) {
        self.0.apiserver.observe(None);
    }

    /// What was broken first.
    pub fn broken(&self) -> Option<String> {
        self.0.state.lock().broken.clone()
    }

    /// From now on the clocks of processes that start differ from the others by up to this time.
    pub fn clocks_differ_by(&self, skew: Duration) {
        let mut state = self.0.state.lock();
        state.skew = skew;
        state.most_skew = state.most_skew.max(skew);
    }

    /// How far the clock of a process that starts is ahead or behind.
    pub fn skew(&self) -> Duration {
        self.0.state.lock().skew
    }

    /// The reasons that conditions had.
    pub fn reasons(&self) -> BTreeSet<String> {
        self.0.state.lock().reasons.clone()
    }

    /// How often each rule was checked.
    pub fn checked(&self) -> BTreeMap<&'static str, u64> {
        self.0.state.lock().checked.clone()
    }

    /// Fails unless each of these rules was checked: a judge who sees nothing finds nothing.
    pub fn has_checked(&self, rules: &[&str]) {
        let state = self.0.state.lock();
        let never = rules.iter().find(|rule| !state.checked.contains_key(**rule));
        assert!(never.is_none(), "no moment was judged by the rule: {never:?}");
    }

    /// Whether the resource of a user may have been deleted without it: the user was created late, or the cluster was restored.
    pub fn may_be_left(&self, id: Uuid) -> bool {
        let state = self.0.state.lock();
        state.users.get(&id).is_some_and(|user| user.late) || state.forgotten.contains(&id)
    }

    /// Whether a user has a name with which one was created so late: the wallet refuses all of them but one, whichever that is.
    pub fn is_of_a_late_name(&self, id: Uuid) -> bool {
        let state = self.0.state.lock();
        let name = state.users.get(&id).map(|user| &user.view.name);
        state.users.values().any(|user| user.late && Some(&user.view.name) == name)
    }

    async fn watch_portal(self) {
        loop {
            let change = self.0.portal.changed();
            self.see_portal();
            change.await;
        }
    }

    /// Takes in what is at the portal now.
    fn see_portal(&self) {
        let mut state = self.0.state.lock();
        let state = &mut *state;
        let users = self.0.portal.view(|view| {
            let seen = state.seen.replace(view.changes_of_users());
            let stays = |id, status| state.users.get(&id).is_some_and(|user| user.stays(status));
            (seen != state.seen).then(|| view.users_that(COMPANY, |id, _, status| !stays(id, status)))
        });
        let Some(users) = users else { return };
        let is_late = |name: &str| {
            // The portal puts this before the name of a wallet user.
            let name = name.strip_prefix("dim-").unwrap_or(name);
            let attempts = state.sent.get(name)?;
            self.0.portal.view(|view| {
                known::is_late(view.calls(), name, attempts, &mut state.carried_out, state.restored)
            })
        };
        known::see(&mut state.users, users, is_late);
        let retiring = |owner: &str| self.retiring(owner);
        let most = |owner: &str| state.rotations.most_users(owner);
        let second = known::second_user(&state.users, most, retiring);
        self.check(state, "no user is created a second time", second);
    }

    /// Keeps the first rule that is broken.
    fn check(&self, state: &mut State, rule: &'static str, broken: Option<String>) {
        *state.checked.entry(rule).or_default() += 1;
        if let Some(why) = broken.filter(|_| state.broken.is_none()) {
            self.0.record.add(format!("BROKEN: {rule}: {why}"));
            state.broken = Some(format!("{rule}: {why}"));
        }
    }

    /// The users of a resource that another one has replaced, as its status says.
    fn retiring(&self, owner: &str) -> Vec<String> {
        let object = self.technical_user(owner).unwrap_or_default();
        let retiring = object["status"]["retiring"].as_array().cloned().unwrap_or_default();
        retiring.iter().filter_map(|user| user["id"].as_str().map(str::to_owned)).collect()
    }

    fn technical_user(&self, name: &str) -> Option<Arc<Value>> {
        self.0.apiserver.object("technicalusers.technicaluser.dev", NAMESPACE, name)
    }

    /// A process sends a request, to whichever server.
    pub fn request(&self) {
        let mut state = self.0.state.lock();
        let broken = state.rates.request(Instant::now());
        self.check(&mut state, "requests are bounded", broken);
    }

    /// A process obtained a token with this credential.
    pub fn obtained_token(&self, process: &str, client_id: &str, secret: &str) {
        let key = (process.to_owned(), client_id.to_owned(), secret.to_owned());
        self.0.state.lock().tokens.insert(key, Instant::now());
    }
}

impl Moments {
    /// `managedFields` show what the operator has written by this name.
    fn names_its_manager(&self, call: &Call) {
        let kind = &call.kind;
        let has_readers = kind.is_custom() || kind.group == "apps" || kind.resource() == "secrets";
        if has_readers && matches!(call.verb, Verb::Create | Verb::Patch) && call.caller != ADMIN {
            let manager = call.query.get("fieldManager").map(String::as_str);
            let broken =
                (manager != Some("technical-user-operator")).then(|| format!("{call} by {manager:?}"));
            self.check(&mut self.0.state.lock(), "each write names the field manager", broken);
        }
    }
}

impl Observer for Moments {
    fn changed(&self, caller: &str, change: &Change) {
        self.see_portal();
        let mut state = self.0.state.lock();
        let state = &mut *state;
        match change.id.resource.as_str() {
            "secrets" => self.secret_changed(state, caller, change),
            "technicalusers.technicaluser.dev" => {
                self.technical_user_changed(state, change);
                self.existing_named(state, caller, change);
            }
            "portals.technicaluser.dev" => objects::portal_changed(state, change),
            "deployments.apps" | "statefulsets.apps" => self.workload_changed(state, caller, change),
            _ => {}
        }
        if change.id.resource != "secrets" {
            self.words(state, change);
        }
    }

    fn answered(&self, call: &Call, code: u16) {
        self.names_its_manager(call);
        if code == 409 && call.verb == Verb::Patch {
            let mut state = self.0.state.lock();
            let object = format!("{} {}", call.caller, call.object_name());
            let broken = state.rates.conflict(&object, Instant::now());
            self.check(&mut state, "conflicts are retried with growing waits", broken);
        }
    }
}
