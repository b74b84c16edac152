//! Waiting for conditions, and ports without a listener.

use std::{
    collections::BTreeSet,
    net::{Ipv4Addr, TcpListener},
    time::Duration,
};

use parking_lot::Mutex;
use tokio::time::Instant;

use crate::Error;

/// How long the testbed waits for anything before it calls it a failure. Far more than anything needs on a busy
/// machine: it only bounds how long a broken test takes.
pub const LIMIT: Duration = Duration::from_mins(3);

/// The time between two checks of a condition that cannot be subscribed to.
const INTERVAL: Duration = Duration::from_millis(50);

/// Polls `check` until it returns a value. `what` names the condition in the error of a timeout.
pub async fn eventually<T>(what: &str, mut check: impl AsyncFnMut() -> Option<T>) -> Result<T, Error> {
    let deadline = Instant::now() + LIMIT;
    loop {
        if let Some(value) = check().await {
            return Ok(value);
        }
        if Instant::now() >= deadline {
            return Err(Error::Timeout { what: what.to_owned(), limit: LIMIT });
        }
        tokio::time::sleep(INTERVAL).await;
    }
}

/// A TCP port of 127.0.0.1 without a listener, and that this process has not given out before.
///
/// Another process may still take it before the caller does: the caller must be ready to try another.
pub fn free_port() -> Result<u16, Error> {
    static GIVEN: Mutex<BTreeSet<u16>> = Mutex::new(BTreeSet::new());
    // Holding on to the refused ports makes the kernel offer others.
    let mut refused = Vec::new();
    loop {
        let listener =
            TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).map_err(Error::io("finding a free port"))?;
        let port = listener.local_addr().map_err(Error::io("finding a free port"))?.port();
        if GIVEN.lock().insert(port) {
            return Ok(port);
        }
        refused.push(listener);
    }
}
