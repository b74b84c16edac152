//! The progress of searches of user lists.

use super::Metrics;

/// The progress of a search. Its pages are subtracted again when it ends.
pub struct SearchProgress {
    pub(super) metrics: Metrics,
    pub(super) read: i64,
    pub(super) pages: i64,
}

impl SearchProgress {
    /// Sets the number of pages that were read, and of all pages.
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
