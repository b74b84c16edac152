//! Kind `Portal`: where users are made, with which login, and who may use it.
#![allow(
    clippy::duplicated_attributes,
    reason = "the lint takes two printer columns of one type for a mistake"
)]
#![allow(clippy::doc_markdown, reason = "kubectl explain shows the texts as they are")]

use k8s_openapi::apimachinery::pkg::apis::meta::v1::{Condition, LabelSelector};
use kube::core::Duration;
use kube::{CustomResource, KubeSchema};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::api::bounds::{
    ADDRESS, COMPANY, NAME, OFFERED, RESOURCE, TEXT, WORD, of_conditions, without_defaults,
};
use crate::api::names::{DATA_KEY, SUBDOMAIN};

/// A data-space portal, seen through one login of one company.
///
/// The login is a technical user with the role "Connector Management" that an administrator of the company made by
/// hand in the portal. It can list, read (secrets included), create and reset every technical user of the company;
/// `access` decides which namespaces may have that done for them, and for which roles.
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
    /// Catena-X, and everybody who runs its portal. Exactly one of `catenaX` and `cofinityX` is given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub catena_x: Option<CatenaX>,

    /// Cofinity-X: you log in at a cofinity-x.com address. Exactly one of `catenaX` and `cofinityX` is given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cofinity_x: Option<CofinityX>,

    /// Which namespaces may use this portal, and for what. Absent: the Portal's own namespace, for every role, and it
    /// may also publish users that the operator did not make. The first rule that grants a request serves.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 64))]
    pub access: Option<Vec<AccessRule>>,

    /// Certificates to trust besides the public roots.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tls: Option<Tls>,

    /// How hard the portal may be worked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limits: Option<Limits>,

    /// How often the portal's whole user list is read, once for all TechnicalUsers. At least 10s. Default: 5m.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 32))]
    #[x_kube(validation = Rule::new("duration(self) >= duration('10s')").message("resyncInterval is at least 10s"))]
    pub resync_interval: Option<Duration>,

    /// How published credentials are tried again at their token endpoint.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub verification: Option<VerificationPolicy>,

    /// What becomes of a TechnicalUser under deletion whose user can be neither deleted nor revoked with this login.
    /// Hold keeps the resource, with a condition that names what a person has to do. Release lets it go and lists the
    /// user in `status.retained`. Default: Hold.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub when_undeletable: Option<WhenUndeletable>,

    /// True: nothing is written to this portal (no create, reset, update or delete). It is still read, and deleted
    /// Secrets are still healed. Default: false.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub suspend: Option<bool>,
}

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

/// A portal of the Catena-X make.
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

    /// The token endpoint of the wallet service, for wallet users of a portal before 2.3, which does not tell it. Later
    /// portals tell it themselves, and what they tell is used. Plain http needs `insecureHttp`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 512))]
    #[x_kube(
        validation = Rule::new(TOKEN_ENDPOINT)
            .message("walletTokenUrl is the https address of the token endpoint, path included")
    )]
    pub wallet_token_url: Option<String>,

    /// True: plain http is accepted for loopback and private addresses, for test systems only. Logins, tokens and client
    /// secrets are then sent unencrypted. It has an effect only where the operator permits it (chart value
    /// `allowInsecureHttp`). The condition `InsecureHttp` reports it. Default: false.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub insecure_http: Option<bool>,

    /// The business partner number of your company. Given: the operator refuses to work (WrongCompany) when the login
    /// belongs to another company. Needed where the login's token names several companies (CompanyAmbiguous).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 32), regex(pattern = r"^BPN[LSA][0-9A-Z]{12}$"))]
    pub bpn: Option<String>,

    /// The operator's login.
    pub auth: Auth,

    /// A second login that is used for deletion alone. The role of the guides, Connector Management, cannot delete.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub delete_auth: Option<Auth>,
}

/// The portal of Cofinity-X.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, PartialEq)]
#[serde(rename_all = "camelCase")]
#[x_kube(
    validation = Rule::new("(self.environment == 'PreProduction') == has(self.tokenUrl)")
        .message("tokenUrl is required for PreProduction, whose identity provider is not published, and means nothing for Production")
)]
pub struct CofinityX {
    /// Production (portal.cofinity-x.com) or PreProduction (beta).
    pub environment: CofinityXEnvironment,

    /// The token endpoint of the identity provider of PreProduction. Always https.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 512))]
    #[x_kube(
        validation = Rule::new("self.matches('^https://[^/?#@ ]+/[^?# ]+$')")
            .message("tokenUrl is the https address of the token endpoint, path included")
    )]
    pub token_url: Option<String>,

    /// The business partner number of your company. Given: the operator refuses to work (WrongCompany) when the login
    /// belongs to another company. Needed where the login's token names several companies (CompanyAmbiguous).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 32), regex(pattern = r"^BPN[LSA][0-9A-Z]{12}$"))]
    pub bpn: Option<String>,

    /// The operator's login.
    pub auth: Auth,

    /// A second login that is used for deletion alone. The role of the guides, Connector Management, cannot delete.
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

