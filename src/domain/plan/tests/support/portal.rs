//! The Portal of an observation: its address, company, roles and logins, and what a status records of it.

use crate::domain::access::Grants;
use crate::domain::blocker::Blocker;
use crate::domain::identity::{Hint, Pin};
use crate::domain::ownership::Logins;
use crate::domain::plan::{Observation, PortalFacts, RecordedPortal};
use crate::domain::reason::Reason;
use crate::domain::test_support::{PERMISSION_NAMES, role};
use crate::domain::user::{Role, RoleKind};

pub(in crate::domain::plan::tests) const URL: &str = "https://portal.example.org";

pub(in crate::domain::plan::tests) fn here() -> Hint {
    Hint::read("here")
}

pub(in crate::domain::plan::tests) fn there() -> Hint {
    Hint::read("there")
}

pub(in crate::domain::plan::tests) fn pin() -> Pin {
    Pin::new(URL, Some("BPNL1"))
}

pub(in crate::domain::plan::tests) fn other_pin() -> Pin {
    Pin::new(URL, Some("BPNL2"))
}

pub(in crate::domain::plan::tests) const NEW_URL: &str = "https://new.example.org";
pub(in crate::domain::plan::tests) const TOKEN_URL: &str = "https://idp.example.org/token";
pub(in crate::domain::plan::tests) const COMPANY: &str = "BPNL1";
pub(in crate::domain::plan::tests) const OTHER_COMPANY: &str = "BPNL2";

fn roles() -> Vec<Role> {
    vec![
        role("discovery", RoleKind::Internal, false),
        role("wallet", RoleKind::External, false),
        role("pool", RoleKind::Internal, true),
    ]
}

/// `sa-operator` logs in; `sa-wrong` is named by a login Secret, and does not work.
fn logins() -> Logins {
    let mut logins = Logins::default();
    logins.use_now("sa-operator");
    logins.configure("sa-wrong");
    logins
}

pub(in crate::domain::plan::tests) fn a_portal() -> PortalFacts {
    PortalFacts {
        url: URL.into(),
        written_url: URL.into(),
        token_url: TOKEN_URL.into(),
        companies: vec![COMPANY.into()],
        bpn: Some(COMPANY.into()),
        moved_from: Vec::new(),
        discloses: true,
        suspended: false,
        deleting: false,
        permissions: PERMISSION_NAMES,
        may_create: true,
        may_delete: true,
        release_undeletable: false,
        roles: roles(),
        grants: Grants::everything(),
        taken_over: Vec::new(),
        mass_disappearance: None,
        logins: logins(),
    }
}

/// What a status records of the portal.
pub(in crate::domain::plan::tests) fn a_pin() -> RecordedPortal {
    RecordedPortal {
        url: URL.into(),
        token_url: Some(TOKEN_URL.into()),
        bpn: Some(COMPANY.into()),
        hint: here(),
    }
}

impl Observation {
    pub(in crate::domain::plan::tests) fn portal_but(self, change: impl FnOnce(&mut PortalFacts)) -> Self {
        self.but(|o| {
            if let Ok(portal) = &mut o.portal {
                change(portal);
            }
        })
    }

    pub(in crate::domain::plan::tests) fn portal_blocked_in_passing(self) -> Self {
        self.but(|o| o.portal = Err(Blocker::passing(Reason::Unreachable, "down")))
    }

    pub(in crate::domain::plan::tests) fn portal_blocked_for_good(self) -> Self {
        self.but(|o| o.portal = Err(Blocker::lasting(Reason::LoginRefused, "refused")))
    }

    pub(in crate::domain::plan::tests) fn suspended(self) -> Self {
        self.portal_but(|p| p.suspended = true)
    }

    pub(in crate::domain::plan::tests) fn pin_but(self, change: impl FnOnce(&mut RecordedPortal)) -> Self {
        self.but(|o| {
            if let Some(portal) = &mut o.recorded.portal {
                change(portal);
            }
        })
    }

    pub(in crate::domain::plan::tests) fn recorded_company(self, bpn: &str) -> Self {
        self.pin_but(|pin| pin.bpn = Some(bpn.to_owned()))
    }

    pub(in crate::domain::plan::tests) fn recorded_hint(self, hint: Hint) -> Self {
        self.pin_but(|pin| pin.hint = hint)
    }
}
