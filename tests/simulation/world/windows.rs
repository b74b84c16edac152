//! Windows of rotations: those that specs have, and when they are open, computed minute by minute.

use std::time::Duration;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::World;

type Window = (&'static str, &'static str, Option<&'static str>);

/// Cron expressions, for how long a window is open, and a time zone: the first three often, the last ones once a day.
const WINDOWS: [Window; 5] = [
    ("0 * * * *", "15m", None),
    ("10,40 * * * *", "15m", None),
    ("55 * * * *", "20m", Some("Europe/Berlin")),
    ("0 10 * * *", "30m", Some("Europe/Berlin")),
    ("30 9 * * *", "1h", None),
];

/// So many of them open each hour.
const HOURLY: usize = 3;

impl World {
    /// The windows of a spec: often none, or one or two.
    pub(super) fn windows(&self) -> Value {
        self.windows_of(&WINDOWS)
    }

    /// The same, with windows that open each hour.
    pub(super) fn hourly_windows(&self) -> Value {
        self.windows_of(&WINDOWS[..HOURLY])
    }

    fn windows_of(&self, of: &[Window]) -> Value {
        let count = self.one_of(&[0, 1, 1, 2]);
        let windows = (0..count).map(|_| {
            let (cron, duration, zone) = self.one_of(of);
            json!({ "cron": cron, "duration": duration, "timeZone": zone })
        });
        if count == 0 { Value::Null } else { windows.collect() }
    }
}

/// Whether a rotation that is due may begin at a time: always, if a spec has no windows.
pub fn is_open(windows: &Value, at: Timestamp) -> bool {
    let Some(windows) = windows.as_array() else { return true };
    let minute = at.as_second().div_euclid(60);
    windows.iter().any(|window| (0..minutes_of(window)).any(|back| begins(window, minute - back)))
}

/// The same, for any time between these two.
pub fn is_open_between(windows: &Value, from: Timestamp, to: Timestamp) -> bool {
    let minutes = from.as_second().div_euclid(60)..=to.as_second().div_euclid(60);
    let times = minutes.filter_map(|minute| Timestamp::from_second(minute * 60).ok());
    times.chain([from, to]).any(|at| is_open(windows, at))
}

/// The time until a rotation may begin that is due at a time.
pub fn opens_after(windows: &Value, due: Timestamp) -> Duration {
    let is_open = |minute: &i64| {
        let at = Timestamp::from_second(due.as_second() + minute * 60);
        at.is_ok_and(|at| is_open(windows, at))
    };
    let minutes = (0..=24 * 60).find(is_open).unwrap_or_default();
    Duration::from_mins(minutes.unsigned_abs())
}

fn minutes_of(window: &Value) -> i64 {
    match window["duration"].as_str().unwrap_or_default() {
        "1h" => 60,
        minutes => minutes.trim_end_matches('m').parse().unwrap_or_default(),
    }
}

/// Whether a window begins in this minute since 1970. The runs are in winter.
fn begins(window: &Value, minute: i64) -> bool {
    let offset = if window["timeZone"] == "Europe/Berlin" { 60 } else { 0 };
    let local = minute + offset;
    let fields: Vec<_> = window["cron"].as_str().unwrap_or_default().split(' ').collect();
    let fits = |field: &str, is: i64| field == "*" || field.split(',').any(|one| one.parse() == Ok(is));
    matches!(fields.as_slice(), [minutes, hours, ..]
        if fits(minutes, local.rem_euclid(60)) && fits(hours, local.div_euclid(60).rem_euclid(24)))
}

#[test]
fn a_window_is_open_from_its_beginning_for_its_duration() {
    let window = |at: usize| {
        let (cron, duration, zone) = WINDOWS[at];
        json!([{ "cron": cron, "duration": duration, "timeZone": zone }])
    };
    for (at, time, open) in [
        (0, "08:00:00", true),
        (0, "08:14:59", true),
        (0, "08:15:00", false),
        (1, "08:54:59", true),
        (1, "08:55:00", false),
        (2, "08:14:00", true),
        (2, "08:15:00", false),
        (3, "09:29:59", true),
        (3, "10:00:00", false),
        (4, "10:29:00", true),
        (4, "10:30:00", false),
    ] {
        let time: Timestamp = format!("2026-11-27T{time}Z").parse().unwrap();
        assert_eq!(is_open(&window(at), time), open, "{} at {time}", window(at));
    }
}
