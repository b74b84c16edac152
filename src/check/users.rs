//! The users of the company, and which of them have the operator's mark.

use std::collections::BTreeMap;

use futures::{StreamExt, stream};
use serde_json::Value;

use super::report::Step;
use crate::domain::identity::parse_own_name;
use crate::domain::user::{ListedUser, UserId, UserKind, UserStatus};
use crate::portal::{Lane, Portal, Scan};

/// At most this number of users with names of the operator's form are read one by one to see their marks.
const MOST_MARKS: usize = 200;

/// The number of them that are read at once.
const AT_ONCE: usize = 4;

/// The instance that marks the users of a `check --write`.
pub(super) const INSTANCE: &str = "check";

fn status_name(status: UserStatus) -> &'static str {
    match status {
        UserStatus::Active => "active",
        UserStatus::Pending => "pending",
        UserStatus::PendingDeletion => "pendingDeletion",
        UserStatus::Inactive => "inactive",
        UserStatus::Deleted => "deleted",
        UserStatus::Other => "other",
    }
}

fn kind_name(kind: UserKind) -> &'static str {
    match kind {
        UserKind::Internal => "internal",
        UserKind::External => "external",
    }
}

fn counts(names: impl Iterator<Item = &'static str>) -> BTreeMap<&'static str, usize> {
    names.fold(BTreeMap::new(), |mut counts, name| {
        *counts.entry(name).or_default() += 1;
        counts
    })
}

fn words<K: std::fmt::Display>(counts: &BTreeMap<K, usize>) -> String {
    counts.iter().map(|(name, count)| format!("{count} {name}")).collect::<Vec<_>>().join(", ")
}

fn json<K: ToString>(counts: &BTreeMap<K, usize>) -> Value {
    Value::Object(counts.iter().map(|(name, count)| (name.to_string(), (*count).into())).collect())
}

/// The list as a whole.
pub(super) fn listed(scan: &Scan) -> Step {
    let by_status = counts(scan.users.iter().map(|user| status_name(user.status)));
    let by_kind = counts(scan.users.iter().map(|user| kind_name(user.kind)));
    let total = scan.users.len();
    let mut step = Step::ok("users", format!("{total} technical user{}", plural(total)))
        .with("total", total)
        .with("complete", scan.complete)
        .with("byStatus", json(&by_status))
        .with("byKind", json(&by_kind));
    if total > 0 {
        step = step.line(format!("{}; {}", words(&by_status), words(&by_kind)));
    }
    step.line(if scan.complete {
        "the list was complete"
    } else {
        "the list was not complete: it does not show every user of equal names, or it changed while it was read"
    })
}

fn plural(count: usize) -> &'static str {
    if count == 1 { "" } else { "s" }
}

/// The users whose name is of the operator's form and that can be read.
fn candidates(users: &[ListedUser]) -> Vec<&ListedUser> {
    let readable = |status| matches!(status, UserStatus::Active | UserStatus::Pending);
    users.iter().filter(|user| readable(user.status) && parse_own_name(&user.name).is_some()).collect()
}

/// A user that an earlier `check --write` did not delete.
pub(super) struct Leftover {
    pub(super) id: UserId,
    pub(super) name: String,
    pub(super) retained: bool,
}

/// What the details of the candidates said.
#[derive(Default)]
struct Marks {
    instances: BTreeMap<String, usize>,
    retained: usize,
    without: usize,
    unreadable: usize,
    unread: usize,
}

/// Reads the users with names of the operator's form, and reports which installations created them.
pub(super) async fn marked(portal: &dyn Portal, scan: &Scan) -> (Step, Vec<Leftover>) {
    let candidates = candidates(&scan.users);
    let mut marks = Marks { unread: candidates.len().saturating_sub(MOST_MARKS), ..Marks::default() };
    let reads = candidates.into_iter().take(MOST_MARKS).map(|user| async move {
        // Only the mark is kept: details hold the secret.
        let read = portal.details(&user.id, Lane::Interactive).await;
        (user, read.map(|details| details.mark))
    });
    let read: Vec<_> = stream::iter(reads).buffered(AT_ONCE).collect().await;
    let mut leftovers = Vec::new();
    for (user, mark) in read {
        match mark {
            Err(_) => marks.unreadable += 1,
            Ok(None) => marks.without += 1,
            Ok(Some(mark)) => {
                marks.retained += usize::from(mark.retained);
                if mark.owner.instance == INSTANCE {
                    let (id, name) = (user.id.clone(), user.name.clone());
                    leftovers.push(Leftover { id, name, retained: mark.retained });
                }
                *marks.instances.entry(mark.owner.instance).or_default() += 1;
            }
        }
    }
    (marks.step(), leftovers)
}

impl Marks {
    fn step(&self) -> Step {
        let marked: usize = self.instances.values().sum();
        let mut step = Step::ok("marked-users", format!("{marked} with the operator's mark"))
            .with("total", marked)
            .with("instances", json(&self.instances))
            .with("retained", self.retained)
            .with("withoutMark", self.without)
            .with("unreadable", self.unreadable)
            .with("unread", self.unread);
        for (instance, count) in &self.instances {
            step = step.line(format!("{count} of instance {instance}"));
        }
        for (count, words) in [
            (self.retained, "marked as retained: no longer managed"),
            (self.without, "with a name of the operator's form and no mark"),
            (self.unreadable, "with a name of the operator's form that could not be read"),
            (self.unread, "more with a name of the operator's form, not read"),
        ] {
            if count > 0 {
                step = step.line(format!("{count} {words}"));
            }
        }
        step
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::test_support;
    use crate::portal::ListOrder;

    fn user(name: &str, status: UserStatus, kind: UserKind) -> ListedUser {
        ListedUser { kind, status, ..test_support::listed(name, name) }
    }

    #[test]
    fn users_are_counted_by_status_and_kind() {
        let users = vec![
            user("a", UserStatus::Active, UserKind::Internal),
            user("b", UserStatus::Active, UserKind::External),
            user("c", UserStatus::Pending, UserKind::External),
        ];
        let step = listed(&Scan { users, stable: true, complete: true, order: ListOrder::of([]) });
        assert_eq!(step.lines, ["2 active, 1 pending; 2 external, 1 internal", "the list was complete"]);
        let none = listed(&Scan { users: vec![], stable: false, complete: false, order: ListOrder::of([]) });
        assert!(none.lines.len() == 1 && none.lines[0].starts_with("the list was not complete"));
    }

    #[test]
    fn only_active_and_pending_users_of_the_form_are_read() {
        let users = [
            user("tso2187he01-a", UserStatus::Active, UserKind::Internal),
            user("dim-tso2187he01-a", UserStatus::Pending, UserKind::External),
            user("tso2187he02-a", UserStatus::Inactive, UserKind::Internal),
            user("edc", UserStatus::Active, UserKind::Internal),
        ];
        assert_eq!(candidates(&users).len(), 2);
    }
}
