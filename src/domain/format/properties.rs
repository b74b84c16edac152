//! Format `Properties`: the same settings as `EdcEnv`, as the configuration file of a connector.

use super::edc;
use super::entry::{Entry, Named, Reader};
use super::error::FormatError;
use super::quote;
use super::text::SecretText;
use super::values::{Content, Values};

const FILE: &str = "configuration.properties";

/// The format.
pub(super) const ENTRY: Entry = Entry {
    name: "Properties",
    keys: &[FILE],
    optional: &[],
    needs: edc::NEEDS,
    uses: |_| edc::NEEDS.to_vec(),
    named: Named::Renamed,
    has_secret: false,
    reader: Reader {
        who: "a connector that is started with `edc.fs.config`",
        change: "after a restart; the client secret comes from Vault without one",
        needs_restart: true,
    },
    render: |values, _| properties(values),
    read_back: None,
};

fn properties(values: &Values) -> Result<Content, FormatError> {
    let mut text = SecretText::new();
    for (index, (variable, value)) in edc::variables(values)?.into_iter().enumerate() {
        if index > 0 {
            text.push("\n");
        }
        // The setting that a connector makes of a variable.
        text.push(&variable.to_ascii_lowercase().replace('_', "."));
        text.push("=");
        quote::properties(&mut text, value);
    }
    Ok(Content::from([(FILE.to_owned(), text.finish())]))
}
