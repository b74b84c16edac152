//! For any observation, also for one without sense: there is a decision, it asks nothing that was answered, and it
//! writes nothing where nothing may be written.

use std::time::Duration;

use proptest::collection::vec;
use proptest::prelude::*;

use super::super::{
    AfterUsers, AttemptState, Confirmed, CredentialAt, Desired, Done, Observation, OutputId, OutputState,
    OutputView, Read, Report, Requeue, Searched, Selection, Settled, Step, UserFacts, UserView, WorkloadView,
    Write, plan,
};
use super::arbitrary::{Fact, a_base, a_fact};
use super::runs;
use crate::domain::grace::Waiting;
use crate::domain::identity::Hint;
use crate::domain::ownership::Whose;
use crate::domain::reason::Reason;
use crate::domain::user::{UserId, UserKind};

/// A read whose answer is in the observation would be repeated for ever.
fn is_answered(o: &Observation, read: &Read) -> bool {
    match read {
        Read::Search => o.searched == Searched::Everywhere,
        Read::Narrow => o.selection != Selection::Narrows,
        Read::User(id) => o.view(id).is_some(),
        Read::Confirm(id) => {
            o.users.named().all(|(named, by)| named != id || by.confirmed != Confirmed::Unread)
        }
        Read::Output(id) => !o.output(id).is_some_and(OutputView::is_unread),
        Read::Writable { output, generation } => {
            o.output(output).is_some_and(|output| output.writable_for(*generation).is_some())
        }
        Read::Verify(CredentialAt::Portal(id)) => o.proof_of(id).is_some(),
        // What was read is asked about last, so this answer means that both were given.
        Read::Verify(CredentialAt::Output(_)) => o.is_verified_at_all(),
        Read::Workload(id) => {
            o.restarts.targets.iter().any(|target| target.id == *id && target.view.is_some())
        }
        Read::Object => o.live,
    }
}

/// Whether something forbids every write to the portal.
fn must_not_write(o: &Observation) -> bool {
    let Ok(portal) = &o.portal else { return true };
    let other_hint = |hint: &Hint| *hint != o.hint && !portal.taken_over.contains(hint);
    let other_company =
        |bpn: &Option<String>| bpn.as_ref().is_some_and(|bpn| !portal.companies.contains(bpn));
    // Even after a move that a person confirms the pin is written first, where there is a user that it speaks of.
    let confirmed = |url: &String| o.recorded.user.is_none() && portal.moved_from.contains(url);
    let other_address = |url: &String| *url != portal.url && !confirmed(url);
    portal.suspended
        || o.recorded
            .portal
            .as_ref()
            .is_some_and(|pin| other_company(&pin.bpn) || other_address(&pin.url) || other_hint(&pin.hint))
}

/// Only a user is written to, or published, whose details were read and say that it is ours. One that is there already is
/// published unless it is another resource's or a login, and never written to.
fn touches_a_foreign_user(o: &Observation, write: &Write) -> bool {
    let (id, publishes) = match write {
        Write::Delete { id, .. } | Write::Reset(id) | Write::MarkRetained { id, .. } => (id, false),
        Write::Describe { user, .. } => (&user.id, false),
        Write::Publish { user, .. } => (&user.id, true),
        _ => return false,
    };
    let (Some(UserView::Read(user)), Ok(portal)) = (o.view(id), &o.portal) else { return true };
    let login = user.client_id.as_ref().is_some_and(|id| portal.logins.is_in_use(id));
    let existing = publishes && matches!(o.desired, Desired::Existing { .. });
    let ours = match o.whose(portal, id, user) {
        Whose::Ours(mark) => mark.hint == o.hint || portal.taken_over.contains(&mark.hint),
        Whose::OursWithoutMark => true,
        Whose::Unproved | Whose::Retained => existing,
        // One that is taken over gets the mark, and nothing else before that.
        Whose::Unclaimed(_) => matches!(write, Write::Describe { .. }) && o.is_adopted(Observation::ADOPTED),
        Whose::Other(_) | Whose::OperatorLogin => false,
    };
    let beyond = |roles: &[String]| publishes && !portal.grants.roles(roles);
    login || !ours || beyond(&user.roles) || token_of(o, id, user).is_some_and(beyond)
}

/// A workload is restarted once it was read and permits that, and not under deletion.
fn restarts_without_consent(o: &Observation, write: &Write) -> bool {
    let Write::Restart(id) = write else { return false };
    let target = o.restarts.targets.iter().find(|target| target.id == *id);
    let consents = target.is_some_and(|target| {
        matches!(&target.view, Some(WorkloadView::Found(workload)) if workload.consents && !workload.restarted)
    });
    o.deleting || !consents
}

/// The roles that the user's token showed in this reconcile.
fn token_of<'a>(o: &'a Observation, id: &UserId, user: &UserFacts) -> Option<&'a [String]> {
    o.token_roles(id).filter(|_| user.kind == UserKind::Internal && user.roles_in_tokens)
}

