//! Which addresses may be called, and how they are named in messages.

use url::{Host, Url};

/// `host:port`, as errors name an endpoint: never path or query.
pub(crate) fn endpoint(url: &Url) -> String {
    let host = url.host_str().unwrap_or("?");
    match url.port_or_known_default() {
        Some(port) => format!("{host}:{port}"),
        None => host.to_owned(),
    }
}

/// Secrets and tokens travel over TLS only; plain http is for this very machine (RFC 8252 section 8.3).
pub(crate) fn is_safe(url: &Url) -> bool {
    match url.scheme() {
        "https" => true,
        "http" => match url.host() {
            Some(Host::Ipv4(ip)) => ip.is_loopback(),
            Some(Host::Ipv6(ip)) => ip.is_loopback(),
            Some(Host::Domain(name)) => name.eq_ignore_ascii_case("localhost"),
            None => false,
        },
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_http_is_for_loopback_alone() {
        for (text, safe) in [
            ("https://portal.example.org", true),
            ("http://127.0.0.1:1", true),
            ("http://127.9.9.9", true),
            ("http://[::1]:1", true),
            ("http://LOCALHOST:1", true),
            ("http://portal.example.org", false),
            ("http://10.0.0.1", false),
            ("http://localhost.example.org", false),
            ("ftp://localhost", false),
        ] {
            assert_eq!(is_safe(&Url::parse(text).unwrap()), safe, "{text}");
        }
    }

    #[test]
    fn an_endpoint_is_host_and_port() {
        let name = |text| endpoint(&Url::parse(text).unwrap());
        assert_eq!(name("https://portal.example.org/a?b=c"), "portal.example.org:443");
        assert_eq!(name("http://[::1]:8080/"), "[::1]:8080");
    }
}
