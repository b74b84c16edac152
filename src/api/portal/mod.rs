//! Kind `Portal`: where users are created, with which login, and who may use it.
#![allow(
    clippy::duplicated_attributes,
    reason = "the lint takes two printer columns of one type for a mistake"
)]
#![allow(clippy::doc_markdown, reason = "kubectl explain shows the texts as they are")]

mod access;
mod auth;
mod catena_x;
mod cofinity_x;
mod dataspace;
mod limits;
mod status;
mod tls;

use kube::core::Duration;
use kube::{CustomResource, KubeSchema};
use serde::{Deserialize, Serialize};

pub use access::{AccessFrom, AccessNamespaces, AccessRule};
pub use auth::{Auth, LocalSecret, LoginSecret};
pub use catena_x::CatenaX;
pub use cofinity_x::{CofinityX, CofinityXEnvironment};
pub use dataspace::Dataspace;
pub use limits::{Limits, VerificationPolicy, WhenUndeletable};
pub use status::{
    Company, FOUND_BY_MARK, LoginFound, OfferedRole, PermissionsFound, PortalStatus, RETAINED_LIMIT,
    RetainedUser, UNCLAIMED_LIMIT, UnclaimedUser,
};
pub use tls::{CaBundle, KeyRef, Tls};

/// A data-space portal, seen through one login of one company.
///
/// The login is a technical user with the role "Connector Management" that an administrator of the company creates in the
/// portal. It can list, read (secrets included), create and reset every technical user of the company; `access` decides for
/// which namespaces and roles the operator does so.
#[derive(CustomResource, KubeSchema, Serialize, Deserialize, Clone, Debug, PartialEq)]
#[kube(
    group = "technicaluser.dev",
    version = "v1alpha1",
    kind = "Portal",
    namespaced,
    status = "PortalStatus",
    shortname = "tup",
    category = "dataspace",
    doc = "Portal is a data-space portal, used with one login of one company. TechnicalUsers name it in spec.portalRef; \
           spec.access decides which namespaces may use it, and for which roles. The login is a technical user with the role \
           Connector Management that an administrator of the company creates in the portal.",
    printcolumn(
        name = "Ready",
        type_ = "string",
        json_path = ".status.conditions[?(@.type=='Ready')].status"
    ),
    printcolumn(
        name = "Reason",
        type_ = "string",
        json_path = ".status.conditions[?(@.type=='Ready')].reason"
    ),
    printcolumn(name = "Company", type_ = "string", json_path = ".status.company.bpn"),
    printcolumn(
        name = "Can Delete",
        type_ = "string",
        json_path = ".status.conditions[?(@.type=='CanDelete')].status"
    ),
    printcolumn(name = "Version", type_ = "string", json_path = ".status.version", priority = 1),
    printcolumn(
        name = "TechnicalUsers",
        type_ = "integer",
        json_path = ".status.technicalUsers",
        priority = 1
    ),
    printcolumn(name = "Age", type_ = "date", json_path = ".metadata.creationTimestamp")
)]
#[serde(rename_all = "camelCase")]
#[x_kube(
    validation = Rule::new("[has(self.catenaX), has(self.cofinityX)].filter(set, set).size() == 1").message("name exactly one of catenaX and cofinityX"),
)]
pub struct PortalSpec {
    /// A portal with the Catena-X software. Give exactly one of `catenaX` and `cofinityX`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub catena_x: Option<CatenaX>,

    /// The portal of Cofinity-X: you log in at a cofinity-x.com address. Give exactly one of `catenaX` and `cofinityX`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cofinity_x: Option<CofinityX>,

    /// The rules which namespaces may use this Portal, and for which roles. One rule must grant a whole request. Default: the
    /// namespace of the Portal, for every role, and also for users that the operator did not create.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 64))]
    pub access: Option<Vec<AccessRule>>,

    /// What a connector needs to know of the data space beside its technical user, for the outputs whose format needs it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dataspace: Option<Dataspace>,

    /// The certificates that the operator trusts in addition to the public roots.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tls: Option<Tls>,

    /// The limits of the requests to the portal. They hold separately for its identity provider, and for each wallet that issues
    /// tokens.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limits: Option<Limits>,

    /// The interval at which the operator reads the portal's whole user list, once for all TechnicalUsers. A duration such as
    /// 10m, at least 10s. Default: 5m.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 32))]
    #[x_kube(validation = Rule::new("duration(self) >= duration('10s')").message("resyncInterval is at least 10s"))]
    pub resync_interval: Option<Duration>,

    /// How the operator verifies published credentials at their token endpoint.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub verification: Option<VerificationPolicy>,

    /// What the operator does with a TechnicalUser under deletion whose user can be neither deleted nor revoked with this
    /// login. Hold keeps the resource, with a condition that says what a person has to do. Release removes the finalizer, and
    /// lists the user in `status.retained`. Default: Hold.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub when_undeletable: Option<WhenUndeletable>,

    /// If true, the operator writes nothing to this portal: no create, reset, update or delete. It still reads the portal, and
    /// repairs Secrets that were changed or deleted. Default: false.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub suspend: Option<bool>,
}

/// How a spec names its portal, in words.
pub const VARIANTS: &str = "catenaX, or cofinityX (with tokenUrl for PreProduction)";

impl PortalSpec {
    /// The fields by which the spec names its portal; the schema allows one.
    #[must_use]
    pub fn variants(&self) -> Vec<&'static str> {
        let variants = [("catenaX", self.catena_x.is_some()), ("cofinityX", self.cofinity_x.is_some())];
        variants.into_iter().filter(|(_, set)| *set).map(|(name, _)| name).collect()
    }
}
