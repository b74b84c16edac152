//! What all parts of a running simulator share.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use parking_lot::Mutex;
use tokio::sync::Notify;
use tokio::sync::futures::Notified;
use tokio_util::sync::CancellationToken;

use crate::calls::Call;
use crate::config::WalletDelay;
use crate::gates::Stage;
use crate::http::Part;
use crate::state::State;
use crate::state::order::Collation;

/// How long a test waits for a state of the portal, or for a call at a gate. Far more than anything needs on a busy machine:
/// it only bounds how long a broken test takes.
pub(crate) const LIMIT: Duration = Duration::from_mins(5);

/// Settings that do not change while the simulator runs.
pub(crate) struct Settings {
    pub(crate) wallet_delay: WalletDelay,
    pub(crate) wallet_url_with_path: bool,
    pub(crate) latency: bool,
    pub(crate) collation: Collation,
    pub(crate) token_lifetime: Duration,
    pub(crate) clock_skew: Duration,
}

/// Origins of the three hosts.
pub(crate) struct Origins {
    pub(crate) portal: String,
    pub(crate) idp: String,
    pub(crate) wallet: String,
}

/// Shared by listeners, handlers and the library's user.
pub(crate) struct Core {
    state: Mutex<State>,
    changed: Notify,
    pub(crate) settings: Settings,
    origins: OnceLock<Origins>,
    /// Ends everything.
    pub(crate) end: CancellationToken,
    /// One call after the other through the part of the work that does not scale; see [`crate::latency`].
    pub(crate) bottleneck: tokio::sync::Mutex<()>,
}

impl Core {
    pub(crate) fn new(state: State, settings: Settings) -> Arc<Self> {
        Arc::new(Self {
            state: Mutex::new(state),
            changed: Notify::new(),
            settings,
            origins: OnceLock::new(),
            end: CancellationToken::new(),
            bottleneck: tokio::sync::Mutex::new(()),
        })
    }

    pub(crate) fn set_origins(&self, origins: Origins) {
        // Set once, before the first listener accepts.
        let _ = self.origins.set(origins);
    }

    pub(crate) fn origin(&self, part: Part) -> &str {
        self.origins.get().map_or("", |origins| match part {
            Part::Portal => &origins.portal,
            Part::Idp => &origins.idp,
            Part::Wallet => &origins.wallet,
        })
    }

    /// The issuer of the identity provider's tokens.
    pub(crate) fn issuer(&self) -> String {
        format!("{}/auth/realms/CX-Central", self.origin(Part::Idp))
    }

    pub(crate) fn token_url(&self) -> String {
        format!("{}/protocol/openid-connect/token", self.issuer())
    }

    /// Changes the state and wakes all calls that wait for a change.
    pub(crate) fn change<T>(&self, f: impl FnOnce(&mut State) -> T) -> T {
        let result = f(&mut self.state.lock());
        self.changed.notify_waiters();
        result
    }

    pub(crate) fn read<T>(&self, f: impl FnOnce(&State) -> T) -> T {
        f(&self.state.lock())
    }

    /// Ends with the next change from now on.
    pub(crate) fn changed(&self) -> Notified<'_> {
        self.changed.notified()
    }

    /// Waits until a condition is true.
    ///
    /// # Panics
    /// With the last calls, if it does not come true within [`LIMIT`].
    pub(crate) async fn wait_for(&self, condition: impl FnMut(&State) -> bool) {
        let in_time = tokio::time::timeout(LIMIT, self.comes_true(condition)).await.is_ok();
        assert!(in_time, "the portal was not as the test waits for within {LIMIT:?}; {}", self.last_calls());
    }

    /// The last calls, one a line, for a test that failed.
    fn last_calls(&self) -> String {
        self.read(|state| {
            let calls = &state.calls;
            let last = calls.iter().skip(calls.len().saturating_sub(30));
            last.fold("its last calls:".to_owned(), |text, call| format!("{text}\n{call}"))
        })
    }

    async fn comes_true(&self, mut condition: impl FnMut(&State) -> bool) {
        loop {
            let mut change = std::pin::pin!(self.changed.notified());
            // Registered before the state is read, so that no change between read and wait is missed.
            change.as_mut().enable();
            if self.read(&mut condition) {
                return;
            }
            change.await;
        }
    }

    /// Holds the call at the gates that stand here.
    pub(crate) async fn gate(&self, stage: Stage, call: &Call) {
        let gates = self.change(|state| {
            state.gates.retain(|gate| !gate.is_open());
            state.gates.clone()
        });
        for gate in gates {
            gate.pass(stage, call).await;
        }
    }
}
