//! Which certificates a Portal trusts.
#![allow(clippy::doc_markdown, reason = "kubectl explain shows the texts as they are")]

use kube::KubeSchema;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::api::names::{DATA_KEY, SUBDOMAIN};

/// The certificates that the operator trusts.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Debug, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct Tls {
    /// The certificates (PEM) that the operator trusts in addition to the public roots, for each server that
    /// the resource leads to: portal, identity provider and wallet, or Vault.
    pub ca_bundle: CaBundle,
}

/// The object with the certificates (PEM). Give exactly one variant.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
#[x_kube(
    validation = Rule::new("[has(self.configMapRef), has(self.secretRef)].filter(set, set).size() == 1")
        .message("name exactly one of configMapRef and secretRef")
)]
pub struct CaBundle {
    /// A ConfigMap in the namespace of the resource.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub config_map_ref: Option<KeyRef>,

    /// A Secret in the namespace of the resource.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secret_ref: Option<KeyRef>,
}

/// A key of an object of the same namespace.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Debug, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct KeyRef {
    /// The name of the object.
    #[schemars(length(min = 1, max = 253), regex(pattern = SUBDOMAIN))]
    pub name: String,

    /// The key that holds the certificates, in PEM. Default: ca.crt.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 253), regex(pattern = DATA_KEY))]
    pub key: Option<String>,
}
