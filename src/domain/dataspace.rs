//! What a connector needs to know of a data space beside its technical user, and who says it: the portal, or the Portal's spec.

/// The longest identifier or address.
const LONGEST: usize = 512;

/// Values of a data space, as far as they are known.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DataspaceValues {
    /// The company's decentralized identifier.
    pub did: Option<String>,
    /// The address at which the company's wallet issues self-issued tokens.
    pub wallet_url: Option<String>,
    /// The address of the data space's directory of BPNs and DIDs.
    pub bdrs_url: Option<String>,
    /// The DIDs of the issuers that the data space trusts.
    pub trusted_issuers: Vec<String>,
}

/// A value of the spec that is another one in the portal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// Its name, as in `spec.dataspace`.
    pub name: &'static str,
    /// The value of the spec.
    pub in_spec: String,
    /// The value of the portal.
    pub in_portal: String,
}

impl DataspaceValues {
    /// The values that are used: those of the portal, and where it shows none, those of the spec. The portal shows one trusted
    /// issuer, and a data space may have several, so those of the spec are trusted too.
    #[must_use]
    pub fn used(portal: &Self, spec: &Self) -> Self {
        let either = |portal: &Option<String>, spec: &Option<String>| portal.clone().or_else(|| spec.clone());
        let mut trusted_issuers = portal.trusted_issuers.clone();
        let missing = spec.trusted_issuers.iter().filter(|issuer| !portal.trusted_issuers.contains(issuer));
        trusted_issuers.extend(missing.cloned());
        Self {
            did: either(&portal.did, &spec.did),
            wallet_url: either(&portal.wallet_url, &spec.wallet_url),
            bdrs_url: either(&portal.bdrs_url, &spec.bdrs_url),
            trusted_issuers,
        }
    }

    /// The values of the spec that are not used, because the portal shows others. Issuers are one where the spec has some, and
    /// not that of the portal.
    #[must_use]
    pub fn differences(portal: &Self, spec: &Self) -> Vec<Difference> {
        let single = [
            ("did", &portal.did, &spec.did),
            ("walletUrl", &portal.wallet_url, &spec.wallet_url),
            ("bdrsUrl", &portal.bdrs_url, &spec.bdrs_url),
        ];
        let single = single.into_iter().filter_map(|(name, portal, spec)| {
            let (portal, spec) = (portal.as_ref()?, spec.as_ref()?);
            let difference = Difference { name, in_spec: spec.clone(), in_portal: portal.clone() };
            (portal != spec).then_some(difference)
        });
        let untrusted = portal.trusted_issuers.iter().filter(|issuer| !spec.trusted_issuers.contains(issuer));
        let issuers = untrusted.filter(|_| !spec.trusted_issuers.is_empty()).map(|issuer| Difference {
            name: "trustedIssuers",
            in_spec: spec.trusted_issuers.join(", "),
            in_portal: issuer.clone(),
        });
        single.chain(issuers).collect()
    }
}

/// Whether a text is a decentralized identifier, by the rule that the schema of `spec.dataspace` has too.
#[must_use]
pub fn is_did(text: &str) -> bool {
    let mut parts = text.splitn(3, ':');
    let is = |part: Option<&str>, allowed: fn(u8) -> bool| {
        part.is_some_and(|part| !part.is_empty() && part.bytes().all(allowed))
    };
    text.len() <= LONGEST
        && parts.next() == Some("did")
        && is(parts.next(), |b| b.is_ascii_lowercase() || b.is_ascii_digit())
        && is(parts.next(), |b| b.is_ascii_alphanumeric() || b"-._:%".contains(&b))
}

/// Whether a text is an address of the web, by the rule that the schema of `spec.dataspace` has too.
#[must_use]
pub fn is_web_address(text: &str) -> bool {
    let host = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"));
    text.len() <= LONGEST
        && host.is_some_and(|rest| !rest.is_empty() && rest.bytes().all(|b| b.is_ascii_graphic()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn values(did: Option<&str>, wallet: Option<&str>, issuers: &[&str]) -> DataspaceValues {
        DataspaceValues {
            did: did.map(str::to_owned),
            wallet_url: wallet.map(str::to_owned),
            bdrs_url: None,
            trusted_issuers: issuers.iter().map(|issuer| (*issuer).to_owned()).collect(),
        }
    }

    #[test]
    fn the_portals_values_come_first_for_each_value() {
        let portal = values(Some("did:web:portal"), None, &["did:web:a"]);
        let spec = values(Some("did:web:spec"), Some("https://wallet"), &["did:web:b", "did:web:a"]);
        let used = DataspaceValues::used(&portal, &spec);
        assert_eq!(used, values(Some("did:web:portal"), Some("https://wallet"), &["did:web:a", "did:web:b"]));
        assert_eq!(DataspaceValues::used(&DataspaceValues::default(), &spec), spec);
        assert_eq!(DataspaceValues::used(&portal, &DataspaceValues::default()), portal);
    }

    #[test]
    fn a_difference_is_a_value_that_both_have() {
        let names = |portal: &DataspaceValues, spec: &DataspaceValues| -> Vec<_> {
            DataspaceValues::differences(portal, spec).into_iter().map(|difference| difference.name).collect()
        };
        let portal = values(Some("did:web:portal"), Some("https://wallet"), &["did:web:a"]);
        assert!(names(&portal, &portal).is_empty());
        assert!(names(&portal, &DataspaceValues::default()).is_empty());
        assert!(names(&DataspaceValues::default(), &portal).is_empty());
        assert!(names(&portal, &values(None, None, &["did:web:b", "did:web:a"])).is_empty());
        let other = values(Some("did:web:other"), Some("https://wallet/"), &["did:web:b"]);
        assert_eq!(names(&portal, &other), ["did", "walletUrl", "trustedIssuers"]);
    }

    #[test]
    fn what_is_no_identifier_and_no_address_is_refused() {
        for (text, is) in [
            ("did:web:wallet.example.org:BPNL00000003CRHK", true),
            ("did:key:z6%3A", true),
            ("did:web:", false),
            ("did:WEB:x", false),
            ("did:web:x y", false),
            ("did:web:x\n", false),
            ("https://x", false),
        ] {
            assert_eq!(is_did(text), is, "{text:?}");
        }
        for (text, is) in [
            ("https://wallet.example.org/api/sts", true),
            ("http://x", true),
            ("https://", false),
            ("ftp://x", false),
            ("https://x y", false),
            ("https://x\n", false),
            ("https://ä", false),
        ] {
            assert_eq!(is_web_address(text), is, "{text:?}");
        }
        assert!(!is_web_address(&format!("https://{}", "x".repeat(LONGEST))));
    }
}
