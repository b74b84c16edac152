//! The limiter: the number of requests in a second and at the same time, two lanes, and the pause that a server requests.
//!
//! What a person waits for goes ahead of what runs by the clock, which still gets every fifth place: neither waits for
//! ever. `governor` has no lanes, so this is a token bucket of our own.
//!
//! The number at the same time follows what the server can serve, between 1 and the limit: see [`ceiling`].
//!
//! A create may take minutes while the portal answers everything else at once. So creates hold at most half of the places
//! (at least one), and where there is only one place, a create in progress adds one for the other requests.

mod ceiling;
mod queue;

use std::sync::Arc;
use std::time::Duration;

use parking_lot::{Mutex, MutexGuard};
use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore, oneshot};
use tokio::time::{Instant, timeout_at};

use crate::portal::observe::Operation;
use crate::portal::{Lane, PortalError, ServerKind};
use crate::process::Spawner;
pub(crate) use ceiling::Load;
use queue::{Next, Queue, Waiter};

/// How long a create waits while other creates hold all places that creates may have, and none of them ends.
const CREATE_PATIENCE: Duration = Duration::from_secs(2);

/// How fast a server may be asked: the portal, its identity provider, and each wallet for itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Requests a second in the long run; 0 counts as 1. `None`: only `concurrency` limits them.
    pub requests_per_second: Option<u32>,
    /// Requests that may come at once after a calm time, where there is a rate; 0 counts as 1.
    pub burst: u32,
    /// Requests in progress at once; 0 counts as 1.
    pub concurrency: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self { requests_per_second: None, burst: 20, concurrency: 4 }
    }
}

impl Limits {
    /// The limits that a person gave; the default for each that is absent or invalid.
    #[must_use]
    pub fn given(requests_per_second: Option<i32>, burst: Option<i32>, concurrency: Option<i32>) -> Self {
        let default = Self::default();
        let number = |given: Option<i32>| given.and_then(|n| u32::try_from(n).ok());
        Self {
            requests_per_second: number(requests_per_second).or(default.requests_per_second),
            burst: number(burst).unwrap_or(default.burst),
            concurrency: number(concurrency).unwrap_or(default.concurrency),
        }
    }
}

/// The limiter of one server. Cheap to clone; clones share their state.
#[derive(Clone)]
pub(crate) struct Limiter {
    shared: Arc<Shared>,
    tasks: Spawner,
}

struct Shared {
    queue: Mutex<Queue>,
    changed: Notify,
    /// The places that creates may have. While fewer requests than the limit may be in progress, a create takes several of them.
    creates: Arc<Semaphore>,
    /// How many these are.
    most_creates: u32,
    /// When a create last got such a place or gave it back.
    creates_moved: Mutex<Instant>,
}

/// A place: one request may be sent while it is held.
pub(crate) struct CallPlace {
    shared: Arc<Shared>,
    unused: bool,
    creates: bool,
    permit: Option<CreatePermit>,
}

/// One of the places that creates may have.
struct CreatePermit {
    shared: Arc<Shared>,
    _permit: OwnedSemaphorePermit,
}

type Granted = Result<CallPlace, PortalError>;

impl Limiter {
    pub(crate) fn new(server: ServerKind, limits: Limits, tasks: Spawner) -> Self {
        let most_creates = creates_of(limits.concurrency);
        Self {
            shared: Arc::new(Shared {
                queue: Mutex::new(Queue::new(server, limits)),
                changed: Notify::new(),
                creates: Arc::new(Semaphore::new(most_creates as usize)),
                most_creates,
                creates_moved: Mutex::new(Instant::now()),
            }),
            tasks,
        }
    }

    /// Waits for a place. [`PortalError::Throttled`] where the server asked for a pause too long to wait for.
    pub(crate) async fn enter(&self, lane: Lane) -> Granted {
        self.wait(lane, false).await
    }

    /// As [`Self::enter`], for a create. [`PortalError::CreatesInProgress`] where other creates hold all places that creates
    /// may have, and none of them ends.
    pub(crate) async fn enter_to_create(&self) -> Granted {
        let permit = self.shared.create_permit().await?;
        let mut place = self.wait(Lane::Interactive, true).await?;
        place.permit = Some(permit);
        Ok(place)
    }

