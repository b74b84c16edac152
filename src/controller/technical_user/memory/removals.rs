//! Outputs that cannot be removed, because their store is down.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::controller::status::since::Since;
use crate::domain::plan::{AfterUsers, OutputId};

/// What is remembered of the removal of a resource's outputs.
#[derive(Debug, Default)]
pub struct Removals {
    since: BTreeMap<OutputId, Since>,
    users_done: Option<(Option<String>, AfterUsers)>,
}

impl Removals {
    /// An output could not be removed. For how long that has been so; a deletion begins the time again. `before`: for how long that
    /// was so before this process.
    pub fn failed(&mut self, output: &OutputId, deleting: bool, before: Duration) -> Duration {
        let state = if deleting { "Deleting" } else { "Former" };
        self.since.entry(output.clone()).or_default().elapsed_from(state, before)
    }

    /// An output was removed.
    pub fn removed(&mut self, output: &OutputId) {
        self.since.remove(output);
    }

    /// Only these are to be removed: the spec names another one again.
    pub fn keep(&mut self, to_remove: &[OutputId]) {
        self.since.retain(|output, _| to_remove.contains(output));
    }

    /// All is done with the users of the resource of this uid, which is under deletion.
    pub fn users_are_done(&mut self, uid: Option<String>, after: AfterUsers) {
        self.users_done = Some((uid, after));
    }

    /// Whether all was done with the users of the resource of this uid.
    #[must_use]
    pub fn users_done(&self, uid: Option<&String>) -> Option<AfterUsers> {
        self.users_done.as_ref().filter(|(of, _)| of.as_ref() == uid).map(|(_, after)| *after)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(name: &str) -> OutputId {
        OutputId { kind: "Entry".into(), name: name.into() }
    }

    #[tokio::test(start_paused = true)]
    async fn each_output_has_a_time_of_its_own_which_a_deletion_begins_again() {
        let (mut removals, hour) = (Removals::default(), Duration::from_hours(1));
        assert_eq!(removals.failed(&entry("a"), false, Duration::ZERO), Duration::ZERO);
        tokio::time::advance(hour).await;
        assert_eq!(removals.failed(&entry("a"), false, Duration::ZERO), hour);
        assert_eq!(removals.failed(&entry("b"), false, Duration::ZERO), Duration::ZERO);
        assert_eq!(removals.failed(&entry("a"), true, Duration::ZERO), Duration::ZERO);
        tokio::time::advance(hour).await;
        removals.removed(&entry("b"));
        assert_eq!(
            (
                removals.failed(&entry("a"), true, Duration::ZERO),
                removals.failed(&entry("b"), true, Duration::ZERO)
            ),
            (hour, Duration::ZERO)
        );
    }

    #[tokio::test(start_paused = true)]
    async fn an_output_that_the_spec_names_again_is_not_removed() {
        let mut removals = Removals::default();
        removals.failed(&entry("a"), true, Duration::ZERO);
        tokio::time::advance(Duration::from_hours(1)).await;
        removals.keep(&[entry("a")]);
        assert_eq!(removals.failed(&entry("a"), true, Duration::ZERO), Duration::from_hours(1));
        removals.keep(&[entry("b")]);
        assert_eq!(removals.failed(&entry("a"), true, Duration::ZERO), Duration::ZERO);
    }

    #[tokio::test(start_paused = true)]
    async fn what_lasted_before_this_process_counts_once() {
        tokio::time::advance(Duration::from_hours(2)).await;
        let (mut removals, minute) = (Removals::default(), Duration::from_mins(1));
        assert_eq!(removals.failed(&entry("a"), true, minute), minute);
        tokio::time::advance(minute).await;
        assert_eq!(removals.failed(&entry("a"), true, minute * 2), minute * 2);
    }

    #[test]
    fn what_was_done_for_another_object_of_the_name_does_not_count() {
        let mut removals = Removals::default();
        removals.users_are_done(Some("uid1".into()), AfterUsers::NoneIsValid);
        assert_eq!(removals.users_done(Some(&"uid1".to_owned())), Some(AfterUsers::NoneIsValid));
        assert_eq!(removals.users_done(Some(&"uid2".to_owned())), None);
    }
}
