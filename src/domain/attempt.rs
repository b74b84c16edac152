//! An attempt to create a user: one POST, recorded on the resource before it is sent.

use std::fmt;

use url::form_urlencoded;

use crate::domain::identity::Pin;
use crate::domain::roles::RoleSet;

/// What the annotation `technicaluser.dev/creating` says: `<generation> <attempt> <pin> roles=<names>`, and `closed` after these if
/// the user is not needed.
///
/// It is never removed. The attempt is *open* until the status names a user of its generation, or it is closed. Even then a deletion
/// searches for its user, and no later attempt has its generation. Earlier releases wrote no roles. Later releases may add words;
/// they are ignored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attempt {
    /// The generation of the user that it creates.
    pub generation: i64,
    /// Random, new for each POST.
    pub id: String,
    /// The portal and company that the POST was for.
    pub pin: Pin,
    /// The roles that the user is created with; `None` for a reset, and if an earlier release wrote the attempt.
    pub roles: Option<RoleSet>,
    /// The user is not needed any more.
    pub closed: bool,
}

/// What precedes the names of the roles, which have commas between.
const ROLES: &str = "roles=";
/// The word of an attempt whose user is not needed.
const CLOSED: &str = "closed";

impl Attempt {
    /// An attempt without roles.
    #[must_use]
    pub const fn new(generation: i64, id: String, pin: Pin) -> Self {
        Self { generation, id, pin, roles: None, closed: false }
    }

    /// Reads the annotation. `None` means that this release cannot read it: such an annotation counts as an attempt in
    /// progress, never as no attempt.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let mut words = text.split_whitespace();
        let (generation, id, pin) = (words.next()?, words.next()?, words.next()?);
        let generation = generation.parse().ok().filter(|g| *g > 0)?;
        let (mut roles, mut closed) = (None, false);
        for word in words {
            roles = roles.or_else(|| word.strip_prefix(ROLES).map(decoded));
            closed = closed || word == CLOSED;
        }
        Some(Self { generation, id: id.to_owned(), pin: Pin::read(pin), roles, closed })
    }
}

fn encoded(roles: &RoleSet) -> String {
    let names = roles.iter().map(|name| form_urlencoded::byte_serialize(name.as_bytes()).collect::<String>());
    names.collect::<Vec<_>>().join(",")
}

fn decoded(text: &str) -> RoleSet {
    let names = text.split(',').filter_map(|name| form_urlencoded::parse(name.as_bytes()).next());
    names.map(|(name, _)| name.into_owned()).filter(|name| !name.is_empty()).collect()
}

impl fmt::Display for Attempt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} {}", self.generation, self.id, self.pin)?;
        if let Some(roles) = &self.roles {
            write!(f, " {ROLES}{}", encoded(roles))?;
        }
        if self.closed { write!(f, " {CLOSED}") } else { Ok(()) }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn an_attempt_is_read_as_it_was_written() {
        let attempt = Attempt::new(12, "k3j2h1g0".into(), Pin::new("https://p", None));
        assert_eq!(Attempt::parse(&attempt.to_string()), Some(attempt.clone()));
        let roles = ["Identity Wallet Management", "a,b & c=d"].map(str::to_owned);
        let attempt = Attempt { roles: Some(RoleSet::from(roles)), ..attempt };
        let text = attempt.to_string();
        assert!(text.ends_with(" roles=Identity+Wallet+Management,a%2Cb+%26+c%3Dd"), "{text}");
        assert_eq!(Attempt::parse(&text), Some(attempt));
        for bad in ["", " ", "1", "1 a", "x a b", "0 a b", "-1 a b", "99999999999999999999 a b"] {
            assert_eq!(Attempt::parse(bad), None, "{bad}");
        }
    }

    #[test]
    fn words_that_a_later_release_adds_are_ignored() {
        let attempt = Attempt::new(1, "a".into(), Pin::read("b"));
        for text in ["1 a b c", "1 a b c=d e", " 1  a b", "1 a b "] {
            assert_eq!(Attempt::parse(text).as_ref(), Some(&attempt), "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn any_attempt_is_read_as_it_was_written(
            generation in 1..=i64::MAX, id in "[0-9a-z]{1,12}", url in any::<String>(), company in any::<Option<String>>(),
            roles in any::<Option<RoleSet>>(), closed in any::<bool>(),
        ) {
            let roles = roles.map(|roles| roles.into_iter().filter(|name| !name.is_empty()).collect());
            let attempt = Attempt { roles, closed, ..Attempt::new(generation, id, Pin::new(&url, company.as_deref())) };
            prop_assert_eq!(Attempt::parse(&attempt.to_string()), Some(attempt));
        }

        #[test]
        fn any_annotation_can_be_read(text in any::<String>(), like in "[0-9-]{0,21}[ \t][^ ]{0,4} .{0,8}( roles=.{0,8})?") {
            for text in [text, like] {
                if let Some(attempt) = Attempt::parse(&text) {
                    prop_assert!(attempt.generation > 0);
                    prop_assert_eq!(Attempt::parse(&attempt.to_string()), Some(attempt));
                }
            }
        }
    }
}
