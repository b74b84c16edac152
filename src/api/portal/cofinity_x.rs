//! The portal of Cofinity-X: its addresses are known, and its logins are those of a Catena-X portal.
#![allow(clippy::doc_markdown, reason = "kubectl explain shows the texts as they are")]

use kube::KubeSchema;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::auth::Auth;

/// The portal of Cofinity-X.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, PartialEq)]
#[serde(rename_all = "camelCase")]
#[x_kube(
    validation = Rule::new("(self.environment == 'PreProduction') == has(self.tokenUrl)")
        .message("tokenUrl is required for PreProduction, whose identity provider is not published, and must be absent for Production")
)]
pub struct CofinityX {
    /// The environment: Production (portal.cofinity-x.com) or PreProduction (beta).
    pub environment: CofinityXEnvironment,

    /// The token endpoint of the identity provider of PreProduction. Always https.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 512))]
    #[x_kube(
        validation = Rule::new("self.matches('^https://[^/?#@ ]+/[^?# ]+$')")
            .message("tokenUrl is the https address of the token endpoint, path included")
    )]
    pub token_url: Option<String>,

    /// The business partner number of your company, such as BPNL00000003CRHK. If it is set, the operator changes nothing when
    /// the login belongs to another company (WrongCompany). It is required if the login's token names several companies
    /// (CompanyAmbiguous).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 32), regex(pattern = r"^BPN[LSA][0-9A-Z]{12}$"))]
    pub bpn: Option<String>,

    /// The operator's login.
    pub auth: Auth,

    /// A second login, which the operator uses only to delete users. The usual role of the first login, Connector Management,
    /// cannot delete.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub delete_auth: Option<Auth>,
}

/// An environment of Cofinity-X.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Copy, Debug, PartialEq, Eq)]
pub enum CofinityXEnvironment {
    /// The productive portal.
    Production,
    /// The portal for tests ("beta").
    PreProduction,
}