/// How the operator logs in. Exactly one variant is given.
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

    /// A person: an OAuth refresh token (offline access). The Secret is only read; the portal renews the token with
    /// each use, and the live one is kept in the Secret `<portal>-session` (`<portal>-delete-session` for deleteAuth), which
    /// belongs to the operator.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refresh_token: Option<LoginSecret>,
}

/// Where a login is read from.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Debug, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct LoginSecret {
    /// A Secret of the Portal's namespace. Keys for clientCredentials: `client-id` and `client-secret`. Keys for
    /// refreshToken: `refresh-token`, and `client-id` where it is not Cl2-CX-Portal.
    pub secret_ref: LocalSecret,
}

/// A Secret of the same namespace.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Debug, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct LocalSecret {
    /// The Secret's name.
    #[schemars(length(min = 1, max = 253), regex(pattern = SUBDOMAIN))]
    pub name: String,
}

/// What some namespaces may do with a Portal.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, PartialEq)]
#[serde(rename_all = "camelCase")]
#[x_kube(
    validation = Rule::new("self.namespaces.from == 'Same' || has(self.roles) || (has(self.existing) && self.existing)")
        .message("a rule for other namespaces names the roles that it grants, or sets existing")
)]
pub struct AccessRule {
    /// The namespaces whose TechnicalUsers this rule serves.
    pub namespaces: AccessNamespaces,

    /// The roles that they may ask for, by exact name. Required unless `from` is Same; absent there: every role.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 64), inner(length(min = 1, max = 255)))]
    #[x_kube(merge_strategy = ListMerge::Set)]
    pub roles: Option<Vec<String>>,

    /// Whether they may publish users that the operator did not make (`spec.user.existing`), whatever role these have.
    /// Default: false.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub existing: Option<bool>,
}

/// A set of namespaces.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, PartialEq)]
#[serde(rename_all = "camelCase")]
#[x_kube(
    validation = Rule::new("(self.from == 'Selector') == has(self.selector)").message("selector is given exactly where from is Selector")
)]
pub struct AccessNamespaces {
    /// Same: the Portal's own. All: every namespace that the operator watches. Selector: by the namespace's labels.
    pub from: AccessFrom,

    /// The labels of the namespaces, where `from` is Selector.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub selector: Option<LabelSelector>,
}

/// Which namespaces a rule serves.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Copy, Debug, PartialEq, Eq)]
pub enum AccessFrom {
    /// The Portal's own namespace.
    Same,
    /// Every namespace that the operator watches.
    All,
    /// Namespaces by their labels.
    Selector,
}

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

/// How hard a portal may be worked. Shared by all TechnicalUsers of the Portal.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Copy, Debug, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct Limits {
    /// Requests a second, on average. Default: 10.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 1000))]
    pub requests_per_second: Option<i32>,

    /// Requests that may go out at once after a quiet time. Default: 20.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 1000))]
    pub burst: Option<i32>,

    /// Requests under way at the same time. Default: 4, from which on the portal gets no faster. Creates take at most half
    /// of these, and at least one; with a limit of 1, one other request may be sent during a create.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 64))]
    pub concurrency: Option<i32>,
}

/// How published credentials are tried again.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Copy, Debug, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct VerificationPolicy {
    /// How often each published credential is tried at its token endpoint, so that a reset by hand is noticed. At
    /// least 10s. Default: 1h.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 32))]
    #[x_kube(validation = Rule::new("duration(self) >= duration('10s')").message("verification.interval is at least 10s"))]
    pub interval: Option<Duration>,
}

/// What becomes of a TechnicalUser under deletion whose user can be neither deleted nor revoked with this login. Hold keeps
/// the resource, with a condition that names what a person has to do. Release lets it go and lists the user in
/// `status.retained`. Default: Hold.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Copy, Debug, PartialEq, Eq)]
pub enum WhenUndeletable {
    /// The resource stays until a person has acted.
    Hold,
    /// The resource goes; the user is listed as retained.
    Release,
}

/// What the operator found.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Debug, Default, PartialEq)]
#[serde(rename_all = "camelCase", default)]
// The apiserver gives a new object this status, so that kstatus calls it InProgress before the operator has seen it.
#[schemars(extend("default" = {"observedGeneration": -1}))]
pub struct PortalStatus {
    /// The `metadata.generation` that the conditions describe. -1: the operator has not seen the resource yet.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub observed_generation: Option<i64>,

