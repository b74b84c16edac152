//! What is known of a format beside its function.

use secrecy::SecretString;

use super::Options;
use super::error::{FormatError, Value};
use super::values::{Content, Values};
use crate::domain::user::Credential;

/// Finds the value of a key by the name that the format gives it.
pub type Lookup<'a> = dyn Fn(&str) -> Option<&'a SecretString> + 'a;

/// What is known of a format.
#[derive(Debug)]
pub struct Entry {
    /// The name, as in the spec.
    pub name: &'static str,
    /// The keys, by the names that the format gives them; `<…>` stands for what a person chooses.
    pub keys: &'static [&'static str],
    /// The keys that are there only where their value is known.
    pub optional: &'static [(&'static str, Value)],
    /// The values beside the credential without which nothing is written.
    pub needs: &'static [Value],
    /// The values of the data space and of the output that the content has where they are known: a change of another one changes
    /// nothing.
    pub(super) uses: fn(&Options) -> Vec<Value>,
    /// What a person may choose of the names.
    pub named: Named,
    /// Whether the content has the client secret in it.
    pub has_secret: bool,
    /// Who reads it, and when.
    pub reader: Reader,
    /// The content from the values.
    pub(super) render: fn(&Values, &Options) -> Result<Content, FormatError>,
    /// The credential from the content, where all of it can be found there again.
    pub(super) read_back: Option<fn(&Lookup<'_>) -> Option<Credential>>,
}

/// What a person may choose of the names in a format.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Named {
    /// `keyStyle`, `keyPrefix` or `keys`, for the keys of the Secret.
    Styled,
    /// `keys`, for the keys of the Secret.
    Renamed,
    /// `keyStyle`, `keyPrefix` or `keys`, for the names inside the file.
    Inside,
    /// Nothing.
    Fixed,
}

/// Who reads an output, and when.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reader {
    /// The program.
    pub who: &'static str,
    /// When it sees a change, in words.
    pub change: &'static str,
    /// Whether a restart of the workload that reads it makes a change visible, and nothing else does.
    pub needs_restart: bool,
}

impl Entry {
    /// Whether the credential can be read back from the content.
    #[must_use]
    pub const fn can_be_read_back(&self) -> bool {
        self.read_back.is_some()
    }

    /// A key that may be absent is not unknown: its value is missing.
    pub(super) fn absent(&self, error: FormatError) -> FormatError {
        let FormatError::UnknownKey(key) = &error else { return error };
        let value = self.optional.iter().find(|(name, _)| name == key).map(|(_, value)| *value);
        value.map_or(error, FormatError::Missing)
    }
}
