//! Crashes at many calls, at once.

use std::sync::Arc;

use tokio::sync::Semaphore;
use tokio::task::{JoinSet, LocalSet, spawn_local};

use super::{Call, Killed};

/// How many worlds there are at once. Most of them wait for an attempt to settle.
const AT_ONCE: usize = 12;

/// Crashes at each of these calls, in a world of its own, and fails with the list of crashes that did not end well. `crash`
/// returns whether the call was sent.
pub async fn crash_everywhere<F>(calls: Vec<Call>, crash: impl Fn(Call, Killed) -> F)
where
    F: Future<Output = bool> + 'static,
{
    LocalSet::new().run_until(crash_at_once(calls, crash)).await;
}

async fn crash_at_once<F>(calls: Vec<Call>, crash: impl Fn(Call, Killed) -> F)
where
    F: Future<Output = bool> + 'static,
{
    let places = Arc::new(Semaphore::new(AT_ONCE));
    let mut crashes = JoinSet::new();
    for call in calls {
        for killed in call.moments() {
            let (point, write) = (format!("{killed:?} {call:?}"), call.is_write());
            let (crash, places) = (crash(call.clone(), killed), Arc::clone(&places));
            crashes.spawn_local(async move {
                let _place = places.acquire_owned().await.unwrap();
                (point, write, spawn_local(crash).await)
            });
        }
    }
    let (mut failed, mut met) = (Vec::new(), 0);
    while let Some(crash) = crashes.join_next().await {
        match crash.unwrap() {
            (_, _, Ok(true)) => met += 1,
            (point, true, Ok(false)) => failed.push(format!("{point}: was not met")),
            (point, false, Ok(false)) => println!("not met: {point}"),
            (point, _, Err(error)) => failed.push(format!("{point}: {error}")),
        }
    }
    assert!(failed.is_empty(), "{met} points went well, not these: {failed:#?}");
    println!("{met} points went well");
}
