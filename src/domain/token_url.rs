//! The token endpoint of a credential. What a portal calls `authenticationServiceUrl` is not always that address.

use url::Url;

/// The path of a Keycloak realm's token endpoint after the realm's own path (Keycloak 17 to 26).
const KEYCLOAK_TOKEN_PATH: &str = "/protocol/openid-connect/token";

/// The token endpoint that `text` means, or `None` if it is no http(s) URL with a host and without user info.
///
/// A complete token endpoint is kept; a path that does not end in `/token` is the base of a wallet's authorization server
/// (SAP UAA) and gets `/oauth/token`. Slashes at the end and the fragment are removed.
#[must_use]
pub fn normalise(text: &str) -> Option<String> {
    let mut url = web_url(text)?;
    url.set_fragment(None);
    let path = url.path().trim_end_matches('/').to_owned();
    if path.ends_with("/token") {
        url.set_path(&path);
    } else {
        url.set_path(&format!("{path}/oauth/token"));
    }
    Some(url.into())
}

/// The issuer (`iss`) of the tokens that a Keycloak token endpoint issues: the realm's address. `None` where the
/// endpoint is not Keycloak's.
#[must_use]
pub fn issuer_url(token_url: &str) -> Option<String> {
    let mut url = web_url(token_url)?;
    let realm = url.path().strip_suffix(KEYCLOAK_TOKEN_PATH)?.to_owned();
    if realm.is_empty() {
        return None;
    }
    url.set_path(&realm);
    url.set_query(None);
    url.set_fragment(None);
    Some(url.into())
}

fn web_url(text: &str) -> Option<Url> {
    let url = Url::parse(text.trim()).ok()?;
    let is_web =
        matches!(url.scheme(), "http" | "https") && url.host_str().is_some_and(|host| !host.is_empty());
    // A password in a URL would be visible in every place that shows the URL.
    let is_bare = url.username().is_empty() && url.password().is_none();
    (is_web && is_bare).then_some(url)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_endpoint_is_kept_and_a_base_gets_the_path() {
        for (given, want) in [
            ("https://wallet.example.org", "https://wallet.example.org/oauth/token"),
            ("https://wallet.example.org/", "https://wallet.example.org/oauth/token"),
            ("https://wallet.example.org/uaa//", "https://wallet.example.org/uaa/oauth/token"),
            ("https://wallet.example.org/oauth/token", "https://wallet.example.org/oauth/token"),
            ("https://wallet.example.org/oauth/token/", "https://wallet.example.org/oauth/token"),
            (" http://127.0.0.1:8080/oauth/token#x ", "http://127.0.0.1:8080/oauth/token"),
            (
                "https://idp.example.org/auth/realms/CX-Central/protocol/openid-connect/token",
                "https://idp.example.org/auth/realms/CX-Central/protocol/openid-connect/token",
            ),
            ("https://wallet.example.org/mytoken", "https://wallet.example.org/mytoken/oauth/token"),
            ("https://wallet.example.org/a?zone=1", "https://wallet.example.org/a/oauth/token?zone=1"),
        ] {
            assert_eq!(normalise(given).as_deref(), Some(want), "{given}");
        }
    }

    #[test]
    fn what_is_no_web_address_is_refused() {
        for given in [
            "",
            "Technical User Status is Still in pending state",
            "wallet.example.org",
            "ftp://wallet.example.org",
            "file:///token",
            "https://user:pass@wallet.example.org",
        ] {
            assert_eq!(normalise(given), None, "{given}");
        }
    }

    #[test]
    fn normalising_twice_changes_nothing() {
        for given in ["https://a.example/x", "https://a.example/x/token", "http://[::1]:1/"] {
            let once = normalise(given).unwrap();
            assert_eq!(normalise(&once).as_deref(), Some(once.as_str()));
        }
    }

    #[test]
    fn the_issuer_is_the_realm() {
        let issuer = |text| issuer_url(text);
        assert_eq!(
            issuer("https://idp.example.org/auth/realms/CX-Central/protocol/openid-connect/token").as_deref(),
            Some("https://idp.example.org/auth/realms/CX-Central")
        );
        assert_eq!(issuer("https://wallet.example.org/oauth/token"), None);
        assert_eq!(issuer("https://idp.example.org/protocol/openid-connect/token"), None);
        assert_eq!(issuer("no url"), None);
    }
}
