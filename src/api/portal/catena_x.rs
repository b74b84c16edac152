//! A portal with the Catena-X software: its addresses and its logins.
#![allow(clippy::doc_markdown, reason = "kubectl explain shows the texts as they are")]

use kube::KubeSchema;
use serde::{Deserialize, Serialize};

use super::auth::Auth;

/// Hosts that plain http may go to: names, loopback and private addresses. What a name resolves to is checked when the
/// operator connects.
macro_rules! private_host {
    () => {
        "(127[.][0-9.]+|10[.][0-9.]+|192[.]168[.][0-9.]+|172[.](1[6-9]|2[0-9]|3[01])[.][0-9.]+|\\\\[::1\\\\]|\\\\[[fF][cCdD][0-9a-fA-F:]+\\\\]|([a-zA-Z0-9-]+[.])*[a-zA-Z][a-zA-Z0-9-]*[.]?)(:[0-9]+)?"
    };
}

/// The rule for the address of a portal's backend.
const BACKEND: &str = concat!(
    "self.matches('^https://[^/?#@ ]+(/api/administration)?/?$') || self.matches('^http://",
    private_host!(),
    "(/api/administration)?/?$')"
);

/// The rule for the address of a token endpoint.
const TOKEN_ENDPOINT: &str = concat!(
    "self.matches('^https://[^/?#@ ]+/[^?# ]+$') || self.matches('^http://",
    private_host!(),
    "/[^?# ]+$')"
);

/// The rule for all addresses of a portal together.
const ASKED_FOR: &str = "(has(self.insecureHttp) && self.insecureHttp) || \
     [self.url, self.tokenUrl, has(self.walletTokenUrl) ? self.walletTokenUrl : ''].all(address, !address.startsWith('http://'))";

/// A portal with the Catena-X software.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, PartialEq)]
#[serde(rename_all = "camelCase")]
#[x_kube(
    validation = Rule::new(ASKED_FOR)
        .message("plain http is for test systems only: set insecureHttp to true, and the chart's value allowInsecureHttp")
)]
pub struct CatenaX {
    /// The address of the portal's backend, such as `https://portal-backend.example.org`, not of its web page. A
    /// trailing /api/administration is accepted. Plain http needs `insecureHttp`.
    #[schemars(length(min = 1, max = 512))]
    #[x_kube(
        validation = Rule::new(BACKEND)
            .message("url is the https address of the portal's backend, without a path (or with /api/administration)")
    )]
    pub url: String,

    /// The token endpoint of the portal's central identity provider, such as
    /// `https://centralidp.example.org/auth/realms/CX-Central/protocol/openid-connect/token`. Plain http needs
    /// `insecureHttp`.
    #[schemars(length(min = 1, max = 512))]
    #[x_kube(
        validation = Rule::new(TOKEN_ENDPOINT)
            .message("tokenUrl is the https address of the token endpoint, path included")
    )]
    pub token_url: String,

    /// The token endpoint of the wallet service, for wallet users of a portal before 2.3, which does not report it. Later
    /// portals report it, and the operator then uses the reported one. Plain http needs `insecureHttp`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 512))]
    #[x_kube(
        validation = Rule::new(TOKEN_ENDPOINT)
            .message("walletTokenUrl is the https address of the token endpoint, path included")
    )]
    pub wallet_token_url: Option<String>,

    /// If true, the operator accepts plain http for loopback and private addresses, for test systems only. Logins, tokens and client
    /// secrets are then sent unencrypted. It has an effect only if the operator permits it (chart value
    /// `allowInsecureHttp`). The condition `InsecureHttp` reports it. Default: false.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub insecure_http: Option<bool>,

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
