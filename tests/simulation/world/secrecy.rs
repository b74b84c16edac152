//! The search for secrets in what the operator writes.

use std::collections::BTreeMap;

use aho_corasick::AhoCorasick;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// So many bytes of a secret are searched first. In base64 they are whole characters, which do not depend on what follows.
const HEAD: usize = 15;

/// Secrets, as they are and in base64.
pub struct Secrets {
    heads: AhoCorasick,
    /// The secrets that begin with each head.
    with: Vec<Vec<String>>,
}

impl Secrets {
    /// A search for these, none of which is empty.
    pub fn new(secrets: impl IntoIterator<Item = String>) -> Self {
        let mut by_head: BTreeMap<Vec<u8>, Vec<String>> = BTreeMap::new();
        for secret in secrets {
            let head = &secret.as_bytes()[..secret.len().min(HEAD)];
            let encoded = STANDARD.encode(&secret);
            // The base64 of a short secret ends with what depends on its length.
            let encoded_head = if secret.len() < HEAD { encoded.clone() } else { STANDARD.encode(head) };
            by_head.entry(encoded_head.into_bytes()).or_default().push(encoded);
            by_head.entry(head.to_owned()).or_default().push(secret);
        }
        let (heads, with): (Vec<_>, Vec<_>) = by_head.into_iter().unzip();
        Self { heads: AhoCorasick::new(heads).unwrap(), with }
    }

    /// Whether one occurs in a text.
    pub fn occur_in(&self, text: &str) -> bool {
        let mut found = self.heads.find_overlapping_iter(text);
        found.any(|head| {
            let rest = &text.as_bytes()[head.start()..];
            self.with[head.pattern().as_usize()].iter().any(|secret| rest.starts_with(secret.as_bytes()))
        })
    }
}

#[test]
fn secrets_are_found_as_they_are_and_in_base64() {
    let all = ["a-long-secret-of-a-client", "a-long-secret-of-another", "short", "exactly-fifteen"];
    let secrets = Secrets::new(all.map(str::to_owned));
    for secret in all {
        assert!(secrets.occur_in(&format!("before {secret} after")), "{secret}");
        assert!(secrets.occur_in(&format!("\"{}\"", STANDARD.encode(secret))), "{secret} in base64");
        assert!(!secrets.occur_in(&secret[..secret.len() - 1]), "less than {secret}");
    }
    assert!(!secrets.occur_in("a-long-secret-of-nobody"));
}
