//! Pauses of a process while it waits for an answer: none of its tasks runs, while the servers and other processes go on. It
//! continues with what it knew before.

use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;

use crate::kill::{Point, Which};

/// A pause that a process is going to have: at one point of such requests, after so many of them.
#[derive(Debug, Clone, Copy)]
pub struct Planned {
    pub point: Point,
    pub which: Which,
    pub after: u64,
    pub time: Duration,
}

/// Pauses a process for a time, at a request.
type Begin = Box<dyn Fn(&str, Duration) + Send + Sync>;

/// The pauses of one process. Cheap to clone; clones are of the same process.
#[derive(Clone, Default)]
pub struct Pauses(Arc<Mutex<State>>);

#[derive(Default)]
struct State {
    next: Option<Planned>,
    begin: Option<Begin>,
}

impl Pauses {
    pub fn planned(next: Option<Planned>) -> Self {
        Self(Arc::new(Mutex::new(State { next, begin: None })))
    }

    /// How the process is paused.
    pub fn of(&self, begin: impl Fn(&str, Duration) + Send + Sync + 'static) {
        self.0.lock().begin = Some(Box::new(begin));
    }

    /// Begins a pause if one is planned here.
    pub fn begins(&self, point: Point, request: &str) -> bool {
        let mut state = self.0.lock();
        let Some(next) = state.next.as_mut().filter(|next| next.point == point && next.which.is(request))
        else {
            return false;
        };
        if next.after > 0 {
            next.after -= 1;
            return false;
        }
        let time = next.time;
        state.next = None;
        if let Some(begin) = &state.begin {
            begin(&format!("{point:?}: {request}"), time);
        }
        true
    }
}
