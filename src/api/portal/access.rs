//! Which namespaces may use a Portal, and for what.
#![allow(clippy::doc_markdown, reason = "kubectl explain shows the texts as they are")]

use k8s_openapi::apimachinery::pkg::apis::meta::v1::LabelSelector;
use kube::KubeSchema;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

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
