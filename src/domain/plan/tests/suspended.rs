//! A suspended resource is observed, and nothing is changed for it; what would be done is described instead.

use proptest::collection::vec;
use proptest::prelude::{prop_assert, proptest};

use super::super::{
    AttemptState, Deletion, MOST_PLANNED, Observation, OutputId, Planned, Step, Strategy, ToRemove, Verified,
    plan,
};
use super::arbitrary::{a_base, a_fact};
use super::builders::{
    a_deleted_resource, a_new_resource, a_ready_resource, a_recorded_resource, contents, details, details_of,
    id, shown_for, the_secret,
};
use super::role_change::added;
use super::{check, runs};
use crate::domain::grace::GRACE;
use crate::domain::reason::Reason;
use crate::domain::user::{UserKind, UserStatus};

/// As the caller does it, without reads.
fn planned(o: &Observation) -> Vec<String> {
    let (mut o, mut planned) = (o.clone(), Planned::default());
    Planned::lift(&mut o);
    while let Step::Write(write) = plan(&o) {
        if !planned.add(&mut o, &write) {
            break;
        }
    }
    planned.into_words()
}

fn to_create() -> Observation {
    a_new_resource().writable().searched(vec![]).on_hold()
}

fn ready() -> Observation {
    a_ready_resource().seen("u1", details()).on_hold()
}

fn to_publish() -> Observation {
    a_recorded_resource().seen("u1", details()).verified(shown_for("u1"), Verified::Accepted).on_hold()
}

fn to_rotate() -> Observation {
    ready().rotate().searched(vec![]).writable().read_live()
}

fn deleted(policy: Deletion) -> Observation {
    a_deleted_resource().policy(policy).seen("u1", details()).on_hold()
}

#[test]
fn it_ends_before_the_first_write() {
    const HELD: &str = "held Suspended";
    let recorded = |o: Observation| o.attempt(1, AttemptState::Created(id("u1")));
    check(vec![
        ("it is searched", a_new_resource().writable().on_hold(), "search"),
        (
            "whether an output can be written is asked",
            a_new_resource().on_hold(),
            "prove the output writable",
        ),
        ("no user is created", to_create(), "user Suspended"),
        ("nothing is published", to_publish(), "user Suspended"),
        ("a create in progress is observed", to_create().attempt(1, AttemptState::InFlight), "user Creating"),
        ("its user is read", recorded(a_new_resource().on_hold()), "read u1"),
        (
            "its user is recorded",
            recorded(to_publish().but(|o| o.recorded.user = None)),
            "user Suspended (u1 g1)",
        ),
        ("no finalizer", a_recorded_resource().without_finalizer().on_hold(), "user Suspended"),
        ("deleted", deleted(Deletion::Delete), HELD),
        (
            "deleted, the status was not written yet",
            deleted(Deletion::Delete).but(|o| o.reported = false),
            HELD,
        ),
        ("retained", deleted(Deletion::Retain), HELD),
        ("released", deleted(Deletion::Delete).released(), HELD),
        ("all is done", deleted(Deletion::Delete).seen_gone("u1"), HELD),
        ("without our finalizer it is gone", deleted(Deletion::Delete).without_finalizer(), "gone"),
        ("the annotation says more", deleted(Deletion::Delete).protected(), "held DeletionPrevented STALLED"),
    ]);
}

#[test]
fn a_resource_whose_credential_works_stays_ready() {
    let refused = Verified::Refused { unknown_client: false };
    let as_reported = "as reported";
    check(vec![
        ("nothing is to be done", ready(), "ready (u1 g1), verify in time"),
        ("its user is read, whatever the status says", a_ready_resource().on_hold(), "read u1"),
        ("the portal is down", ready().portal_blocked_in_passing(), "as reported, try again"),
        (
            "the login is refused, in the grace period",
            ready().portal_blocked_for_good(),
            "as reported, try again after 10 s",
        ),
        (
            "the login is refused",
            ready().portal_blocked_for_good().waited_for(Reason::LoginRefused, GRACE),
            "user LoginRefused STALLED, try again",
        ),
        ("a rotation", to_rotate(), as_reported),
        (
            "a successor that is there is not recorded before it is published",
            to_rotate()
                .attempt(2, AttemptState::Created(id("u2")))
                .seen("u2", details_of(2).but(|user| user.contents = Some(contents("d2"))))
                .verified(shown_for("u2"), Verified::Accepted),
            as_reported,
        ),
        ("another description", ready().desired_but(|d| d.description = Some("new".into())), as_reported),
        (
            "it was not ready",
            ready().rotate().searched(vec![]).writable().read_live().but(|o| o.was_ready = false),
            "user Suspended",
        ),
        (
            "the Secret is gone",
            to_publish().recorded_content("d1").but(|o| {
                o.was_ready = true;
                o.outputs[0].in_status = true;
            }),
            "user Suspended",
        ),
        ("its user is gone", ready().seen_gone("u1").writable().searched(vec![]), "user Suspended"),
        (
            "its user is not active",
            ready().seen("u1", details().in_state(UserStatus::Inactive)).writable().searched(vec![]),
            "user Suspended",
        ),
        (
            "its secret was reset",
            to_rotate().seen("u1", details().but(|u| u.other_credential = true)),
            "user Suspended",
        ),
        (
            "it is refused",
            to_rotate().verified(shown_for("u1"), refused),
            "credential CredentialRefused (u1 g1), try again",
        ),
    ]);
}

