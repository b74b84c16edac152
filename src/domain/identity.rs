//! How this installation, its resources and their users are told from all others: short hashes, the name in the portal
//! and the mark in the description.
//!
//! Everything here is written into portals and must read the same in every release: it can never change.

use std::fmt;

use aws_lc_rs::digest;

use super::text::printable_lines;

const BASE36: &[u8; 36] = b"0123456789abcdefghijklmnopqrstuvwxyz";

/// The longest name that we give to a user.
pub const NAME_LIMIT: usize = 80;

/// The longest text behind the mark: more than `create.description` may have.
const LONGEST_TEXT: usize = 1024;

/// The highest generation that a name can spell (two digits of base 36).
pub const LAST_GENERATION: i64 = 36 * 36 - 1;

/// So many characters of `[0-9a-z]` from the SHA-256 of a text.
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

/// Tells this installation from a copy of it in another cluster: a short hash of its random id.
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

/// A short hash of a portal's address and the login's company: whose portal it is.
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

/// A `TechnicalUser` among all that bear users in one portal.
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

    /// What the names of all its users begin with, `dim-` aside: `t` and 8 letters and digits.
    #[must_use]
    pub fn name_prefix(&self) -> String {
        format!("t{}", short_hash(&self.to_string(), 8))
    }

    /// The name of its user of a generation; `readable` is `create.name`, else namespace and name are used.
    #[must_use]
    pub fn user_name(&self, generation: i64, readable: Option<&str>) -> String {
        let readable = readable.map_or_else(|| format!("{}-{}", self.namespace, self.name), str::to_owned);
        let readable: String = readable
            .chars()
            .map(|c| if c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-' { c } else { '-' })
            .collect();
        let mut name = format!("{}{}-{readable}", self.name_prefix(), base36_pair(generation));
        name.truncate(NAME_LIMIT);
        name.trim_end_matches('-').to_owned()
    }

    /// The generation that a name in the portal tells, where the name is one of ours for this resource.
    #[must_use]
    pub fn generation_of(&self, portal_name: &str) -> Option<i64> {
        let own = parse_own_name(portal_name)?;
        (own.prefix == self.name_prefix()).then_some(own.generation)
    }
}

impl fmt::Display for Owner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}/{}", self.instance, self.namespace, self.name)
    }
}

fn base36_pair(generation: i64) -> String {
    let value = u128::try_from(generation.clamp(0, LAST_GENERATION)).unwrap_or_default();
    [base36_digit(value / 36), base36_digit(value % 36)].iter().collect()
}

/// A name of the form that we give, whoever's resource it was made for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OwnName {
    /// `t` and 8 letters and digits.
    pub prefix: String,
    /// The generation it tells.
    pub generation: i64,
}

/// Reads a name in the portal, `dim-` aside; `None` where it is not of our form.
#[must_use]
pub fn parse_own_name(portal_name: &str) -> Option<OwnName> {
    let name = portal_name.strip_prefix("dim-").unwrap_or(portal_name);
    let prefix = name.get(..9)?;
    let digits = name.get(9..11)?;
    let of_form = prefix.starts_with('t')
        && prefix.bytes().chain(digits.bytes()).all(|b| BASE36.contains(&b))
        && matches!(name.as_bytes().get(11), Some(b'-') | None);
    if !of_form {
        return None;
    }
    let generation = i64::from_str_radix(digits, 36).ok()?;
    Some(OwnName { prefix: prefix.to_owned(), generation })
}

/// The mark that a user's description carries.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mark {
    /// For whom the user was made.
    pub owner: Owner,
    /// Which of its users it is.
    pub generation: i64,
    /// By which copy of the installation.
    pub hint: Hint,
    /// The user was left in the portal: nobody takes it for ours again.
    pub retained: bool,
}

impl Mark {
    /// The description of a user with this mark, with `create.description` behind it.
    #[must_use]
    pub fn describe(&self, description: Option<&str>) -> String {
        let (lead, word) = if self.retained {
            ("No longer managed from Kubernetes.", "retained ")
        } else {
            ("Managed from Kubernetes, do not reset or delete here.", "")
        };
        let mark =
            format!("{lead} [technicaluser.dev/1 {word}{} g{} {}]", self.owner, self.generation, self.hint);
        match description.map(str::trim).filter(|d| !d.is_empty()) {
            // As it is read back, so that it is not written again for a character that is never shown.
            Some(text) => format!("{mark} {}", printable_lines(text, LONGEST_TEXT)),
            None => mark,
        }
    }

