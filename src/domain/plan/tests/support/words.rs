//! A step in a few words, so that a row of a table is easy to read.

use super::builders::{A_PLACE_FOR_EACH, the_secret, timers};
use crate::domain::blocker::Blocker;
use crate::domain::plan::{
    AfterUsers, CredentialAt, Read, Report, Requeue, Restarted, Settled, Stage, Step, UserRef, Write,
};

/// The step: `create g1 [discovery]`, `ready u1 g1`, `user Pending (u1 g1), poll`.
///
/// `STALLED` means that a person has to act; `, request handled` that a request for rotation is answered.
pub(in crate::domain::plan::tests) fn in_words(step: &Step) -> String {
    match step {
        Step::Read(read) => self::read(read),
        Step::Write(write) => self::write(write),
        Step::Settled(settled) => self::settled(settled),
    }
}

fn read(read: &Read) -> String {
    match read {
        Read::Search => "search".into(),
        Read::Narrow => "narrow the list".into(),
        Read::User(id) => format!("read {id}"),
        Read::Confirm(id) => format!("confirm {id}"),
        Read::Output(id) => format!("read the {}", id.kind),
        Read::Writable { output, .. } if *output == the_secret() => "prove the output writable".into(),
        Read::Writable { output, generation } if output.kind == A_PLACE_FOR_EACH => {
            format!("prove the place of g{generation} writable")
        }
        Read::Writable { output, .. } => format!("prove the {} writable", output.kind),
        Read::Verify(CredentialAt::Portal(_)) => "verify what was read".into(),
        Read::Verify(CredentialAt::Output(_)) => "verify what is published".into(),
        Read::Workload(id) => format!("read {}", id.name),
        Read::Object => "read the object".into(),
    }
}

fn write(write: &Write) -> String {
    match write {
        Write::RecordPortal => "write the pin".into(),
        Write::AddFinalizer => "put the finalizer".into(),
        Write::Create { generation, user } => format!("create g{generation} [{}]", user.role_ids.join(", ")),
        Write::Adopt { user, differs: None } => format!("adopt {}", self::user(user)),
        Write::Adopt { user, .. } => format!("adopt {} with other roles", self::user(user)),
        Write::CloseAttempt => "close the attempt".into(),
        Write::Publish { user, output } if *output == the_secret() => format!("publish {}", self::user(user)),
        Write::Publish { user, output } => format!("publish {} to the {}", self::user(user), output.kind),
        Write::RecordOutput { output, .. } => format!("name {output} in the status"),
        Write::UsersAreDone(AfterUsers::NoneIsValid) => "done with the users".into(),
        Write::UsersAreDone(AfterUsers::OneMayBeValid) => "done with the users, one may be valid".into(),
        Write::RemoveOutput(output) => format!("remove {output}"),
        Write::AbandonOutput { output, .. } => format!("list {output} as abandoned"),
        Write::Restart(id) => format!("restart {}", id.name),
        Write::Describe { user, .. } => format!("describe {}", self::user(user)),
        Write::ReportDeletion(_) => "report the deletion".into(),
        Write::Delete { id, .. } => format!("delete {id}"),
        Write::RotateSecret { user, credential } => {
            format!("reset {} for credential {credential}", self::user(user))
        }
        Write::Reset(id) => format!("reset {id}"),
        Write::MarkRetained { id, .. } => format!("mark {id} retained"),
        Write::RecordRetained { id, .. } => format!("list {id} retained"),
        Write::RemoveFinalizer => "drop the finalizer".into(),
    }
}

fn settled(settled: &Settled) -> String {
    let report = match &settled.report {
        Report::Ready => "ready".into(),
        Report::StillReady => "still ready".into(),
        Report::Unchanged => "as reported".into(),
        Report::Blocked { stage: Stage::User, blocker } => blocked("user", blocker),
        Report::Blocked { stage: Stage::Credential, blocker } => blocked("credential", blocker),
        Report::Blocked { stage: Stage::Output, blocker } => blocked("output", blocker),
        Report::Deleting(blocker) => blocked("held", blocker),
        Report::Gone => "gone".into(),
    };
    let current = settled.current.as_ref().map(|c| format!(" ({})", user(c))).unwrap_or_default();
    let requeue = match settled.requeue {
        Requeue::In(time) if time == timers().recheck => String::new(),
        Requeue::In(time) if time == timers().poll => ", poll".into(),
        Requeue::In(time) if time == timers().verification => ", verify in time".into(),
        Requeue::In(time) => format!(", after {} s", time.as_secs()),
        Requeue::Backoff => ", try again".into(),
        Requeue::BackoffAt(time) => format!(", try again after {} s", time.as_secs()),
        Requeue::Never => String::new(),
    };
    let handled = if settled.rotation.handled { ", request handled" } else { "" };
    let restarted = settled.restarted.as_deref().map(restarted).unwrap_or_default();
    let answer = settled.rotation.answer.as_ref();
    let answer = answer.map(|answer| format!(", answer {}", answer.reason.as_str())).unwrap_or_default();
    let waiting = settled.rotation.waiting.as_ref();
    let waiting = waiting.map(|waiting| format!(", rotation: {}", blocked("waits for", waiting)));
    let waiting = waiting.unwrap_or_default();
    format!("{report}{current}{requeue}{handled}{answer}{waiting}{restarted}")
}

/// The workloads that are done, and why the others wait.
fn restarted(restarted: &Restarted) -> String {
    let done = restarted.done.iter().map(|id| format!(", {} restarted", id.name));
    let waiting = restarted.waiting.iter().map(|notice| format!(", {}", notice.reason.as_str()));
    done.chain(waiting).collect()
}

fn blocked(what: &str, blocker: &Blocker) -> String {
    let stalled = if blocker.stalled { " STALLED" } else { "" };
    format!("{what} {}{stalled}", blocker.reason.as_str())
}

fn user(current: &UserRef) -> String {
    format!("{} g{}", current.id, current.generation())
}
