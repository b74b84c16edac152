//! What a call costs at the real service (portal contract, section 14): measured on two cores, so that only the
//! ratios mean anything.

use std::time::Duration;

use crate::calls::Endpoint;
use crate::core::Core;

/// Milliseconds of a call, and the share of them (of 100) that calls in flight do not share among them. That share
/// is the bottleneck which more calls in flight do not widen: 30 creates a second, 35 details, twice the list pages.
fn cost(endpoint: Endpoint, users: f64, narrowed: bool) -> (f64, f64) {
    match endpoint {
        // 14 ms with 200 users, 88 with 11,000.
        Endpoint::List if !narrowed => (12.6 + users * 0.00685, 50.0),
        Endpoint::List => (10.0 + users * 0.0036, 50.0),
        Endpoint::Details => (37.0, 77.0),
        Endpoint::Create => (50.0, 66.0),
        Endpoint::Reset => (35.0, 66.0),
        Endpoint::Update => (31.0, 66.0),
        Endpoint::Delete => (39.0, 66.0),
        Endpoint::Token | Endpoint::Refresh | Endpoint::WalletToken => (10.0, 50.0),
        // Roles, and what was not measured.
        _ => (6.0, 50.0),
    }
}

/// Takes the time of a call, if the latency profile is on.
pub(crate) async fn spend(core: &Core, endpoint: Endpoint, path: &str) {
    if !core.settings.latency {
        return;
    }
    let users = core.read(|state| u32::try_from(state.users.len()).unwrap_or(u32::MAX));
    let (total, share) = cost(endpoint, f64::from(users), path.contains("clientId="));
    let alone = Duration::from_secs_f64(total * share / 100_000.0);
    {
        let _turn = core.bottleneck.lock().await;
        tokio::time::sleep(alone).await;
    }
    tokio::time::sleep(Duration::from_secs_f64(total / 1000.0).saturating_sub(alone)).await;
}
