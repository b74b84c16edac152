//! An output that is a Secret: its name, its keys and what they hold.
#![allow(clippy::doc_markdown, reason = "kubectl explain shows the texts as they are")]

use std::collections::BTreeMap;

use kube::KubeSchema;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::recorded_output::OutputKind;
use crate::api::names::{DATA_KEY, SUBDOMAIN};

/// What a rule of several fields begins with: the format, also where it is not given.
macro_rules! format_is {
    ($formats:literal) => {
        concat!("(has(self.format) ? self.format : 'Raw') in [", $formats, "]")
    };
}

/// A Secret that the operator writes.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, Default, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
#[x_kube(
    validation = Rule::new(concat!("!has(self.edcDialect) || ", format_is!("'EdcHelmValues'")))
        .message("edcDialect is for the format EdcHelmValues"),
    validation = Rule::new(concat!("!has(self.keyStyle) && !has(self.keyPrefix) || !has(self.keys) && ", format_is!("'Raw', 'Dotenv'")))
        .message("keyStyle and keyPrefix are for the formats Raw and Dotenv, without keys"),
    validation = Rule::new(concat!("!(has(self.keyStyle) && self.keyStyle == 'Kebab') || !(", format_is!("'Dotenv'"), ")"))
        .message("a variable of the format Dotenv has no dashes: use another keyStyle"),
    validation = Rule::new(concat!("!has(self.keys) || !(", format_is!("'SpringEnv', 'Template'"), ")"))
        .message("keys is not for the formats SpringEnv and Template"),
    validation = Rule::new(concat!("has(self.template) == (", format_is!("'Template'"), ")"))
        .message("template is for the format Template, which needs it"),
    validation = Rule::new(concat!("!has(self.springRegistration) || ", format_is!("'SpringEnv', 'SpringApplication'")))
        .message("springRegistration is for the formats SpringEnv and SpringApplication"),
    validation = Rule::new(concat!("!has(self.secretAlias) || ", format_is!("'EdcEnv', 'EdcHelmValues', 'EdcMemory', 'Properties', 'Template'")))
        .message("secretAlias is for the formats EdcEnv, EdcHelmValues, EdcMemory, Properties and Template"),
    validation = Rule::new("!(has(self.creationPolicy) && self.creationPolicy == 'Merge') || !has(self.type) && !has(self.labels) && !has(self.annotations)")
        .message("type, labels and annotations are not for creationPolicy Merge: the Secret belongs to another owner"),
    validation = Rule::new("!(has(self.creationPolicy) && self.creationPolicy == 'Merge') || !(has(self.immutable) && self.immutable)")
        .message("immutable is not for creationPolicy Merge: the Secret belongs to another owner")
)]
pub struct SecretOutput {
    /// The name of the Secret. Default: the name of the resource.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 253), regex(pattern = SUBDOMAIN))]
    pub name: Option<String>,

    /// Whose Secret it is. Owner: the operator creates the Secret, owns it, and refuses one of another owner. Merge: the operator
    /// adds keys to a Secret that another owner created, and removes just these keys when the output or the resource is removed. It
    /// overwrites no key of another owner. Default: Owner.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub creation_policy: Option<CreationPolicy>,

    /// Which keys the Secret has, and what each holds. See the type for the formats. Default: Raw.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub format: Option<SecretFormat>,

    /// Which values the chart of the connector has, for the format EdcHelmValues. Default: Dcp.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub edc_dialect: Option<EdcDialect>,

    /// How the words of each key are joined, for the formats Raw (default: Kebab) and Dotenv (default: UpperSnake, for the
    /// variables in the file).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key_style: Option<KeyStyle>,

    /// A text that precedes each key, for the formats Raw and Dotenv, such as PORTAL_. Default: none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 128), regex(pattern = DATA_KEY))]
    pub key_prefix: Option<String>,

    /// Renames keys, and selects them: from the key of the format to the key in the Secret, such as client-id:
    /// semanticsId. The Secret then has these keys only. For Dotenv these are the variables in the file. Not for the
    /// formats SpringEnv and Template. Default: all keys of the format, under their names.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("maxProperties" = 16))]
    pub keys: Option<BTreeMap<String, DataKey>>,

    /// A Jinja template for each key, for the format Template. The variables are clientId, clientSecret, tokenUrl,
    /// technicalUserId, kind, bpn, issuerUrl, did, walletUrl, bdrsUrl, trustedIssuers and secretAlias; a variable that is not
    /// known is an error. The filters json, yaml, properties, dotenv and base64 quote a value for a file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("maxProperties" = 16))]
    pub template: Option<BTreeMap<String, TemplateText>>,

    /// The name of the OAuth client in the Spring application, for the formats SpringEnv and SpringApplication. Default:
    /// technical-user.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 63), regex(pattern = r"^[a-z]([-a-z0-9]*[a-z0-9])?$"))]
    pub spring_registration: Option<String>,

    /// The name of the entry in Vault in which the connector finds the client secret, for the formats EdcEnv, EdcHelmValues,
    /// EdcMemory, Properties and Template. Letters, digits, dots, dashes, underscores and slashes. Default: the alias of the
    /// first vault output of the resource with creationPolicy Owner, which changes with each generation of the user if the
    /// Vault's `aliasMode` is PerGeneration. Required for these formats, Template aside, if there is no such output.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 200), regex(pattern = r"^[-._a-zA-Z0-9]+(/[-._a-zA-Z0-9]+)*$"))]
    pub secret_alias: Option<String>,

