//! A portal for tests that differ in a few answers.

pub mod json;

use std::ops::Deref;
use std::sync::Arc;

use async_trait::async_trait;

use super::{
    Absence, Capabilities, CreateSlot, Lane, ListOrder, Login, Portal, PortalError, Scan, ScanProgress,
    ShownDataspace, Verification,
};
use crate::domain::test_support::PERMISSION_NAMES;
use crate::domain::user::{Credential, ListedUser, Role, UserDetails, UserId, UserStatus};

/// What a portal answers. Without an answer of its own it knows no user, and accepts each change.
#[async_trait]
pub trait Answers: Send + Sync {
    /// Who the login is.
    async fn login(&self) -> Result<Login, PortalError> {
        Err(PortalError::Unauthorized)
    }

    /// The roles on offer.
    async fn roles(&self) -> Result<Vec<Role>, PortalError> {
        Ok(Vec::new())
    }

    /// The whole user list.
    async fn scan(&self) -> Result<Scan, PortalError> {
        // A list that takes no time could not be read twice.
        tokio::time::sleep(std::time::Duration::from_millis(1)).await;
        Ok(a_scan(Vec::new()))
    }

    /// Whether no user has a name that begins so.
    async fn prove_absent(&self, _beginning: &str, _users: u64) -> Result<Absence, PortalError> {
        Ok(Absence { is_proved: false, pages: 0 })
    }

    /// The users with such a client ID.
    async fn narrow(&self, client_id: &str) -> Result<Scan, PortalError> {
        let mut scan = self.scan().await?;
        scan.users.retain(|user| user.client_id.as_ref().is_some_and(|id| id.contains(client_id)));
        Ok(scan)
    }

    /// The pending users.
    async fn pending(&self) -> Result<Scan, PortalError> {
        let mut scan = self.scan().await?;
        scan.users.retain(|user| user.status == UserStatus::Pending);
        Ok(scan)
    }

    /// How far the running scan has come.
    fn scan_progress(&self) -> Option<ScanProgress> {
        None
    }

    /// One user.
    async fn details(&self, _id: &UserId) -> Result<UserDetails, PortalError> {
        Err(PortalError::NotFound)
    }

    /// A change, reset or deletion of a user.
    async fn write(&self) -> Result<(), PortalError> {
        Ok(())
    }

    /// A place for a create.
    async fn create_slot(&self) -> Result<Box<dyn CreateSlot>, PortalError> {
        Err(PortalError::Unauthorized)
    }
}

/// A reading that shows exactly these users.
pub fn a_scan(users: Vec<ListedUser>) -> Scan {
    let order = ListOrder::of(users.iter().map(|user| user.name.as_str()));
    Scan { users, stable: true, complete: true, order }
}

/// What the newest portal can do.
pub const CAPABILITIES: Capabilities = Capabilities {
    version: "after 2.6",
    reports_deleted: true,
    deletes_external: true,
    permissions: PERMISSION_NAMES,
};

/// The portal that gives these answers.
pub struct Fake<T>(pub T);

impl<T> Deref for Fake<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0
    }
}

#[async_trait]
impl<T: Answers + 'static> Portal for Fake<T> {
    async fn login(&self) -> Result<Login, PortalError> {
        self.0.login().await
    }

    async fn forget_token(&self) {}

    async fn confirm(&self, _: &Login) -> Result<(), PortalError> {
        Ok(())
    }

    async fn confirm_deletion_login(&self, _: &str) -> Result<(), PortalError> {
        Ok(())
    }

    fn bound_to(self: Arc<Self>, _: &[String]) -> Arc<dyn Portal> {
        self
    }

    async fn capabilities(&self) -> Result<Capabilities, PortalError> {
        Ok(CAPABILITIES)
    }

    async fn roles(&self, _: Lane) -> Result<Vec<Role>, PortalError> {
        self.0.roles().await
    }

    async fn scan(&self, _: Lane) -> Result<Scan, PortalError> {
        self.0.scan().await
    }

    fn scan_progress(&self) -> Option<ScanProgress> {
        self.0.scan_progress()
    }

    async fn prove_absent(&self, beginning: &str, users: u64, _: Lane) -> Result<Absence, PortalError> {
        self.0.prove_absent(beginning, users).await
    }

    async fn narrow(&self, client_id: &str, _: Lane) -> Result<Scan, PortalError> {
        self.0.narrow(client_id).await
    }

    async fn pending(&self, _: Lane) -> Result<Scan, PortalError> {
        self.0.pending().await
    }

    async fn details(&self, id: &UserId, _: Lane) -> Result<UserDetails, PortalError> {
        self.0.details(id).await
    }

    fn named_token_url(&self) -> Option<String> {
        None
    }

    async fn dataspace(&self, _: Lane) -> Result<Option<ShownDataspace>, PortalError> {
        Ok(None)
    }

    async fn create_slot(&self) -> Result<Box<dyn CreateSlot>, PortalError> {
        self.0.create_slot().await
    }

    async fn update(&self, _: &UserId, _: &str, _: &str) -> Result<(), PortalError> {
        self.0.write().await
    }

    async fn reset(&self, _: &UserId) -> Result<(), PortalError> {
        self.0.write().await
    }

    async fn delete(&self, _: &UserId) -> Result<(), PortalError> {
        self.0.write().await
    }

    async fn verify(&self, _: &Credential, _: Lane) -> Verification {
        Verification::Accepted { roles: None }
    }
}
