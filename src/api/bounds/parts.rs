//! The parts of both statuses, each cut to its bounds.

use super::{
    ADDRESS, Bounded, COMPANY, CONDITIONS, NAME, OBJECT, OFFERED, OUTPUT_CONDITIONS, OUTPUT_MESSAGE, OUTPUTS,
    RESOURCE, ROLES, TEXT, WORD, list, optional, text,
};
use crate::api::conditions::cut;
use crate::api::portal::{
    Company, OfferedRole, PortalStatus, RETAINED_LIMIT, RetainedUser, UNCLAIMED_LIMIT, UnclaimedUser,
};
use crate::api::technical_user::{
    Handled, PinnedPortal, RecordedCredential, RecordedOutput, RecordedUser, TechnicalUserStatus,
};

impl Bounded for TechnicalUserStatus {
    fn bound(&mut self) {
        list(&mut self.conditions, CONDITIONS);
        self.portal.bound();
        self.user.bound();
        self.credential.bound();
        list(&mut self.outputs, OUTPUTS);
        self.handled.bound();
    }
}

impl Bounded for PinnedPortal {
    fn bound(&mut self) {
        text(&mut self.namespace, OBJECT);
        text(&mut self.name, OBJECT);
        text(&mut self.url, ADDRESS);
        optional(&mut self.token_url, ADDRESS);
        optional(&mut self.bpn, COMPANY);
        text(&mut self.hint, WORD);
    }
}

impl Bounded for RecordedUser {
    fn bound(&mut self) {
        for word in [&mut self.id, &mut self.kind, &mut self.status] {
            text(word, WORD);
        }
        optional(&mut self.client_id, NAME);
        text(&mut self.name, NAME);
        self.roles.truncate(ROLES);
        self.roles.iter_mut().for_each(|role| text(role, NAME));
        optional(&mut self.proof, WORD);
    }
}

impl Bounded for RecordedCredential {
    fn bound(&mut self) {
        text(&mut self.issued_at, WORD);
        optional(&mut self.first_verified_at, WORD);
    }
}

impl Bounded for RecordedOutput {
    fn bound(&mut self) {
        text(&mut self.name, OBJECT);
        for word in [&mut self.kind, &mut self.uid, &mut self.resource_version, &mut self.digest] {
            text(word, WORD);
        }
        list(&mut self.conditions, OUTPUT_CONDITIONS);
        for condition in &mut self.conditions {
            condition.message = cut(&condition.message, OUTPUT_MESSAGE);
        }
    }
}

impl Bounded for Handled {
    fn bound(&mut self) {
        optional(&mut self.rotate, OBJECT);
    }
}

impl Bounded for PortalStatus {
    fn bound(&mut self) {
        list(&mut self.conditions, CONDITIONS);
        self.company.bound();
        optional(&mut self.version, WORD);
        list(&mut self.roles, OFFERED);
        list(&mut self.retained, RETAINED_LIMIT);
        list(&mut self.unclaimed, UNCLAIMED_LIMIT);
    }
}

impl Bounded for Company {
    fn bound(&mut self) {
        text(&mut self.bpn, COMPANY);
    }
}

impl Bounded for OfferedRole {
    fn bound(&mut self) {
        text(&mut self.name, NAME);
        text(&mut self.kind, WORD);
    }
}

impl Bounded for RetainedUser {
    fn bound(&mut self) {
        text(&mut self.id, WORD);
        optional(&mut self.client_id, NAME);
        optional(&mut self.name, NAME);
        text(&mut self.technical_user, RESOURCE);
        text(&mut self.reason, TEXT);
        text(&mut self.since, WORD);
        optional(&mut self.url, ADDRESS);
        optional(&mut self.bpn, COMPANY);
    }
}

impl Bounded for UnclaimedUser {
    fn bound(&mut self) {
        text(&mut self.id, WORD);
        text(&mut self.name, NAME);
        text(&mut self.technical_user, RESOURCE);
    }
}
