//! An attempt to make a user: one POST, written down on the resource before it is made.

use std::fmt;

use crate::domain::identity::Pin;

/// What the annotation `technicaluser.dev/creating` says: `<generation> <attempt> <pin>`.
///
/// It is never removed. The attempt is *open* until the status names a user of its generation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attempt {
    /// Which of the resource's users it makes.
    pub generation: i64,
    /// Random, new for each POST.
    pub id: String,
    /// Whose portal the POST went to.
    pub pin: Pin,
}

impl Attempt {
    /// Reads the annotation; `None` where it is not of this form.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let mut words = text.split(' ');
        let (generation, id, pin) = (words.next()?, words.next()?, words.next()?);
        let generation = generation.parse().ok().filter(|g| *g > 0)?;
        words.next().is_none().then(|| Self { generation, id: id.to_owned(), pin: Pin::read(pin) })
    }
}

impl fmt::Display for Attempt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} {}", self.generation, self.id, self.pin)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_attempt_is_read_as_it_was_written() {
        let attempt = Attempt { generation: 12, id: "k3j2h1g0".into(), pin: Pin::new("https://p", None) };
        assert_eq!(Attempt::parse(&attempt.to_string()), Some(attempt));
        for bad in ["", "1", "1 a", "x a b", "0 a b", "1 a b c"] {
            assert_eq!(Attempt::parse(bad), None, "{bad}");
        }
    }
}
