use std::sync::atomic::{AtomicU32, Ordering};

use super::*;

fn limiter(requests_per_second: u32, burst: u32, concurrency: u32) -> Limiter {
    let requests_per_second = Some(requests_per_second);
    Limiter::new(
        ServerKind::Portal,
        Limits { requests_per_second, burst, concurrency },
        Spawner::of_runtime(),
    )
}

/// Without a rate only the number in progress is limited, and a portal that has too much to do gets fewer.
#[tokio::test(start_paused = true)]
async fn without_a_rate_the_portal_sets_the_pace() {
    let limiter = Limiter::new(ServerKind::Portal, Limits::default(), Spawner::of_runtime());
    let start = Instant::now();
    for _ in 0..1000 {
        drop(limiter.enter(Lane::Interactive).await.unwrap());
    }
    assert_eq!(start.elapsed(), Duration::ZERO);
    for _ in 0..3 {
        limiter.answered(Operation::Details, Load::TooMuch, Duration::from_millis(20));
    }
    let held = limiter.enter(Lane::Interactive).await.unwrap();
    let another = timeout_at(Instant::now() + Duration::from_mins(1), limiter.enter(Lane::Interactive));
    assert!(another.await.is_err(), "one at a time");
    drop(held);
    drop(limiter.enter(Lane::Interactive).await.unwrap());
}

#[tokio::test(start_paused = true)]
async fn a_burst_is_sent_at_once_and_more_requests_at_the_rate() {
    let limiter = limiter(10, 5, 100);
    let start = Instant::now();
    for _ in 0..5 {
        drop(limiter.enter(Lane::Interactive).await.unwrap());
    }
    assert_eq!(start.elapsed(), Duration::ZERO);
    for _ in 0..10 {
        drop(limiter.enter(Lane::Interactive).await.unwrap());
    }
    let elapsed = start.elapsed();
    assert!((Duration::from_millis(950)..Duration::from_millis(1100)).contains(&elapsed), "{elapsed:?}");
}

