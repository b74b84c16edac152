//! The `Retry-After` header (RFC 9110 section 10.2.3): seconds or a date.

use std::time::Duration;

use jiff::Timestamp;
use jiff::fmt::rfc2822::DateTimeParser;

use crate::process::Clock;

/// The longest pause: a wrong clock of the server must not stop a Portal for a year.
const LONGEST_PAUSE: Duration = Duration::from_hours(1);

/// The pause that `value` requests. `date` is the answer's own `Date`: the dates are of the server's clock, which may differ
/// from ours.
pub(super) fn pause(value: &str, date: Option<&str>, clock: &Clock) -> Option<Duration> {
    pause_from(value.trim(), date.and_then(parse).unwrap_or_else(|| clock.now()))
}

fn parse(date: &str) -> Option<Timestamp> {
    DateTimeParser::new().relaxed_weekday(true).parse_timestamp(date.trim()).ok()
}

fn pause_from(value: &str, now: Timestamp) -> Option<Duration> {
    let pause = if let Ok(seconds) = value.parse::<u64>() {
        Duration::from_secs(seconds)
    } else {
        Duration::try_from(parse(value)?.duration_since(now)).unwrap_or_default()
    };
    Some(pause.min(LONGEST_PAUSE))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn seconds_and_dates_are_understood() {
        let now: Timestamp = "2026-11-22T12:00:00Z".parse().unwrap();
        for (value, seconds) in [
            ("0", Some(0)),
            ("7", Some(7)),
            ("999999999", Some(3600)),
            ("Sun, 22 Nov 2026 12:00:30 GMT", Some(30)),
            ("Sun, 22 Nov 2026 11:00:00 GMT", Some(0)),
            ("Sun, 22 Nov 2099 11:00:00 GMT", Some(3600)),
            ("soon", None),
            ("-1", None),
            ("", None),
        ] {
            assert_eq!(pause_from(value, now), seconds.map(Duration::from_secs), "{value}");
        }
    }

    #[test]
    fn a_date_counts_by_the_clock_of_who_wrote_it() {
        let wanted = "Sun, 22 Nov 2099 12:00:30 GMT";
        let clock = Clock::system();
        let half_a_minute = Some(Duration::from_secs(30));
        assert_eq!(pause(wanted, Some("Sun, 22 Nov 2099 12:00:00 GMT"), &clock), half_a_minute);
        assert_eq!(pause(wanted, Some("today"), &clock), Some(LONGEST_PAUSE));
        assert_eq!(pause(wanted, None, &clock), Some(LONGEST_PAUSE));
    }

    proptest! {
        #[test]
        fn any_header_gives_a_pause_of_at_most_an_hour_or_none(value in any::<String>(), date in any::<Option<String>>()) {
            let pause = pause(&value, date.as_deref(), &Clock::system());
            prop_assert!(pause.is_none_or(|pause| pause <= LONGEST_PAUSE));
        }

        #[test]
        fn any_number_of_seconds_is_read_back(seconds in any::<u64>()) {
            let expected = Duration::from_secs(seconds).min(LONGEST_PAUSE);
            prop_assert_eq!(pause(&seconds.to_string(), None, &Clock::system()), Some(expected));
        }

        #[test]
        fn any_date_is_read_back(now in 0..4_000_000_000_i64, later in -4_000_000_000..4_000_000_000_i64) {
            let date = |second| {
                let time = Timestamp::from_second(second).unwrap().to_zoned(jiff::tz::TimeZone::UTC);
                jiff::fmt::strtime::format("%a, %d %b %Y %H:%M:%S GMT", &time).unwrap()
            };
            let then = now.saturating_add(later).max(0);
            let expected = u64::try_from(then - now).map(Duration::from_secs).unwrap_or_default();
            prop_assert_eq!(pause(&date(then), Some(&date(now)), &Clock::system()), Some(expected.min(LONGEST_PAUSE)));
        }
    }
}
