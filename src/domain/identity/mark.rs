//! The mark in a user's description: which resource it was created for.

use super::{Hint, Owner};
use crate::domain::text::printable_lines;

/// The longest text behind the mark: more than `create.description` may have.
const LONGEST_TEXT: usize = 1024;

/// The word of a mark that says that the user is a login of the operator.
const LOGIN: &str = "login";
/// The word of a mark that says that the user is retained in the portal.
const RETAINED: &str = "retained";

/// The mark that a user's description carries.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mark {
    /// The resource that the user was created for. Of a login: the Portal that it is a login of.
    pub owner: Owner,
    /// The generation of the user.
    pub generation: i64,
    /// The installation that created it.
    pub hint: Hint,
    /// The user is retained in the portal: the operator does not use it again.
    pub retained: bool,
    /// The user is a login of the operator, never a user of a `TechnicalUser`. No release writes such marks yet; they are
    /// read, so that this release does not change the logins of a later release at the same portal.
    pub login: bool,
}

impl Mark {
    /// The description of a user with this mark, with `create.description` behind it.
    #[must_use]
    pub fn describe(&self, description: Option<&str>) -> String {
        let lead = if self.retained {
            "No longer managed from Kubernetes."
        } else {
            "Managed from Kubernetes, do not reset or delete here."
        };
        let words = match (self.login, self.retained) {
            (false, false) => String::new(),
            (true, false) => format!("{LOGIN} "),
            (false, true) => format!("{RETAINED} "),
            (true, true) => format!("{LOGIN} {RETAINED} "),
        };
        let mark =
            format!("{lead} [technicaluser.dev/1 {words}{} g{} {}]", self.owner, self.generation, self.hint);
        match description.map(str::trim).filter(|d| !d.is_empty()) {
            // As it is read back: otherwise a character that is never shown would cause a second write.
            Some(text) => format!("{mark} {}", printable_lines(text, LONGEST_TEXT)),
            None => mark,
        }
    }

    /// Finds the first mark in a description. A mark of a later version (`technicaluser.dev/2 …`) is not read.
    #[must_use]
    pub fn find(description: &str) -> Option<Self> {
        let (_, rest) = description.split_once("[technicaluser.dev/1 ")?;
        let (inside, _) = rest.split_once(']')?;
        // A word of other white space would be read as an empty hint, which no mark has.
        let mut words = inside.split(' ').filter(|word| !word.trim().is_empty()).peekable();
        let login = words.next_if_eq(&LOGIN).is_some();
        let retained = words.next_if_eq(&RETAINED).is_some();
        let owner = Owner::parse(words.next()?)?;
        let generation = words.next()?.strip_prefix('g')?.parse().ok()?;
        let hint = Hint::read(words.next()?);
        Some(Self { owner, generation, hint, retained, login })
    }

    /// Whether it says that a user was created for this resource, retained or not.
    #[must_use]
    pub fn is_of(&self, owner: &Owner) -> bool {
        !self.login && self.owner == *owner
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mark() -> Mark {
        let owner =
            Owner { instance: "prod".into(), namespace: "connector".into(), name: "edc-wallet".into() };
        Mark { owner, generation: 3, hint: Hint::read("abc123"), retained: false, login: false }
    }

    #[test]
    fn the_mark_is_what_it_has_always_been_and_is_read_back() {
        let (mark, retained) = (mark(), Mark { retained: true, ..mark() });
        assert_eq!(
            mark.describe(Some("for the EDC")),
            "Managed from Kubernetes, do not reset or delete here. \
             [technicaluser.dev/1 prod/connector/edc-wallet g3 abc123] for the EDC"
        );
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
            "[technicaluser.dev/1 a/b/c g0 \t]",
        ] {
            assert_eq!(Mark::find(foreign), None, "{foreign}");
        }
    }

    #[test]
    fn the_mark_of_a_login_is_read_and_is_of_no_resource() {
        for retained in [false, true] {
            let login = Mark { login: true, retained, ..mark() };
            assert!(login.describe(None).contains("[technicaluser.dev/1 login "));
            assert_eq!(Mark::find(&login.describe(None)), Some(login.clone()));
            assert!(
                mark().is_of(&login.owner) && !login.is_of(&login.owner),
                "a TechnicalUser of the same name"
            );
        }
    }

    #[test]
    fn the_whole_generation_is_read_back_where_a_name_has_two_digits_of_it() {
        let mark = Mark { generation: 1297, ..mark() };
        assert!(mark.describe(None).contains(" g1297 "));
        assert_eq!(Mark::find(&mark.describe(None)), Some(mark));
    }

    #[test]
    fn a_description_is_read_back_as_it_is_composed() {
        for text in ["for\u{200B}the EDC", "\u{FEFF}EDC", "a\u{202E}b\r\n\tc", "Müller", "\u{1B}[31m"] {
            let described = mark().describe(Some(text));
            assert_eq!(printable_lines(&described, 2048), described, "{text:?}");
        }
    }
}
