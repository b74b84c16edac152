//! Where `run` serves probes and metrics.

use std::fmt;
use std::net::SocketAddr;
use std::str::FromStr;

/// Where `run` serves probes and metrics.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Listen {
    /// On this port of all addresses of the machine, IPv6 and IPv4 alike. Written as `:8080`.
    All(u16),
    /// On this address alone. Written as `127.0.0.1:8080` or `[::1]:8080`.
    One(SocketAddr),
}

impl FromStr for Listen {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let read = match text.strip_prefix(':') {
            Some(port) => port.parse().ok().map(Self::All),
            None => text.parse().ok().map(Self::One),
        };
        read.ok_or_else(|| {
            "it is a port of all addresses, such as :8080, or an IP address with a port, such as 127.0.0.1:8080 or [::1]:8080"
                .to_owned()
        })
    }
}

impl fmt::Display for Listen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::All(port) => write!(f, ":{port}"),
            Self::One(address) => address.fmt(f),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_port_stands_for_all_addresses() {
        assert_eq!(":8080".parse(), Ok(Listen::All(8080)));
        for text in ["0.0.0.0:8080", "127.0.0.1:0", "[::]:8080", "[::1]:8080"] {
            assert_eq!(text.parse(), Ok(Listen::One(text.parse().unwrap())), "{text}");
        }
        for text in [":8080", "0.0.0.0:8080", "[::1]:8080"] {
            assert_eq!(text.parse::<Listen>().unwrap().to_string(), text);
        }
    }

    #[test]
    fn what_is_no_address_is_refused_with_examples() {
        for text in ["", ":", "8080", ":65536", "::1:8080", "::1", "localhost:8080", "[::1]"] {
            assert!(text.parse::<Listen>().unwrap_err().contains("such as :8080"), "{text}");
        }
    }
}
