//! Names that are called by plain http: only their loopback and private addresses count.

use std::error::Error;
use std::io;
use std::net::SocketAddr;

use reqwest::dns::{Addrs, Name, Resolve, Resolving};

use super::address::is_private;

/// What the error says where a name has other addresses only.
pub(super) const PUBLIC_ONLY: &str = "only public addresses";

/// Resolves as the system does, and leaves out public addresses.
pub(super) struct PrivateResolver;

impl Resolve for PrivateResolver {
    fn resolve(&self, name: Name) -> Resolving {
        Box::pin(async move {
            let found = tokio::net::lookup_host((name.as_str(), 0)).await?;
            private_of(found)
        })
    }
}

fn private_of(found: impl Iterator<Item = SocketAddr>) -> Result<Addrs, Box<dyn Error + Send + Sync>> {
    let private: Vec<SocketAddr> = found.filter(|address| is_private(address.ip())).collect();
    if private.is_empty() {
        return Err(io::Error::other(PUBLIC_ONLY).into());
    }
    Ok(Box::new(private.into_iter()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn public_addresses_of_a_name_are_left_out() {
        let all =
            |texts: &[&str]| -> Vec<SocketAddr> { texts.iter().map(|text| text.parse().unwrap()).collect() };
        let mixed = all(&["8.8.8.8:0", "10.0.0.1:0", "[2001:db8::1]:0", "[::1]:0"]);
        let private: Vec<_> = private_of(mixed.into_iter()).ok().unwrap().collect();
        assert_eq!(private, all(&["10.0.0.1:0", "[::1]:0"]));
        let public = private_of(all(&["8.8.8.8:0"]).into_iter()).err().unwrap();
        assert_eq!(public.to_string(), PUBLIC_ONLY);
    }
}
