//! The lines that a program under test writes.

use std::{
    fs::{File, OpenOptions},
    io::{BufRead, BufReader, Read, Write},
    path::Path,
    sync::Arc,
};

use parking_lot::{Mutex, MutexGuard};
use tokio::sync::watch;

use crate::Error;

/// Both outputs of a program, line by line.
pub(crate) struct Output {
    state: Mutex<State>,
    /// Signals that the state changed; threads outside any Tokio runtime send it.
    changed: watch::Sender<()>,
}

struct State {
    lines: Vec<String>,
    open: usize,
    log: Option<File>,
}

impl Output {
    pub(crate) fn new(log: Option<&Path>) -> Result<Arc<Self>, Error> {
        let open = |path: &Path| {
            OpenOptions::new()
                .create(true)
                .append(true)
                .open(path)
                .map_err(Error::io(format!("opening {}", path.display())))
        };
        let state = State { lines: Vec::new(), open: 0, log: log.map(open).transpose()? };
        Ok(Arc::new(Self { state: Mutex::new(state), changed: watch::Sender::new(()) }))
    }

    /// Reads one of the outputs to its end, on a thread so that no Tokio runtime is needed.
    pub(crate) fn read(self: &Arc<Self>, stream: impl Read + Send + 'static) {
        self.state().open += 1;
        let output = Arc::clone(self);
        std::thread::spawn(move || {
            let mut stream = BufReader::new(stream);
            let mut line = Vec::new();
            // An output that cannot be read has ended as far as a test is concerned.
            while stream.read_until(b'\n', &mut line).is_ok_and(|length| length > 0) {
                output.push(String::from_utf8_lossy(line.trim_ascii_end()).into_owned());
                line.clear();
            }
            output.state().open -= 1;
            output.changed.send_replace(());
        });
    }

    fn push(&self, line: String) {
        let mut state = self.state();
        if let Some(log) = &mut state.log {
            // The lines are in memory too: a full disk is not what a test is about.
            let _ = writeln!(log, "{line}");
        }
        state.lines.push(line);
        drop(state);
        self.changed.send_replace(());
    }

    pub(crate) fn lines(&self) -> Vec<String> {
        self.state().lines.clone()
    }

    pub(crate) fn tail(&self) -> String {
        let state = self.state();
        let skip = state.lines.len().saturating_sub(40);
        state.lines.iter().skip(skip).map(String::as_str).collect::<Vec<_>>().join("\n")
    }

    /// The first line after `mark` lines that matches; `None` if the outputs end without one.
    pub(crate) async fn find(&self, mark: usize, matches: impl Fn(&str) -> bool) -> Option<String> {
        let mut changed = self.changed.subscribe();
        let mut seen = mark;
        loop {
            // Marked as seen before the read, so that no change falls between read and wait.
            changed.borrow_and_update();
            {
                let state = self.state();
                if let Some(line) = state.lines.iter().skip(seen).find(|line| matches(line)) {
                    return Some(line.clone());
                }
                seen = seen.max(state.lines.len());
                if state.open == 0 {
                    return None;
                }
            }
            changed.changed().await.ok()?;
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock()
    }
}
