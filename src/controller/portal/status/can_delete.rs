//! The condition `CanDelete`: whether users are deleted with their resources.

use crate::api::conditions::{CAN_DELETE, Wanted};
use crate::api::portal::PortalStatus;
use crate::domain::blocker::Blocker;
use crate::domain::permissions::PermissionNames;
use crate::domain::reason::Reason;
use crate::portal::Login;

/// What is known of whether users can be deleted.
pub enum CanDelete {
    /// They can.
    Yes,
    /// Why not, and what to do.
    No(String),
    /// Why that is not known, and what to do.
    Unknown(String),
    /// Nothing new: what was found before is kept.
    AsBefore,
}

impl CanDelete {
    /// What a login that works says.
    pub fn of(login: &Login, names: &PermissionNames) -> Self {
        if let Some(trouble) = &login.deletion_trouble {
            return Self::Unknown(format!(
                "The deletion login (deleteAuth) cannot be used: {trouble}. Deletions wait until it works; the operator revokes and \
                 retains no user meanwhile. If the login is wrong, correct the Secret that deleteAuth names"
            ));
        }
        if login.permissions.delete {
            return Self::Yes;
        }
        let whose =
            if login.delete_client_id.is_some() { "The deletion login (deleteAuth)" } else { "The login" };
        let (source, who) = match names.deletion_role {
            Some(role) => (String::new(), format!("a technical user with the role \"{role}\"")),
            None => (
                ", which no technical-user role of the portal has".to_owned(),
                "a person who may delete technical users".to_owned(),
            ),
        };
        Self::No(format!(
            "{whose} may not delete users: {} is missing{source}. With their resources, internal users are revoked, and wallet \
             users need a person. To let the operator delete users, give the Portal a deleteAuth: the login of {who}.",
            names.delete
        ))
    }

    /// What a check that failed shows: a user is read before it is deleted.
    pub fn after(failure: &Blocker) -> Self {
        if failure.reason == Reason::PermissionMissing {
            return Self::No(format!(
                "The operator cannot delete users while it cannot read them: {}",
                failure.message
            ));
        }
        Self::AsBefore
    }

    /// The condition; `old` is the status before.
    pub fn wanted(self, old: &PortalStatus) -> Option<Wanted> {
        let (status, reason, message) = match self {
            Self::Yes => {
                (Some(true), Reason::MayDelete, "The operator deletes users with their resources".to_owned())
            }
            Self::No(message) => (Some(false), Reason::MayNotDelete, message),
            Self::Unknown(message) => (None, Reason::DeletionLoginFailing, message),
            Self::AsBefore => {
                let before = old.conditions.iter().find(|c| c.type_ == CAN_DELETE)?;
                let (status, reason) = match before.status.as_str() {
                    "True" => (Some(true), Reason::MayDelete),
                    "False" => (Some(false), Reason::MayNotDelete),
                    _ => (None, Reason::DeletionLoginFailing),
                };
                (status, reason, before.message.clone())
            }
        };
        Some(Wanted { type_: CAN_DELETE, status, reason: reason.as_str(), message })
    }
}

#[cfg(test)]
mod tests;