#[test]
fn what_would_be_done_is_described() {
    let name = |o: &Observation| o.user_name(UserKind::Internal, 1);
    let created = to_create();
    let name = name(&created);
    let former = ToRemove {
        output: OutputId { kind: "Secret".into(), name: "old".into() },
        written: true,
        begun: true,
        ..ToRemove::default()
    };
    let rows: [(&str, Observation, &[&str]); 9] = [
        (
            "a new resource",
            created,
            &[
                &format!("create user {name} in the portal with the roles \"discovery\""),
                &format!("write the credential of user {name} into {}", the_secret()),
            ],
        ),
        ("nothing", ready(), &[]),
        (
            "the Portal is suspended",
            ready().suspended().desired_but(|d| d.description = Some("new".into())),
            &["change name and description of user u1 in the portal"],
        ),
        ("an output", to_publish(), &["write the credential of user u1 into Secret \"edc\""]),
        (
            "a reset",
            to_rotate().but(|o| o.rotation.strategy = Strategy::InPlace),
            &[
                "reset the secret of user u1 in the portal",
                "write the credential of user u1 into Secret \"edc\"",
            ],
        ),
        (
            "a former output",
            ready().read_live().but(|o| o.to_remove.push(former)),
            &["remove Secret \"old\""],
        ),
        ("a deletion", deleted(Deletion::Delete), &["delete user u1 in the portal", "remove the finalizer"]),
        (
            "a user that is kept",
            deleted(Deletion::Retain),
            &[
                "mark user u1 as retained in the portal",
                "list user u1 as retained in the status of the Portal",
                "remove the finalizer",
            ],
        ),
        (
            "a user that is revoked",
            deleted(Deletion::Revoke),
            &[
                "reset the secret of user u1 in the portal, and keep no credential",
                "mark user u1 as retained in the portal",
                "list user u1 as retained in the status of the Portal",
                "remove the finalizer",
            ],
        ),
    ];
    for (about, observed, expected) in rows {
        assert_eq!(planned(&observed), expected, "{about}");
    }
    let changed = added().seen("u1", details()).searched(vec![]).writable().read_live().on_hold();
    let changed = planned(&changed.but(|o| o.reported = false));
    assert_eq!(changed.len(), 2, "a change of roles that no status reports yet: {changed:?}");
    let successor = planned(&to_rotate());
    assert!(successor[0].ends_with("with the roles \"discovery\", which replaces user u1"), "{successor:?}");
    assert_eq!(successor.len(), 2);
}

#[test]
fn the_list_is_bounded() {
    let former = |number: usize| ToRemove {
        output: OutputId { kind: "Secret".into(), name: format!("old-{number}") },
        outlives_resource: true,
        ..ToRemove::default()
    };
    let many = deleted(Deletion::Delete).seen_gone("u1").but(|o| o.to_remove = (0..40).map(former).collect());
    let words = planned(&many);
    assert_eq!((words.len(), words.last().map(String::as_str)), (MOST_PLANNED, Some("and 10 more")));
}

proptest! {
    #![proptest_config(runs(2_000))]

    #[test]
    fn whatever_is_observed_the_description_ends(base in a_base(), facts in vec(a_fact(), 0..30)) {
        let observed = facts.into_iter().fold(base, |o, fact| fact.put_into(o));
        let (mut o, mut planned) = (observed.clone(), Planned::default());
        Planned::lift(&mut o);
        let mut steps = 0;
        while let Step::Write(write) = plan(&o) {
            steps += 1;
            prop_assert!(steps < 100, "goes on and on: {write:?}");
            if !planned.add(&mut o, &write) {
                break;
            }
        }
        let writes = matches!(plan(&observed.on_hold()), Step::Write(_));
        prop_assert!(!writes);
    }
}
