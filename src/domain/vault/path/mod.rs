//! The texts that name a place in Vault, and which entries a namespace may have.
//!
//! An entry is named by three parts that people write separately: the mount of the secrets engine, a prefix (a folder) and an
//! alias. They are compared by whole segments, never as text: the prefix `a/b` allows `a/b/c`, not `a/bc`.

mod entry;
mod folder;

use thiserror::Error;

pub use entry::{ConnectorPaths, EntryPath};
pub use folder::{Folder, Prefix};

/// The longest path of a mount, a prefix or an alias. Vault itself sets no limit; some of its storage backends do.
const LONGEST: usize = 200;

/// Why a text names no place in Vault.
#[derive(Debug, Clone, Copy, Error, PartialEq, Eq)]
pub enum PathError {
    /// Nothing is written.
    #[error("it is empty")]
    Empty,
    /// More than 200 characters.
    #[error("it is longer than 200 characters")]
    TooLong,
    /// A slash at the start, at the end or beside another one.
    #[error("it has an empty segment: write neither a slash at the start or the end nor two in a row")]
    EmptySegment,
    /// A segment `.` or `..`.
    #[error("it has a segment that is \".\" or \"..\"")]
    Dots,
    /// A character that a connector changes before it reads the entry.
    #[error("it has other characters than letters, digits, and . _ - /")]
    Characters,
    /// A mount with the segment that Vault's API adds.
    #[error("it ends in /data, which belongs to Vault's API and not to the mount: leave it out")]
    Data,
    /// A mount with the start of Vault's API.
    #[error("it begins with v1/, which belongs to Vault's API and not to the mount: leave it out")]
    Version,
    /// `{` or `}` elsewhere than in `{namespace}`.
    #[error("it has braces that are not {{namespace}}")]
    Braces,
}

/// The path of a secrets engine, such as `secret` or `team/kv`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Mount(String);

impl Mount {
    /// Reads a mount, with or without slashes around it.
    pub fn parse(text: &str) -> Result<Self, PathError> {
        let text = text.trim_matches('/');
        check(text)?;
        if text.starts_with("v1/") {
            return Err(PathError::Version);
        }
        if text.ends_with("/data") {
            return Err(PathError::Data);
        }
        Ok(Self(text.to_owned()))
    }

    /// The path, without slashes around it.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The name of an entry as a connector's settings have it: `[A-Za-z0-9._-]+(/[A-Za-z0-9._-]+)*`. A connector encodes other
/// characters, and reads another name than the one that is written.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Alias(String);

impl Alias {
    /// Reads an alias.
    pub fn parse(text: &str) -> Result<Self, PathError> {
        check(text)?;
        Ok(Self(text.to_owned()))
    }

    /// As it is written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Whether a text is one or more segments of `[A-Za-z0-9._-]+` with slashes between them.
fn check(text: &str) -> Result<(), PathError> {
    if text.is_empty() {
        return Err(PathError::Empty);
    }
    if text.chars().nth(LONGEST).is_some() {
        return Err(PathError::TooLong);
    }
    for segment in text.split('/') {
        match segment {
            "" => return Err(PathError::EmptySegment),
            "." | ".." => return Err(PathError::Dots),
            _ if segment.bytes().all(|b| b.is_ascii_alphanumeric() || b"._-".contains(&b)) => {}
            _ => return Err(PathError::Characters),
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_alias_has_the_characters_that_a_connector_reads_unchanged() {
        for text in ["wallet", "a/b/c", "A.b_c-9", "...", ".hidden", "a/..b", &"x".repeat(200)] {
            assert_eq!(Alias::parse(text).unwrap().as_str(), text);
        }
        for (text, why) in [
            ("", PathError::Empty),
            ("/a", PathError::EmptySegment),
            ("a/", PathError::EmptySegment),
            ("a//b", PathError::EmptySegment),
            (".", PathError::Dots),
            ("a/../b", PathError::Dots),
            ("a/./b", PathError::Dots),
            ("a%2fb", PathError::Characters),
            ("did:web:x", PathError::Characters),
            ("a b", PathError::Characters),
            ("a\\b", PathError::Characters),
            ("é", PathError::Characters),
            ("a\n", PathError::Characters),
            ("{namespace}", PathError::Characters),
            (&"x".repeat(201), PathError::TooLong),
        ] {
            assert_eq!(Alias::parse(text), Err(why), "{text}");
        }
    }

    #[test]
    fn a_mount_is_written_without_what_the_api_adds() {
        assert_eq!(Mount::parse("/team/kv/").unwrap().as_str(), "team/kv");
        assert_eq!(Mount::parse("data").unwrap().as_str(), "data");
        assert_eq!(Mount::parse("secret/data"), Err(PathError::Data));
        assert_eq!(Mount::parse("/v1/secret"), Err(PathError::Version));
        assert_eq!(Mount::parse("/"), Err(PathError::Empty));
    }
}
