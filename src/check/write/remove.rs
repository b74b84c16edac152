//! The deletion of the user. If it cannot be deleted, its secret is reset, and it is reported.

use super::{Created, TRIES, Trial};
use crate::check::report::{Left, Step};
use crate::domain::identity::Mark;
use crate::domain::user::UserStatus;
use crate::portal::{Lane, PortalError, Verification};

const NAME: &str = "write-delete";

/// How a deletion was confirmed.
enum Deleted {
    /// The portal does not show the user any more.
    Seen,
    /// The portal accepted the deletion, and nothing more is known.
    Reported,
}

impl Trial<'_, '_> {
    /// Removes the user, as far as the login can.
    pub(super) async fn remove(&mut self, user: &Created) {
        if !self.may_delete {
            let words = format!("not tried: {} is missing", self.capabilities.permissions.delete);
            self.step(Step::note(NAME, words));
            return self.retain(user, "this login may not delete it").await;
        }
        match self.delete(user).await {
            Ok(Deleted::Seen) => {
                let words = match &user.credential {
                    Some(credential) => match self.verify(credential).await {
                        Verification::Refused { .. } => {
                            "the portal deleted it, and its credential does not work any more"
                        }
                        Verification::Accepted { .. } => {
                            "the portal deleted it, but the token endpoint still accepts its credential"
                        }
                        Verification::Unreachable { .. } => "the portal deleted it",
                    },
                    None => "the portal deleted it",
                };
                self.step(Step::ok(NAME, words));
            }
            Ok(Deleted::Reported) => {
                let words =
                    "the portal reports the deletion, but gives no usable answer to a request for the user";
                self.step(Step::ok(NAME, words));
            }
            Err(words) => {
                self.failed(NAME, words.clone());
                self.retain(user, &format!("it could not be deleted ({words})")).await;
            }
        }
    }

    /// The error is in words.
    async fn delete(&self, user: &Created) -> Result<Deleted, String> {
        let mut words = String::new();
        for attempt in 0..TRIES {
            if attempt > 0 {
                self.pause().await;
            }
            let answer = self.portal.delete(&user.id).await;
            match (&answer, self.is_gone(user).await) {
                (_, Some(true)) => return Ok(Deleted::Seen),
                (Ok(()), None) => return Ok(Deleted::Reported),
                (Ok(()), Some(false)) => {
                    "the portal accepted the request and still shows the user".clone_into(&mut words);
                }
                (Err(error), _) => words = error.to_string(),
            }
        }
        Err(words)
    }

    /// `None` if the portal does not show it.
    async fn is_gone(&self, user: &Created) -> Option<bool> {
        match self.portal.details(&user.id, Lane::Interactive).await {
            Err(PortalError::NotFound) => Some(true),
            // Such a portal keeps a deleted user as an inactive one without a client, and cannot show it.
            Err(PortalError::ClientMissing) if !self.capabilities.reports_deleted => {
                self.is_inactive(user).await
            }
            Ok(details) => Some(matches!(details.status, UserStatus::PendingDeletion | UserStatus::Deleted)),
            Err(_) => None,
        }
    }

    async fn is_inactive(&self, user: &Created) -> Option<bool> {
        let scan = self.portal.scan(Lane::Interactive).await.ok()?;
        match scan.users.iter().find(|listed| listed.id == user.id) {
            Some(listed) => Some(listed.status == UserStatus::Inactive),
            None => scan.complete.then_some(true),
        }
    }

    /// Resets the secret of a user that cannot be deleted, marks it as retained, and reports it.
    async fn retain(&mut self, user: &Created, why: &str) {
        let revoked = self.revoke(user).await;
        let mark = Mark { retained: true, ..self.mark.clone() };
        let marked = self.portal.update(&user.id, &self.name, &mark.describe(None)).await;
        let name = "write-revoke";
        match (&revoked, &marked) {
            (Ok(()), Ok(())) => {
                let words = "its secret was reset and the new one was not read, and its description says that it is retained";
                self.step(Step::ok(name, words));
            }
            (Ok(()), Err(error)) => {
                self.failed(
                    name,
                    format!("its secret was reset, but its description could not be changed: {error}"),
                );
            }
            (Err(words), _) => self.failed(name, words.clone()),
        }
        let credential =
            if revoked.is_ok() { "does not work any more" } else { "may still work, but was never printed" };
        self.printer.left(Left {
            id: Some(user.id.to_string()),
            name: self.name.clone(),
            client_id: user.client_id.clone(),
            revoked: revoked.is_ok(),
            words: format!(
                "{why}; its credential {credential}; a person of the company has to delete it in the portal's web page \
                 (technical user management)"
            ),
        });
    }

    /// Sets a new secret and does not read it; the error is in words.
    async fn revoke(&self, user: &Created) -> Result<(), String> {
        let mut words = String::new();
        for attempt in 0..TRIES {
            if attempt > 0 {
                self.pause().await;
            }
            match self.portal.reset(&user.id).await {
                Ok(()) => return self.is_refused(user).await,
                Err(error) => words = format!("its secret could not be reset: {error}"),
            }
        }
        Err(words)
    }

    async fn is_refused(&self, user: &Created) -> Result<(), String> {
        let Some(known) = &user.credential else { return Ok(()) };
        match self.verify(known).await {
            Verification::Accepted { .. } => {
                Err("its secret was reset, and the old one still works".to_owned())
            }
            Verification::Refused { .. } | Verification::Unreachable { .. } => Ok(()),
        }
    }
}
