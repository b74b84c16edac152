//! How much a run may have of the troubles that its seed chooses: all, or less, to find out what a failure needs.

use std::collections::BTreeSet;
use std::fmt::{self, Display};
use std::str::FromStr;

use super::World;
use super::swarm::Trouble;

/// The environment variable that limits the troubles of a run.
pub const VARIABLE: &str = "TROUBLES";

/// What a run may have. Without a number, what its seed chooses.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Limits {
    /// The only kinds of troubles.
    pub kinds: Option<BTreeSet<Trouble>>,
    /// The most processes that are killed at a request.
    pub kills: Option<u64>,
    /// The most changes by people.
    pub changes: Option<u64>,
}

/// What a run had so far.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Spent {
    kinds: BTreeSet<Trouble>,
    kills: u64,
    changes: u64,
}

impl Spent {
    /// The limits that permit exactly this.
    pub fn limits(&self) -> Limits {
        Limits { kinds: Some(self.kinds.clone()), kills: Some(self.kills), changes: Some(self.changes) }
    }
}

impl Limits {
    /// Those of the environment.
    pub fn of_environment() -> Option<Self> {
        std::env::var(VARIABLE)
            .ok()
            .map(|text| text.parse().unwrap_or_else(|why| panic!("{VARIABLE}: {why}")))
    }

    /// Each way to permit a little less, the largest steps first.
    pub fn smaller(&self) -> Vec<Self> {
        let mut smaller = Vec::new();
        for kind in self.kinds.iter().flatten() {
            let kinds = self.kinds.iter().flatten().copied().filter(|other| other != kind).collect();
            smaller.push(Self { kinds: Some(kinds), ..self.clone() });
        }
        for kills in fewer(self.kills) {
            smaller.push(Self { kills: Some(kills), ..self.clone() });
        }
        for changes in fewer(self.changes) {
            smaller.push(Self { changes: Some(changes), ..self.clone() });
        }
        smaller
    }
}

fn fewer(count: Option<u64>) -> Vec<u64> {
    let count = count.unwrap_or_default();
    let mut fewer: Vec<_> =
        [0, count / 2, count.saturating_sub(1)].into_iter().filter(|n| *n < count).collect();
    fewer.dedup();
    fewer
}

/// As the environment variable has them.
impl Display for Limits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kinds = self.kinds.iter().flatten().map(|kind| format!("{kind:?}"));
        let count = |name: &str, count: Option<u64>| count.map(|count| format!("{name}={count}"));
        let counts = [count("kills", self.kills), count("changes", self.changes)];
        let parts: Vec<_> = kinds.chain(counts.into_iter().flatten()).collect();
        f.write_str(&parts.join(","))
    }
}

impl FromStr for Limits {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let mut limits = Self { kinds: Some(BTreeSet::new()), ..Self::default() };
        for part in text.split(',').filter(|part| !part.is_empty()) {
            let number = |text: &str| text.parse().map_err(|_| format!("{text:?} is no number"));
            match part.split_once('=') {
                Some(("kills", count)) => limits.kills = Some(number(count)?),
                Some(("changes", count)) => limits.changes = Some(number(count)?),
                Some((name, _)) => return Err(format!("there is no limit of {name}")),
                None => {
                    let mut all = Trouble::all();
                    let kind = all.find(|kind| format!("{kind:?}") == part);
                    let kind = kind.ok_or_else(|| format!("there is no trouble {part}"))?;
                    limits.kinds.get_or_insert_default().insert(kind);
                }
            }
        }
        Ok(limits)
    }
}

impl World {
    /// The kinds that a run has, of those that its seed chooses.
    pub(super) fn limited(&self, chosen: BTreeSet<Trouble>) -> BTreeSet<Trouble> {
        let kinds = self.limits.kinds.clone().unwrap_or(chosen);
        self.spent.lock().kinds.clone_from(&kinds);
        kinds
    }

    /// Whether another process may be killed at a request.
    pub(super) fn may_kill(&self) -> bool {
        self.limits.kills.is_none_or(|most| self.spent.lock().kills < most)
    }

    /// A process was killed at a request.
    pub(super) fn has_killed(&self) {
        self.spent.lock().kills += 1;
    }

    /// Whether people may change something else, which they do then.
    pub fn may_change(&self) -> bool {
        let mut spent = self.spent.lock();
        let may = self.limits.changes.is_none_or(|most| spent.changes < most);
        spent.changes += u64::from(may);
        may
    }
}

#[test]
fn limits_are_read_as_they_are_shown() {
    for text in ["", "Kills", "Kills,People,kills=2", "Quota,changes=0", "kills=7,changes=9"] {
        assert_eq!(text.parse::<Limits>().unwrap().to_string(), text);
    }
    for text in ["Nothing", "kills=x", "other=1"] {
        assert!(text.parse::<Limits>().is_err(), "{text}");
    }
}
