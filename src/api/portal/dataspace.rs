//! What a connector needs to know of a data space beside its technical user.
#![allow(clippy::doc_markdown, reason = "kubectl explain shows the texts as they are")]

use kube::KubeSchema;
use serde::{Deserialize, Serialize};

use crate::api::bounds::ISSUERS;
use crate::domain::dataspace::DataspaceValues;

/// A decentralized identifier.
const DID: &str = r"^did:[a-z0-9]+:[-._:%a-zA-Z0-9]+$";

/// An address of the web.
const ADDRESS: &str = r"^https?://[^ ]+$";

/// What a connector needs to know of a data space beside its technical user. The operator writes it into Secrets of the formats
/// that need it, and into no others. What the portal shows to the login comes first. Cofinity-X and Catena-X show these values
/// in the details of a registered connector.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, Default, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct Dataspace {
    /// The decentralized identifier of the company, such as did:web:wallet.example.org:BPNL00000003CRHK.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 512), regex(pattern = DID))]
    pub did: Option<String>,

    /// The address of the company's wallet from which a connector gets its self-issued tokens (the value sts.div.url of the
    /// chart tractusx-connector, sts.dim.url before version 0.13).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 512), regex(pattern = ADDRESS))]
    pub wallet_url: Option<String>,

    /// The address of the directory of business partner numbers and identifiers (BDRS).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 512), regex(pattern = ADDRESS))]
    pub bdrs_url: Option<String>,

    /// The decentralized identifiers of the issuers that the data space trusts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = ISSUERS), inner(length(min = 1, max = 512), regex(pattern = DID)))]
    pub trusted_issuers: Option<Vec<String>>,
}

impl From<Dataspace> for DataspaceValues {
    fn from(Dataspace { did, wallet_url, bdrs_url, trusted_issuers }: Dataspace) -> Self {
        Self { did, wallet_url, bdrs_url, trusted_issuers: trusted_issuers.unwrap_or_default() }
    }
}

impl From<DataspaceValues> for Dataspace {
    fn from(DataspaceValues { did, wallet_url, bdrs_url, trusted_issuers }: DataspaceValues) -> Self {
        let trusted_issuers = (!trusted_issuers.is_empty()).then_some(trusted_issuers);
        Self { did, wallet_url, bdrs_url, trusted_issuers }
    }
}
