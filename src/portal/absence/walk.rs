//! Bisects the list for one page that shows whether a name with a beginning is there.

use std::cmp::Ordering;
use std::collections::BTreeSet;

use super::{Lead, Order};

/// The most entries of a page: one less than a scan asks for, so that a log shows which of the two a page is of.
const LARGEST: u32 = 14;
/// The least entries of a page near the place: other sizes put the ends of the pages at other ranks.
const SMALLEST: u32 = 8;
/// How many pages near the place are read at most.
const MOST_NEAR: u32 = 3;

/// One page, as one statement shows it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Answer<'a> {
    pub(crate) leads: &'a [Lead],
    /// Entries of the whole list, and the number of its pages of this size.
    pub(crate) total: u64,
    pub(crate) pages: u32,
}

/// How a bisection ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// A page proves that no name has the beginning.
    Absent,
    /// A page shows a name with the beginning.
    Shown,
    /// No page proves anything.
    Unsure,
}

/// A bisection. The ranks that it keeps are those of a list that may have moved since: they say where to look next, and nothing else.
#[derive(Debug)]
pub(crate) struct Walk {
    beginning: String,
    /// At least so many entries sort before the place, as far as is known.
    low: u64,
    /// At most so many do.
    high: u64,
    total: u64,
    /// The pages that were read, by size and number.
    read: BTreeSet<(u32, u32)>,
    near: u32,
    /// How far the bounds are set apart after they have contradicted each other.
    slack: u64,
    guess: Guess,
}

/// An order that leads on where no entry of a page is certain.
#[derive(Debug, Clone, Copy)]
enum Guess {
    /// By letters, whatever their case.
    Letters,
    /// By bytes, as in C.
    Bytes,
}

impl Walk {
    /// A bisection of a list with about so many entries.
    pub(crate) fn new(beginning: &str, total: u64) -> Self {
        Self {
            beginning: beginning.to_owned(),
            low: 0,
            high: total,
            total,
            read: BTreeSet::new(),
            near: 0,
            slack: u64::from(LARGEST),
            guess: Guess::Letters,
        }
    }

    /// How many pages were read.
    pub(crate) fn pages(&self) -> u32 {
        u32::try_from(self.read.len()).unwrap_or(u32::MAX)
    }

    /// Size and number of the page to read next; `None` where no other one promises more.
    pub(crate) fn next(&mut self) -> Option<(u32, u32)> {
        let most = 2 * super::expected_pages(self.total.div_ceil(LARGEST.into())) + 2;
        if u64::from(self.pages()) >= most {
            return None;
        }
        let middle = u64::midpoint(self.low, self.high);
        if self.high - self.low > u64::from(LARGEST) {
            let page = (LARGEST, u32::try_from(middle / u64::from(LARGEST)).ok()?);
            if !self.read.contains(&page) {
                return Some(page);
            }
        }
        self.near += 1;
        if self.near > MOST_NEAR {
            return None;
        }
        let near = (SMALLEST..=LARGEST)
            .filter_map(|size| Some((size, u32::try_from(middle / u64::from(size)).ok()?)))
            .filter(|page| !self.read.contains(page));
        near.max_by_key(|page| (self.margin(*page), page.0))
    }

    /// How many entries a page should show before the place, or behind it where these are fewer.
    fn margin(&self, (size, number): (u32, u32)) -> u64 {
        let start = u64::from(size) * u64::from(number);
        let end = start + u64::from(size);
        let most = u64::from(LARGEST);
        let before = if number == 0 { most } else { self.low.saturating_sub(start) };
        // A page that is not full shows the end of the list.
        let behind = if end > self.total { most } else { end.saturating_sub(self.high) };
        before.min(behind)
    }

    /// Takes over the page that was asked for.
    pub(crate) fn take(
        &mut self,
        (size, number): (u32, u32),
        answer: Answer<'_>,
        order: &Order,
    ) -> Option<Outcome> {
        let is_first = self.read.is_empty();
        self.read.insert((size, number));
        let Answer { leads, total, pages } = answer;
        if leads.iter().any(|lead| lead.as_str().starts_with(&self.beginning)) {
            return Some(Outcome::Shown);
        }
        let start = u64::from(size) * u64::from(number);
        let shown = start + leads.len() as u64;
        let is_full = leads.len() == size as usize;
        // The portal does not take the size for what it is.
        if order.is_broken()
            || leads.len() > size as usize
            || u64::from(pages) != total.div_ceil(size.into())
            || (!is_full && shown < total)
        {
            return Some(Outcome::Unsure);
        }
        let places: Vec<_> = leads.iter().map(|lead| order.place(lead, &self.beginning)).collect();
        let before = places.iter().rposition(|place| *place == Some(Ordering::Less));
        let behind = places.iter().position(|place| *place == Some(Ordering::Greater));
        if before.zip(behind).is_some_and(|(before, behind)| before > behind) {
            return Some(Outcome::Unsure);
        }
        let is_end = !is_full && shown == total;
        if (number == 0 || before.is_some()) && (behind.is_some() || is_end) {
            return Some(Outcome::Absent);
        }
        self.total = total;
        self.high = if is_first { total } else { self.high.min(total) };
        self.low = self.low.min(self.high);
        let rank = |at: usize| start + at as u64;
        match (before, behind) {
            (Some(at), _) => self.is_behind(rank(at) + 1),
            (_, Some(at)) => self.is_before(rank(at)),
            (None, None) => {
                let guessed = leads.iter().filter(|lead| self.guess.is_before(lead, &self.beginning)).count();
                if guessed == leads.len() && guessed > 0 {
                    self.is_behind(rank(guessed));
                } else {
                    self.is_before(rank(guessed));
                    if guessed > 0 {
                        self.is_behind(rank(guessed));
                    }
                }
            }
        }
        None
    }

    /// At least so many entries sort before the place.
    fn is_behind(&mut self, rank: u64) {
        self.low = self.low.max(rank);
        if self.low > self.high {
            // The newest page is right: the list has moved, or the guess was wrong.
            (self.low, self.high) = (rank, (rank + self.contradicted()).min(self.total.max(rank)));
        }
    }

    /// At most so many do.
    fn is_before(&mut self, rank: u64) {
        self.high = self.high.min(rank);
        if self.low > self.high {
            (self.low, self.high) = (rank.saturating_sub(self.contradicted()), rank);
        }
    }

    fn contradicted(&mut self) -> u64 {
        self.guess = match self.guess {
            Guess::Letters => Guess::Bytes,
            Guess::Bytes => Guess::Letters,
        };
        let slack = self.slack;
        self.slack = slack.saturating_mul(4);
        slack
    }
}

impl Guess {
    fn is_before(self, lead: &Lead, beginning: &str) -> bool {
        let lead = lead.as_str();
        match self {
            Self::Bytes => lead < beginning,
            Self::Letters => {
                let key = |c: char| (c.is_alphanumeric(), c.to_ascii_lowercase());
                lead.chars().map(key).lt(beginning.chars().map(key))
            }
        }
    }
}
