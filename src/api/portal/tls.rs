//! Which certificates a Portal trusts.
#![allow(clippy::doc_markdown, reason = "kubectl explain shows the texts as they are")]

use kube::KubeSchema;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::api::names::{DATA_KEY, SUBDOMAIN};

/// Certificates to trust.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Debug, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct Tls {
    /// Certificates to trust besides the public roots: for the portal, its identity provider and the wallet alike.
    pub ca_bundle: CaBundle,
}

/// Where PEM certificates are read from. Exactly one variant is given.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
#[x_kube(
    validation = Rule::new("[has(self.configMapRef), has(self.secretRef)].filter(set, set).size() == 1")
        .message("name exactly one of configMapRef and secretRef")
)]
pub struct CaBundle {
    /// A ConfigMap of the Portal's namespace.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub config_map_ref: Option<KeyRef>,

    /// A Secret of the Portal's namespace.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secret_ref: Option<KeyRef>,
}

/// A key of an object of the same namespace.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Debug, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct KeyRef {
    /// The object's name.
    #[schemars(length(min = 1, max = 253), regex(pattern = SUBDOMAIN))]
    pub name: String,

    /// The key that holds the certificates, in PEM. Default: ca.crt.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 253), regex(pattern = DATA_KEY))]
    pub key: Option<String>,
}
