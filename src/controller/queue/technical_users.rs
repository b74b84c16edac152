//! The queue of `TechnicalUser`s, with a lane for each Portal.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use futures::FutureExt as _;
use tokio::sync::mpsc::UnboundedReceiver;
use tokio_util::sync::CancellationToken;

use super::dispatcher::{self, Action, Work};
use super::listed;
use crate::controller::context::Context;
use crate::controller::objects::Key;
use crate::controller::portal::portal_named_by;
use crate::controller::technical_user;

/// Reconciles `TechnicalUser`s until `stop`, then waits for the reconciles in progress. At most half of the workers serve
/// one Portal.
pub async fn technical_users_until(
    ctx: Arc<Context>,
    wakes: UnboundedReceiver<Key>,
    workers: u16,
    stop: CancellationToken,
) {
    if listed(&ctx, &stop).await {
        dispatcher::run(Arc::new(Users(ctx)), wakes, workers, stop).await;
    }
}

/// The reconciles of `TechnicalUser`s. Their lane is their Portal; those whose Portal does not exist share one, so that
/// invented names get no workers of their own.
struct Users(Arc<Context>);

impl Work for Users {
    type Key = Key;
    type Lane = Option<Key>;

    fn lane(&self, key: &Key) -> Option<Self::Lane> {
        let Some(object) = self.0.cached_user(key) else {
            self.0.forget_user(key);
            return None;
        };
        Some(portal_named_by(&object).filter(|portal| self.0.portals.get(portal).is_some()))
    }

    async fn reconcile(&self, key: Key) -> Action {
        let Some(object) = self.0.cached_user(&key) else { return Action::await_change() };
        let reconcile = technical_user::reconcile(object, Arc::clone(&self.0));
        let reconcile = self.0.process.tasks.pausable(reconcile);
        match AssertUnwindSafe(reconcile).catch_unwind().await {
            Ok(action) => action,
            Err(_) => technical_user::panicked(&self.0, &key).await,
        }
    }
}
