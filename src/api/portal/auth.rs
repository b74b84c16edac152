//! How the operator logs in, and where the login is.
#![allow(clippy::doc_markdown, reason = "kubectl explain shows the texts as they are")]

use kube::KubeSchema;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::api::names::SUBDOMAIN;

/// How the operator logs in. Give exactly one variant.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, PartialEq)]
#[serde(rename_all = "camelCase")]
#[x_kube(
    validation = Rule::new("[has(self.clientCredentials), has(self.refreshToken)].filter(set, set).size() == 1")
        .message("name exactly one of clientCredentials and refreshToken")
)]
pub struct Auth {
    /// A technical user: the OAuth client credentials grant.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_credentials: Option<LoginSecret>,

    /// A person: an OAuth refresh token (offline access). The operator only reads the Secret. The portal renews the token with
    /// each use, and the operator keeps the current one in the Secret `<portal>-session` (`<portal>-delete-session` for
    /// deleteAuth), which it owns.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refresh_token: Option<LoginSecret>,
}

/// The Secret of a login.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Debug, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct LoginSecret {
    /// A Secret of the Portal's namespace. Keys for clientCredentials: `client-id` and `client-secret`. Keys for
    /// refreshToken: `refresh-token`, and `client-id` if it is not Cl2-CX-Portal.
    pub secret_ref: LocalSecret,
}

/// A Secret of the same namespace.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Debug, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct LocalSecret {
    /// The name of the Secret.
    #[schemars(length(min = 1, max = 253), regex(pattern = SUBDOMAIN))]
    pub name: String,
}
