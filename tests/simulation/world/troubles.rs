//! Troubles that a seed chooses: of the apiserver, of the portal and of people.

use std::time::Duration;

use portal_simulator::{Action, Canned, Endpoint, Fault as PortalFault};

use super::World;
use crate::apiserver::{Fault, Verb};

/// The endpoints of the portal that have troubles.
const ENDPOINTS: [Endpoint; 6] = [
    Endpoint::Create,
    Endpoint::Create,
    Endpoint::List,
    Endpoint::Details,
    Endpoint::Delete,
    Endpoint::Token,
];
/// The resources whose watches are late.
const WATCHED: [&str; 4] =
    ["technicalusers.technicaluser.dev", "portals.technicaluser.dev", "secrets", "namespaces"];

impl World {
    /// Begins troubles of both servers.
    pub fn trouble(&self) {
        let kinds = Fault::ALL.into_iter().filter(|_| self.below(2) == 0).collect();
        let rate = 0.25 * self.random.fraction();
        let lags = WATCHED.map(|resource| (resource.to_owned(), self.part_of(Duration::from_secs(15))));
        self.record.add(format!(
            "troubles begin: {kinds:?} for {rate:.2} of the calls, watches are late by {lags:?}"
        ));
        self.apiserver.faults(|faults| {
            (faults.kinds, faults.rate) = (kinds, rate);
            faults.lags.extend(lags);
        });
        match self.below(4) {
            0 => self.refuse_secrets(),
            1 => self.fail_webhooks(),
            _ => {}
        }
        for _ in 0..self.below(5) {
            self.trouble_portal();
        }
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

    fn trouble_portal(&self) {
        let pause = self.part_of(Duration::from_secs(25));
        let actions = [
            Action::Status(Canned::error(500)),
            Action::Status(Canned::html(502)),
            Action::Status(Canned::error(429).header("Retry-After", "7")),
            Action::HtmlInstead,
            Action::Delay(pause),
            Action::Hang,
            Action::CutConnection,
            Action::DoneButAnswerLost,
            Action::DoneOnlyAfterCallerGone(pause),
            Action::DoneThen(Canned::html(502)),
        ];
        let action = &actions[usize::try_from(self.below(10)).unwrap_or_default()];
        let endpoint = ENDPOINTS[usize::try_from(self.below(6)).unwrap_or_default()];
        let (times, skip) = (self.below(3) + 1, self.below(4));
        self.record
            .add(format!("{endpoint:?} of the portal meets {action:?}, {times} times, after {skip} calls"));
        let fault = PortalFault::at(endpoint, action.clone())
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

    /// Ends all troubles.
    pub fn end_troubles(&self) {
        self.record.add("troubles end");
        self.portal.clear_faults();
        self.apiserver.faults(|faults| {
            faults.kinds.clear();
            faults.lags.clear();
            faults.missing_rights.clear();
            faults.webhooks.clear();
        });
    }
}
