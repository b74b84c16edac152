//! Proves the names of single resources absent by a few pages of the list, in place of two readings of the whole.
//!
//! One page that proves a name absent is read at one moment. So it needs none of what the pair of readings needs, which a list that
//! moves between two pages could mislead: it keeps no change of the company waiting, and no change spoils it. What else the pair
//! gives stays with the pair:
//!
//! * It shows who bears the name. So a name that a page shows is left to it, as is one that no page proves absent.
//! * It shows the list as it is, in which a resource finds users that its status, its outputs or their marks name. So only a resource
//!   that nothing hints at a user of asks by its name, and only once the list was read in this process.
//! * It serves all resources that wait, and all later ones that have no attempt. So it is preferred where more names wait than it
//!   costs, and once as many pages were read for single names since the last pair: in the end, all cost at most twice what the
//!   cheaper way would have. The last reading may be the first of the pair.
//!
//! Both count from their beginning, so what began before an attempt was settled says nothing of it.

use tokio::time::Instant;

use super::waiting::Need;
use super::{Inventory, KnownUsers};
use crate::controller::objects::Key;
use crate::domain::identity::{external_name, parse_own_name};
use crate::portal::{Lane, PortalError, expected_pages};

/// How many users a page has.
const PAGE: u64 = 15;

/// A name that was proved absent and that no resource has asked for since so many others is forgotten.
const MOST_NAMES: usize = 1000;

/// Both forms of a name: of the user and of the one that a wallet service creates.
const FORMS: u64 = 2;

impl Inventory {
    /// Looks for the names that resources wait for, where that costs less than a pair of readings. Returns whether it did: then each
    /// of these names is proved absent, or left to the pair.
    pub(super) async fn look_for_names(&self) -> Result<bool, PortalError> {
        if self.state().readings == 0 {
            // The first reading is in progress, as a rule.
            drop(self.reading.lock().await);
        }
        let quiet = self.gate.quiet_since();
        let Some(wanted) = self.state().wanted_names(quiet) else { return Ok(false) };
        for (who, name) in wanted {
            let (began, users) = (Instant::now(), self.with(|list| list.len() as u64).unwrap_or_default());
            let mut is_absent = true;
            for form in [name.clone(), external_name(&name)] {
                let looked = self.portal.prove_absent(&form, users, Lane::Interactive).await?;
                self.state().pages_for_names += u64::from(looked.pages);
                is_absent &= looked.is_proved;
                if !is_absent {
                    break;
                }
            }
            let woken = {
                let mut state = self.state();
                if is_absent {
                    state.prove_name(name, began);
                } else if let Some(waiting) = state.search.waiting.get_mut(&who) {
                    waiting.name = None;
                }
                state.release(KnownUsers::answers)
            };
            self.report(woken);
        }
        Ok(true)
    }
}

impl KnownUsers {
    /// The names to look for; `None` where a pair of readings is to be preferred.
    fn wanted_names(&self, quiet: Option<u64>) -> Option<Vec<(Key, String)>> {
        let (mut names, mut latest) = (Vec::new(), None);
        let unmet = self.search.waiting.iter().filter(|(_, waiting)| !self.answers(waiting));
        for (who, waiting) in unmet {
            let Need::Proof(after) = waiting.need else { continue };
            latest = latest.max(after);
            names.push((who.clone(), waiting.name.clone()?));
        }
        if self.readings == 0 || names.is_empty() {
            return None;
        }
        let pages = (self.snapshot.len() as u64).div_ceil(PAGE);
        let cost = names.len() as u64 * FORMS * expected_pages(pages);
        let readings = if self.last.is_some_and(|last| last.begins_a_pair(latest, quiet)) { 1 } else { 2 };
        (self.pages_for_names + cost <= readings * pages).then_some(names)
    }

    /// A name was absent at some moment since this time.
    fn prove_name(&mut self, name: String, began: Instant) {
        if self.absent.len() >= MOST_NAMES {
            let oldest = self.absent.iter().min_by_key(|(_, began)| **began).map(|(name, _)| name.clone());
            oldest.map(|name| self.absent.remove(&name));
        }
        self.absent.insert(name, began);
    }

    /// Whether a page has proved a name absent, as late as is needed, and nobody is known who bears it.
    pub(super) fn is_absent(&self, name: &str, need: Need) -> bool {
        let Need::Proof(after) = need else { return false };
        let is_late_enough = |began: &Instant| after.is_none_or(|after| *began >= after);
        self.absent.get(name).is_some_and(is_late_enough) && !self.snapshot.has_prefix(name)
    }

    /// This process changes a user: what was proved of its name is of another time.
    pub(super) fn forget_name_of(&mut self, name: &str) {
        if let Some(own) = parse_own_name(name) {
            self.absent.remove(&own.prefix);
        }
    }
}
