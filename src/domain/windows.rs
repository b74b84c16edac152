//! Windows in which a rotation that is due may begin: a cron expression for their beginning, in a time zone, and how long each is open.
//!
//! A time that a day lacks, because clocks are put forward, is no beginning on that day. One that a day has twice begins a window
//! twice.

use std::time::Duration;

use cronexpr::{Crontab, MakeTimestamp};
use jiff::civil::DateTime;
use jiff::tz::{AmbiguousOffset, TimeZone};
use jiff::{Timestamp, ToSpan as _};

/// Longer than any clock is put back.
const PUT_BACK: jiff::SignedDuration = jiff::SignedDuration::from_hours(3);
/// A day that comes at all comes within this time.
const YEARS: i32 = 4;

/// The windows of a resource.
#[derive(Debug, Clone, Default)]
pub struct Windows(Vec<Window>);

#[derive(Debug, Clone)]
struct Window {
    /// In UTC: cronexpr 1.7 searches without end in a time zone whose clocks are put back by half an hour.
    begins: Crontab,
    zone: TimeZone,
    duration: Duration,
}

impl Windows {
    /// Adds a window: its cron expression of five fields, how long it is open, and the name of the time zone.
    ///
    /// # Errors
    /// Why it never opens; it is not added.
    pub fn add(&mut self, cron: &str, duration: Duration, zone: &str, now: Timestamp) -> Result<(), String> {
        let zone = TimeZone::get(zone)
            .map_err(|_| format!("\"{zone}\" is no time zone of the IANA Time Zone Database"))?;
        let begins = cronexpr::parse_crontab(&format!("{cron} UTC"))
            .map_err(|_| format!("\"{cron}\" is no cron expression of five fields"))?;
        if duration.is_zero() {
            return Err(format!("the window of \"{cron}\" has no duration"));
        }
        let window = Window { begins, zone, duration };
        if window.next(now).is_none() {
            return Err(format!("\"{cron}\" names no day in the next four years"));
        }
        self.0.push(window);
        Ok(())
    }

    /// When a rotation begins that is due at this time: then, or now if that has passed, if a window is open, or else with the next
    /// window. `None` if there is no window.
    #[must_use]
    pub fn begins(&self, due: Timestamp, now: Timestamp) -> Option<Timestamp> {
        let earliest = due.max(now);
        if self.0.iter().any(|window| window.is_open(earliest)) {
            return Some(earliest);
        }
        self.0.iter().filter_map(|window| window.next(earliest)).min()
    }
}

impl Window {
    /// The first beginning after this time.
    fn next(&self, after: Timestamp) -> Option<Timestamp> {
        let local = self.zone.to_datetime(after);
        let end = local.checked_add(YEARS.years()).ok()?;
        let changed = self.zone.following(after).next().map(|change| change.timestamp());
        let is_steady_until = |time: Timestamp| changed.is_none_or(|changed| changed > time);
        // Where clocks are put back soon, what comes next in time may come before on the clock.
        let is_steady = after.checked_add(PUT_BACK).is_ok_and(is_steady_until);
        let mut shown = if is_steady { local } else { local.checked_sub(PUT_BACK).ok()? };
        let mut first: Option<Timestamp> = None;
        loop {
            if let Some(first) = first.filter(|first| is_steady_until(*first)) {
                return Some(first);
            }
            let enough = first.map_or(end, |first| self.zone.to_datetime(first).saturating_add(PUT_BACK));
            let Some(following) = self.shown_next(shown).filter(|following| *following <= enough) else {
                return first;
            };
            shown = following;
            let next = self.times_of(shown).into_iter().flatten().filter(|time| *time > after).min();
            first = first.into_iter().chain(next).min();
        }
    }

    /// The next time after this one that the expression names.
    fn shown_next(&self, after: DateTime) -> Option<DateTime> {
        let after = TimeZone::UTC.to_timestamp(after).ok()?;
        let next = self.begins.find_next(MakeTimestamp(after)).ok()?;
        Some(next.datetime())
    }

    /// When the clocks of the time zone show this time.
    fn times_of(&self, shown: DateTime) -> [Option<Timestamp>; 2] {
        let ambiguous = self.zone.to_ambiguous_timestamp(shown);
        match ambiguous.offset() {
            AmbiguousOffset::Unambiguous { .. } => [ambiguous.compatible().ok(), None],
            AmbiguousOffset::Gap { .. } => [None, None],
            AmbiguousOffset::Fold { .. } => [ambiguous.earlier().ok(), ambiguous.later().ok()],
        }
    }

