//! Which addresses lead to the same portal: those that differ only in spelling.

use url::Url;

/// The path of the API, which an address may or may not have.
const API_PATH: &str = "/api/administration";

/// A portal's address in one spelling: scheme and host in lower case, without default port, slashes at the end and the
/// path of the API. A text that is no URL is returned without the spaces around it and the slashes at its end.
#[must_use]
pub fn portal(text: &str) -> String {
    let Ok(mut url) = Url::parse(text.trim()) else { return trimmed(text) };
    let mut path = trimmed(url.path());
    let kept = path.len().saturating_sub(API_PATH.len());
    if path.get(kept..).is_some_and(|end| end.eq_ignore_ascii_case(API_PATH)) {
        path = trimmed(path.get(..kept).unwrap_or_default());
    }
    url.set_path(&path);
    trimmed(url.as_str())
}

/// The address of a token endpoint in one spelling: scheme and host in lower case, without default port, fragment and
/// slashes at the end.
#[must_use]
pub fn token_endpoint(text: &str) -> String {
    let Ok(mut url) = Url::parse(text.trim()) else { return trimmed(text) };
    url.set_fragment(None);
    let path = trimmed(url.path());
    url.set_path(&path);
    trimmed(url.as_str())
}

/// Whether two addresses lead to the same portal.
#[must_use]
pub fn is_same_portal(one: &str, other: &str) -> bool {
    // This is asked at each reconcile, and they are nearly always spelled alike.
    one == other || portal(one) == portal(other)
}

/// Whether two addresses are those of the same token endpoint.
#[must_use]
pub fn is_same_token_endpoint(one: &str, other: &str) -> bool {
    one == other || token_endpoint(one) == token_endpoint(other)
}

/// Scheme, host and port of an address, without default port, as `https://portal.example.org`.
#[must_use]
pub fn origin(text: &str) -> String {
    match Url::parse(text.trim()) {
        Ok(url) if url.has_host() => url.origin().ascii_serialization(),
        _ => trimmed(text),
    }
}

/// An address with its port spelled out, as some people write it; `None` where it has none by default.
#[must_use]
pub fn with_port(text: &str) -> Option<String> {
    let url = Url::parse(text.trim()).ok()?;
    let (host, port) = (url.host_str()?, url.port_or_known_default()?);
    let path = trimmed(url.path());
    Some(format!("{}://{host}:{port}{path}", url.scheme()))
}

fn trimmed(text: &str) -> String {
    text.trim().trim_end_matches('/').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spellings_of_one_address_are_the_same() {
        for text in [
            "https://portal.example.org",
            "https://portal.example.org/",
            "https://portal.example.org//",
            " https://portal.example.org:443 ",
            "HTTPS://Portal.Example.ORG/",
            "https://portal.example.org/api/administration",
            "https://portal.example.org:443/API/Administration//",
        ] {
            assert_eq!(portal(text), "https://portal.example.org", "{text}");
            assert!(is_same_portal(text, "https://portal.example.org"), "{text}");
        }
        for text in [
            "http://portal.example.org",
            "https://portal.example.org:8443",
            "https://portal.example.org.evil.example",
            "https://portal2.example.org",
            "https://portal.example.org/other",
            "portal.example.org",
            "",
        ] {
            assert_ne!(portal(text), "https://portal.example.org", "{text}");
            assert!(!is_same_portal(text, "https://portal.example.org"), "{text}");
        }
        assert_eq!(portal("https://p/x/"), "https://p/x");
        assert_eq!(portal("no url/"), "no url");
    }

    #[test]
    fn the_path_of_a_token_endpoint_is_part_of_it() {
        let one = "https://idp.example.org/auth/realms/CX-Central/protocol/openid-connect/token";
        assert_eq!(token_endpoint(one), one);
        assert_eq!(
            token_endpoint(&one.replace("https://idp.example.org", "https://IDP.example.org:443")),
            one
        );
        assert_eq!(token_endpoint(&format!("{one}/")), one);
        assert!(is_same_token_endpoint(&format!("{one}/"), one));
        assert!(!is_same_token_endpoint(&one.replace("CX-Central", "Other"), one));
    }

    #[test]
    fn an_origin_has_neither_path_nor_default_port() {
        assert_eq!(origin("HTTPS://Portal.example.org:443/api/administration"), "https://portal.example.org");
        assert_eq!(origin("http://127.0.0.1:8080/auth/x"), "http://127.0.0.1:8080");
        assert_eq!(origin("nothing"), "nothing");
    }

    #[test]
    fn an_address_with_its_port() {
        assert_eq!(with_port("https://p.example.org/").as_deref(), Some("https://p.example.org:443"));
        assert_eq!(with_port("http://p:8080").as_deref(), Some("http://p:8080"));
        assert_eq!(with_port("p"), None);
    }
}
