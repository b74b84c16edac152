//! Whether the Portal still leads to the portal and the company that the status and the attempt name.
//!
//! If it does not, the operator writes nothing and concludes nothing: a portal gives the same answer (404) for the id of a
//! deleted user and for one of another company or another portal.

use crate::domain::address;
use crate::domain::attempt::Attempt;
use crate::domain::blocker::Blocker;
use crate::domain::identity::Pin;
use crate::domain::reason::Reason;

use super::observation::{Desired, Observation, OpenAttempt, PortalFacts, RecordedPortal, UserView};
use super::settled::Requeue;
use super::step::{Read, Step, Write};
use super::{blocked, ours};

/// Whether a resource may use its Portal.
pub(super) enum Pinned {
    /// The Portal leads to the portal of status and attempt.
    Here,
    /// The status names another portal or company, and its user must be confirmed here first.
    Next(Step),
    /// Nothing may be written, and nothing concluded.
    Blocked(Blocker, Requeue),
}

/// The Portal, if it can be used and leads to the portal of status and attempt; else the step that comes before all others.
pub(super) fn portal_here(o: &Observation) -> Result<&PortalFacts, Step> {
    let portal = o.portal.as_ref().map_err(|blocker| blocked(o, blocker, Requeue::Backoff))?;
    match check(o, portal) {
        Pinned::Here => {}
        Pinned::Next(step) => return Err(step),
        Pinned::Blocked(blocker, requeue) => return Err(blocked(o, &blocker, requeue)),
    }
    if o.recorded.user.is_none() {
        company_of_new_user(o, portal).map_err(|blocker| blocked(o, &blocker, o.timers.recheck()))?;
    }
    Ok(portal)
}

/// Compares the Portal with status and attempt.
pub(super) fn check(o: &Observation, portal: &PortalFacts) -> Pinned {
    match compare(o, portal) {
        Err(blocker) => Pinned::Blocked(blocker, o.timers.recheck()),
        Ok(None) => Pinned::Here,
        Ok(Some(unconfirmed)) => confirm(o, portal, unconfirmed),
    }
}

/// Whether the Portal leads to the portal of status and attempt, with nothing left to confirm.
pub(super) fn is_here(o: &Observation, portal: &PortalFacts) -> bool {
    matches!(compare(o, portal), Ok(None))
}

/// Why the recorded user has to be confirmed by its details before it counts as one of this portal.
#[derive(Debug, Clone, Copy)]
enum Unconfirmed {
    /// A person says that the portal has moved.
    Moved,
    /// The status names no company, and the login does.
    CompanyNotRecorded,
}

fn compare(o: &Observation, portal: &PortalFacts) -> Result<Option<Unconfirmed>, Blocker> {
    let mut unconfirmed = None;
    if let Some(recorded) = &o.recorded.portal {
        if let Some(old) = moved_from(recorded, portal) {
            if !portal.moved_from.contains(&old) {
                return Err(portal_moved(recorded, portal, &old));
            }
            unconfirmed = Some(Unconfirmed::Moved);
        }
        match &recorded.bpn {
            Some(_) if portal.companies.is_empty() => return Err(company_unknown()),
            Some(bpn) if !portal.companies.contains(bpn) => return Err(company_changed(bpn, portal)),
            None if portal.bpn.is_some() && unconfirmed.is_none() => {
                unconfirmed = Some(Unconfirmed::CompanyNotRecorded);
            }
            _ => {}
        }
        ours(o, portal, &recorded.hint)?;
    }
    if let Some(OpenAttempt { attempt: Some(attempt), .. }) = &o.attempt
        && (o.deleting || !attempt.closed)
        && !was_for_this_portal(attempt, o, portal)
    {
        return Err(if portal.companies.is_empty() { company_unknown() } else { other_attempt(portal) });
    }
    Ok(unconfirmed)
}

/// The origin that a person has to confirm if the Portal leads to another address than the status names.
fn moved_from(recorded: &RecordedPortal, portal: &PortalFacts) -> Option<String> {
    if !address::is_same_portal(&recorded.url, &portal.url) {
        return Some(address::origin(&recorded.url));
    }
    let token_url = recorded.token_url.as_ref()?;
    (!address::is_same_token_endpoint(token_url, &portal.token_url)).then(|| address::origin(token_url))
}

/// A pin is a hash, so each spelling that it may have been computed from is compared.
fn was_for_this_portal(attempt: &Attempt, o: &Observation, portal: &PortalFacts) -> bool {
    let companies = portal.companies.iter().map(|bpn| Some(bpn.as_str())).chain([None]);
    companies.into_iter().any(|bpn| is_pin_of(&attempt.pin, o, portal, bpn))
}

fn is_pin_of(pin: &Pin, o: &Observation, portal: &PortalFacts, bpn: Option<&str>) -> bool {
    let recorded = o.recorded.portal.as_ref().map(|recorded| &recorded.url);
    // An address of the status was compared before, and one that a person confirmed counts as this one.
    [&portal.url, &portal.written_url].into_iter().chain(recorded).chain(&portal.moved_from).any(|url| {
        let with_port = address::with_port(url);
        [url.as_str()].into_iter().chain(with_port.as_deref()).any(|url| Pin::new(url, bpn) == *pin)
    })
}