    /// Finds the first mark in a description. A mark of a later make (`technicaluser.dev/2 …`) is not read.
    #[must_use]
    pub fn find(description: &str) -> Option<Self> {
        let (_, rest) = description.split_once("[technicaluser.dev/1 ")?;
        let (inside, _) = rest.split_once(']')?;
        let mut words = inside.split(' ').filter(|w| !w.is_empty()).peekable();
        let retained = words.next_if_eq(&"retained").is_some();
        let owner = Owner::parse(words.next()?)?;
        let generation = words.next()?.strip_prefix('g')?.parse().ok()?;
        let hint = Hint::read(words.next()?);
        Some(Self { owner, generation, hint, retained })
    }
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;

    fn owner() -> Owner {
        Owner { instance: "prod".into(), namespace: "connector".into(), name: "edc-wallet".into() }
    }

    #[test]
    fn the_name_is_what_it_has_always_been() {
        assert_eq!(owner().user_name(1, None), "tso2187he01-connector-edc-wallet");
        assert_eq!(owner().user_name(37, Some("my-edc")), "tso2187he11-my-edc");
        assert_eq!(owner().user_name(1295, Some(&"a".repeat(68))).len(), NAME_LIMIT);
        let dotted = Owner { name: "edc.wallet".into(), ..owner() };
        assert!(dotted.user_name(1, None).ends_with("-connector-edc-wallet"));
    }

    #[test]
    fn a_name_tells_its_resource_and_generation_with_and_without_dim() {
        let name = owner().user_name(1295, None);
        assert_eq!(owner().generation_of(&name), Some(1295));
        assert_eq!(owner().generation_of(&format!("dim-{name}")), Some(1295));
        let other = Owner { name: "edc-other".into(), ..owner() };
        assert_eq!(other.generation_of(&name), None);
        for foreign in ["edc-discovery", "t", "tsupplier01", "tümlaut-0001-x", "dim-wallet"] {
            assert_eq!(owner().generation_of(foreign), None, "{foreign}");
        }
    }

    #[test]
    fn the_mark_is_what_it_has_always_been_and_is_read_back() {
        let mark = Mark { owner: owner(), generation: 3, hint: Hint::read("abc123"), retained: false };
        assert_eq!(
            mark.describe(Some("for the EDC")),
            "Managed from Kubernetes, do not reset or delete here. \
             [technicaluser.dev/1 prod/connector/edc-wallet g3 abc123] for the EDC"
        );
        let retained = Mark { retained: true, ..mark.clone() };
        assert_eq!(
            retained.describe(None),
            "No longer managed from Kubernetes. [technicaluser.dev/1 retained prod/connector/edc-wallet g3 abc123]"
        );
        for m in [mark, retained] {
            assert_eq!(Mark::find(&m.describe(Some("text [with] brackets"))), Some(m));
        }
        for foreign in [
            "",
            "[technicaluser.dev/2 a/b/c g1 h]",
            "[technicaluser.dev/1 a/b g1 h]",
            "[technicaluser.dev/1 a/b/c x h]",
        ] {
            assert_eq!(Mark::find(foreign), None, "{foreign}");
        }
    }

    #[test]
    fn a_description_is_read_back_as_it_is_composed() {
        let mark = Mark { owner: owner(), generation: 3, hint: Hint::read("abc123"), retained: false };
        for text in ["for\u{200B}the EDC", "\u{FEFF}EDC", "a\u{202E}b\r\n\tc", "Müller", "\u{1B}[31m"] {
            let described = mark.describe(Some(text));
            assert_eq!(printable_lines(&described, 2048), described, "{text:?}");
        }
    }

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
        (an_owner(), 0..=LAST_GENERATION, any::<u64>(), any::<bool>()).prop_map(
            |(owner, generation, id, retained)| Mark {
                owner,
                generation,
                hint: Hint::of_installation(&id.to_string()),
                retained,
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
            text in any::<String>(), words in vec("(retained|a/b/c|g[0-9]{0,30}|[^ ]{0,4})", 0..6), end in "[\\] x]{0,2}",
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
            owner in an_owner(), generation in 0..=LAST_GENERATION, readable in any::<Option<String>>(),
            dim in any::<bool>(),
        ) {
            let name = owner.user_name(generation, readable.as_deref());
            prop_assert!(name.len() <= NAME_LIMIT);
            let shown = if dim { format!("dim-{name}") } else { name };
            prop_assert_eq!(owner.generation_of(&shown), Some(generation));
        }

        #[test]
        fn any_name_can_be_read(name in any::<String>(), like in "(dim-)?t[a-zä0-9]{0,12}(-.{0,4})?") {
            for name in [name, like] {
                if let Some(own) = parse_own_name(&name) {
                    prop_assert!(name.contains(&own.prefix));
                    prop_assert!((0..=LAST_GENERATION).contains(&own.generation));
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
