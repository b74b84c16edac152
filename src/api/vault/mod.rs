//! Kind `Vault`: where credentials can be written for connectors that read them from Vault, and who may write where.
#![allow(
    clippy::duplicated_attributes,
    reason = "the lint takes two printer columns of one type for a mistake"
)]
#![allow(clippy::doc_markdown, reason = "kubectl explain shows the texts as they are")]

mod access;
mod auth;
mod status;

use kube::{CustomResource, KubeSchema};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::api::portal::Tls;

pub use access::VaultAccessRule;
pub use auth::{AppRoleAuth, KubernetesAuth, VaultAuth, VaultSecretKey};
pub use status::{ABANDONED, AbandonedEntry, VaultStatus};

/// What follows the address of a mount in Vault's API, and what precedes it, does not belong to the mount.
const MOUNT: &str = "self.matches('^[A-Za-z0-9._-]+(/[A-Za-z0-9._-]+)*$') && !self.startsWith('v1/') && !self.endsWith('/data') \
     && !self.split('/').exists(segment, segment == '.' || segment == '..')";

/// A HashiCorp Vault with a secrets engine KV version 2, seen through one login.
#[derive(CustomResource, KubeSchema, Serialize, Deserialize, Clone, Debug, PartialEq)]
#[kube(
    group = "technicaluser.dev",
    version = "v1alpha1",
    kind = "Vault",
    namespaced,
    status = "VaultStatus",
    shortname = "tuv",
    category = "dataspace",
    doc = "Vault is a HashiCorp Vault with a secrets engine KV version 2, used with one login. spec.access decides which \
           namespaces may have entries in it, and below which path. OpenBao has the same API; the operator was not tested with \
           it.",
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
    printcolumn(name = "Address", type_ = "string", json_path = ".spec.address"),
    printcolumn(name = "Mount", type_ = "string", json_path = ".spec.mount"),
    printcolumn(name = "Version", type_ = "string", json_path = ".status.version", priority = 1),
    printcolumn(name = "Age", type_ = "date", json_path = ".metadata.creationTimestamp")
)]
#[serde(rename_all = "camelCase")]
#[x_kube(
    validation = Rule::new("(has(self.insecureHttp) && self.insecureHttp) || !self.address.startsWith('http://')")
        .message("plain http is for test systems only: set insecureHttp to true, and the chart's value allowInsecureHttp")
)]
pub struct VaultSpec {
    /// The origin of the server, such as `https://vault.example.org:8200`, without a path. Plain http needs `insecureHttp`.
    #[schemars(length(min = 1, max = 512))]
    #[x_kube(
        validation = Rule::new("self.matches('^https?://[^/?#@ ]+/?$')")
            .message("address is the https address of Vault, without a path")
    )]
    pub address: String,

    /// The path of the secrets engine KV version 2, such as `secret`, without `v1/` before it and `/data` after it. It cannot be
    /// changed: create a new Vault instead.
    #[schemars(length(min = 1, max = 200))]
    #[x_kube(
        validation = Rule::new(MOUNT)
            .message("mount is the path of the secrets engine, such as secret or team/kv: without v1/, /data, empty segments, . and .."),
        validation = Rule::new("self == oldSelf")
            .message("mount cannot be changed, because entries would be left in the former one: create a new Vault")
    )]
    pub mount: String,

    /// How the operator logs in.
    pub auth: VaultAuth,

    /// The namespace of Vault Enterprise or OpenBao, such as `team/blue`. Default: the root namespace.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 200), regex(pattern = r"^[A-Za-z0-9._-]+(/[A-Za-z0-9._-]+)*$"))]
    pub namespace: Option<String>,

    /// Which namespaces may have entries in this Vault, and below which path. Absent: the namespace of this resource, in the
    /// whole mount.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 64))]
    pub access: Option<Vec<VaultAccessRule>>,

    /// Whether a credential with another client ID gets an entry of its own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub alias_mode: Option<AliasMode>,

    /// Certificates to trust besides the public roots.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tls: Option<Tls>,

    /// True: plain http is accepted for loopback and private addresses, for test systems only. Logins and client secrets are
    /// then sent unencrypted. It has an effect only where the operator permits it (chart value `allowInsecureHttp`). The
    /// condition `InsecureHttp` reports it. Default: false.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub insecure_http: Option<bool>,
}

/// Whether a credential with another client ID gets an entry of its own. PerGeneration: the path of the entry ends with a dash
/// and the generation of the user, such as edc-wallet-1, so that a connector which still has the client ID of the former user
/// finds the secret of that user until it is restarted. Fixed: the path is the one that the output names, and a connector
/// which was not restarted finds the secret of another user there. Default: PerGeneration.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum AliasMode {
    /// The path ends with the generation of the user.
    #[default]
    PerGeneration,
    /// The path is the same for each user.
    Fixed,
}