    async fn wait(&self, lane: Lane, creates: bool) -> Granted {
        let (waiting, server) = {
            let mut queue = self.shared.lock();
            queue.check_pause(Instant::now())?;
            let (sender, waiting) = oneshot::channel();
            queue.push(lane, Waiter { sender, creates });
            if !queue.pumping {
                queue.pumping = true;
                self.tasks.spawn(pump(Arc::clone(&self.shared)));
            }
            (waiting, queue.server)
        };
        self.shared.changed.notify_one();
        waiting.await.unwrap_or(Err(PortalError::Throttled { server, retry_after: None }))
    }

    /// The server requested a pause: no caller gets a place before its end.
    pub(crate) fn pause(&self, pause: Duration) {
        let mut queue = self.shared.lock();
        let until = Instant::now() + pause;
        queue.paused_until = Some(queue.paused_until.map_or(until, |earlier| earlier.max(until)));
        drop(queue);
        self.shared.changed.notify_one();
    }

    /// What an answer of the server shows of its load.
    pub(crate) fn answered(&self, operation: Operation, load: Load, took: Duration) {
        self.shared.lock().ceiling.answered(operation, load, took);
        self.shared.changed.notify_one();
    }

    /// Whether a pause is on that is too long to wait for; for a request whose place was taken before the pause.
    pub(crate) fn check_pause(&self) -> Result<(), PortalError> {
        self.shared.lock().check_pause(Instant::now())
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock()
    }

    fn creates_moved(&self) -> MutexGuard<'_, Instant> {
        self.creates_moved.lock()
    }

    async fn create_permit(self: &Arc<Self>) -> Result<CreatePermit, PortalError> {
        let places = self.most_creates.div_ceil(creates_of(self.lock().ceiling.allowed()));
        let acquire = Arc::clone(&self.creates).acquire_many_owned(places);
        tokio::pin!(acquire);
        loop {
            let until = *self.creates_moved() + CREATE_PATIENCE;
            if let Ok(acquired) = timeout_at(until, &mut acquire).await {
                let permit = acquired.map_err(|_| PortalError::CreatesInProgress)?;
                *self.creates_moved() = Instant::now();
                return Ok(CreatePermit { shared: Arc::clone(self), _permit: permit });
            }
            if *self.creates_moved() + CREATE_PATIENCE <= Instant::now() {
                return Err(PortalError::CreatesInProgress);
            }
        }
    }
}

/// How many creates may be in progress among this number of requests.
fn creates_of(requests: u32) -> u32 {
    (requests / 2).max(1)
}

impl Drop for CreatePermit {
    fn drop(&mut self) {
        *self.shared.creates_moved() = Instant::now();
    }
}

impl CallPlace {
    /// Gives the place back as if it had never been taken: nothing was sent.
    pub(crate) fn refund(mut self) {
        self.unused = true;
    }
}

impl Drop for CallPlace {
    fn drop(&mut self) {
        self.shared.lock().release(self.unused, self.creates);
        self.shared.changed.notify_one();
    }
}

/// Gives places to calls that wait; ends when no call waits.
async fn pump(shared: Arc<Shared>) {
    loop {
        let (granted, refused, next) = {
            let mut queue = shared.lock();
            let now = Instant::now();
            let refused = queue.check_pause(now).err().map(|error| (error, queue.drain()));
            let (granted, next) = queue.grant(now);
            queue.pumping = next != Next::Nobody;
            (granted, refused, next)
        };
        // Sent outside the lock: a place that no caller needs any more is released at once.
        if let Some((error, waiters)) = refused {
            for waiter in waiters {
                let _gone = waiter.sender.send(Err(error.clone()));
            }
        }
        for waiter in granted {
            let place = CallPlace {
                shared: Arc::clone(&shared),
                unused: false,
                creates: waiter.creates,
                permit: None,
            };
            if let Err(Ok(place)) = waiter.sender.send(Ok(place)) {
                place.refund();
            }
        }
        match next {
            Next::Nobody => return,
            Next::At(at) => {
                tokio::select! {
                    // A change that has come is not left for the next wait.
                    biased;
                    () = shared.changed.notified() => {}
                    () = tokio::time::sleep_until(at) => {}
                }
            }
            Next::WhenChanged => shared.changed.notified().await,
        }
    }
}

#[cfg(test)]
mod tests;
