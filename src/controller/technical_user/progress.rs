//! The step that a reconcile is in, for the report of one that exceeds its deadline.

use parking_lot::Mutex;

/// Which step a reconcile is in.
#[derive(Debug)]
pub struct Progress(Mutex<String>);

impl Default for Progress {
    fn default() -> Self {
        Self(Mutex::new("observing the resource, its Secret and its Portal".to_owned()))
    }
}

impl Progress {
    /// It is in this step now.
    pub fn at(&self, step: &impl ToString) {
        *self.0.lock() = step.to_string();
    }

    /// The step that it is in.
    #[must_use]
    pub fn step(&self) -> String {
        self.0.lock().clone()
    }
}
