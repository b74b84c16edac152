//! The proxy for portals, from the environment: the names that curl and others read, upper case first.

use secrecy::SecretString;

use crate::portal::Proxies;

/// The proxy for portals, as the environment names it. An empty variable counts as unset. The error is in words.
pub fn proxies() -> Result<Proxies, String> {
    proxies_of(&|name| std::env::var(name).ok())
}

fn proxies_of(environment: &dyn Fn(&str) -> Option<String>) -> Result<Proxies, String> {
    let first = |names: &[&str]| {
        names
            .iter()
            .filter_map(|name| environment(name))
            .map(|value| value.trim().to_owned())
            .find(|v| !v.is_empty())
    };
    let https = first(&["HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"]);
    let no_proxy = first(&["NO_PROXY", "no_proxy"]).unwrap_or_default();
    Proxies::new(https.map(SecretString::from), &no_proxy)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(variables: &[(&str, &str)]) -> Result<Proxies, String> {
        proxies_of(&|name| {
            let found = variables.iter().find(|(known, _)| *known == name);
            found.map(|(_, value)| (*value).to_owned())
        })
    }

    #[test]
    fn the_usual_names_are_read() {
        for name in ["HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"] {
            assert!(read(&[(name, "socks5://proxy:1")]).is_err(), "{name}");
            assert!(read(&[(name, "http://proxy:1")]).is_ok(), "{name}");
        }
        for name in ["NO_PROXY", "no_proxy"] {
            let with_proxy = [("HTTPS_PROXY", "http://proxy:1"), (name, "10.*")];
            assert!(read(&with_proxy).unwrap_err().contains("10.*"), "{name}");
            assert!(read(&[(name, "10.*")]).is_ok(), "{name} without a proxy");
        }
        assert!(read(&[("HTTPS_PROXY", ""), ("https_proxy", "socks5://proxy:1")]).is_err(), "empty is unset");
        assert!(read(&[("HTTP_PROXY", "socks5://proxy:1")]).is_ok(), "plain http goes through no proxy");
        assert!(read(&[]).is_ok());
    }
}
