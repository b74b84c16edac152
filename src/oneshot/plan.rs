//! The command `plan`: what the operator would do, as `status.planned` says it.

use std::fmt::Write as _;
use std::io::Write;
use std::time::Duration;

use serde_json::json;
use tokio::sync::mpsc::UnboundedReceiver;
use tokio::time::{Instant, timeout_at};

use super::session::Session;
use crate::config::{Output, PlanArgs};
use crate::controller::objects::Key;
use crate::controller::once::{self, Look};
use crate::domain::blocker::Blocker;
use crate::domain::reason::Reason;

/// How long a search is waited for before the resource is looked at again.
const LOOK_AGAIN_AFTER: Duration = Duration::from_secs(2);

const TOO_LATE: &str = "The portal was not read in time (--timeout)";

/// Nothing would be done.
const NOTHING: u8 = 0;
/// Something could not be found out, or only a person can continue.
const FAILED: u8 = 1;
/// Something would be done.
const CHANGES: u8 = 2;

/// Finds out what would be done, writes it to `out`, and returns the exit code: 0 if nothing would be done, 2 if something would, 1
/// if that cannot be found out or a person has to act first.
pub async fn run(args: PlanArgs, out: &mut (dyn Write + Send)) -> u8 {
    let (text, code) = match look_at_all(&args).await {
        Ok(looks) => (printed(&looks, args.output), code(&looks)),
        Err(why) if args.output == Output::Json => (format!("{:#}\n", json!({"error": why})), FAILED),
        Err(why) => (format!("{why}\n"), FAILED),
    };
    // A reader that has ended wants nothing more.
    let _reader_has_ended = out.write_all(text.as_bytes()).and_then(|()| out.flush());
    code
}

async fn look_at_all(args: &PlanArgs) -> Result<Vec<(Key, Look)>, String> {
    let deadline = Instant::now() + Duration::from_secs(u64::from(args.timeout));
    let opened = timeout_at(deadline, Session::open(&args.scope)).await;
    let mut session = opened.map_err(|_| TOO_LATE.to_owned())??;
    let mut looks = Vec::new();
    for key in session.subjects.clone() {
        let look = look_until(deadline, &mut session.woken, async || once::look(&session.ctx, &key).await);
        let look = look.await;
        looks.push((key, look));
    }
    Ok(looks)
}

/// Looks at a resource again and again while the list is being read, whose end wakes it, and until the deadline.
async fn look_until(
    deadline: Instant,
    woken: &mut UnboundedReceiver<Key>,
    look: impl AsyncFn() -> Look,
) -> Look {
    let mut last = None;
    while Instant::now() < deadline {
        // The look sees what happened before it.
        while woken.try_recv().is_ok() {}
        match timeout_at(deadline, look()).await {
            Ok(look) if look.is_in_progress() => last = Some(look),
            Ok(look) => return look,
            Err(_) => break,
        }
        let again = deadline.min(Instant::now() + LOOK_AGAIN_AFTER);
        let _woken = timeout_at(again, woken.recv()).await;
    }
    last.unwrap_or_else(|| Look::failed(Blocker::passing(Reason::ReconcileTimeout, TOO_LATE)))
}

fn code(looks: &[(Key, Look)]) -> u8 {
    if looks.iter().any(|(_, look)| look.has_failed()) {
        FAILED
    } else if looks.iter().any(|(_, look)| !look.planned.is_empty()) {
        CHANGES
    } else {
        NOTHING
    }
}

