//! What one reading of the user list yields.

use aws_lc_rs::digest;

use crate::domain::user::ListedUser;

/// One reading of the whole user list, all statuses.
#[derive(Debug, Clone)]
pub struct Scan {
    /// The distinct users seen.
    pub users: Vec<ListedUser>,
    /// Every page reported the same total, and the pages together showed that many entries. Such a scan shows at least
    /// one user of each name, as equal names fill adjacent ranks, unless users before it were deleted and others created
    /// behind it between two pages.
    pub stable: bool,
    /// Stable, and the distinct ids add up to the total: every user was seen.
    pub complete: bool,
    /// The name at each rank. Two stable scans in a row with the same order prove a name absent that neither shows.
    pub order: ListOrder,
}

/// The names of a list in their order, as a digest: equal where the total and the name at each rank are equal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ListOrder([u8; 32]);

impl ListOrder {
    /// The order of these names.
    pub fn of<'a>(names: impl IntoIterator<Item = &'a str>) -> Self {
        let mut order = Ordering::default();
        names.into_iter().for_each(|name| order.push(name));
        order.finish()
    }
}

/// Sums up the names of a list while its pages are read.
pub(crate) struct Ordering {
    context: digest::Context,
    names: u64,
}

impl Default for Ordering {
    fn default() -> Self {
        Self { context: digest::Context::new(&digest::SHA256), names: 0 }
    }
}

impl Ordering {
    /// Adds the name at the next rank.
    pub(crate) fn push(&mut self, name: &str) {
        self.context.update(&(name.len() as u64).to_be_bytes());
        self.context.update(name.as_bytes());
        self.names += 1;
    }

    /// How many ranks were added.
    pub(crate) fn names(&self) -> u64 {
        self.names
    }

    /// The order of all names that were added.
    pub(crate) fn finish(self) -> ListOrder {
        let mut order = [0; 32];
        order.copy_from_slice(self.context.finish().as_ref());
        ListOrder(order)
    }
}

/// The progress of a scan.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ScanProgress {
    /// Pages read.
    pub read: u32,
    /// Pages of the list.
    pub pages: u32,
}
