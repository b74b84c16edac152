use parking_lot::Mutex;
use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};
use tokio::time::sleep;

use super::*;

const HANG: Duration = Duration::from_mins(3);
const QUICK: Duration = Duration::from_millis(100);

/// Reconciles that take the time of their lane; a key is `<lane>/<name>`.
#[derive(Default)]
struct Site {
    takes: Mutex<BTreeMap<String, Duration>>,
    /// Overrides the lane in a key.
    moved: Mutex<BTreeMap<String, Option<String>>>,
    requeue: Option<Duration>,
    seen: Mutex<Seen>,
}

#[derive(Default)]
struct Seen {
    running: BTreeMap<String, usize>,
    keys: Vec<String>,
    most: BTreeMap<String, usize>,
    most_together: usize,
    ended: Vec<(String, Instant)>,
}

impl Work for Site {
    type Key = String;
    type Lane = String;

    fn lane(&self, key: &String) -> Option<String> {
        let moved = self.moved.lock().get(key).cloned();
        moved.unwrap_or_else(|| key.split('/').next().map(str::to_owned))
    }

    async fn reconcile(&self, key: String) -> Action {
        let lane = self.lane(&key).unwrap();
        {
            let mut seen = self.seen.lock();
            assert!(!seen.keys.contains(&key), "{key} runs twice at a time");
            seen.keys.push(key.clone());
            let running = seen.running.entry(lane.clone()).or_default();
            *running += 1;
            let (running, together) = (*running, seen.keys.len());
            let most = seen.most.entry(lane.clone()).or_default();
            *most = (*most).max(running);
            seen.most_together = seen.most_together.max(together);
        }
        let takes = self.takes.lock().get(&lane).copied().unwrap_or(QUICK);
        sleep(takes).await;
        let mut seen = self.seen.lock();
        *seen.running.get_mut(&lane).unwrap() -= 1;
        seen.keys.retain(|other| *other != key);
        seen.ended.push((key.clone(), Instant::now()));
        drop(seen);
        assert!(!key.ends_with("/panics"), "as asked for");
        self.requeue.map_or(Action::await_change(), Action::requeue)
    }
}

struct Running {
    site: Arc<Site>,
    wakes: UnboundedSender<String>,
    stop: CancellationToken,
    task: tokio::task::JoinHandle<()>,
}

fn start(site: Site, workers: u16) -> Running {
    let (wakes, woken) = unbounded_channel();
    let (site, stop) = (Arc::new(site), CancellationToken::new());
    let task = tokio::spawn(run(Arc::clone(&site), woken, workers, stop.clone()));
    Running { site, wakes, stop, task }
}

impl Running {
    fn wake(&self, lane: &str, count: usize) {
        for number in 0..count {
            self.wakes.send(format!("{lane}/{number}")).unwrap();
        }
    }

    fn ended(&self, key: &str) -> usize {
        self.site.seen.lock().ended.iter().filter(|(ended, _)| ended == key).count()
    }

    /// How long a wake of `key` takes to be served.
    async fn served(&self, key: &str) -> Duration {
        let (began, before) = (Instant::now(), self.ended(key));
        self.wakes.send(key.to_owned()).unwrap();
        while self.ended(key) == before {
            sleep(Duration::from_millis(10)).await;
        }
        began.elapsed()
    }
}

fn hanging(lanes: usize) -> Site {
    let site = Site::default();
    site.takes.lock().extend((0..lanes).map(|lane| (format!("hangs-{lane}"), HANG)));
    site
}

#[tokio::test(start_paused = true)]
async fn one_hanging_lane_takes_half_of_the_workers_and_another_is_served_at_once() {
    let running = start(hanging(1), 8);
    running.wake("hangs-0", 100);
    sleep(Duration::from_secs(30)).await;
    assert_eq!(running.site.seen.lock().most["hangs-0"], 4);
    let took = running.served("quick/a").await;
    assert!(took <= QUICK * 2, "{took:?}");
}

#[tokio::test(start_paused = true)]
async fn many_hanging_lanes_leave_a_quick_one_its_turn() {
    for workers in [1, 2, 8] {
        let running = start(hanging(20), workers);
        for lane in 0..20 {
            running.wake(&format!("hangs-{lane}"), 50);
        }
        // In the middle of the rush, and when all of them hang.
        for wait in [Duration::ZERO, Duration::from_mins(2)] {
            sleep(wait).await;
            let took = running.served("quick/a").await;
            let turn = Duration::from_secs(20_u64.div_ceil(u64::from(workers)) + 2);
            let limit = if wait.is_zero() { turn } else { Duration::from_secs(2) };
            assert!(took <= limit, "{workers} workers, after {wait:?}: {took:?}");
        }
        let share = usize::from(workers / 2).max(2);
        let seen = running.site.seen.lock();
        assert!(seen.most.iter().all(|(_, most)| *most <= share), "{:?}", seen.most);
    }
}

