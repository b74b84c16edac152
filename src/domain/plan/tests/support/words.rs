//! A step in a few words, so that a row of a table can be read at a glance.

use crate::domain::plan::{Current, Proof, Read, Report, Rest, Step, Wake, Write};
use crate::domain::roles::Blocker;

/// What is to be done: `create g1 [discovery]`, `ready u1 g1`, `user Pending (u1 g1), look again`.
///
/// A capital `STALLED` says that only a person can help; `, request handled` that a request for rotation is answered.
pub(in crate::domain::plan::tests) fn in_words(step: &Step) -> String {
    match step {
        Step::Read(read) => self::read(read),
        Step::Write(write) => self::write(write),
        Step::Rest(rest) => self::rest(rest),
    }
}

fn read(read: &Read) -> String {
    match read {
        Read::Search => "search".into(),
        Read::Narrow => "narrow the list".into(),
        Read::User(id) => format!("read {id}"),
        Read::Confirm(id) => format!("confirm {id}"),
        Read::Secret => "read the Secret".into(),
        Read::Writable => "prove the output writable".into(),
        Read::Verify(Proof::Read) => "verify what was read".into(),
        Read::Verify(Proof::Published) => "verify what is published".into(),
        Read::Object => "read the object".into(),
    }
}

fn write(write: &Write) -> String {
    match write {
        Write::Repin => "write the pin anew".into(),
        Write::PutFinalizer => "put the finalizer".into(),
        Write::Create { generation, role_ids } => format!("create g{generation} [{}]", role_ids.join(", ")),
        Write::Publish(current) => format!("publish {}", user(current)),
        Write::Describe(current) => format!("describe {}", user(current)),
        Write::Delete(id) => format!("delete {id}"),
        Write::Reset(id) => format!("reset {id}"),
        Write::MarkRetained(id) => format!("mark {id} retained"),
        Write::ListRetained(id, _) => format!("list {id} retained"),
        Write::DropFinalizer => "drop the finalizer".into(),
    }
}

fn rest(rest: &Rest) -> String {
    let report = match &rest.report {
        Report::Ready => "ready".into(),
        Report::StillReady => "still ready".into(),
        Report::AsTold => "as told".into(),
        Report::User(blocker) => blocked("user", blocker),
        Report::Credential(blocker) => blocked("credential", blocker),
        Report::Output(blocker) => blocked("output", blocker),
        Report::Deleting(blocker) => blocked("held", blocker),
        Report::Gone => "gone".into(),
    };
    let current = rest.current.as_ref().map(|c| format!(" ({})", user(c))).unwrap_or_default();
    let wake = match rest.wake {
        Wake::OnChange => String::new(),
        Wake::After(time) => format!(", after {} s", time.as_secs()),
        Wake::Backoff => ", try again".into(),
        Wake::Poll => ", look again".into(),
        Wake::Verification => ", verify in time".into(),
    };
    let handled = if rest.rotation_handled { ", request handled" } else { "" };
    format!("{report}{current}{wake}{handled}")
}

fn blocked(what: &str, blocker: &Blocker) -> String {
    let stalled = if blocker.stalled { " STALLED" } else { "" };
    format!("{what} {}{stalled}", blocker.reason.as_str())
}

fn user(current: &Current) -> String {
    format!("{} g{}", current.id, current.generation)
}
