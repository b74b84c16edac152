//! The differences between portals.

use crate::domain::permissions::PermissionNames;

/// What a portal can do, and what its answers mean.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Capabilities {
    /// The portal's version in words, such as "2.5 or 2.6".
    pub version: &'static str,
    /// A deleted user is answered with [`NotFound`](super::PortalError::NotFound). Where it is not, the answer is
    /// [`ClientMissing`](super::PortalError::ClientMissing), as for a user whose client is missing, and
    /// the user list distinguishes the two: it shows a deleted user as inactive, or not at all.
    pub reports_deleted: bool,
    /// External users can be deleted. Where they cannot, the answer to the attempt is
    /// [`ClientMissing`](super::PortalError::ClientMissing).
    pub deletes_external: bool,
    /// How messages name the permissions that the operator needs, and the roles that have them.
    pub permissions: PermissionNames,
}
