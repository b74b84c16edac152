//! The company's values of the data space, from the portal's JSON. The portal's web page shows them to a person who registers a
//! connector.

use serde::Deserialize;

use crate::domain::dataspace::{DataspaceValues, is_did, is_web_address};
use crate::portal::bounds::{NAME, Text, URL};
use crate::portal::{PortalError, ShownDataspace};
use crate::transport::Answer;

/// The answer. A company whose wallet is not ready has null in it.
#[derive(Deserialize)]
struct DataspaceDto {
    trusted_issuer: Option<Text<URL>>,
    participant_id: Option<Text<NAME>>,
    iatp_id: Option<Text<URL>>,
    /// The address of the directory that leads from a BPN to a DID.
    did_resolver: Option<Text<URL>>,
    #[serde(rename = "decentralIdentityManagementServiceUrl")]
    service_url: Option<Text<URL>>,
}

/// What an answer shows. A value that is none, such as an empty text, counts as not shown.
pub(super) fn shown(answer: &Answer) -> Result<ShownDataspace, PortalError> {
    // The parser's error quotes the body, so it is dropped.
    let dto: DataspaceDto = serde_json::from_slice(&answer.body)
        .map_err(|_| PortalError::BadAnswer { reason: "it is not what the portal's API promises" })?;
    let did = |text: Option<Text<URL>>| text.map(|text| text.0).filter(|text| is_did(text));
    let address = |text: Option<Text<URL>>| text.map(|text| text.0).filter(|text| is_web_address(text));
    Ok(ShownDataspace {
        company: dto.participant_id.map(|text| text.0).filter(|text| !text.is_empty()),
        values: DataspaceValues {
            did: did(dto.iatp_id),
            wallet_url: address(dto.service_url),
            bdrs_url: address(dto.did_resolver),
            trusted_issuers: did(dto.trusted_issuer).into_iter().collect(),
        },
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use crate::portal::test_support::json::a_body;

    use super::*;

    #[test]
    fn each_value_is_read_on_its_own() {
        let answer = |body| shown(&Answer::of(200, body));
        let all = answer(
            r#"{"trusted_issuer":"did:web:issuer","participant_id":"BPNL1","iatp_id":"did:web:one","did_resolver":
                "https://bdrs/api/directory","decentralIdentityManagementAuthUrl":"https://wallet/oauth/token",
                "decentralIdentityManagementServiceUrl":"https://wallet/api/sts"}"#,
        )
        .unwrap();
        assert_eq!(all.company.as_deref(), Some("BPNL1"));
        assert_eq!(all.values.did.as_deref(), Some("did:web:one"));
        assert_eq!(all.values.wallet_url.as_deref(), Some("https://wallet/api/sts"));
        assert_eq!(all.values.bdrs_url.as_deref(), Some("https://bdrs/api/directory"));
        assert_eq!(all.values.trusted_issuers, ["did:web:issuer"]);
        for body in ["{}", r#"{"iatp_id":null,"participant_id":"","did_resolver":"","trusted_issuer":"x"}"#] {
            let none = ShownDataspace { company: None, values: DataspaceValues::default() };
            assert_eq!(answer(body), Ok(none), "{body}");
        }
        assert!(answer("[]").is_err() && answer(r#"{"iatp_id":1}"#).is_err());
    }

    proptest! {
        #[test]
        fn any_body_can_be_read(body in a_body(&["iatp_id", "did_resolver", "trusted_issuer", "did:web:x", "https://x"])) {
            let mut answer = Answer::of(200, "");
            answer.body = body;
            if let Ok(found) = shown(&answer) {
                prop_assert!(found.values.did.is_none_or(|did| is_did(&did)));
                prop_assert!(found.values.bdrs_url.is_none_or(|url| is_web_address(&url)));
            }
        }
    }
}
