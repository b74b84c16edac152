//! Through which proxy https goes, and for which hosts it does not.
//!
//! The list of exceptions is read as curl and Go's programs read it, ports included. What is in no known form is refused:
//! an entry without effect sends requests, or their names, to a proxy that should not see them.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use ipnet::IpNet;
use secrecy::{ExposeSecret, SecretString};
use url::{Host, Url};

/// Through which proxy https goes, and for which hosts it does not.
#[derive(Clone, Default)]
pub struct Proxies {
    /// May hold a password.
    https: Option<SecretString>,
    exceptions: Vec<Exception>,
}

impl fmt::Debug for Proxies {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Proxies").field("exceptions", &self.exceptions).finish_non_exhaustive()
    }
}

impl Proxies {
    /// Reads the values of `HTTPS_PROXY` and `NO_PROXY`. The error names what is wrong, and never holds the proxy's address.
    ///
    /// Without a proxy there is nothing to except: a cluster may set `NO_PROXY` in all pods, also for programs that read other
    /// forms.
    pub fn new(https: Option<SecretString>, no_proxy: &str) -> Result<Self, String> {
        let Some(proxy) = https else { return Ok(Self::default()) };
        check_proxy(proxy.expose_secret())?;
        let entries = no_proxy.split(',').map(str::trim).filter(|entry| !entry.is_empty());
        let exceptions = entries
            .map(|entry| {
                entry.parse().map_err(|()| {
                    format!(
                        "NO_PROXY: the entry {entry:?} is in no form that is known. Use example.org, .example.org or \
                         *.example.org (a domain with all names below it), an IP address such as 10.0.0.1 or [fd00::1], a \
                         network such as 10.0.0.0/8, each but the network also with a port such as example.org:8443, or * \
                         for all hosts; separate entries by commas"
                    )
                })
            })
            .collect::<Result<_, _>>()?;
        Ok(Self { https: Some(proxy), exceptions })
    }

    /// The proxy for requests to this address.
    pub(super) fn proxy_for(&self, url: &Url) -> Option<Url> {
        let proxy = self.https.as_ref()?;
        if url.scheme() != "https" || self.exceptions.iter().any(|exception| exception.covers(url)) {
            return None;
        }
        parse_proxy(proxy.expose_secret()).ok()
    }
}

/// Without a scheme http is meant.
fn parse_proxy(text: &str) -> Result<Url, url::ParseError> {
    if text.contains("://") { Url::parse(text) } else { Url::parse(&format!("http://{text}")) }
}

fn check_proxy(text: &str) -> Result<(), String> {
    let wrong = |what: &str| Err(format!("HTTPS_PROXY: {what}, such as http://proxy.example.org:3128"));
    match parse_proxy(text.trim()) {
        Ok(url) if !matches!(url.scheme(), "http" | "https") => {
            wrong("the proxy is not one of HTTP; it is an http or https address")
        }
        Ok(url) if url.has_host() => Ok(()),
        _ => wrong("it is no address of a proxy"),
    }
}

/// Hosts that are called without a proxy.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Exception {
    All,
    Network(IpNet),
    Address(IpAddr, Option<u16>),
    /// A domain and all names below it.
    Domain(String, Option<u16>),
}

impl FromStr for Exception {
    type Err = ();

    fn from_str(entry: &str) -> Result<Self, ()> {
        if entry == "*" {
            return Ok(Self::All);
        }
        if entry.contains('/') {
            return entry.parse().map(Self::Network).map_err(|_| ());
        }
        if let Ok(address) = entry.parse::<IpAddr>() {
            return Ok(Self::Address(address.to_canonical(), None));
        }
        let (host, port) = with_port(entry)?;
        if let Some(address) = host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
            let address: IpAddr = address.parse().map_err(|_| ())?;
            return Ok(Self::Address(address.to_canonical(), port));
        }
        let domain = host.strip_prefix("*.").or_else(|| host.strip_prefix('.')).unwrap_or(host);
        let is_sound = |label: &str| !label.is_empty() && !label.contains(['*', ':', '@', ' ']);
        let domain = domain.strip_suffix('.').unwrap_or(domain);
        match Host::parse(domain) {
            Ok(Host::Domain(name)) if name.split('.').all(is_sound) => Ok(Self::Domain(name, port)),
            Ok(Host::Ipv4(address)) if domain.parse() == Ok(address) && domain == host => {
                Ok(Self::Address(address.into(), port))
            }
            _ => Err(()),
        }
    }
}

/// A host and its port, where it has one.
fn with_port(entry: &str) -> Result<(&str, Option<u16>), ()> {
    if entry.ends_with(']') {
        return Ok((entry, None));
    }
    match entry.rsplit_once(':') {
        Some((host, port)) => Ok((host, Some(port.parse().map_err(|_| ())?))),
        None => Ok((entry, None)),
    }
}

