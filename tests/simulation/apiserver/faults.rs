//! What can go wrong at the apiserver. Everything is off at first; the seed decides which calls a fault meets.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use technical_user_operator::process::Random;

use super::refusal::Refusal;
use super::request::{Call, Verb};

/// What can happen to one call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fault {
    /// 429.
    Busy,
    /// 500.
    Broken,
    /// The connection is cut before anything is done.
    Cut,
    /// It is done, and the connection is cut before the answer. A watch is cut some time after it began.
    Lost,
    /// Nothing is done and nothing is answered.
    Silent,
    /// It is done and nothing is answered. A watch begins and then sends nothing.
    DoneSilent,
}

impl Fault {
    pub const ALL: [Self; 6] =
        [Self::Busy, Self::Broken, Self::Cut, Self::Lost, Self::Silent, Self::DoneSilent];
}

/// A right: a verb of RBAC and a resource, such as `create` and `secrets`.
pub type Right = (Verb, String);

/// The switches.
pub struct Faults {
    random: Random,
    /// Rights that no account but the admin has.
    pub missing_rights: BTreeSet<Right>,
    /// Callers without any right.
    pub powerless: BTreeSet<String>,
    /// A webhook that fails is called for the writes of these resources, or of their statuses alone (`secrets`, `widgets.example.org/status`).
    pub webhooks: BTreeSet<String>,
    /// The share of calls that meet a fault, 0 to 1.
    pub rate: f64,
    /// The faults that they meet.
    pub kinds: BTreeSet<Fault>,
    /// How late the watches of a resource show a change. Kinds with different values are reordered.
    pub lags: BTreeMap<String, Duration>,
    /// How old the state is with which the list of a watch is answered. A watch begins with a list in pages; no other list has them.
    pub stale: Duration,
    /// The longest time that a call takes on its way, each way.
    pub longest_way: Duration,
    /// How often each fault was met.
    pub met: BTreeMap<Fault, u64>,
}

impl Faults {
    /// Everything off.
    pub fn off(random: Random) -> Self {
        Self {
            random,
            missing_rights: BTreeSet::new(),
            powerless: BTreeSet::new(),
            webhooks: BTreeSet::new(),
            rate: 0.0,
            kinds: BTreeSet::new(),
            lags: BTreeMap::new(),
            stale: Duration::ZERO,
            longest_way: Duration::ZERO,
            met: BTreeMap::new(),
        }
    }

    /// The fault that this call meets.
    pub fn draw(&mut self, caller: &str) -> Option<Fault> {
        if caller == super::ADMIN || self.kinds.is_empty() || self.random.fraction() >= self.rate {
            return None;
        }
        let mut kinds: Vec<_> = self.kinds.iter().copied().collect();
        self.random.shuffle(&mut kinds);
        let fault = kinds.first().copied()?;
        *self.met.entry(fault).or_default() += 1;
        Some(fault)
    }

    /// How long a call is on its way, in one direction.
    pub fn way(&self, caller: &str) -> Duration {
        if caller == super::ADMIN {
            return Duration::ZERO;
        }
        self.longest_way.mul_f64(self.random.fraction())
    }

    /// A number below 1.
    pub fn chance(&self) -> f64 {
        self.random.fraction()
    }

    /// A part of this time.
    pub fn part_of(&self, time: Duration) -> Duration {
        time.mul_f64(self.random.fraction())
    }

    /// How late the watches of a resource are.
    pub fn lag(&self, resource: &str) -> Duration {
        self.lags.get(resource).copied().unwrap_or_default()
    }

    /// Why the caller may not do this, in the words of RBAC.
    pub fn forbids(&self, call: &Call) -> Option<String> {
        let right = (call.verb, call.kind.resource());
        let is_missing = self.missing_rights.contains(&right) && call.caller != super::ADMIN;
        if !is_missing && !self.powerless.contains(&call.caller) {
            return None;
        }
        let place = match &call.namespace {
            Some(namespace) => format!("in the namespace \"{namespace}\""),
            None => "at the cluster scope".to_owned(),
        };
        let status = if call.status { "/status" } else { "" };
        Some(format!(
            "User \"{}\" cannot {} resource \"{}{status}\" in API group \"{}\" {place}",
            call.caller,
            call.verb.name(),
            call.kind.plural,
            call.kind.group,
        ))
    }

    /// Refuses a write for which a webhook is called that fails.
    pub fn admit(&self, call: &Call) -> Result<(), Refusal> {
        let resource = call.kind.resource();
        let is_named = self.webhooks.contains(&resource)
            || call.status && self.webhooks.contains(&format!("{resource}/status"));
        if is_named && call.caller != super::ADMIN {
            return Err(Refusal::internal(
                "Internal error occurred: failed calling webhook \"policy.example.org\": failed to call webhook: Post \
                 \"https://policy.example.org:443/validate?timeout=10s\": context deadline exceeded",
            ));
        }
        Ok(())
    }
}
