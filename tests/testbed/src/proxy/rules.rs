//! What the proxy does to chosen requests.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use parking_lot::{Mutex, MutexGuard};
use serde_json::{Value, json};

use super::gate::Gate;
use crate::Matcher;

/// What is done to a request that a rule picks.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum Action {
    /// Answer in the apiserver's place; the request is not forwarded.
    Status {
        /// The status code.
        code: u16,
        /// The body, JSON.
        body: Value,
    },
    /// Cut the connection; the request is not forwarded.
    DropBefore,
    /// Forward the request, wait for the apiserver's answer, then cut the connection: the answer is lost.
    DropAfter,
    /// Forward it later.
    Delay(Duration),
    /// Never answer; the request is not forwarded.
    Hang,
}

impl Action {
    /// An answer with a Kubernetes `Status` of this code, reason and message.
    #[must_use]
    pub fn status(code: u16, reason: &str, message: &str) -> Self {
        let body = json!({
            "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure",
            "code": code, "reason": reason, "message": message,
        });
        Self::Status { code, body }
    }
}

/// When a [`Gate`] stops a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// Before it is forwarded. If the client is killed while it waits there, it is never forwarded.
    Before,
    /// After the apiserver carried it out, before the client learns of it.
    After,
}

/// What is done to one request.
#[derive(Debug, Clone)]
pub(super) enum Effect {
    Act(Action),
    Hold(Stage, Gate),
}

/// The rules of one proxy, in the order they were created.
#[derive(Debug, Default)]
pub(super) struct Rules(Arc<Mutex<Vec<Arc<Entry>>>>);

#[derive(Debug)]
struct Entry {
    matcher: Matcher,
    nth: Option<usize>,
    effect: Effect,
    matched: AtomicUsize,
    hits: AtomicUsize,
}

impl Rules {
    /// Shows a request to all rules, which count those they match; the first rule that applies decides.
    pub(super) fn effect(&self, method: &str, target: &str) -> Option<Effect> {
        let mut effect = None;
        for entry in self.lock().iter().filter(|entry| entry.matcher.matches(method, target)) {
            let number = entry.matched.fetch_add(1, Ordering::Relaxed) + 1;
            if effect.is_none() && entry.nth.is_none_or(|nth| nth == number) {
                entry.hits.fetch_add(1, Ordering::Relaxed);
                if let Effect::Hold(_, gate) = &entry.effect {
                    gate.expect();
                }
                effect = Some(entry.effect.clone());
            }
        }
        effect
    }

    pub(super) fn clear(&self) {
        self.lock().clear();
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Arc<Entry>>> {
        self.0.lock()
    }
}

/// A rule in the making; it takes effect with [`Rule::action`] or [`Rule::hold`].
#[derive(Debug)]
#[must_use]
pub struct Rule<'a> {
    rules: &'a Rules,
    matcher: Matcher,
    nth: Option<usize>,
}

impl<'a> Rule<'a> {
    pub(super) fn new(rules: &'a Rules, matcher: Matcher) -> Self {
        Self { rules, matcher, nth: None }
    }

    /// Only the n-th matching request from now on, counted from 1. Without this, all of them.
    pub fn nth(mut self, n: usize) -> Self {
        self.nth = Some(n);
        self
    }

    /// Does this to the requests, from now on.
    #[allow(clippy::must_use_candidate, reason = "the rule is in effect whether its handle is kept or not")]
    pub fn action(self, action: Action) -> RuleHandle {
        self.add(Effect::Act(action))
    }

    /// Stops the requests at a gate until it is released, from now on.
    #[must_use]
    pub fn hold(self, stage: Stage) -> Gate {
        let gate = Gate::default();
        self.add(Effect::Hold(stage, gate.clone()));
        gate
    }

    fn add(self, effect: Effect) -> RuleHandle {
        let entry = Arc::new(Entry {
            matcher: self.matcher,
            nth: self.nth,
            effect,
            matched: AtomicUsize::new(0),
            hits: AtomicUsize::new(0),
        });
        self.rules.lock().push(Arc::clone(&entry));
        RuleHandle { rules: Arc::clone(&self.rules.0), entry }
    }
}

/// A rule in effect. It stays in effect when this is dropped.
#[derive(Debug)]
pub struct RuleHandle {
    rules: Arc<Mutex<Vec<Arc<Entry>>>>,
    entry: Arc<Entry>,
}

impl RuleHandle {
    /// How many requests it was applied to.
    #[must_use]
    pub fn hits(&self) -> usize {
        self.entry.hits.load(Ordering::Relaxed)
    }

    /// Ends the rule.
    pub fn remove(self) {
        let mut rules = self.rules.lock();
        rules.retain(|entry| !Arc::ptr_eq(entry, &self.entry));
    }
}