#[tokio::test(start_paused = true)]
async fn no_more_are_in_progress_than_allowed() {
    let limiter = limiter(1000, 1000, 3);
    let (running, most) = (Arc::new(AtomicU32::new(0)), Arc::new(AtomicU32::new(0)));
    let tasks: Vec<_> = (0..20)
        .map(|_| {
            let (limiter, running, most) = (limiter.clone(), Arc::clone(&running), Arc::clone(&most));
            tokio::spawn(async move {
                let place = limiter.enter(Lane::Background).await.unwrap();
                most.fetch_max(running.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                tokio::time::sleep(Duration::from_millis(50)).await;
                running.fetch_sub(1, Ordering::SeqCst);
                drop(place);
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
    assert_eq!(most.load(Ordering::SeqCst), 3);
}

/// The order in which waiters of both lanes get the one place.
async fn order(interactive: usize, background: usize) -> Vec<Lane> {
    let limiter = limiter(1000, 1000, 1);
    let held = limiter.enter(Lane::Interactive).await.unwrap();
    let order = Arc::new(Mutex::new(Vec::new()));
    let lanes = std::iter::repeat_n(Lane::Background, background)
        .chain(std::iter::repeat_n(Lane::Interactive, interactive));
    let tasks: Vec<_> = lanes
        .map(|lane| {
            let (limiter, order) = (limiter.clone(), Arc::clone(&order));
            tokio::spawn(async move {
                let _place = limiter.enter(lane).await.unwrap();
                order.lock().push(lane);
            })
        })
        .collect();
    tokio::time::sleep(Duration::from_millis(10)).await;
    drop(held);
    for task in tasks {
        task.await.unwrap();
    }
    let order = order.lock();
    order.clone()
}

#[tokio::test(start_paused = true)]
async fn interactive_comes_first_and_background_does_not_starve() {
    use Lane::{Background as B, Interactive as I};
    assert_eq!(order(2, 2).await, [I, I, B, B]);
    assert_eq!(order(10, 2).await, [I, I, I, I, B, I, I, I, I, B, I, I]);
}

#[tokio::test(start_paused = true)]
async fn a_short_pause_is_waited_for_and_a_long_one_reported() {
    let limiter = limiter(1000, 1000, 10);
    let start = Instant::now();
    limiter.pause(Duration::from_secs(3));
    drop(limiter.enter(Lane::Interactive).await.unwrap());
    assert!(start.elapsed() >= Duration::from_secs(3));

    limiter.pause(Duration::from_secs(2));
    let waiting = tokio::spawn({
        let limiter = limiter.clone();
        async move { limiter.enter(Lane::Background).await.map(drop) }
    });
    tokio::time::sleep(Duration::from_millis(10)).await;
    limiter.pause(Duration::from_mins(1));
    assert!(matches!(
        waiting.await.unwrap(),
        Err(PortalError::Throttled { server: ServerKind::Portal, retry_after: Some(_) })
    ));
    assert!(limiter.enter(Lane::Interactive).await.is_err());
    assert!(limiter.check_pause().is_err());
    tokio::time::sleep(Duration::from_mins(1)).await;
    assert!(limiter.enter(Lane::Interactive).await.is_ok());
}

#[tokio::test(start_paused = true)]
async fn who_gives_up_waiting_costs_nothing() {
    let limiter = limiter(1, 1, 1);
    let held = limiter.enter(Lane::Interactive).await.unwrap();
    let given_up = tokio::spawn({
        let limiter = limiter.clone();
        async move { limiter.enter(Lane::Interactive).await.map(drop) }
    });
    tokio::time::sleep(Duration::from_secs(5)).await;
    given_up.abort();
    drop(held);
    let start = Instant::now();
    let place = limiter.enter(Lane::Interactive).await.unwrap();
    assert_eq!(start.elapsed(), Duration::ZERO);
    place.refund();
    drop(limiter.enter(Lane::Interactive).await.unwrap());
    assert_eq!(start.elapsed(), Duration::ZERO);
}

/// Holds this number of creates that never end, and fails where more than these get a place.
async fn hanging(limiter: &Limiter, creates: usize) -> Vec<CallPlace> {
    let mut held = Vec::new();
    for _ in 0..creates {
        held.push(limiter.enter_to_create().await.unwrap());
    }
    assert_eq!(limiter.enter_to_create().await.err(), Some(PortalError::CreatesInProgress));
    held
}

#[tokio::test(start_paused = true)]
async fn creates_that_hang_hold_half_of_the_places_and_at_least_one() {
    for (concurrency, creates) in [(1, 1), (2, 1), (3, 1), (4, 2), (9, 4)] {
        let limiter = limiter(1000, 1000, concurrency);
        let held = hanging(&limiter, creates).await;
        let others = (concurrency as usize - creates).max(1);
        let start = Instant::now();
        let mut places = Vec::new();
        for lane in [Lane::Interactive, Lane::Background].into_iter().cycle().take(others) {
            places.push(limiter.enter(lane).await.unwrap());
        }
        assert_eq!(start.elapsed(), Duration::ZERO, "{concurrency}");
        let one_more = tokio::time::timeout(Duration::from_mins(1), limiter.enter(Lane::Interactive)).await;
        assert!(one_more.is_err(), "{concurrency}: no more than these");
        drop((held, places));
        drop(limiter.enter_to_create().await.unwrap());
    }
}

/// Creates are what a portal has most to do with: fewer requests in progress are fewer creates, too.
#[tokio::test(start_paused = true)]
async fn a_portal_with_too_much_to_do_gets_fewer_creates() {
    for (concurrency, refusals, creates) in [(4, 0, 2), (4, 1, 1), (4, 3, 1), (16, 8, 4), (16, 40, 1)] {
        let limiter = limiter(1000, 1000, concurrency);
        for _ in 0..refusals {
            limiter.answered(Operation::Create, Load::TooMuch, Duration::from_millis(20));
        }
        drop(hanging(&limiter, creates).await);
        for _ in 0..1000 {
            limiter.answered(Operation::Create, Load::Served, Duration::from_millis(20));
        }
        drop(hanging(&limiter, concurrency as usize / 2).await);
    }
}

#[tokio::test(start_paused = true)]
async fn a_create_waits_for_the_only_place() {
    let limiter = limiter(1000, 1000, 1);
    let held = limiter.enter(Lane::Background).await.unwrap();
    let creating = tokio::time::timeout(Duration::from_mins(1), limiter.enter_to_create()).await;
    assert!(creating.is_err(), "another request has it");
    drop(held);
    drop(limiter.enter_to_create().await.unwrap());
}

#[tokio::test(start_paused = true)]
async fn a_create_waits_while_other_creates_end_and_not_while_they_hang() {
    let limiter = limiter(1000, 1000, 2);
    let start = Instant::now();
    let tasks: Vec<_> = (0..10)
        .map(|_| {
            let limiter = limiter.clone();
            tokio::spawn(async move {
                let place = limiter.enter_to_create().await?;
                tokio::time::sleep(CREATE_PATIENCE / 2).await;
                drop(place);
                Ok::<_, PortalError>(())
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap().unwrap();
    }
    assert_eq!(start.elapsed(), CREATE_PATIENCE * 5, "one after the other");

    let held = limiter.enter_to_create().await.unwrap();
    let start = Instant::now();
    assert!(limiter.enter_to_create().await.is_err());
    assert_eq!(start.elapsed(), CREATE_PATIENCE);
    assert!(limiter.enter_to_create().await.is_err());
    assert_eq!(start.elapsed(), CREATE_PATIENCE, "it is known by now that they hang");
    drop(held);
    drop(limiter.enter_to_create().await.unwrap());
}