    /// Ready and CanDelete, and while they are true: Reconciling (the operator goes on by itself), Stalled (only a person can
    /// help), CertificatesIgnored (certificates of the CA bundle cannot be used), InsecureHttp (plain http is used).
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schemars(extend("x-kubernetes-list-type" = "map", "x-kubernetes-list-map-keys" = ["type"]), transform = of_conditions)]
    pub conditions: Vec<Condition>,

    /// The company that the login belongs to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub company: Option<Company>,

    /// The portal's version as far as its answers tell, such as "2.5 or 2.6".
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = WORD))]
    pub version: Option<String>,

    /// What the login may do.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub permissions: Option<PermissionsFound>,

    /// The roles that the portal offers to the company.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = OFFERED))]
    pub roles: Vec<OfferedRole>,

    /// The number of TechnicalUsers that use this Portal. It is counted when the user list was read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub technical_users: Option<i64>,

    /// The number of technical users of the company that the portal's user list shows, whether or not the operator created them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub users: Option<i64>,

    /// Users that the operator left in the portal, the newest last; at most 100. An entry is removed once the portal no
    /// longer knows its user. The list is for people: the operator decides by the mark in the user's description.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = RETAINED_LIMIT))]
    pub retained: Vec<RetainedUser>,

    /// The number of entries that were left out of `retained` since the list became full. Absent while the list has room.
    /// In the portal, the description of each retained user begins with "No longer managed from Kubernetes."
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retained_omitted: Option<i64>,

    /// Users of the portal that bear this installation's mark while no resource claims them; at most 100.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = UNCLAIMED_LIMIT))]
    pub unclaimed: Vec<UnclaimedUser>,

    /// The number of recorded users that are missing from the user list, where that is taken for a fault of the portal
    /// (reason UsersVanished). It is kept while the portal cannot be read, and while the Portal is deleted. Absent while
    /// no mass disappearance is suspected.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub missing_users: Option<i64>,
}

/// The most users that `status.retained` lists.
pub const RETAINED_LIMIT: usize = 100;

/// The most users that `status.unclaimed` lists.
pub const UNCLAIMED_LIMIT: usize = 100;

/// A company of the data space.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Debug, Default, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct Company {
    /// Its business partner number.
    #[schemars(length(max = COMPANY))]
    pub bpn: String,
}

/// What a login may do.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Copy, Debug, Default, PartialEq, Eq)]
#[serde(rename_all = "camelCase", default)]
#[schemars(transform = without_defaults)]
#[allow(clippy::struct_excessive_bools, reason = "four independent permissions, not a state")]
pub struct PermissionsFound {
    /// List and read technical users.
    pub view: bool,
    /// Create, update and reset technical users.
    pub create: bool,
    /// Delete technical users (with `deleteAuth` where it is given).
    pub delete: bool,
    /// List the roles on offer.
    pub roles: bool,
}

/// A role on offer.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Debug, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct OfferedRole {
    /// The exact name, as in `spec.user.create.roles`.
    #[schemars(length(max = NAME))]
    pub name: String,
    /// Internal (central identity provider, at once) or External (wallet service, takes minutes).
    #[schemars(length(max = WORD))]
    pub kind: String,
    /// Only providers may use it: asking for it yields no user.
    #[serde(default, skip_serializing_if = "is_false")]
    pub provider_only: bool,
}

/// A user that the operator left in the portal.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Debug, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct RetainedUser {
    /// The portal's id of the user.
    #[schemars(length(max = WORD))]
    pub id: String,
    /// Its OAuth client ID.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = NAME))]
    pub client_id: Option<String>,
    /// Its name in the portal.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = NAME))]
    pub name: Option<String>,
    /// The `TechnicalUser` it was made for, `<namespace>/<name>`.
    #[schemars(length(max = RESOURCE))]
    pub technical_user: String,
    /// Why it stayed.
    #[schemars(length(max = TEXT))]
    pub reason: String,
    /// Since when it is listed here.
    #[schemars(length(max = WORD), extend("format" = "date-time"))]
    pub since: String,
    /// The address of the portal that the user is in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = ADDRESS))]
    pub url: Option<String>,
    /// The business partner number of the company that the user belongs to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = COMPANY))]
    pub bpn: Option<String>,
}

/// The reason of an entry that a sweep added because of the user's mark.
pub const FOUND_BY_MARK: &str = "its description says that it is retained";

impl RetainedUser {
    /// A sweep added this entry because of the user's mark; the resource that retained the user knows the reason.
    #[must_use]
    pub fn found_by_mark(&self) -> bool {
        self.reason == FOUND_BY_MARK
    }
}

/// A user of ours that no resource claims.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Debug, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct UnclaimedUser {
    /// The portal's id of the user.
    #[schemars(length(max = WORD))]
    pub id: String,
    /// Its name in the portal.
    #[schemars(length(max = NAME))]
    pub name: String,
    /// The `TechnicalUser` its mark names, `<namespace>/<name>`.
    #[schemars(length(max = RESOURCE))]
    pub technical_user: String,
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde calls it with a reference")]
fn is_false(value: &bool) -> bool {
    !value
}
