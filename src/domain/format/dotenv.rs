//! Format `Dotenv`: the values of `Raw` in one env file.

use secrecy::ExposeSecret;

use super::entry::{Entry, Named, Reader};
use super::error::{FormatError, Value};
use super::keys::{self, KeyStyle};
use super::text::SecretText;
use super::values::{Content, Values};
use super::{Options, quote, raw};

const FILE: &str = ".env";

/// The format.
pub(super) const ENTRY: Entry = Entry {
    name: "Dotenv",
    keys: &[FILE],
    optional: &[("bpn", Value::Bpn), ("issuer-url", Value::IssuerUrl)],
    needs: &[],
    uses: |_| Vec::new(),
    named: Named::Inside,
    has_secret: true,
    reader: Reader {
        who: "Docker Compose, as `.env` or `env_file`",
        change: "when the containers are created again",
        needs_restart: true,
    },
    render: dotenv,
    read_back: None,
};

fn dotenv(values: &Values, options: &Options) -> Result<Content, FormatError> {
    let lines =
        options.naming.apply(raw::raw(values), KeyStyle::UpperSnake).map_err(|error| ENTRY.absent(error))?;
    if let Some(name) = lines.keys().find(|name| !is_valid(name)) {
        return Err(FormatError::InvalidKey {
            key: name.clone(),
            rule: "a variable has letters, digits and underscores, and does not begin with a digit",
        });
    }
    keys::spelled_once(&lines)?;
    let mut text = SecretText::new();
    for (index, (name, value)) in lines.iter().enumerate() {
        if index > 0 {
            text.push("\n");
        }
        text.push(name);
        text.push("=");
        quote::dotenv(&mut text, value.expose_secret());
    }
    Ok(Content::from([(FILE.to_owned(), text.finish())]))
}

/// A name that shells accept too.
fn is_valid(name: &str) -> bool {
    name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
        && name.bytes().next().is_some_and(|b| !b.is_ascii_digit())
}
