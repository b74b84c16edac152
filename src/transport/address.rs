//! Which addresses may be called, and how they are named in messages.

use std::net::IpAddr;

use url::{Host, Url};

/// `host:port`, as errors name an endpoint: never path or query.
pub(crate) fn endpoint(url: &Url) -> String {
    let host = url.host_str().unwrap_or("?");
    match url.port_or_known_default() {
        Some(port) => format!("{host}:{port}"),
        None => host.to_owned(),
    }
}

/// Whether plain http may be used at all. Secrets and tokens travel in what is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum PlainHttp {
    /// Never: https with checked certificates only.
    #[default]
    Refused,
    /// To loopback and private addresses, for test systems.
    PrivateAddresses,
}

impl PlainHttp {
    /// Whether a request may be sent to `url`. What a name resolves to is checked where the connection is opened
    /// ([`is_private`]).
    pub(crate) fn allows(self, url: &Url) -> bool {
        match (url.scheme(), self, url.host()) {
            ("http", Self::PrivateAddresses, Some(Host::Ipv4(ip))) => is_private(ip.into()),
            ("http", Self::PrivateAddresses, Some(Host::Ipv6(ip))) => is_private(ip.into()),
            ("https", _, Some(_)) | ("http", Self::PrivateAddresses, Some(Host::Domain(_))) => true,
            _ => false,
        }
    }
}

/// An address of this machine or of a private network (RFC 1918, RFC 4193). Link-local addresses are none: cloud providers
/// serve credentials there.
pub(super) fn is_private(ip: IpAddr) -> bool {
    match ip.to_canonical() {
        IpAddr::V4(ip) => ip.is_loopback() || ip.is_private(),
        IpAddr::V6(ip) => ip.is_loopback() || ip.is_unique_local(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_http_is_refused_by_default_and_else_for_private_addresses_alone() {
        for (text, always, for_tests) in [
            ("https://portal.example.org", true, true),
            ("http://127.0.0.1:1", false, true),
            ("http://127.9.9.9", false, true),
            ("http://[::1]:1", false, true),
            ("http://LOCALHOST:1", false, true),
            ("http://10.0.0.1", false, true),
            ("http://172.16.0.1", false, true),
            ("http://192.168.1.1", false, true),
            ("http://[fd00::1]", false, true),
            ("http://[::ffff:10.0.0.1]", false, true),
            // Resolved, and then checked.
            ("http://portal.tx.test", false, true),
            ("http://172.32.0.1", false, false),
            ("http://8.8.8.8", false, false),
            ("http://169.254.169.254", false, false),
            ("http://[fe80::1]", false, false),
            ("http://[::ffff:8.8.8.8]", false, false),
            ("http://0.0.0.0", false, false),
            ("ftp://localhost", false, false),
        ] {
            let url = Url::parse(text).unwrap();
            assert_eq!(PlainHttp::Refused.allows(&url), always, "{text}");
            assert_eq!(PlainHttp::PrivateAddresses.allows(&url), for_tests, "{text}");
        }
    }

    #[test]
    fn an_endpoint_is_host_and_port() {
        let name = |text| endpoint(&Url::parse(text).unwrap());
        assert_eq!(name("https://portal.example.org/a?b=c"), "portal.example.org:443");
        assert_eq!(name("http://[::1]:8080/"), "[::1]:8080");
    }
}
