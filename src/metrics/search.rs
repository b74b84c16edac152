//! How far searches of user lists have come.

use super::Metrics;

/// How far a search has come. What it reported is taken off again at its end.
pub struct SearchProgress {
    pub(super) metrics: Metrics,
    pub(super) read: i64,
    pub(super) pages: i64,
}

impl SearchProgress {
    /// So many pages of so many were read.
    pub fn came(&mut self, read: u32, pages: u32) {
        let (read, pages) = (i64::from(read), i64::from(pages));
        self.metrics.search_pages_read.inc_by(read - self.read);
        self.metrics.search_pages.inc_by(pages - self.pages);
        (self.read, self.pages) = (read, pages);
    }
}

impl Drop for SearchProgress {
    fn drop(&mut self) {
        self.came(0, 0);
        self.metrics.searches.dec();
    }
}