fn printed(looks: &[(Key, Look)], output: Output) -> String {
    if output == Output::Json {
        let resources = looks.iter().map(|(key, look)| {
            json!({
                "kind": "TechnicalUser", "namespace": key.namespace, "name": key.name, "planned": look.planned,
                "failed": look.has_failed(), "reason": look.reason(), "message": look.message(),
            })
        });
        return format!("{:#}\n", json!({"resources": resources.collect::<Vec<_>>()}));
    }
    let mut text = String::new();
    for (key, look) in looks {
        // Writing into a String does not fail.
        let _ = writeln!(text, "TechnicalUser {key}");
        for step in &look.planned {
            let _ = writeln!(text, "  {step}");
        }
        match (look.reason(), look.message()) {
            (Some(reason), Some(message)) => {
                let _ = writeln!(
                    text,
                    "  {}{reason}: {message}",
                    if look.has_failed() { "failed: " } else { "waits: " }
                );
            }
            _ if look.planned.is_empty() => text.push_str("  nothing to do\n"),
            _ => {}
        }
    }
    if looks.is_empty() {
        text.push_str("No TechnicalUser was found\n");
    }
    text
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use tokio::sync::mpsc::unbounded_channel;

    use super::*;

    /// A resource that was woken many times before, and is known at the look of this number; how many looks there were, and when
    /// they ended.
    async fn looks_until(known_at: u32, each_takes: Duration) -> (Look, u32, Duration) {
        let (wake, mut woken) = unbounded_channel();
        let key = || Key { namespace: "connector".into(), name: "edc".into() };
        for _ in 0..100 {
            wake.send(key()).unwrap();
        }
        let (began, looks) = (Instant::now(), Cell::new(0));
        let one = async || {
            looks.set(looks.get() + 1);
            tokio::time::sleep(each_takes).await;
            let searching = Blocker::passing(Reason::Searching, "the list");
            if looks.get() < known_at { Look::failed(searching) } else { look(&["create"], None).1 }
        };
        let deadline = began + Duration::from_secs(10);
        let ended = look_until(deadline, &mut woken, one).await;
        (ended, looks.get(), began.elapsed())
    }

    #[tokio::test(start_paused = true)]
    async fn a_list_that_is_read_is_waited_for_until_the_time_is_over() {
        let moment = Duration::from_millis(1);
        let (look, looks, _) = looks_until(2, moment).await;
        assert_eq!((look.planned.len(), looks), (1, 2));
        let (look, looks, took) = looks_until(u32::MAX, moment).await;
        assert_eq!(look.reason(), Some("Searching"));
        assert!(looks <= 6 && took == Duration::from_secs(10), "{looks} {took:?}");
        let (look, _, took) = looks_until(1, Duration::from_hours(1)).await;
        assert!(look.has_failed() && look.message() == Some(TOO_LATE), "{look:?}");
        assert_eq!(took, Duration::from_secs(10), "a look that does not end is left");
    }

    fn look(planned: &[&str], why: Option<Blocker>) -> (Key, Look) {
        let key = Key { namespace: "connector".into(), name: "edc".into() };
        (key, Look { planned: planned.iter().map(ToString::to_string).collect(), why, known: true })
    }

    #[test]
    fn the_exit_code_says_whether_something_would_be_done() {
        let waits = || Blocker::passing(Reason::Pending, "the wallet");
        let stalled = || Blocker::lasting(Reason::RoleNotOffered, "the role");
        for (looks, expected) in [
            (vec![], 0),
            (vec![look(&[], None)], 0),
            (vec![look(&[], Some(waits()))], 0),
            (vec![look(&[], None), look(&["create"], None)], 2),
            (vec![look(&["create"], None), look(&[], Some(stalled()))], 1),
        ] {
            assert_eq!(code(&looks), expected, "{looks:?}");
        }
    }

    #[test]
    fn it_is_printed_for_people_and_for_programs() {
        let looks = [
            look(&["create user x"], None),
            look(&[], None),
            look(&[], Some(Blocker::passing(Reason::Pending, "It waits."))),
        ];
        assert_eq!(
            printed(&looks, Output::Text),
            "TechnicalUser connector/edc\n  create user x\nTechnicalUser connector/edc\n  nothing to do\nTechnicalUser connector/edc\n  \
             waits: Pending: It waits.\n"
        );
        let json: serde_json::Value = serde_json::from_str(&printed(&looks, Output::Json)).unwrap();
        assert_eq!(json["resources"][0]["planned"], serde_json::json!(["create user x"]));
        assert_eq!(json["resources"][2]["reason"], "Pending");
    }
}
