//! The names of an output's keys: style, prefix, renames, and what is valid.

use std::collections::BTreeMap;

use secrecy::ExposeSecret;

use super::error::FormatError;
use super::values::Content;

/// The most bytes that the apiserver accepts in the data of a Secret.
pub const MAX_BYTES: usize = 1 << 20;

/// The longest key of a Secret.
const MAX_KEY: usize = 253;

/// How the words of a key are joined.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum KeyStyle {
    /// `client-id`
    #[default]
    Kebab,
    /// `clientId`
    Camel,
    /// `client_id`
    Snake,
    /// `CLIENT_ID`
    UpperSnake,
}

impl KeyStyle {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Kebab, Self::Camel, Self::Snake, Self::UpperSnake];

    /// A key of a format, which is in kebab case, in this style.
    #[must_use]
    pub fn apply(self, key: &str) -> String {
        match self {
            Self::Kebab => key.to_owned(),
            Self::Snake => key.replace('-', "_"),
            Self::UpperSnake => key.replace('-', "_").to_ascii_uppercase(),
            Self::Camel => {
                let mut words = key.split('-');
                let first = words.next().unwrap_or_default().to_owned();
                words.fold(first, |key, word| key + &capitalised(word))
            }
        }
    }
}

fn capitalised(word: &str) -> String {
    let mut characters = word.chars();
    characters.next().map_or_else(String::new, |first| {
        let mut word = first.to_ascii_uppercase().to_string();
        word.push_str(characters.as_str());
        word
    })
}

/// How the keys of a format are named.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Naming {
    /// All keys, in a style, with a prefix before each.
    Styled {
        /// The style; absent: that of the format.
        style: Option<KeyStyle>,
        /// What stands before each key.
        prefix: String,
    },
    /// Only these keys of the format, each under another name.
    Renamed(BTreeMap<String, String>),
}

impl Default for Naming {
    fn default() -> Self {
        Self::Styled { style: None, prefix: String::new() }
    }
}

impl Naming {
    /// The name of a key of the format; `None` where it is left out.
    #[must_use]
    pub fn name(&self, key: &str, default: KeyStyle) -> Option<String> {
        match self {
            Self::Styled { style, prefix } => Some(prefix.clone() + &style.unwrap_or(default).apply(key)),
            Self::Renamed(names) => names.get(key).cloned(),
        }
    }

    /// The content under its names.
    ///
    /// # Errors
    ///
    /// Where a key that is to be renamed is not there, or two keys get one name.
    pub(super) fn apply(&self, content: Content, default: KeyStyle) -> Result<Content, FormatError> {
        if let Self::Renamed(names) = self
            && let Some(unknown) = names.keys().find(|key| !content.contains_key(*key))
        {
            return Err(FormatError::UnknownKey(unknown.clone()));
        }
        let mut named = Content::new();
        let mut from: BTreeMap<String, String> = BTreeMap::new();
        for (key, value) in content {
            let Some(name) = self.name(&key, default) else { continue };
            if let Some(other) = from.insert(name.clone(), key.clone()) {
                return Err(FormatError::DuplicateKeys(other, key));
            }
            named.insert(name, value);
        }
        Ok(named)
    }
}

/// Whether the apiserver and a connector accept the keys and the size of a content.
pub(super) fn check(content: &Content) -> Result<(), FormatError> {
    if content.is_empty() {
        return Err(FormatError::Empty);
    }
    if let Some(key) = content.keys().find(|key| !is_valid(key)) {
        return Err(FormatError::InvalidKey {
            key: key.clone(),
            rule: "a key of a Secret has 1 to 253 letters, digits, dots, dashes and underscores, and does not begin with two dots",
        });
    }
    spelled_once(content)?;
    let bytes = content.values().map(|value| value.expose_secret().len()).sum::<usize>();
    if bytes > MAX_BYTES { Err(FormatError::TooLarge(bytes)) } else { Ok(()) }
}

/// A connector that loads all keys as variables ends at its start where two of them are one setting.
pub(super) fn spelled_once(content: &Content) -> Result<(), FormatError> {
    let mut seen: BTreeMap<String, &String> = BTreeMap::new();
    for key in content.keys() {
        if let Some(other) = seen.insert(key.to_lowercase().replace('_', "."), key) {
            return Err(FormatError::DuplicateKeys(other.clone(), key.clone()));
        }
    }
    Ok(())
}

/// The apiserver's rule for the key of a Secret.
fn is_valid(key: &str) -> bool {
    (1..=MAX_KEY).contains(&key.len())
        && key.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.'))
        && key != "."
        && !key.starts_with("..")
}
