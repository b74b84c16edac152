//! The command `check`: it tries a portal and its login from this machine, with the operator's own client and without
//! Kubernetes, and reports what the login reaches, what it may do and what is missing.

mod login;
pub(crate) mod print;
mod reach;
pub(crate) mod report;
mod site;
mod token_file;
mod users;
mod words;
mod write;

use std::io::Write;
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use crate::config::CheckArgs;
use crate::portal::CREATE_SETTLE_TIME;
use print::Printer;
use report::Step;

/// How long the check waits, and how a person ends it.
#[derive(Debug, Clone)]
pub struct Pace {
    /// How long to wait after a create whose outcome is unknown before the check searches for the user.
    pub settle: Duration,
    /// How long to wait before a request that failed is tried again.
    pub pause: Duration,
    /// Ends the check after the step that is in progress; the user that was created is still deleted.
    pub stop: CancellationToken,
}

impl Default for Pace {
    fn default() -> Self {
        Self { settle: CREATE_SETTLE_TIME, pause: Duration::from_secs(3), stop: CancellationToken::new() }
    }
}

/// Checks, writes what it finds to `out`, and returns the exit code: 0, 1 where something is missing or refused, 2 where
/// the portal or its identity provider is not reached.
///
/// An `out` that fails changes nothing: the check runs to its end.
pub async fn run(args: CheckArgs, out: &mut (dyn Write + Send), pace: Pace) -> u8 {
    let mut printer = Printer::new(out, args.output);
    if let Err(words) = check(&args, &mut printer, &pace).await {
        printer.step(Step::failed("target", words.clone()));
        printer.missing(words);
    }
    printer.finish()
}

/// The error is in words: nothing could be tried.
async fn check(args: &CheckArgs, printer: &mut Printer<'_>, pace: &Pace) -> Result<(), String> {
    let checked = site::of(args)?;
    printer.target(&checked.addresses());
    for note in &checked.notes {
        printer.note(note.clone());
    }
    let Some(logins) = login::open(args, &checked, printer)? else { return Ok(()) };
    let reached = reach::reach(&logins, &checked, printer, pace).await;
    let not_tried = |why: &str| Step::note("write-create", format!("not tried: {why}"));
    match reached {
        _ if !args.write => {}
        _ if checked.suspended => {
            printer.step(not_tried("the manifest has suspend: true, so nothing may be written"));
        }
        Some(reached) if !pace.stop.is_cancelled() => {
            write::trial(logins.portal.as_ref(), &reached, printer, pace).await;
        }
        _ => printer.step(not_tried("the steps above do not allow it")),
    }
    if pace.stop.is_cancelled() {
        printer.step(Step::failed("interrupted", "the check was stopped before its end"));
    }
    Ok(())
}