/// What may still appear makes a resource stalled after two minutes and not before. It is checked often until then.
fn judge_wait(o: &Observation, settled: &Settled) -> Result<(), TestCaseError> {
    let Report::Blocked { blocker, .. } = &settled.report else { return Ok(()) };
    if !blocker.reason.may_appear() {
        return Ok(());
    }
    let Waiting { seen, reported, stalled } = o.waiting;
    let is_this = |waited: &(Reason, Duration)| waited.0 == blocker.reason;
    let waited = seen.filter(is_this).or(reported.filter(is_this)).map_or(Duration::ZERO, |(_, time)| time);
    let over = stalled == Some(blocker.reason) || waited >= Duration::from_mins(2);
    prop_assert_eq!(blocker.stalled, over, "{:?} after {:?}", blocker.reason, waited);
    let soon = Duration::from_secs(10);
    let often = matches!(settled.requeue, Requeue::In(time) | Requeue::BackoffAt(time) if time <= soon);
    prop_assert!(over || often, "waits too long: {:?}", settled.requeue);
    Ok(())
}

/// Whether no credential of the resource is valid any more.
fn none_is_valid(o: &Observation) -> bool {
    matches!(o.desired, Desired::Create(_)) && o.deleting && o.users_done == Some(AfterUsers::NoneIsValid)
}

/// What Kubernetes does not remove, and what is in another place for each content, is written only where it is removed later; a user that is kept has a valid credential unless
/// it was reset.
fn judge_outputs(o: &Observation, write: &Write) -> Result<(), TestCaseError> {
    match write {
        Write::Publish { user, output } => {
            let is_elsewhere = o.goes_elsewhere(&user.id, output);
            let output = o.output(output).unwrap();
            prop_assert!(
                !is_elsewhere && (!output.outlives_resource || (o.finalizer && output.in_status)),
                "no process would remove it"
            );
        }
        Write::RecordOutput { user, output } => {
            let is_elsewhere = o.goes_elsewhere(&user.id, output);
            prop_assert!(!o.output(output).unwrap().in_status || is_elsewhere, "it is recorded");
        }
        Write::UsersAreDone(after) => {
            prop_assert!(o.deleting && o.users_done.is_none());
            let is_kept =
                |done: &Vec<Done>| done.contains(&Done::RecordedRetained) && !done.contains(&Done::Reset);
            let recorded = o.recorded.user.as_ref().and_then(|user| o.users.get(&user.id));
            let kept = recorded.is_some_and(|user| is_kept(&user.done));
            prop_assert!(!kept || *after == AfterUsers::OneMayBeValid, "a kept user has a valid credential");
        }
        _ => {}
    }
    Ok(())
}

fn judge(o: &Observation) -> Result<(), TestCaseError> {
    match plan(o) {
        Step::Read(read) => prop_assert!(!is_answered(o, &read), "asks again: {read:?}"),
        Step::Write(write) => {
            prop_assert!(
                !must_not_write(o) || !write.touches_portal(),
                "writes where nothing may be written: {write:?}"
            );
            let drops = write == Write::RemoveFinalizer;
            prop_assert!(!drops || o.deleting, "drops the finalizer of a living resource");
            prop_assert!(!o.suspended, "changes something of a suspended resource: {write:?}");
            prop_assert!(!o.deleting || !o.protected, "changes something of a protected resource: {write:?}");
            let creates = matches!(write, Write::Create { .. });
            prop_assert!(!creates || !o.deleting, "makes a user for a resource under deletion");
            let number = if let Write::Create { generation, .. } = &write { *generation } else { 0 };
            let writable = o.outputs.iter().all(|output| output.writable_for(number) == Some(&Ok(())));
            prop_assert!(!creates || writable, "makes a user for an unwritable output");
            let unreadable = o.attempt.as_ref().is_some_and(|open| open.attempt.is_none());
            let settled = o.attempt.as_ref().is_some_and(|open| open.state == AttemptState::Settled);
            prop_assert!(!creates || !unreadable || settled, "makes a user beside an attempt in progress");
            let removes = matches!(write, Write::RemoveOutput(_));
            let holds_credential = o
                .outputs
                .iter()
                .all(|output| matches!(output.state, OutputState::Ours { digest: Some(_), .. }));
            prop_assert!(
                !removes || o.deleting || holds_credential,
                "removes an output before another one is written"
            );
            let unnamed = |id: &OutputId| o.to_remove.iter().any(|left| left.unnamed && left.output == *id);
            let of_old_cache = matches!(&write, Write::RemoveOutput(id) if unnamed(id));
            prop_assert!(o.deleting || !of_old_cache, "removes an output that no status names: {write:?}");
            prop_assert!(!drops || o.to_remove.is_empty(), "leaves outputs that no status lists");
            let abandons = matches!(write, Write::AbandonOutput { .. });
            prop_assert!(!abandons || o.released || none_is_valid(o), "leaves a valid credential");
            judge_outputs(o, &write)?;
            prop_assert!(!restarts_without_consent(o, &write), "restarts a workload that does not consent");
            prop_assert!(!touches_a_foreign_user(o, &write), "touches a foreign user: {write:?}");
        }
        Step::Settled(settled) => judge_wait(o, &settled)?,
    }
    Ok(())
}

proptest! {
    #![proptest_config(runs(4_000))]

    #[test]
    fn every_observation_has_a_decision_that_leads_on(base in a_base(), facts in vec(a_fact(), 0..30)) {
        let observed = facts.into_iter().fold(base, |o, fact: Fact| fact.put_into(o));
        judge(&observed)?;
    }
}
