//! Arbitrary observations: a consistent one, with any number of its fields set to any value.

use std::time::Duration;

use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;

use super::builders::{
    COMPANY, NEW_URL, OTHER_COMPANY, URL, a_deleted_resource, a_new_resource, a_ready_resource,
    a_recorded_resource, an_existing, candidate, contents, details, details_of, down, here, id, the_entry,
    the_secret, there,
};
use super::users::Candidate;
use crate::domain::access::Grants;
use crate::domain::blocker::Blocker;
use crate::domain::grace::Waiting;
use crate::domain::identity::Mark;
use crate::domain::ownership::Origin;
use crate::domain::plan::{
    AfterUsers, AttemptState, Confirmed, CredentialAt, Deletion, Done, Listed, Named, Observation, OutputId,
    OutputState, RecordedUser, RestartTarget, RollOut, Selection, UserFacts, UserView, Verified, Workload,
    WorkloadId, WorkloadKind, WorkloadView,
};
use crate::domain::reason::Reason;
use crate::domain::user::{UserId, UserKind, UserStatus};

/// One field set to something.
#[derive(Debug, Clone)]
pub(in crate::domain::plan::tests) enum Fact {
    Switch(u8),
    Portal(u8),
    Roles(Vec<&'static str>),
    Policy(Deletion),
    Recorded(Option<(UserId, i64, bool)>),
    Proved,
    Client(UserId, &'static str),
    OtherPin,
    OtherHint,
    Attempt(i64, AttemptState),
    UnreadableAttempt(AttemptState),
    Reported(Option<Reason>),
    Waiting(Waiting),
    Refused,
    Listed(Listed),
    Sibling(Candidate),
    Selected(Option<Vec<UserId>>),
    Search(Vec<Candidate>),
    View(UserId, Box<UserView>),
    Output(OutputId, OutputState),
    RecordedContent(u8),
    NotReadable,
    FormerOutput,
    Outlives,
    InStatus,
    UsersDone(Option<AfterUsers>),
    ToRemove(Option<Duration>),
    Unnamed,
    Restart(u8, Option<WorkloadView>),
    Writable(bool),
    Verified(CredentialAt, Verified),
    Token(UserId, Vec<&'static str>),
    Done(UserId, Done),
}

pub(in crate::domain::plan::tests) fn a_base() -> impl Strategy<Value = Observation> {
    prop_oneof![
        Just(a_new_resource()),
        Just(a_recorded_resource()),
        Just(a_ready_resource()),
        Just(a_deleted_resource()),
        Just(an_existing(&["u1"])),
    ]
}

fn an_id() -> impl Strategy<Value = UserId> {
    (0..4_u8).prop_map(|n| id(&format!("u{n}")))
}

/// Mostly small ones, and those at the edges: a status and an annotation can say anything.
fn a_generation() -> impl Strategy<Value = i64> {
    prop_oneof![6 => 0..5_i64, 1 => Just(1295_i64), 1 => Just(i64::MAX), 1 => Just(i64::MIN)]
}

fn a_status() -> impl Strategy<Value = UserStatus> {
    prop_oneof![
        3 => Just(UserStatus::Active),
        2 => Just(UserStatus::Pending),
        1 => Just(UserStatus::PendingDeletion),
        1 => Just(UserStatus::Inactive),
        1 => Just(UserStatus::Deleted),
        1 => Just(UserStatus::Other),
    ]
}

fn a_candidate() -> impl Strategy<Value = Candidate> {
    let confirmed = prop_oneof![
        2 => Just(Confirmed::Unread),
        4 => Just(Confirmed::Ours(here())),
        1 => Just(Confirmed::Ours(there())),
        1 => Just(Confirmed::Retained),
        1 => Just(Confirmed::Foreign),
        1 => Just(Confirmed::ClientMissing),
        1 => Just(Confirmed::Gone),
    ];
    (an_id(), 0..1296_i64, 0..5_i64, a_status(), confirmed, any::<bool>(), any::<bool>()).prop_map(
        |(id, far, near, status, confirmed, external, listed)| Candidate {
            id,
            named: Named {
                generation: if far % 10 == 0 { far } else { near },
                status,
                kind: if external { UserKind::External } else { UserKind::Internal },
                confirmed,
                listed_as_retained: listed,
                ..candidate("u", 1).named
            },
        },
    )
}

fn a_client() -> impl Strategy<Value = &'static str> {
    prop_oneof![6 => Just("sa1"), 1 => Just("sa-operator"), 1 => Just("sa-wrong")]
}

fn a_view() -> impl Strategy<Value = UserView> {
    let mark = prop_oneof![
        4 => Just((details().mark, false)),
        1 => Just((details_of(2).mark, false)),
        1 => Just((None::<Mark>, false)),
        1 => Just((details().retained().mark, false)),
        1 => Just((details().of_other_cluster().mark, false)),
        1 => any::<bool>().prop_map(|gone| (details().of_other_resource().mark, gone)),
    ];
    let name = prop_oneof![4 => Just(details().name), 1 => Just(details_of(2).name), 1 => Just("by-hand".to_owned())];
    let roles = prop_oneof![6 => Just(vec!["discovery"]), 1 => Just(vec!["discovery", "wallet"])];
    let shown = (name, a_client(), roles);
    let read = (a_status(), any::<bool>(), mark, option::of(Just("linked".to_owned())), 0..4_u8, shown)
        .prop_map(|(status, external, (mark, owner_is_gone), connector, digest, (name, client, roles))| {
            let facts = details().marked(mark).in_state(status);
            UserView::Read(UserFacts {
                name,
                client_id: Some(client.into()),
                roles: roles.into_iter().map(str::to_owned).collect(),
                kind: if external { UserKind::External } else { UserKind::Internal },
                connector,
                owner_is_gone,
                contents: (digest > 0).then(|| contents(&format!("d{digest}"))),
                elsewhere: contents("").into_keys().filter(|_| digest == 3).collect(),
                ..facts
            })
        });
    prop_oneof![6 => read, 1 => Just(UserView::Gone), 1 => Just(UserView::ClientMissing)]
}

fn an_attempt_state() -> impl Strategy<Value = AttemptState> {
    prop_oneof![
        Just(AttemptState::InFlight),
        an_id().prop_map(AttemptState::Created),
        Just(AttemptState::Refused(Blocker::passing(Reason::PortalError, "400"))),
        Just(AttemptState::RefusedRetry),
        Just(AttemptState::Settling(Duration::from_secs(9))),
        Just(AttemptState::Settled),
    ]
}

fn an_output() -> impl Strategy<Value = OutputId> {
    prop_oneof![3 => Just(the_secret()), 1 => Just(the_entry())]
}

fn a_state() -> impl Strategy<Value = OutputState> {
    let ours =
        (option::of(an_id()), 0..4_u8, any::<bool>()).prop_map(|(user, digest, metadata_as_wanted)| {
            OutputState::Ours { user, digest: (digest > 0).then(|| format!("d{digest}")), metadata_as_wanted }
        });
    prop_oneof![
        1 => Just(OutputState::Absent),
        1 => Just(OutputState::Foreign("Helm".into())),
        1 => Just(OutputState::Unknown(down())),
        4 => ours,
    ]
}

fn a_workload() -> impl Strategy<Value = WorkloadView> {
    let roll_out = prop_oneof![
        Just(RollOut::Complete),
        (0..1000_u64).prop_map(|seconds| RollOut::Progressing(Duration::from_secs(seconds))),
        Just(RollOut::Stuck("timed out".into())),
    ];
    let found = (any::<bool>(), any::<bool>(), option::of(Just("paused")), roll_out).prop_map(
        |(consents, restarted, unfit, roll_out)| {
            WorkloadView::Found(Workload { consents, restarted, unfit, roll_out })
        },
    );
    let refused = WorkloadView::Refused(Blocker::passing(Reason::RestartForbidden, "no right"));
    prop_oneof![1 => Just(WorkloadView::Missing), 1 => Just(refused), 4 => found]
}

fn a_wait() -> impl Strategy<Value = Waiting> {
    let missing = || {
        prop_oneof![
            Just(Reason::PortalNotFound),
            Just(Reason::AccessDenied),
            Just(Reason::UserNotFound),
            Just(Reason::PortalNotReady),
        ]
    };
    let waited = || option::of((missing(), (0..200_u64).prop_map(Duration::from_secs)));
    (waited(), waited(), option::of(missing())).prop_map(|(seen, reported, stalled)| Waiting {
        seen,
        reported,
        stalled,
    })
}

fn something_done() -> impl Strategy<Value = Done> {
    prop_oneof![
        Just(Done::Deleted),
        Just(Done::DeleteForbidden),
        Just(Done::DeleteRefused("linked".into())),
        Just(Done::Reset),
        Just(Done::MarkedRetained),
        Just(Done::RecordedRetained),
    ]
}

pub(in crate::domain::plan::tests) fn a_fact() -> impl Strategy<Value = Fact> {
    let proof =
        prop_oneof![an_id().prop_map(CredentialAt::Portal), an_output().prop_map(CredentialAt::Output)];
    let said = prop_oneof![
        Just(Verified::Accepted),
        any::<bool>().prop_map(|unknown_client| Verified::Refused { unknown_client }),
        Just(Verified::Unreachable("down".into())),
    ];
    let role = prop_oneof![Just("discovery"), Just("wallet"), Just("nope")];
    let policy = prop_oneof![Just(Deletion::Delete), Just(Deletion::Revoke), Just(Deletion::Retain)];
    let listed =
        prop_oneof![Just(Listed::Unknown), Just(Listed::Missing), a_status().prop_map(Listed::There)];
    let reported = prop_oneof![
        Just(Reason::CreateRefused),
        Just(Reason::Creating),
        Just(Reason::Pending),
        Just(Reason::RolesMissing)
    ];
    let shown = vec(prop_oneof![Just("discovery"), Just("wallet")], 0..3);
    prop_oneof![
        (0..16_u8).prop_map(Fact::Switch),
        (0..14_u8).prop_map(Fact::Portal),
        vec(role, 1..3).prop_map(Fact::Roles),
        policy.prop_map(Fact::Policy),
        option::of((an_id(), a_generation(), any::<bool>())).prop_map(Fact::Recorded),
        Just(Fact::Proved),
        (an_id(), a_client()).prop_map(|(id, client)| Fact::Client(id, client)),
        Just(Fact::OtherPin),
        Just(Fact::OtherHint),
        (a_generation(), an_attempt_state()).prop_map(|(g, state)| Fact::Attempt(g, state)),
        prop_oneof![Just(AttemptState::Settling(Duration::from_secs(9))), Just(AttemptState::Settled)]
            .prop_map(Fact::UnreadableAttempt),
        option::of(reported).prop_map(Fact::Reported),
        a_wait().prop_map(Fact::Waiting),
        Just(Fact::Refused),
        listed.prop_map(Fact::Listed),
        a_candidate().prop_map(Fact::Sibling),
        option::of(vec(an_id(), 0..3)).prop_map(Fact::Selected),
        vec(a_candidate(), 0..4).prop_map(Fact::Search),
        (an_id(), a_view()).prop_map(|(id, view)| Fact::View(id, Box::new(view))),
        (an_output(), a_state()).prop_map(|(id, state)| Fact::Output(id, state)),
        (0..4_u8).prop_map(Fact::RecordedContent),
        Just(Fact::NotReadable),
        Just(Fact::FormerOutput),
        Just(Fact::Unnamed),
        Just(Fact::Outlives),
        Just(Fact::InStatus),
        option::of(prop_oneof![Just(AfterUsers::NoneIsValid), Just(AfterUsers::OneMayBeValid)])
            .prop_map(Fact::UsersDone),
        option::of((0..7_200_u64).prop_map(Duration::from_secs)).prop_map(Fact::ToRemove),
        (0..3_u8, option::of(a_workload())).prop_map(|(name, view)| Fact::Restart(name, view)),
        any::<bool>().prop_map(Fact::Writable),
        (proof, said).prop_map(|(proof, said)| Fact::Verified(proof, said)),
        (an_id(), shown).prop_map(|(id, roles)| Fact::Token(id, roles)),
        (an_id(), something_done()).prop_map(|(id, done)| Fact::Done(id, done)),
    ]
}

impl Fact {
    pub(in crate::domain::plan::tests) fn put_into(self, o: Observation) -> Observation {
        match self {
            Self::Switch(which) => o.but(|o| switch(o, which)),
            Self::Portal(which) => portal(o, which),
            Self::Roles(names) => o.roles(&names),
            Self::Policy(policy) => o.policy(policy),
            Self::Recorded(user) => o.but(|o| {
                o.recorded.user = user.map(|(id, generation, active)| RecordedUser {
                    id,
                    origin: Origin::of(Some(generation)),
                    active,
                    proved: false,
                    asked: None,
                });
            }),
            Self::OtherPin => o.recorded_company(OTHER_COMPANY),
            Self::Proved => o.proved(),
            Self::Client(id, client) => o.client(id.as_str(), client),
            Self::OtherHint => o.recorded_hint(there()),
            Self::Attempt(generation, state) => o.attempt(generation, state),
            Self::UnreadableAttempt(state) => o.unreadable_attempt(state),
            Self::Reported(reason) => o.but(|o| o.reported_reason = reason),
            Self::Waiting(waiting) => o.but(|o| o.waiting = waiting),
            Self::Refused => o.but(|o| o.refusal = Some(Blocker::lasting(Reason::CreateRefused, "400"))),
            Self::Listed(listed) => o.in_the_list(listed),
            Self::Sibling(sibling) => o.sibling(sibling),
            Self::Selected(None) => o.but(|o| o.selection = Selection::Unread),
            Self::Selected(Some(selected)) => {
                let selected: Vec<&str> = selected.iter().map(UserId::as_str).collect();
                o.selected(&selected)
            }
            Self::Search(found) => o.searched(found),
            Self::View(id, view) => o.view_of(&id, *view),
            Self::Output(id, state) => o.with_output(&id, state),
            Self::RecordedContent(digest) => o.recorded_content(&format!("d{digest}")),
            Self::NotReadable => o.but(|o| o.outputs.iter_mut().for_each(|output| output.readable = false)),
            Self::FormerOutput => o.with_former_output("former"),
            Self::Unnamed => o.with_unnamed_output("unnamed"),
            Self::Outlives => o.outliving(),
            Self::InStatus => o.in_status(),
            Self::UsersDone(after) => o.but(|o| o.users_done = after),
            Self::ToRemove(tried_for) => o.with_removal("left", tried_for),
            Self::Restart(name, view) => o.but(|o| restart(o, name, view)),
            Self::Writable(true) => o.writable(),
            Self::Writable(false) => o.unwritable(),
            Self::Verified(proof, said) => o.verified(proof, said),
            Self::Token(id, roles) => o.token_shows(id.as_str(), &roles),
            Self::Done(id, done) => o.done(id.as_str(), done),
        }
    }
}

/// A restart of a workload is due, and this is in its place.
fn restart(o: &mut Observation, name: u8, view: Option<WorkloadView>) {
    let id = WorkloadId { kind: WorkloadKind::Deployment, name: format!("w{name}") };
    o.restarts.outputs = vec![the_secret()];
    match o.restarts.target_mut(&id) {
        Some(target) => target.view = view,
        None => o.restarts.targets.push(RestartTarget { id, due: true, view }),
    }
}

fn switch(o: &mut Observation, which: u8) {
    if which == 15 {
        o.timers.verification = Duration::ZERO;
        return;
    }
    let flags = [
        &mut o.deleting,
        &mut o.suspended,
        &mut o.was_ready,
        &mut o.protected,
        &mut o.released,
        &mut o.rotation.requested,
        &mut o.finalizer,
        &mut o.live,
        &mut o.spec_observed,
        &mut o.client_missing_for_good,
        &mut o.recorded.credential_published,
        &mut o.roles_doubted,
        &mut o.name_doubted,
        &mut o.reported,
        &mut o.connecting,
    ];
    if let Some(flag) = flags.into_iter().nth(usize::from(which)) {
        *flag = !*flag;
    }
}

fn portal(o: Observation, which: u8) -> Observation {
    match which {
        0 => o.portal_blocked_in_passing(),
        1 => o.portal_blocked_for_good(),
        2 => o.suspended(),
        3 => o.portal_but(|p| p.deleting = true),
        4 => o.portal_but(|p| p.may_create = false),
        5 => o.portal_but(|p| p.may_delete = false),
        6 => o.portal_but(|p| p.release_undeletable = true),
        7 => o.portal_but(|p| p.grants = Grants::default()),
        8 => o.portal_but(|p| p.taken_over = vec![there()]),
        10 => o.portal_but(|p| p.url = NEW_URL.to_owned()),
        11 => o.portal_but(|p| {
            p.url = NEW_URL.to_owned();
            p.moved_from = vec![URL.to_owned()];
        }),
        12 => o.portal_but(|p| {
            p.companies = vec![COMPANY.to_owned(), OTHER_COMPANY.to_owned()];
            p.bpn = None;
        }),
        13 => o.portal_but(|p| {
            p.companies.clear();
            p.bpn = None;
        }),
        _ => o.portal_but(|p| p.mass_disappearance = Some(9)),
    }
}
