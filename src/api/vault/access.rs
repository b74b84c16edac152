//! Which namespaces may have entries in a Vault, and where.
#![allow(clippy::doc_markdown, reason = "kubectl explain shows the texts as they are")]

use kube::KubeSchema;
use serde::{Deserialize, Serialize};

use crate::api::portal::AccessNamespaces;

/// The rule for a prefix: whole segments, and no other placeholder than `{namespace}`.
const PREFIX: &str = "self.replace('{namespace}', 'n').matches('^[A-Za-z0-9._-]+(/[A-Za-z0-9._-]+)*$') \
     && !self.split('/').exists(segment, segment == '.' || segment == '..')";

/// Where some namespaces may have entries.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, PartialEq)]
#[serde(rename_all = "camelCase")]
#[x_kube(
    validation = Rule::new("self.namespaces.from == 'Same' || has(self.prefix)")
        .message("a rule for other namespaces names the prefix below which they may have entries")
)]
pub struct VaultAccessRule {
    /// The namespaces whose TechnicalUsers this rule serves.
    pub namespaces: AccessNamespaces,

    /// The folder of the mount below which they may have entries, such as `connectors/{namespace}`. `{namespace}` stands for
    /// the namespace of the TechnicalUser. It is compared by whole segments: `a/b` permits `a/b/c`, not `a/bc`. Required
    /// unless `from` is Same; absent there: the whole mount.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 200))]
    #[x_kube(
        validation = Rule::new(PREFIX)
            .message("prefix is a path such as connectors/{namespace}, of letters, digits and . _ -, without empty segments, . and ..")
    )]
    pub prefix: Option<String>,
}
