//! A person's refresh token in a file. Each use replaces the token, so the file is rewritten, in one step: it always holds a
//! complete token.

use std::ffi::OsString;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use async_trait::async_trait;
use secrecy::{ExposeSecret, SecretString};

use crate::config::read_secret;
use crate::portal::TokenStore;
use crate::process::Random;

/// A file that is known to be writable.
#[derive(Debug)]
pub(super) struct TokenFile {
    path: PathBuf,
}

impl TokenFile {
    /// Shows that a new token can be stored, by rewriting the current one. The error is in words.
    pub(super) fn open(path: &Path) -> Result<Self, String> {
        let in_words = |error: io::Error| format!("{} cannot be rewritten: {error}", path.display());
        let token = read_secret(path).map_err(|error| error.to_string())?;
        // A link is kept, and the file that it names is rewritten.
        let file = Self { path: fs::canonicalize(path).map_err(in_words)? };
        OpenOptions::new().write(true).open(&file.path).map_err(in_words)?;
        file.rewrite(&token).map_err(in_words)?;
        Ok(file)
    }

    /// Replaces the file in one step by a new one of the same directory.
    fn rewrite(&self, token: &SecretString) -> io::Result<()> {
        let directory = self.path.parent().unwrap_or(Path::new("/"));
        let mut name = OsString::from(".");
        name.push(self.path.file_name().unwrap_or_default());
        name.push(format!(".{}", Random::system().uuid().simple()));
        let new = directory.join(name);
        let written = write_new(&new, token).and_then(|()| fs::rename(&new, &self.path));
        if written.is_err() {
            let _never_created = fs::remove_file(&new);
        }
        written?;
        // Some file systems cannot do that for a directory; the file is in place nevertheless.
        let _unsupported = File::open(directory).and_then(|directory| directory.sync_all());
        Ok(())
    }
}

fn write_new(path: &Path, token: &SecretString) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    file.write_all(token.expose_secret().as_bytes())?;
    file.write_all(b"\n")?;
    file.sync_all()
}

#[async_trait]
impl TokenStore for TokenFile {
    async fn load(&self) -> Result<SecretString, String> {
        read_secret(&self.path).map_err(|error| error.to_string())
    }

    async fn store(&self, new: &SecretString) -> Result<(), String> {
        self.rewrite(new).map_err(|error| format!("{} cannot be rewritten: {error}", self.path.display()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_cannot_be_rewritten_is_refused() {
        // Not even root can create files there.
        let error = TokenFile::open(Path::new("/proc/version")).unwrap_err();
        assert!(error.contains("/proc/version cannot be rewritten"), "{error}");
        assert!(TokenFile::open(Path::new("/absent")).unwrap_err().contains("cannot read /absent"));
    }
}