impl Exception {
    fn covers(&self, url: &Url) -> bool {
        let is_port = |port: &Option<u16>| port.is_none() || *port == url.port_or_known_default();
        let address = match url.host() {
            Some(Host::Ipv4(address)) => Some(IpAddr::from(address)),
            Some(Host::Ipv6(address)) => Some(IpAddr::from(address).to_canonical()),
            Some(Host::Domain(_)) | None => None,
        };
        match self {
            Self::All => true,
            Self::Network(network) => address.is_some_and(|address| network.contains(&address)),
            Self::Address(expected, port) => address == Some(*expected) && is_port(port),
            Self::Domain(domain, port) => {
                let Some(Host::Domain(host)) = url.host() else { return false };
                let host = host.strip_suffix('.').unwrap_or(host);
                let below = host.strip_suffix(domain.as_str());
                below.is_some_and(|below| below.is_empty() || below.ends_with('.')) && is_port(port)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn proxies(no_proxy: &str) -> Result<Proxies, String> {
        Proxies::new(Some("http://user:s3cret@proxy.example.net:3128".into()), no_proxy)
    }

    fn is_direct(no_proxy: &str, url: &str) -> bool {
        proxies(no_proxy).unwrap().proxy_for(&url.parse().unwrap()).is_none()
    }

    #[test]
    fn each_form_of_an_exception_works() {
        for (entry, direct, by_proxy) in [
            ("*", &["https://a.example", "https://10.0.0.1", "https://[::1]:8443"][..], &[][..]),
            (
                "corp.example",
                &["https://corp.example", "https://a.b.corp.example:8443", "https://CORP.example"],
                &["https://notcorp.example", "https://corp.example.net"],
            ),
            (
                ".corp.example",
                &["https://a.corp.example", "https://corp.example"],
                &["https://acorp.example"],
            ),
            (
                "*.corp.example",
                &["https://a.corp.example", "https://corp.example"],
                &["https://acorp.example"],
            ),
            ("Corp.Example.", &["https://a.corp.example", "https://corp.example."], &["https://example"]),
            (
                "corp.example:8443",
                &["https://corp.example:8443", "https://a.corp.example:8443"],
                &["https://corp.example"],
            ),
            ("*.corp.example:443", &["https://a.corp.example"], &["https://a.corp.example:8443"]),
            ("my_host.corp.example", &["https://my_host.corp.example"], &["https://myhost.corp.example"]),
            ("localhost", &["https://localhost"], &["https://127.0.0.1"]),
            ("10.0.0.1", &["https://10.0.0.1", "https://10.0.0.1:8443"], &["https://10.0.0.2"]),
            ("10.0.0.1:8443", &["https://10.0.0.1:8443"], &["https://10.0.0.1"]),
            ("10.0.0.0/8", &["https://10.9.9.9"], &["https://11.0.0.1", "https://ten.example"]),
            ("fd00::1", &["https://[fd00::1]", "https://[fd00::1]:8443"], &["https://[fd00::2]"]),
            ("[fd00::1]", &["https://[fd00::1]", "https://[fd00::1]:8443"], &["https://[fd00::2]"]),
            ("[fd00::1]:8443", &["https://[fd00::1]:8443"], &["https://[fd00::1]"]),
            ("fd00::/8", &["https://[fd12::1]"], &["https://[fe80::1]"]),
        ] {
            for url in direct {
                assert!(is_direct(entry, url), "{entry}: {url}");
                assert!(is_direct(&format!("x.example, ,{entry} "), url), "{entry} in a list: {url}");
            }
            for url in by_proxy {
                assert!(!is_direct(entry, url), "{entry}: {url}");
            }
        }
        assert!(!is_direct("", "https://a.example"));
    }

    #[test]
    fn an_entry_in_no_known_form_is_refused_by_name() {
        for entry in [
            "10.*",
            "corp*.example",
            "a.*.example",
            "http://corp.example",
            "10.0.0.0/33",
            "10.0.0.1 10.0.0.2",
            "corp.example:port",
            "corp.example:70000",
            "[fd00::1",
            "[corp.example]",
            "<local>",
            ".10.0.0.1",
            "300.0.0.1",
            "user@corp.example",
            ".",
        ] {
            let error = proxies(&format!("good.example,{entry}")).unwrap_err();
            assert!(error.contains(&format!("{entry:?}")), "{entry}: {error}");
        }
    }

    #[test]
    fn a_proxy_is_an_http_address_that_nothing_repeats() {
        for text in ["socks5://proxy.s3cret:1080", "http://", "http://s3cret:port", "ftp://s3cret"] {
            let error = Proxies::new(Some(text.into()), "").unwrap_err();
            assert!(error.starts_with("HTTPS_PROXY") && !error.contains("s3cret"), "{error}");
        }
        let proxies = Proxies::new(Some("proxy.example.net:3128".into()), "").unwrap();
        let proxy = proxies.proxy_for(&"https://a.example".parse().unwrap()).unwrap();
        assert_eq!(proxy.as_str(), "http://proxy.example.net:3128/");
        assert!(proxies.proxy_for(&"http://a.example".parse().unwrap()).is_none(), "https alone");
        assert!(!format!("{proxies:?}").contains("proxy.example.net"));
    }
}