    /// The type of the Secret, such as kubernetes.io/basic-auth. Kubernetes cannot change the type of a Secret: after a change
    /// delete the Secret, and the operator creates it again. Default: Opaque.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 253), regex(pattern = r"^[-._/a-zA-Z0-9]+$"))]
    #[x_kube(validation = Rule::new("!(self in ['kubernetes.io/service-account-token', 'bootstrap.kubernetes.io/token'])").message("the operator writes no Secret of a type that gives access to the cluster"))]
    pub r#type: Option<String>,

    /// Whether Kubernetes permits no change of the content. The operator then creates a new Secret for each content: its name ends
    /// with a dash and the number of the content, from 1, and `status.outputs` has the name. The former Secret is deleted after
    /// the new one is written, the workloads of restart are restarted, and rotation.overlap has passed. Default: false.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub immutable: Option<bool>,

    /// Labels of the Secret, such as one that a controller which restarts pods watches.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("maxProperties" = 64))]
    #[x_kube(validation = Rule::new("self.all(key, !key.startsWith('technicaluser.dev/'))").message("labels of technicaluser.dev belong to the operator"))]
    pub labels: Option<BTreeMap<String, String>>,

    /// Annotations of the Secret.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("maxProperties" = 64))]
    #[x_kube(validation = Rule::new("self.all(key, !key.startsWith('technicaluser.dev/'))").message("annotations of technicaluser.dev belong to the operator"))]
    pub annotations: Option<BTreeMap<String, String>>,
}

impl SecretOutput {
    /// The kind of the output.
    #[must_use]
    pub fn kind(&self) -> OutputKind {
        if self.creation_policy == Some(CreationPolicy::Merge) {
            OutputKind::MergedSecret
        } else if self.immutable == Some(true) {
            OutputKind::ImmutableSecret
        } else {
            OutputKind::Secret
        }
    }

    /// The name of the Secret; for an immutable one without its number.
    #[must_use]
    pub fn secret_name<'a>(&'a self, resource: &'a str) -> &'a str {
        self.name.as_deref().unwrap_or(resource)
    }
}

/// Whose a Secret or an entry in a Vault is. Owner: the operator creates it, owns it, and refuses one of another owner. Merge: the
/// operator adds keys to one that another owner created, and removes just these keys when the output or the resource is removed. It
/// overwrites no key of another owner. Default: Owner.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum CreationPolicy {
    /// The operator creates the Secret or the entry and owns it.
    #[default]
    Owner,
    /// The operator adds keys to a Secret or an entry of another owner.
    Merge,
}

/// The key in the Secret.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Debug, PartialEq, Eq)]
#[serde(transparent)]
#[schemars(inline)]
pub struct DataKey(#[schemars(length(min = 1, max = 253), regex(pattern = DATA_KEY))] pub String);

/// The template.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Debug, PartialEq, Eq)]
#[serde(transparent)]
#[schemars(inline)]
pub struct TemplateText(#[schemars(length(min = 1, max = 16384))] pub String);

/// Which keys the Secret has, and what each holds. Raw: one key for each value: client-id, client-secret, token-url,
/// technical-user-id, bpn if the company is known, and issuer-url for users of the central identity provider. EdcEnv:
/// variables of a tractusx-connector that reads its client secret from Vault. EdcHelmValues: values for its chart, for Flux.
/// EdcMemory: variables of a connector whose vault is in memory. VaultJson: the client secret as JSON for Vault. SpringEnv
/// and SpringApplication: variables, or application.yml, of a Spring application. Dotenv: an env file for Docker Compose.
/// Properties: configuration.properties of a connector. DataSpaceIntegration: a worksheet for the onboarding form of SAP's
/// Data Space Integration. Template: keys from templates. Default: Raw.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SecretFormat {
    /// One key for each value.
    #[default]
    Raw,
    /// Variables of a tractusx-connector that reads its client secret from Vault.
    EdcEnv,
    /// Values for the chart of a tractusx-connector.
    EdcHelmValues,
    /// Variables of a connector whose vault is in memory.
    EdcMemory,
    /// The client secret as JSON for Vault.
    VaultJson,
    /// Variables of a Spring application.
    SpringEnv,
    /// `application.yml` of a Spring application.
    SpringApplication,
    /// An env file for Docker Compose.
    Dotenv,
    /// `configuration.properties` of a connector.
    Properties,
    /// A worksheet for the onboarding form of SAP's Data Space Integration.
    DataSpaceIntegration,
    /// Keys from templates.
    Template,
}

/// Which values the chart tractusx-connector has, for the format EdcHelmValues. Iatp: the versions up to 0.12. Dcp: from
/// version 0.13 on. Default: Dcp.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum EdcDialect {
    /// The versions up to 0.12.
    Iatp,
    /// From version 0.13 on.
    #[default]
    Dcp,
}

/// How the words of each key are joined, for the formats Raw (default: Kebab) and Dotenv (default: UpperSnake, for the
/// variables in the file). Kebab: client-id. Camel: clientId. Snake: client_id. UpperSnake: CLIENT_ID.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyStyle {
    /// client-id
    Kebab,
    /// clientId
    Camel,
    /// client_id
    Snake,
    /// CLIENT_ID
    UpperSnake,
}
