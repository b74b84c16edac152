//! Names that the operator gives.

/// The Secret with the identity of the installation, and the Lease.
pub const IDENTITY_SECRET: &str = "technical-user-operator-e2e";
/// The Secret with the refresh token of a Portal's session.
pub const SESSION_SECRET: &str = "catena-x-session";
/// The finalizer of our resources.
pub const FINALIZER: &str = "technicaluser.dev/finalizer";
/// The annotation with the attempt to create a user.
pub const CREATING: &str = "technicaluser.dev/creating";
/// The annotation by which a person asks for a successor of the user.
pub const ROTATE: &str = "technicaluser.dev/rotate";
/// The annotation by which a person removes outputs at once that the spec dropped.
pub const END_OVERLAP: &str = "technicaluser.dev/end-overlap";
/// The annotation by which a person releases a resource without the portal.
pub const RELEASE: &str = "technicaluser.dev/release";
/// The annotation by which a person prevents a deletion.
pub const PREVENT_DELETION: &str = "technicaluser.dev/prevent-deletion";
/// The annotation by which a person permits to take over the users of another cluster.
pub const TAKE_OVER: &str = "technicaluser.dev/take-over";
/// The annotation by which a person confirms that the portal has another address.
pub const PORTAL_MOVED: &str = "technicaluser.dev/portal-moved";
/// The annotation by which a person confirms that users have disappeared.
pub const ACCEPT_LOSS: &str = "technicaluser.dev/accept-loss";
