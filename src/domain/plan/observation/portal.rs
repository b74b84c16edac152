//! The Portal as far as it decides.

use crate::domain::access::Grants;
use crate::domain::identity::Hint;
use crate::domain::ownership::Logins;
use crate::domain::permissions::PermissionNames;
use crate::domain::user::Role;

/// The Portal as far as it decides.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "independent facts, each read on its own")]
pub struct PortalFacts {
    /// The address of the portal's backend, in one spelling.
    pub url: String,
    /// The address as the spec spells it: pins of earlier releases are built from that.
    pub written_url: String,
    /// The token endpoint, in one spelling.
    pub token_url: String,
    /// The companies that the login's token names, in no particular order.
    pub companies: Vec<String>,
    /// The company of new users; absent where the token names none or several.
    pub bpn: Option<String>,
    /// Where the portal was before it moved, by the word of a person: addresses as they are written, and their origins.
    pub moved_from: Vec<String>,
    /// The resource's namespace may read the Portal's address and company in messages.
    pub discloses: bool,
    /// Nothing may be written.
    pub suspended: bool,
    /// It is being deleted: no new users.
    pub deleting: bool,
    /// How the portal names permissions, for messages.
    pub permissions: PermissionNames,
    /// The login may create.
    pub may_create: bool,
    /// The login (or the deletion login) may delete.
    pub may_delete: bool,
    /// Users that can be neither deleted nor revoked let their resource go.
    pub release_undeletable: bool,
    /// The roles on offer.
    pub roles: Vec<Role>,
    /// What `access` grants to the resource's namespace.
    pub grants: Grants,
    /// The copies of this installation whose users are taken over.
    pub taken_over: Vec<Hint>,
    /// This number of known users vanished at once: that is taken for a fault of the portal.
    pub mass_disappearance: Option<usize>,
    /// The client IDs of the operator's own logins into this portal.
    pub logins: Logins,
}
