//! How many resources are in which state, for the metrics.

use std::sync::Arc;
use std::time::Duration;

use kube::api::DynamicObject;

use crate::api::technical_user::TechnicalUserStatus;
use crate::controller::context::Context;
use crate::controller::objects::{is_deleting, lenient};
use crate::metrics::UserState;

const COUNT_EVERY: Duration = Duration::from_secs(15);

/// Counts the resources by state, for the metrics.
pub(super) async fn count(ctx: Arc<Context>) {
    loop {
        tokio::time::sleep(COUNT_EVERY).await;
        let mut counts = [0_usize; 4];
        for object in ctx.caches.all_users() {
            let index = UserState::ALL.iter().position(|known| *known == state(&object)).unwrap_or_default();
            if let Some(count) = counts.get_mut(index) {
                *count += 1;
            }
        }
        for (state, number) in UserState::ALL.iter().zip(counts) {
            ctx.metrics.technical_users(*state, number);
        }
    }
}

fn state(object: &DynamicObject) -> UserState {
    if is_deleting(object) {
        return UserState::Deleting;
    }
    let status: TechnicalUserStatus = lenient(object, "status");
    let holds = |type_: &str| status.conditions.iter().any(|c| c.type_ == type_ && c.status == "True");
    if holds(crate::api::conditions::READY) {
        UserState::Ready
    } else if holds(crate::api::conditions::STALLED) {
        UserState::Stalled
    } else {
        UserState::Reconciling
    }
}
