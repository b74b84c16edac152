//! The public Kubernetes types: what a person writes and what the operator answers.
//!
//! All versions of a kind share one schema; fields are only ever added, and only as optional ones.

pub mod bounds;
pub mod conditions;
mod names;
pub mod portal;
pub mod technical_user;
pub mod vault;

use std::sync::LazyLock;

use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use kube::CustomResourceExt;

pub use portal::Portal;
pub use technical_user::TechnicalUser;
pub use vault::Vault;

/// The API group of all kinds.
pub const GROUP: &str = "technicaluser.dev";

/// The finalizer on a `TechnicalUser` that may have a user in a portal, and on a `Portal` or `Vault` that such resources use.
pub const FINALIZER: &str = "technicaluser.dev/finalizer";

/// The field manager of all our writes.
pub const FIELD_MANAGER: &str = "technical-user-operator";

/// What messages say to do where the operator's rights are missing in a namespace.
pub const ROLE_AGAIN: &str = "the chart creates a Role in each namespace of watchNamespaces; if the namespace was deleted and \
     created again, helm upgrade with the same values creates the Role again";

/// Annotations and labels that the operator reads or writes.
pub mod keys {
    /// On a `TechnicalUser`: the last attempt to create its user, `<generation> <attempt> <pin> roles=<names>`, and `closed` if that user is
    /// not needed. Written by the operator.
    pub const CREATING: &str = "technicaluser.dev/creating";
    /// On a `TechnicalUser`: the last reset of the user's secret, `<credential generation> <attempt> <pin>`. Written by the operator.
    pub const RESETTING: &str = "technicaluser.dev/resetting";
    /// On a `TechnicalUser`: any new value asks for another credential, or for a successor of a user that is stuck or has no client
    /// any more.
    pub const ROTATE: &str = "technicaluser.dev/rotate";
    /// On a `TechnicalUser`: as `rotate`, and the former credential is not kept for the overlap.
    pub const COMPROMISED: &str = "technicaluser.dev/compromised";
    /// On a `TechnicalUser`: the names of outputs that the spec no longer names, and the ids of users that were replaced, which are
    /// not kept for the overlap.
    pub const END_OVERLAP: &str = "technicaluser.dev/end-overlap";
    /// On a `TechnicalUser` under deletion: release it without the portal.
    pub const RELEASE: &str = "technicaluser.dev/release";
    /// On a `TechnicalUser`: any value but [`NOT_PREVENTED`] keeps it, its user and its outputs while it is under deletion.
    pub const PREVENT_DELETION: &str = "technicaluser.dev/prevent-deletion";
    /// The value of [`PREVENT_DELETION`] that means the same as no annotation. Each other value protects: one that is misspelled
    /// loses no user.
    pub const NOT_PREVENTED: &str = "false";
    /// On a `Portal`: the hint of another cluster whose users this one takes over.
    pub const TAKE_OVER: &str = "technicaluser.dev/take-over";
    /// On a `Portal`: how many users may have vanished without that being a fault of the portal.
    pub const ACCEPT_LOSS: &str = "technicaluser.dev/accept-loss";
    /// On a `Portal`: the origin at which the portal was before it moved to the address of the spec.
    pub const PORTAL_MOVED: &str = "technicaluser.dev/portal-moved";
    /// On a Secret: `<instance>/<namespace>/<name>` of the `TechnicalUser` it was written for. It marks the Secret as ours.
    pub const OWNER: &str = "technicaluser.dev/owner";
    /// On an entry in a Vault, beside the owner: the hint of the installation. Several clusters may share a Vault.
    pub const INSTALLATION: &str = "technicaluser.dev/installation";
    /// On an entry in a Vault, beside the owner: a keyed digest of the content that the owner writes. Mark and data are two writes.
    pub const CONTENT_DIGEST: &str = "technicaluser.dev/digest";
    /// On a Secret: the portal's id of the user whose credential it holds.
    pub const USER_ID: &str = "technicaluser.dev/user-id";
    /// On a Secret: a keyed digest of what its format uses of the data space. A change of it is a change of the Secret.
    pub const SURROUNDINGS: &str = "technicaluser.dev/surroundings";
    /// On a Secret, beside the owner: a keyed digest of the resource and of the Secret's own name. On a copy it is wrong.
    pub const PROOF: &str = "technicaluser.dev/proof";
    /// On a workload: the `TechnicalUser`s that may restart it, by name, separated by commas.
    pub const RESTART: &str = "technicaluser.dev/restart";
    /// Label on a Secret: the instance that wrote it. Our watch selects by it.
    pub const INSTANCE: &str = "technicaluser.dev/instance";
}

/// The definitions of all kinds, as `crds/` holds them.
#[must_use]
pub fn definitions() -> &'static [CustomResourceDefinition] {
    // To derive them from the types takes a tenth of a second in a debug build.
    static DEFINITIONS: LazyLock<[CustomResourceDefinition; 3]> =
        LazyLock::new(|| [Portal::crd(), TechnicalUser::crd(), Vault::crd()]);
    &*DEFINITIONS
}