#[tokio::test(start_paused = true)]
async fn three_hanging_lanes_cost_a_quick_one_less_than_two_seconds_at_any_time() {
    let running = start(hanging(3), 8);
    for lane in 0..3 {
        running.wake(&format!("hangs-{lane}"), 100);
    }
    for _ in 0..200 {
        let took = running.served("quick/a").await;
        assert!(took < Duration::from_secs(2), "{took:?}");
        sleep(Duration::from_millis(1700)).await;
    }
}

#[tokio::test(start_paused = true)]
async fn quick_reconciles_obey_the_limit_and_lanes_take_turns() {
    let running = start(Site::default(), 8);
    for lane in ["a", "b", "c"] {
        running.wake(lane, 80);
    }
    sleep(Duration::from_secs(30)).await;
    let seen = running.site.seen.lock();
    assert_eq!(seen.ended.len(), 240);
    assert_eq!(seen.most_together, 8);
    let half: Vec<_> = seen.ended.iter().take(120).collect();
    for lane in ["a", "b", "c"] {
        let count = half.iter().filter(|(key, _)| key.starts_with(lane)).count();
        assert!((35..=45).contains(&count), "{lane}: {count} of the first 120");
    }
}

#[tokio::test(start_paused = true)]
async fn keys_of_a_lane_keep_the_order_of_their_wakes() {
    let running = start(Site::default(), 1);
    running.wake("a", 20);
    sleep(Duration::from_secs(30)).await;
    let seen = running.site.seen.lock();
    let order: Vec<_> = seen.ended.iter().map(|(key, _)| key.as_str()).collect();
    // Two run at a time in a lane, and end in the order of their starts.
    assert_eq!(order, (0..20).map(|number| format!("a/{number}")).collect::<Vec<_>>());
}

#[tokio::test(start_paused = true)]
async fn a_wake_during_a_reconcile_leads_to_one_more() {
    let running = start(Site::default(), 8);
    running.wakes.send("a/x".to_owned()).unwrap();
    sleep(QUICK / 2).await;
    for _ in 0..5 {
        running.wakes.send("a/x".to_owned()).unwrap();
    }
    sleep(Duration::from_secs(10)).await;
    assert_eq!(running.ended("a/x"), 2);
}

#[tokio::test(start_paused = true)]
async fn a_requeue_is_timed_and_a_wake_before_it_takes_its_place() {
    let site = Site { requeue: Some(Duration::from_mins(1)), ..Site::default() };
    let running = start(site, 8);
    running.wakes.send("a/x".to_owned()).unwrap();
    sleep(Duration::from_secs(59)).await;
    assert_eq!(running.ended("a/x"), 1);
    running.wakes.send("a/x".to_owned()).unwrap();
    sleep(Duration::from_secs(59)).await;
    assert_eq!(running.ended("a/x"), 2, "the first timer was dropped");
    sleep(Duration::from_secs(2)).await;
    assert_eq!(running.ended("a/x"), 3);
}

#[tokio::test(start_paused = true)]
async fn a_key_that_is_gone_is_dropped_and_one_that_moved_changes_its_lane() {
    let running = start(hanging(1), 8);
    running.wake("hangs-0", 6);
    sleep(Duration::from_secs(5)).await;
    let moved = [("hangs-0/4".to_owned(), None), ("hangs-0/5".to_owned(), Some("quick".to_owned()))];
    running.site.moved.lock().extend(moved);
    sleep(HANG * 2).await;
    assert_eq!((running.ended("hangs-0/4"), running.ended("hangs-0/5")), (0, 1));
}

#[tokio::test(start_paused = true)]
async fn a_panic_ends_one_reconcile_and_nothing_else() {
    let running = start(Site::default(), 2);
    running.wakes.send("a/panics".to_owned()).unwrap();
    for name in ["a/x", "b/x"] {
        running.served(name).await;
    }
    assert_eq!(running.ended("a/panics"), 1);
    sleep(AFTER_PANIC + Duration::from_secs(1)).await;
    assert_eq!(running.ended("a/panics"), 2, "it is tried again");
    assert!(!running.task.is_finished());
}

#[tokio::test(start_paused = true)]
async fn a_stop_waits_for_what_runs_and_starts_nothing_more() {
    let running = start(hanging(1), 8);
    running.wake("hangs-0", 6);
    sleep(Duration::from_secs(1)).await;
    running.stop.cancel();
    running.task.await.unwrap();
    assert_eq!(running.site.seen.lock().ended.len(), 4);
}