/// Reads the recorded user at the new address. Its details decide; that it is not found there proves nothing.
fn confirm(o: &Observation, portal: &PortalFacts, why: Unconfirmed) -> Pinned {
    let Some(user) = &o.recorded.user else { return Pinned::Here };
    let id = &user.id;
    let found = match o.view(id) {
        None => return Pinned::Next(Step::Read(Read::User(id.clone()))),
        Some(UserView::Read(user)) => match &o.desired {
            Desired::Create(_) => user.mark.as_ref().is_some_and(|mark| mark.is_of(&o.owner)),
            // It has no mark of the operator.
            Desired::Existing { .. } => true,
        },
        Some(UserView::Gone | UserView::ClientMissing) => false,
    };
    if found {
        return Pinned::Next(Step::Write(Write::RecordPortal));
    }
    let (reason, what) = match why {
        Unconfirmed::Moved => (
            Reason::PortalMoved,
            "The address of the Portal has changed, and the portal at the new address shows no user of this resource with id",
        ),
        Unconfirmed::CompanyNotRecorded => (
            Reason::CompanyChanged,
            "The status of this resource names no company, and the portal shows the Portal's login no user of this \
             resource with id",
        ),
    };
    let act = if portal.discloses {
        "Correct the Portal's address and login, or release this resource (annotation technicaluser.dev/release=true on its \
         deletion) and create a new one."
    } else {
        "Ask the Portal's owner."
    };
    Pinned::Blocked(
        Blocker::lasting(reason, format!("{what} {id}. The operator changes nothing. {act}")),
        Requeue::Backoff,
    )
}

fn portal_moved(recorded: &RecordedPortal, portal: &PortalFacts, old: &str) -> Blocker {
    let message = if portal.discloses {
        let (was, is) = if address::is_same_portal(&recorded.url, &portal.url) {
            (recorded.token_url.as_deref().unwrap_or_default(), &portal.token_url)
        } else {
            (recorded.url.as_str(), &portal.url)
        };
        format!(
            "The Portal now leads to {is}, but the user of this resource was created at {was}. The operator changes nothing. \
             If the portal has moved there with its users, annotate the Portal with technicaluser.dev/portal-moved={old} to \
             confirm it. If it is another portal, correct the addresses in the Portal."
        )
    } else {
        "The Portal now leads to another address than the one where the user of this resource was created. The operator \
         changes nothing. Ask the Portal's owner."
            .to_owned()
    };
    Blocker::lasting(Reason::PortalMoved, message)
}

fn company_changed(was: &str, portal: &PortalFacts) -> Blocker {
    let message = if portal.discloses {
        format!(
            "The Portal's login now belongs to company {}, but the user of this resource belongs to company {was}. The \
             operator changes nothing. Correct the Portal's login, or release this resource (annotation \
             technicaluser.dev/release=true on its deletion) and create a new one.",
            portal.companies.join(", ")
        )
    } else {
        "The Portal's login now belongs to another company than the user of this resource. The operator changes nothing. \
         Ask the Portal's owner."
            .to_owned()
    };
    Blocker::lasting(Reason::CompanyChanged, message)
}

fn other_attempt(portal: &PortalFacts) -> Blocker {
    let place = if portal.discloses {
        format!(
            " The Portal leads to {} and company {}.",
            portal.url,
            if portal.companies.is_empty() { "(unknown)".to_owned() } else { portal.companies.join(", ") }
        )
    } else {
        String::new()
    };
    Blocker::lasting(
        Reason::CompanyChanged,
        format!(
            "An earlier request to create the user of this resource went to another portal or was for another company \
             (annotation technicaluser.dev/creating).{place} The operator changes nothing. If the portal has moved, annotate \
             the Portal with technicaluser.dev/portal-moved=<old address>, spelled as in the Portal before. Otherwise correct \
             the Portal's address and login, or release this resource (annotation technicaluser.dev/release=true on its \
             deletion) and create a new one."
        ),
    )
}

fn company_unknown() -> Blocker {
    Blocker::passing(
        Reason::CompanyUnknown,
        "The token of the Portal's login names no company (claim bpn), so the operator cannot know whether the user of this \
         resource belongs to it",
    )
}

/// The company of a user that the status does not name yet: the one that the open attempt was for, else the Portal's.
pub(super) fn company_of_new_user<'a>(
    o: &Observation,
    portal: &'a PortalFacts,
) -> Result<Option<&'a str>, Blocker> {
    if let Some(OpenAttempt { attempt: Some(attempt), .. }) = &o.attempt
        && let Some(bpn) = portal.companies.iter().find(|bpn| is_pin_of(&attempt.pin, o, portal, Some(bpn)))
    {
        return Ok(Some(bpn));
    }
    match &portal.bpn {
        Some(bpn) => Ok(Some(bpn)),
        None if portal.companies.is_empty() => Ok(None),
        None => Err(Blocker::lasting(
            Reason::CompanyAmbiguous,
            if portal.discloses {
                ambiguous(&portal.companies)
            } else {
                "The token of the Portal's login names several companies. Ask the Portal's owner.".to_owned()
            },
        )),
    }
}

/// What is wrong with a login of several companies, and what to do.
#[must_use]
pub fn ambiguous(companies: &[String]) -> String {
    format!(
        "The token of the login names several companies ({}). Set bpn in the Portal to the company whose users the operator \
         manages. The operator creates no user before that.",
        companies.join(", ")
    )
}

/// The company that this resource's user belongs to; `None` where it is unknown.
#[must_use]
pub fn company(o: &Observation) -> Option<&str> {
    let recorded = o.recorded.portal.as_ref();
    match &o.portal {
        Ok(portal) if recorded.is_none() || o.recorded.user.is_none() => {
            company_of_new_user(o, portal).ok().flatten()
        }
        _ => recorded?.bpn.as_deref(),
    }
}

/// The pin of an attempt that begins now.
#[must_use]
pub fn of_attempt(o: &Observation) -> Option<Pin> {
    let portal = o.portal.as_ref().ok()?;
    Some(Pin::new(&portal.url, company(o)))
}
