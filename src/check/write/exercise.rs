//! What the operator does with a user between create and deletion: read it, verify its credential, change it, reset it.

use super::{Created, Trial, not_accepted};
use crate::check::report::Step;
use crate::domain::user::{Credential, is_same_secret};
use crate::portal::{Lane, Verification};

/// What the change adds to the description.
const CHANGED: &str = "changed by technical-user-operator check";

impl Trial<'_, '_> {
    /// Reports each step; a step that fails ends the exercise only if the next ones need it.
    pub(super) async fn exercise(&mut self, user: &mut Created) {
        if self.stopped() {
            return;
        }
        self.read(user).await;
        let Some(first) = user.credential.clone() else { return };
        self.prove("write-credential", "the credential works: a token was issued for it", &first).await;
        if self.stopped() {
            return;
        }
        self.update(user).await;
        if self.stopped() {
            return;
        }
        let Some(second) = self.reset(user, &first).await else { return };
        self.disprove(&first).await;
        self.prove("write-new-secret", "the new secret works", &second).await;
    }

    fn stopped(&self) -> bool {
        self.pace.stop.is_cancelled()
    }

    async fn read(&mut self, user: &mut Created) {
        let name = "write-details";
        match self.portal.details(&user.id, Lane::Interactive).await {
            Ok(details) => {
                let marked = details.mark.as_ref() == Some(&self.mark);
                let has_secret = details.credential.is_some();
                user.see(details);
                match (marked, has_secret) {
                    (true, true) => {
                        self.step(Step::ok(name, "the portal shows it, with its mark and its secret"));
                    }
                    (true, false) => self.failed(name, "the portal shows it without its secret".to_owned()),
                    (false, _) => self.failed(name, "the portal shows it without its mark".to_owned()),
                }
            }
            Err(error) => self.failed(name, error.to_string()),
        }
    }

    async fn prove(&mut self, name: &'static str, good: &str, credential: &Credential) {
        let answer = self.verify(credential).await;
        match not_accepted(&answer) {
            None => self.step(Step::ok(name, good)),
            Some(words) => self.failed(name, words),
        }
    }

    async fn disprove(&mut self, credential: &Credential) {
        let name = "write-old-secret";
        let answer = self.verify(credential).await;
        match (&answer, not_accepted(&answer)) {
            (Verification::Refused { .. }, _) => {
                self.step(Step::ok(name, "the token endpoint refuses the old secret"));
            }
            (_, None) => self.failed(name, "the old secret still works".to_owned()),
            (_, Some(words)) => self.failed(name, words),
        }
    }

    async fn update(&mut self, user: &Created) {
        let name = "write-update";
        let description = self.mark.describe(Some(CHANGED));
        if let Err(error) = self.portal.update(&user.id, &self.name, &description).await {
            return self.failed(name, error.to_string());
        }
        match self.portal.details(&user.id, Lane::Interactive).await {
            Ok(details) if details.description == description => {
                self.step(Step::ok(name, "the portal accepted a new description and shows it"));
            }
            Ok(_) => {
                self.failed(name, "the portal accepted a new description and shows the old one".to_owned());
            }
            Err(error) => self.failed(
                name,
                format!("the portal accepted a new description, but could not be read: {error}"),
            ),
        }
    }

    /// The credential with the new secret.
    async fn reset(&mut self, user: &mut Created, old: &Credential) -> Option<Credential> {
        let name = "write-reset";
        if let Err(error) = self.portal.reset(&user.id).await {
            self.failed(name, error.to_string());
            return None;
        }
        match self.portal.details(&user.id, Lane::Interactive).await {
            Ok(details) => {
                user.see(details);
                let new = user.credential.clone();
                let new = new.filter(|new| !is_same_secret(new.secret(), old.secret()));
                if new.is_some() {
                    self.step(Step::ok(name, "the portal created a new secret and shows it"));
                } else {
                    self.failed(name, "the portal accepted the reset and shows no new secret".to_owned());
                }
                new
            }
            Err(error) => {
                self.failed(name, format!("the portal accepted the reset, but could not be read: {error}"));
                None
            }
        }
    }
}