    /// Whether it has opened, and not closed yet.
    fn is_open(&self, at: Timestamp) -> bool {
        let opened = at.checked_sub(self.duration).ok().and_then(|earliest| self.next(earliest));
        opened.is_some_and(|opened| opened <= at)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn at(time: &str) -> Timestamp {
        time.parse().unwrap()
    }

    fn windows(all: &[(&str, u64, &str)]) -> Windows {
        let mut windows = Windows::default();
        for (cron, hours, zone) in all {
            windows.add(cron, Duration::from_hours(*hours), zone, at("2026-01-01T00:00:00Z")).unwrap();
        }
        windows
    }

    #[test]
    fn a_rotation_begins_in_the_first_window_after_it_is_due() {
        let weekend = || windows(&[("0 2 * * SAT", 4, "Europe/Berlin")]);
        let two = || windows(&[("0 2 * * SAT", 4, "Europe/Berlin"), ("0 22 * * WED", 1, "UTC")]);
        // 2026-11-28 is a Saturday.
        for (about, windows, due, now, begins) in [
            ("before it", weekend(), "2026-11-26T12:00:00Z", "2026-11-20T00:00:00Z", "2026-11-28T01:00:00Z"),
            ("in it", weekend(), "2026-11-28T03:30:00Z", "2026-11-20T00:00:00Z", "2026-11-28T03:30:00Z"),
            ("at its end", weekend(), "2026-11-28T05:00:00Z", "2026-11-20T00:00:00Z", "2026-12-05T01:00:00Z"),
            ("now, in it", weekend(), "2026-11-26T12:00:00Z", "2026-11-28T04:59:59Z", "2026-11-28T04:59:59Z"),
            ("due in it", weekend(), "2026-11-28T03:30:00Z", "2026-11-28T04:00:00Z", "2026-11-28T04:00:00Z"),
            ("missed", weekend(), "2026-11-26T12:00:00Z", "2026-11-28T05:00:00Z", "2026-12-05T01:00:00Z"),
            (
                "at its beginning",
                weekend(),
                "2026-11-28T01:00:00Z",
                "2026-11-28T01:00:00Z",
                "2026-11-28T01:00:00Z",
            ),
            (
                "the sooner of two",
                two(),
                "2026-11-22T12:00:00Z",
                "2026-11-20T00:00:00Z",
                "2026-11-25T22:00:00Z",
            ),
            ("the other one", two(), "2026-11-26T12:00:00Z", "2026-11-20T00:00:00Z", "2026-11-28T01:00:00Z"),
        ] {
            assert_eq!(windows.begins(at(due), at(now)), Some(at(begins)), "{about}");
        }
        assert_eq!(Windows::default().begins(at("2026-11-26T12:00:00Z"), at("2026-11-20T00:00:00Z")), None);
    }

    /// In 2026 Berlin puts its clocks forward on 29 March (02:00 is 03:00), and back on 25 October (03:00 is 02:00).
    #[test]
    fn a_time_that_a_day_lacks_is_passed_over_and_one_that_it_has_twice_counts_twice() {
        let nightly = windows(&[("30 2 * * *", 1, "Europe/Berlin")]);
        for (about, due, begins) in [
            ("the day before", "2026-03-27T12:00:00Z", "2026-03-28T01:30:00Z"),
            ("the day without 02:30", "2026-03-28T12:00:00Z", "2026-03-30T00:30:00Z"),
            ("the day with two: the first", "2026-10-24T12:00:00Z", "2026-10-25T00:30:00Z"),
            ("it is open for its hour", "2026-10-25T01:29:00Z", "2026-10-25T01:29:00Z"),
            ("the second", "2026-10-25T01:30:00Z", "2026-10-25T01:30:00Z"),
            ("its end", "2026-10-25T02:29:00Z", "2026-10-25T02:29:00Z"),
            ("the day after", "2026-10-25T02:30:00Z", "2026-10-26T01:30:00Z"),
        ] {
            assert_eq!(nightly.begins(at(due), at("2026-01-01T00:00:00Z")), Some(at(begins)), "{about}");
        }
        // A window that is open when the clocks change lasts as long as its duration says.
        let long = windows(&[("0 1 * * SUN", 4, "Europe/Berlin")]);
        let due = at("2026-03-29T03:59:00Z");
        assert_eq!(long.begins(due, due), Some(due));
        assert_eq!(long.begins(at("2026-03-29T04:00:00Z"), due), Some(at("2026-04-04T23:00:00Z")));
    }

    /// There the clocks show 02:00 and then 01:30, on 4 April 2027.
    #[test]
    fn clocks_that_are_put_back_by_half_an_hour_do_not_delay_the_search() {
        let all = windows(&[
            ("*/20 3 * * 0,3", 1, "Australia/Lord_Howe"),
            ("40 1 * * SUN", 1, "Australia/Lord_Howe"),
        ]);
        for (due, begins) in [
            ("2027-03-31T21:04:52Z", "2027-04-03T14:40:00Z"),
            ("2027-04-03T15:40:00Z", "2027-04-03T15:40:00Z"),
            ("2027-04-03T14:40:00Z", "2027-04-03T14:40:00Z"),
            ("2027-04-04T00:00:00Z", "2027-04-06T16:30:00Z"),
        ] {
            assert_eq!(all.begins(at(due), at("2026-01-01T00:00:00Z")), Some(at(begins)), "{due}");
        }
        let second = all.0.last().unwrap();
        assert_eq!(second.next(at("2027-04-03T14:40:00Z")), Some(at("2027-04-03T15:10:00Z")));
    }

    #[test]
    fn a_window_that_never_opens_is_refused_in_words() {
        let now = at("2026-11-27T12:00:00Z");
        for (cron, zone, words) in [
            ("0 2 30 2 *", "UTC", "\"0 2 30 2 *\" names no day in the next four years"),
            ("0 2 31 4,6,9,11 *", "UTC", "names no day"),
            ("0 2 * * SAT", "Europe/Bonn", "\"Europe/Bonn\" is no time zone"),
            ("0 2 * * SAT", "", "\"\" is no time zone"),
            ("0 2 * *", "UTC", "\"0 2 * *\" is no cron expression"),
            ("61 2 * * *", "UTC", "is no cron expression"),
            ("0 5-2 * * *", "UTC", "is no cron expression"),
        ] {
            let mut windows = Windows::default();
            let error = windows.add(cron, Duration::from_hours(1), zone, now).unwrap_err();
            assert!(error.contains(words), "{cron} {zone}: {error}");
            assert_eq!(windows.begins(now, now), None);
        }
        let error = Windows::default().add("0 2 * * *", Duration::ZERO, "UTC", now).unwrap_err();
        assert!(error.contains("has no duration"), "{error}");
        let mut leap = Windows::default();
        leap.add("0 2 29 2 *", Duration::from_hours(1), "UTC", now).unwrap();
        assert_eq!(leap.begins(now, now), Some(at("2028-02-29T02:00:00Z")));
    }

    fn a_cron() -> impl Strategy<Value = String> {
        let minute = prop_oneof![Just("*/20".to_owned()), (0..60_u8).prop_map(|minute| minute.to_string())];
        let hour = prop_oneof![Just("*".to_owned()), (0..24_u8).prop_map(|hour| hour.to_string())];
        let day = prop_oneof![Just("*".to_owned()), (1..29_u8).prop_map(|day| day.to_string())];
        let weekday = prop_oneof![Just("*"), Just("SAT"), Just("1-5"), Just("0,3")];
        (minute, hour, day, weekday).prop_map(|(m, h, d, w)| format!("{m} {h} {d} * {w}"))
    }

    fn a_zone() -> impl Strategy<Value = &'static str> {
        prop_oneof![
            Just("UTC"),
            Just("Europe/Berlin"),
            Just("America/New_York"),
            Just("Australia/Lord_Howe"),
            Just("Asia/Kathmandu"),
        ]
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

        #[test]
        fn a_rotation_begins_neither_early_nor_in_the_past_and_in_the_first_window(
            all in proptest::collection::vec((a_cron(), 15..600_u64, a_zone()), 1..4),
            due in 1_767_000_000..1_830_000_000_i64,
            later in 0..5_000_000_i64,
        ) {
            let (due, now) = (Timestamp::from_second(due).unwrap(), Timestamp::from_second(due + later - 2_000_000).unwrap());
            let mut windows = Windows::default();
            for (cron, minutes, zone) in &all {
                windows.add(cron, Duration::from_mins(*minutes), zone, now).unwrap();
            }
            let is_open = |at: Timestamp| windows.0.iter().any(|window| window.is_open(at));
            let begins = windows.begins(due, now).unwrap();
            prop_assert!(begins >= due && begins >= now && is_open(begins));
            // What was said before the window is said in it.
            prop_assert_eq!(windows.begins(due, begins), Some(begins));
            if begins > due.max(now) {
                let between = due.max(now);
                let minutes = begins.duration_since(between).as_mins().unsigned_abs();
                // Each minute of the first hours, and some of the rest.
                for minute in (0..minutes.min(200)).chain((200..minutes).step_by(97)).take(400) {
                    let at = between + Duration::from_mins(minute);
                    prop_assert!(!is_open(at), "open at {at}, before {begins}");
                }
            }
        }
    }
}
