//! Settings of `check`.

use std::fs;
use std::path::{Path, PathBuf};

use clap::error::ErrorKind;
use clap::{ArgGroup, Args, CommandFactory, ValueEnum};
use secrecy::SecretString;
use url::Url;

use super::{Cli, PlainHttpArgs};

/// Settings of `check`: a portal by a manifest or by its addresses, and a login.
#[derive(Debug, Clone, Args)]
#[command(group = ArgGroup::new("portal").required(true).args(["manifest", "manifest_option", "url"]))]
pub struct CheckArgs {
    /// A Portal manifest
    #[arg(value_name = "FILE")]
    manifest: Option<PathBuf>,

    /// A Portal manifest
    #[arg(long = "manifest", value_name = "FILE", id = "manifest_option")]
    manifest_option: Option<PathBuf>,

    /// The portal's backend
    #[arg(long, value_name = "URL", requires = "token_url")]
    url: Option<Url>,

    /// The token endpoint
    #[arg(long, value_name = "URL", requires = "url")]
    token_url: Option<Url>,

    /// The business partner number that the login must belong to
    #[arg(long, value_name = "BPN", requires = "url")]
    bpn: Option<String>,

    /// The login's client ID
    #[arg(long, value_name = "ID")]
    pub client_id: Option<String>,

    /// File with the login's client secret [else: environment variable `TUO_CLIENT_SECRET`]
    #[arg(long, value_name = "FILE", requires = "client_id")]
    client_secret_file: Option<PathBuf>,

    /// File with a person's refresh token, instead of a client secret. It is rewritten: each use changes the token
    #[arg(long, value_name = "FILE", conflicts_with = "client_secret_file")]
    refresh_token_file: Option<PathBuf>,

    /// The deletion login's client ID
    #[arg(long, value_name = "ID")]
    pub delete_client_id: Option<String>,

    /// File with the deletion login's client secret [else: environment variable `TUO_DELETE_CLIENT_SECRET`]
    #[arg(long, value_name = "FILE", requires = "delete_client_id")]
    delete_client_secret_file: Option<PathBuf>,

    /// Certificates (PEM) to trust besides the public ones
    #[arg(long, value_name = "FILE")]
    pub ca_file: Option<PathBuf>,

    /// Also create a user and delete it again
    #[arg(long)]
    pub write: bool,

    /// Whether plain http may be used.
    #[command(flatten)]
    pub plain_http: PlainHttpArgs,

    /// Form of the result on standard output
    #[arg(short, long, value_name = "FORMAT", default_value = "text")]
    pub output: Output,
}

/// Form of the result.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Output {
    /// For people.
    Text,
    /// One JSON object.
    Json,
}

/// Which portal is checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Target {
    /// The one that this Portal manifest describes.
    Manifest(PathBuf),
    /// The one at these addresses.
    Addresses {
        /// The backend.
        url: Url,
        /// The token endpoint.
        token_url: Url,
        /// The business partner number that the login must belong to.
        bpn: Option<String>,
    },
}

/// A secret that could not be read.
#[derive(Debug, thiserror::Error)]
pub enum SecretError {
    /// The file cannot be read.
    #[error("cannot read {path}: {source}")]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The file is empty.
    #[error("{0} is empty")]
    Empty(PathBuf),
}

impl CheckArgs {
    /// The rules that span several arguments and the environment.
    pub(super) fn validate(&self) -> Result<(), clap::Error> {
        self.validate_with(&from_environment)
    }

    fn validate_with(&self, environment: Environment<'_>) -> Result<(), clap::Error> {
        let error = |message: &str| Err(Cli::command().error(ErrorKind::MissingRequiredArgument, message));
        let secret = self.client_secret_file.is_some() || environment(CLIENT_SECRET).is_some();
        if self.refresh_token_file.is_none() && self.client_id.is_none() {
            return error("a login is missing: give --client-id ID or --refresh-token-file FILE");
        }
        if self.refresh_token_file.is_none() && !secret {
            return error("give --client-secret-file FILE or set TUO_CLIENT_SECRET");
        }
        let secret = self.delete_client_secret_file.is_some() || environment(DELETE_CLIENT_SECRET).is_some();
        if self.delete_client_id.is_some() && !secret {
            return error("give --delete-client-secret-file FILE or set TUO_DELETE_CLIENT_SECRET");
        }
        Ok(())
    }

    /// Which portal.
    #[must_use]
    pub fn target(&self) -> Target {
        match (&self.url, &self.token_url) {
            (Some(url), Some(token_url)) => {
                Target::Addresses { url: url.clone(), token_url: token_url.clone(), bpn: self.bpn.clone() }
            }
            // clap requires one of the two.
            _ => Target::Manifest(
                self.manifest.clone().or_else(|| self.manifest_option.clone()).unwrap_or_default(),
            ),
        }
    }

    /// The login's client secret: the file's, else the environment's; `None` where a refresh token is used.
    pub fn client_secret(&self) -> Result<Option<SecretString>, SecretError> {
        if self.refresh_token_file.is_some() {
            return Ok(None);
        }
        secret(self.client_secret_file.as_ref(), CLIENT_SECRET, &from_environment)
    }

    /// The file of a person's refresh token, where one is used. It is also written: each use changes the token.
    #[must_use]
    pub fn refresh_token_file(&self) -> Option<&Path> {
        self.refresh_token_file.as_deref()
    }

    /// The deletion login's client secret, where there is such a login.
    pub fn delete_client_secret(&self) -> Result<Option<SecretString>, SecretError> {
        if self.delete_client_id.is_none() {
            return Ok(None);
        }
        secret(self.delete_client_secret_file.as_ref(), DELETE_CLIENT_SECRET, &from_environment)
    }
}

const CLIENT_SECRET: &str = "TUO_CLIENT_SECRET";
const DELETE_CLIENT_SECRET: &str = "TUO_DELETE_CLIENT_SECRET";

/// Reads a variable; an empty one counts as unset.
type Environment<'a> = &'a dyn Fn(&str) -> Option<SecretString>;

fn from_environment(name: &str) -> Option<SecretString> {
    std::env::var(name).ok().filter(|value| !value.is_empty()).map(SecretString::from)
}

fn secret(
    file: Option<&PathBuf>,
    variable: &str,
    environment: Environment<'_>,
) -> Result<Option<SecretString>, SecretError> {
    file.map_or_else(|| Ok(environment(variable)), |path| read_secret(path).map(Some))
}

/// Reads a secret from a file, without the line break that editors put at its end.
pub fn read_secret(path: &Path) -> Result<SecretString, SecretError> {
    let text =
        fs::read_to_string(path).map_err(|source| SecretError::File { path: path.to_owned(), source })?;
    let text = SecretString::from(text);
    let trimmed = secrecy::ExposeSecret::expose_secret(&text).trim_end_matches(['\r', '\n']);
    if trimmed.is_empty() {
        Err(SecretError::Empty(path.to_owned()))
    } else {
        Ok(SecretString::from(trimmed))
    }
}

#[cfg(test)]
mod tests;
