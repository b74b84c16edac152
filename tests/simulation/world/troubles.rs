//! Troubles that a seed chooses: of the apiserver, of the portal and of people.

use std::collections::BTreeSet;
use std::time::Duration;

use portal_simulator::{Action, Canned, Endpoint, Fault as PortalFault};

use super::World;
use super::swarm::{Trouble, VERY_LATE};
use crate::apiserver::{Fault, Verb};

/// The endpoints of the portal whose calls fail.
const ENDPOINTS: [Endpoint; 5] =
    [Endpoint::Create, Endpoint::List, Endpoint::Details, Endpoint::Delete, Endpoint::Token];
/// How far the clocks of processes are ahead or behind at most.
const MOST_SKEWS: [Duration; 3] = [Duration::from_mins(5), Duration::from_mins(5), Duration::from_hours(1)];
/// The resources whose watches are late.
const WATCHED: [&str; 4] =
    ["technicalusers.technicaluser.dev", "portals.technicaluser.dev", "secrets", "namespaces"];

impl World {
    /// Begins the troubles of these kinds, of both servers.
    pub async fn trouble(&self, kinds: &BTreeSet<Trouble>) {
        for kind in kinds {
            match kind {
                Trouble::Apiserver => self.fail_calls(),
                Trouble::LateWatches => self.delay_watches(),
                Trouble::StaleLists => self.make_lists_stale(),
                Trouble::Clocks => self.moments.clocks_differ_by(self.one_of(&MOST_SKEWS)),
                Trouble::RefusedWrites if self.below(2) == 0 => self.refuse_secrets(),
                Trouble::RefusedWrites => self.fail_webhooks(),
                Trouble::LostCreates => self.lose_creates(Duration::from_secs(25)),
                Trouble::VeryLateCreates => self.lose_creates(VERY_LATE),
                Trouble::LostResets => self.lose_resets(),
                Trouble::Portal => (0..=self.below(4)).for_each(|_| self.trouble_portal()),
                Trouble::RefusedDeletes => {
                    self.inject(Endpoint::Delete, Action::Status(Canned::error(500)), 3 + self.below(8), 0);
                }
                Trouble::MovingList => self.neighbours.are_busy(self.random.fraction()),
                Trouble::Workloads => self.trouble_workloads(),
                Trouble::Suspension => self.suspend(self.below(3) != 0).await,
                of_vault => self.trouble_vault(*of_vault).await,
            }
        }
    }

    fn fail_calls(&self) {
        let all = Fault::ALL.into_iter().filter(|_| self.below(2) == 0).collect();
        let rate = 0.25 * self.random.fraction();
        self.record.add(format!("{all:?} for {rate:.2} of the calls of the apiserver"));
        self.apiserver.faults(|faults| (faults.kinds, faults.rate) = (all, rate));
    }

    fn delay_watches(&self) {
        let lags = WATCHED.map(|resource| (resource.to_owned(), self.part_of(Duration::from_secs(15))));
        self.record.add(format!("watches are late by {lags:?}"));
        self.apiserver.faults(|faults| faults.lags.extend(lags));
    }

    fn make_lists_stale(&self) {
        let stale = self.part_of(Duration::from_mins(2));
        self.record.add(format!("watches begin with the state of {stale:?} ago"));
        self.apiserver.faults(|faults| faults.stale = stale);
    }

    fn refuse_secrets(&self) {
        let verbs = [Verb::Create, Verb::Patch, Verb::Get, Verb::List];
        let verb = verbs[usize::try_from(self.below(4)).unwrap_or_default()];
        self.record.add(format!("nobody may {} Secrets", verb.name()));
        self.apiserver.faults(|faults| faults.missing_rights.insert((verb, "secrets".to_owned())));
    }

    fn fail_webhooks(&self) {
        let resource = if self.below(2) == 0 { "secrets" } else { "technicalusers.technicaluser.dev" };
        self.record.add(format!("the webhook for {resource} fails"));
        self.apiserver.faults(|faults| faults.webhooks.insert(resource.to_owned()));
    }

    /// The next creates end without an answer. Some are carried out after their caller has gone, up to this time later.
    fn lose_creates(&self, latest: Duration) {
        for _ in 0..=self.below(3) {
            let pause = self.part_of(latest);
            let action = match self.below(6) {
                0 => Action::DoneButAnswerLost,
                1 => Action::DoneThen(Canned::html(502)),
                2 => Action::Hang,
                _ => Action::DoneOnlyAfterCallerGone(pause),
            };
            self.inject(Endpoint::Create, action, 1, 0);
        }
    }

    /// The next resets end without an answer, and some are carried out after their caller has gone.
    fn lose_resets(&self) {
        for _ in 0..=self.below(3) {
            let pause = self.part_of(Duration::from_secs(25));
            let action = self.one_of(&[
                Action::DoneButAnswerLost,
                Action::DoneThen(Canned::html(502)),
                Action::Hang,
                Action::Status(Canned::error(500)),
                Action::DoneOnlyAfterCallerGone(pause),
            ]);
            self.inject(Endpoint::Reset, action, 1, 0);
        }
    }

    fn trouble_portal(&self) {
        let pause = self.part_of(Duration::from_secs(25));
        let actions = [
            Action::Status(Canned::error(500)),
            Action::Status(Canned::error(400)),
            Action::Status(Canned::html(502)),
            Action::Status(Canned::error(429).header("Retry-After", "7")),
            Action::HtmlInstead,
            Action::Delay(pause),
            Action::Hang,
            Action::CutConnection,
            Action::DoneThen(Canned::html(502)),
        ];
        let action = &actions[usize::try_from(self.below(9)).unwrap_or_default()];
        let endpoint = ENDPOINTS[usize::try_from(self.below(5)).unwrap_or_default()];
        self.inject(endpoint, action.clone(), self.below(3) + 1, self.below(4));
    }

    /// So many calls of an endpoint meet a fault of the portal, after some that do not.
    pub fn inject(&self, endpoint: Endpoint, action: Action, times: u64, skip: u64) {
        self.record
            .add(format!("{endpoint:?} of the portal meets {action:?}, {times} times, after {skip} calls"));
        let fault = PortalFault::at(endpoint, action)
            .times(usize::try_from(times).unwrap_or_default())
            .skip(usize::try_from(skip).unwrap_or_default());
        self.portal.inject(fault);
    }

    /// Forgets the changes so far at the apiserver, sometimes.
    pub fn compact_sometimes(&self) {
        if self.below(3) == 0 {
            self.record.add("the apiserver forgets the changes so far");
            self.apiserver.compact();
        }
    }

    /// Ends all troubles, except what people have set for good.
    pub async fn end_troubles(&self) {
        self.record.add("troubles end");
        self.portal.clear_faults();
        self.neighbours.are_busy(0.0);
        self.moments.clocks_differ_by(Duration::ZERO);
        self.suspend(false).await;
        self.repair_vault().await;
        self.end_holds().await;
        self.correct_mistakes().await;
        self.end_rotations().await;
        self.activate_subscriptions();
        self.restore_companies().await;
        self.mend_workloads().await;
        self.apiserver.faults(|faults| {
            faults.kinds.clear();
            faults.lags.clear();
            faults.stale = Duration::ZERO;
            faults.missing_rights.clear();
            faults.webhooks.clear();
        });
    }
}
