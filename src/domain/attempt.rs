//! An attempt to create a user: one POST, recorded on the resource before it is sent.

use std::fmt;

use crate::domain::identity::Pin;

/// What the annotation `technicaluser.dev/creating` says: `<generation> <attempt> <pin>`.
///
/// It is never removed. The attempt is *open* until the status names a user of its generation. Later releases may add
/// words after these three; they are ignored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attempt {
    /// The generation of the user that it creates.
    pub generation: i64,
    /// Random, new for each POST.
    pub id: String,
    /// The portal and company that the POST was for.
    pub pin: Pin,
}

impl Attempt {
    /// Reads the annotation. `None` means that this release cannot read it: such an annotation counts as an attempt in
    /// progress, never as no attempt.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let mut words = text.split_whitespace();
        let (generation, id, pin) = (words.next()?, words.next()?, words.next()?);
        let generation = generation.parse().ok().filter(|g| *g > 0)?;
        Some(Self { generation, id: id.to_owned(), pin: Pin::read(pin) })
    }
}

impl fmt::Display for Attempt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} {}", self.generation, self.id, self.pin)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn an_attempt_is_read_as_it_was_written() {
        let attempt = Attempt { generation: 12, id: "k3j2h1g0".into(), pin: Pin::new("https://p", None) };
        assert_eq!(Attempt::parse(&attempt.to_string()), Some(attempt));
        for bad in ["", " ", "1", "1 a", "x a b", "0 a b", "-1 a b", "99999999999999999999 a b"] {
            assert_eq!(Attempt::parse(bad), None, "{bad}");
        }
    }

    #[test]
    fn words_that_a_later_release_adds_are_ignored() {
        let attempt = Attempt { generation: 1, id: "a".into(), pin: Pin::read("b") };
        for text in ["1 a b c", "1 a b c=d e", " 1  a b", "1 a b "] {
            assert_eq!(Attempt::parse(text).as_ref(), Some(&attempt), "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn any_attempt_is_read_as_it_was_written(
            generation in 1..=i64::MAX, id in "[0-9a-z]{1,12}", url in any::<String>(), company in any::<Option<String>>(),
        ) {
            let attempt = Attempt { generation, id, pin: Pin::new(&url, company.as_deref()) };
            prop_assert_eq!(Attempt::parse(&attempt.to_string()), Some(attempt));
        }

        #[test]
        fn any_annotation_can_be_read(text in any::<String>(), like in "[0-9-]{0,21}[ \t][^ ]{0,4} .{0,8}") {
            for text in [text, like] {
                if let Some(attempt) = Attempt::parse(&text) {
                    prop_assert!(attempt.generation > 0);
                    prop_assert_eq!(Attempt::parse(&attempt.to_string()), Some(attempt));
                }
            }
        }
    }
}
