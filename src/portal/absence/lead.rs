//! What decides the place of a name: its first characters, as the portal has them.

/// How many characters are kept. The beginnings that are looked for have at most 13.
const LENGTH: usize = 32;

/// Stands for a character that no comparison passes.
const BARRIER: char = '\u{FFFD}';

/// The first characters of a name. Every character that is not printable ASCII is a barrier, so that it holds nothing that may not be
/// shown, and that nothing is concluded from what is not seen.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Lead(String);

impl Lead {
    /// The lead of a name as the portal sent it.
    pub(crate) fn of(name: &str) -> Self {
        let kept = |c: char| if matches!(c, ' '..='~') { c } else { BARRIER };
        Self(name.chars().take(LENGTH).map(kept).collect())
    }

    /// The lead as text.
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}
