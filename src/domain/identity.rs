//! How this installation, its resources and their users are distinguished from all others: short hashes, the name in the
//! portal and the mark in the description.
//!
//! Everything here is written into portals and must read the same in every release: it can never change.

mod mark;
mod name;

use std::fmt;

use aws_lc_rs::digest;

pub use mark::Mark;
pub use name::{
    LAST_GENERATION, NAME_LIMIT, OwnName, bare_name, external_name, is_external_name, parse_own_name,
};

const BASE36: &[u8; 36] = b"0123456789abcdefghijklmnopqrstuvwxyz";

/// This number of characters of `[0-9a-z]` from the SHA-256 of a text.
fn short_hash(text: &str, characters: usize) -> String {
    let hash = digest::digest(&digest::SHA256, text.as_bytes());
    let mut number = hash.as_ref().iter().take(16).fold(0_u128, |n, b| (n << 8) | u128::from(*b));
    let mut out = Vec::with_capacity(characters);
    for _ in 0..characters {
        out.push(base36_digit(number % 36));
        number /= 36;
    }
    out.iter().rev().collect()
}

fn base36_digit(value: u128) -> char {
    let index = usize::try_from(value % 36).unwrap_or_default();
    BASE36.get(index).copied().map_or('0', char::from)
}

/// Distinguishes this installation from a copy of it in another cluster: a short hash of its random id.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Hint(String);

impl Hint {
    /// The hint of an installation's random id.
    #[must_use]
    pub fn of_installation(id: &str) -> Self {
        Self(short_hash(id, 6))
    }

    /// A hint as read from a status, a mark or an annotation.
    #[must_use]
    pub fn read(text: &str) -> Self {
        Self(text.trim().to_owned())
    }

    /// The hint as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Hint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A short hash of a portal's address and the login's company.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Pin(String);

impl Pin {
    /// The pin of a portal (address of its backend) and a company (BPN, empty where unknown).
    #[must_use]
    pub fn new(url: &str, bpn: Option<&str>) -> Self {
        Self(short_hash(&format!("{url} {}", bpn.unwrap_or_default()), 8))
    }

    /// A pin as read from an annotation.
    #[must_use]
    pub fn read(text: &str) -> Self {
        Self(text.to_owned())
    }
}

impl fmt::Display for Pin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A `TechnicalUser` among all that have users in one portal.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Owner {
    /// The installation (`--instance`).
    pub instance: String,
    /// The resource's namespace.
    pub namespace: String,
    /// The resource's name.
    pub name: String,
}

impl Owner {
    /// Reads `<instance>/<namespace>/<name>`.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let mut parts = text.split('/');
        let (instance, namespace, name) = (parts.next()?, parts.next()?, parts.next()?);
        let whole = parts.next().is_none() && [instance, namespace, name].iter().all(|p| !p.is_empty());
        whole.then(|| Self { instance: instance.into(), namespace: namespace.into(), name: name.into() })
    }
}

impl fmt::Display for Owner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}/{}", self.instance, self.namespace, self.name)
    }
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn hint_and_pin_are_what_they_have_always_been() {
        assert_eq!(Hint::of_installation("0a1b2c").as_str().len(), 6);
        assert_eq!(Pin::new("https://p.example.org", Some("BPNL000000000ONE")).to_string().len(), 8);
        assert_ne!(
            Pin::new("https://p.example.org", None),
            Pin::new("https://p.example.org", Some("BPNL000000000ONE"))
        );
    }

    /// A resource as Kubernetes names it, of an installation as the flag `--instance` admits it.
    fn an_owner() -> impl Strategy<Value = Owner> {
        let name = "[a-z0-9]([a-z0-9.-]{0,61}[a-z0-9])?";
        ("[a-z0-9]([a-z0-9-]{0,30}[a-z0-9])?", "[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?", name)
            .prop_map(|(instance, namespace, name)| Owner { instance, namespace, name })
    }

    fn a_mark() -> impl Strategy<Value = Mark> {
        (an_owner(), 0..=LAST_GENERATION, any::<u64>(), any::<[bool; 2]>()).prop_map(
            |(owner, generation, id, [retained, login])| Mark {
                owner,
                generation,
                hint: Hint::of_installation(&id.to_string()),
                retained,
                login,
            },
        )
    }

    proptest! {
        #[test]
        fn any_mark_is_read_back_whatever_text_follows_it(mark in a_mark(), text in any::<Option<String>>()) {
            prop_assert_eq!(Mark::find(&mark.describe(text.as_deref())), Some(mark));
        }

        #[test]
        fn any_mark_is_found_behind_other_text(mark in a_mark(), before in "[^\\[]{0,40}") {
            prop_assert_eq!(Mark::find(&format!("{before}{}", mark.describe(None))), Some(mark));
        }

        #[test]
        fn any_description_can_be_searched(
            text in any::<String>(), words in vec("(login|retained|a/b/c|g[0-9]{0,30}|[^ ]{0,4})", 0..6), end in "[\\] x]{0,2}",
        ) {
            let _ = Mark::find(&text);
            let text = format!("[technicaluser.dev/1 {}{end}", words.join(" "));
            if let Some(mark) = Mark::find(&text) {
                // What was read is what was written, spaces aside.
                prop_assert_eq!(Mark::find(&mark.describe(None)), Some(mark));
            }
        }

        #[test]
        fn any_name_of_a_user_shows_its_generation(
            owner in an_owner(), generation in 1..=LAST_GENERATION, readable in any::<Option<String>>(),
            dim in any::<bool>(),
        ) {
            let name = owner.user_name(generation, readable.as_deref());
            prop_assert!(name.len() <= NAME_LIMIT);
            let shown = if dim { format!("dim-{name}") } else { name };
            prop_assert!(owner.is_name_of(generation, &shown));
            prop_assert_eq!(owner.generation_of(&shown, generation), Some(generation));
        }

        #[test]
        fn any_name_can_be_read(name in any::<String>(), like in "(dim-)?t[a-zä0-9]{0,12}(-.{0,4})?") {
            for name in [name, like] {
                if let Some(own) = parse_own_name(&name) {
                    prop_assert!(name.contains(&own.prefix));
                    prop_assert!((0..36 * 36).contains(&own.number));
                }
            }
        }

        #[test]
        fn any_owner_is_read_back(owner in an_owner(), text in any::<String>()) {
            prop_assert_eq!(Owner::parse(&owner.to_string()), Some(owner));
            if let Some(owner) = Owner::parse(&text) {
                prop_assert_eq!(owner.to_string(), text);
            }
        }
    }
}
