//! The operator's log of one run.

use std::io::{self, Write};
use std::sync::Arc;

use parking_lot::Mutex;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::MakeWriter;

/// The levels at which each step that is carried out is a line.
const STEPS: &str = "info,technical_user_operator::controller::technical_user=debug";

/// All that the operator has logged. Cheap to clone; clones are the same log.
#[derive(Debug, Clone, Default)]
pub struct Log(Arc<Mutex<Vec<u8>>>);

impl Log {
    /// What was logged so far.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.0.lock()).into_owned()
    }

    /// Does something, and takes in what this thread logs meanwhile; the steps of the plan only if they are wanted.
    pub fn during<T>(&self, steps: bool, action: impl FnOnce() -> T) -> T {
        let levels = if steps { STEPS } else { "info" };
        let subscriber = tracing_subscriber::fmt()
            .with_writer(self.clone())
            .without_time()
            .with_ansi(false)
            .with_env_filter(EnvFilter::new(levels))
            .finish();
        tracing::subscriber::with_default(subscriber, action)
    }
}

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl MakeWriter<'_> for Log {
    type Writer = Self;

    fn make_writer(&self) -> Self {
        self.clone()
    }
}
