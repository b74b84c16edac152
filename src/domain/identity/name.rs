//! The name of a user in the portal: `t` and a hash of its resource, two digits of its generation, and a readable part.
//!
//! The digits are the generation modulo [`NAMES`]; the mark in the description has the whole number. A resource with more
//! users gives a name a second time, long after the first user was deleted or retained.
//!
//! Names that begin with `l` in place of `t` are reserved for the operator's own logins.

use super::{BASE36, Owner, base36_digit, short_hash};

/// The longest name that the operator gives to a user.
pub const NAME_LIMIT: usize = 80;

/// How many generations have names of their own (two digits of base 36).
const NAMES: i64 = 36 * 36;

/// The highest generation that is used. No resource reaches it; an annotation or a status can name any number.
pub const LAST_GENERATION: i64 = i32::MAX as i64;

impl Owner {
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
        let mut name = format!("{}{}-{readable}", self.name_prefix(), digits(generation));
        name.truncate(NAME_LIMIT);
        name.trim_end_matches('-').to_owned()
    }

    /// Whether a name in the portal is the one of this resource's user of this generation, its readable part aside.
    #[must_use]
    pub fn is_name_of(&self, generation: i64, portal_name: &str) -> bool {
        generation > 0 && self.number_in(portal_name) == Some(generation.rem_euclid(NAMES))
    }

    /// The generation that a name in the portal shows, if the name is one of this resource: the nearest one to
    /// what is known otherwise (the mark, or the status) that has these digits.
    #[must_use]
    pub fn generation_of(&self, portal_name: &str, near: i64) -> Option<i64> {
        self.number_in(portal_name).map(|number| nearest(number, near))
    }

    fn number_in(&self, portal_name: &str) -> Option<i64> {
        let own = parse_own_name(portal_name)?;
        (own.prefix == self.name_prefix()).then_some(own.number)
    }
}

/// The generation next to `near` that is spelled so. No generation is below 1.
fn nearest(number: i64, near: i64) -> i64 {
    let near = near.clamp(0, LAST_GENERATION);
    let below = near - (near - number).rem_euclid(NAMES);
    let above = below + NAMES;
    if below < 1 || above - near < near - below { above } else { below }
}

fn digits(generation: i64) -> String {
    let value = u128::try_from(generation.rem_euclid(NAMES)).unwrap_or_default();
    [base36_digit(value / 36), base36_digit(value % 36)].iter().collect()
}

/// A name of the operator's form, for any resource.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OwnName {
    /// `t` and 8 letters and digits.
    pub prefix: String,
    /// The generation modulo 1296.
    pub number: i64,
}

/// The prefix of the name of an external user in the portal.
const EXTERNAL_PREFIX: &str = "dim-";

/// The name that an external user has in the portal, by the name that was requested.
#[must_use]
pub fn external_name(name: &str) -> String {
    format!("{EXTERNAL_PREFIX}{name}")
}

/// Whether a name in the portal is the one of an external user.
#[must_use]
pub fn is_external_name(portal_name: &str) -> bool {
    portal_name.starts_with(EXTERNAL_PREFIX)
}

/// The name that was requested, by a name in the portal.
#[must_use]
pub fn bare_name(portal_name: &str) -> &str {
    portal_name.strip_prefix(EXTERNAL_PREFIX).unwrap_or(portal_name)
}

/// Reads a name in the portal, `dim-` aside; `None` if it is not of the operator's form.
#[must_use]
pub fn parse_own_name(portal_name: &str) -> Option<OwnName> {
    let name = bare_name(portal_name);
    let prefix = name.get(..9)?;
    let digits = name.get(9..11)?;
    let of_form = prefix.starts_with('t')
        && prefix.bytes().chain(digits.bytes()).all(|b| BASE36.contains(&b))
        && matches!(name.as_bytes().get(11), Some(b'-') | None);
    if !of_form {
        return None;
    }
    let number = i64::from_str_radix(digits, 36).ok()?;
    Some(OwnName { prefix: prefix.to_owned(), number })
}

#[cfg(test)]
mod tests {
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
    fn the_digits_begin_again_after_1295() {
        assert_eq!(owner().user_name(1295, None), "tso2187hezz-connector-edc-wallet");
        assert_eq!(owner().user_name(1296, None), "tso2187he00-connector-edc-wallet");
        assert_eq!(owner().user_name(1297, None), owner().user_name(1, None));
    }

    #[test]
    fn a_name_shows_its_resource_and_generation_with_and_without_dim() {
        let name = owner().user_name(1295, None);
        assert_eq!(owner().generation_of(&name, 0), Some(1295));
        assert_eq!(owner().generation_of(&format!("dim-{name}"), 0), Some(1295));
        let other = Owner { name: "edc-other".into(), ..owner() };
        assert_eq!(other.generation_of(&name, 0), None);
        assert!(owner().is_name_of(1295, &name) && !other.is_name_of(1295, &name));
        for foreign in ["edc-discovery", "t", "tsupplier01", "tümlaut-0001-x", "dim-wallet"] {
            assert_eq!(owner().generation_of(foreign, 0), None, "{foreign}");
        }
    }

    #[test]
    fn the_mark_or_the_status_completes_the_generation_of_a_name() {
        let name = |generation| owner().user_name(generation, None);
        for (spelled, near, read) in [
            (4, 1300, 1300),
            (4, 0, 4),
            (1296, 0, 1296),
            (1297, 1296, 1297),
            (1296, 1297, 1296),
            (706, 2000, 2002),
            (704, i64::MIN, 704),
            (7, 5, 7),
            (1295, 1, 1295),
        ] {
            assert_eq!(owner().generation_of(&name(spelled), near), Some(read), "{spelled} near {near}");
        }
    }

    #[test]
    fn a_name_that_is_reserved_for_a_login_is_none_of_a_resource() {
        let login = owner().user_name(1, None).replacen('t', "l", 1);
        assert_eq!(parse_own_name(&login), None);
        assert_eq!(parse_own_name(&format!("dim-{login}")), None);
        assert!(!owner().is_name_of(1, &login));
    }

    proptest! {
        /// Two generations are distinguished as long as they are nearer than half of the names.
        #[test]
        fn neighbours_are_distinguished(near in 1..=100_000_i64, apart in -647..=647_i64) {
            let generation = near + apart;
            prop_assume!(generation > 0);
            let name = owner().user_name(generation, None);
            prop_assert_eq!(owner().generation_of(&name, near), Some(generation));
            prop_assert_eq!(owner().is_name_of(near, &name), apart == 0);
        }

        #[test]
        fn any_number_is_survived(generation: i64, near: i64) {
            let name = owner().user_name(generation, None);
            let read = owner().generation_of(&name, near).unwrap();
            prop_assert!(read >= 1 && owner().is_name_of(read, &name));
        }
    }
}
