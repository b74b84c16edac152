//! Which namespaces may use a Portal, and for what.
#![allow(clippy::doc_markdown, reason = "kubectl explain shows the texts as they are")]

use k8s_openapi::apimachinery::pkg::apis::meta::v1::LabelSelector;
use kube::KubeSchema;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A rule: what some namespaces may do with a Portal.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, PartialEq)]
#[serde(rename_all = "camelCase")]
#[x_kube(
    validation = Rule::new("self.namespaces.from == 'Same' || has(self.roles) || (has(self.existing) && self.existing)")
        .message("a rule for other namespaces names the roles that it grants, or sets existing")
)]
pub struct AccessRule {
    /// The namespaces whose TechnicalUsers this rule serves.
    pub namespaces: AccessNamespaces,

    /// The roles that they may request, by exact name. Required unless `from` is Same. Default for Same: every role.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 64), inner(length(min = 1, max = 255)))]
    #[x_kube(merge_strategy = ListMerge::Set)]
    pub roles: Option<Vec<String>>,

    /// Whether they may publish users that the operator did not create (`spec.user.existing`). The rule must name all roles of
    /// such a user. Default: false.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub existing: Option<bool>,

    /// Whether they may take over users that the operator did not create (`spec.user.create.adopt`): the operator then changes them,
    /// and deletes them with their TechnicalUser. The rule must name all roles of such a user. Default: false.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub adopt: Option<bool>,
}

/// A set of namespaces.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, PartialEq)]
#[serde(rename_all = "camelCase")]
#[x_kube(
    validation = Rule::new("(self.from == 'Selector') == has(self.selector)").message("selector is given exactly where from is Selector")
)]
pub struct AccessNamespaces {
    /// How the rule selects namespaces. Same: the namespace of the resource with this rule. All: every namespace that the operator watches.
    /// Selector: the namespaces with the labels of `selector`.
    pub from: AccessFrom,

    /// The labels of the namespaces. Required if `from` is Selector, and not permitted otherwise.
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
