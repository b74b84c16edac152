//! How the operator logs in to a Vault.
#![allow(clippy::doc_markdown, reason = "kubectl explain shows the texts as they are")]

use kube::KubeSchema;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::api::names::{DATA_KEY, SUBDOMAIN};

/// The path of an auth method.
const METHOD: &str = r"^[A-Za-z0-9._-]+(/[A-Za-z0-9._-]+)*$";

/// How the operator logs in. Exactly one variant is given.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, PartialEq)]
#[serde(rename_all = "camelCase")]
#[x_kube(
    validation = Rule::new("[has(self.kubernetes), has(self.appRole), has(self.tokenSecretRef)].filter(set, set).size() == 1")
        .message("name exactly one of kubernetes, appRole and tokenSecretRef")
)]
pub struct VaultAuth {
    /// The Kubernetes auth method, with a token of the operator's ServiceAccount.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kubernetes: Option<KubernetesAuth>,

    /// The AppRole auth method.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub app_role: Option<AppRoleAuth>,

    /// A Secret of the same namespace with a token that a person issued. Default key: token. The operator renews the token
    /// where Vault permits that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token_secret_ref: Option<VaultSecretKey>,
}

/// The Kubernetes auth method.
///
/// The token that the operator sends is valid for one audience, `technicaluser.dev/<namespace>/<name>` of this resource
/// (`status.audience`), and for ten minutes. The role in Vault must name this audience. Neither the apiserver nor the role of
/// another Vault accepts the token, so nobody who can create a Vault resource gets the operator's identity.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Debug, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct KubernetesAuth {
    /// The role of the auth method. It must be bound to the operator's ServiceAccount, and its `audience` must be that of
    /// `status.audience`.
    #[schemars(length(min = 1, max = 256))]
    pub role: String,

    /// The path of the auth method. Default: kubernetes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 200), regex(pattern = METHOD))]
    pub mount: Option<String>,
}

/// The AppRole auth method.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Debug, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct AppRoleAuth {
    /// The role ID.
    #[schemars(length(min = 1, max = 256))]
    pub role_id: String,

    /// A Secret of the same namespace with the secret ID. Default key: secret-id.
    pub secret_ref: VaultSecretKey,

    /// The path of the auth method. Default: approle.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 200), regex(pattern = METHOD))]
    pub mount: Option<String>,
}

/// A key of a Secret of the same namespace.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Debug, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct VaultSecretKey {
    /// The Secret's name.
    #[schemars(length(min = 1, max = 253), regex(pattern = SUBDOMAIN))]
    pub name: String,

    /// The key of the value.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 253), regex(pattern = DATA_KEY))]
    pub key: Option<String>,
}
