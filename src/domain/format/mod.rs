//! The formats of a Secret: which keys it has, and what each holds.
//!
//! One file has one format: a pure function from the [`Values`] to the [`Content`], and an [`Entry`] that describes it.
//! [`Format`] lists them; the page `docs/outputs.md` has a table that is generated from that list. [`render`] also applies
//! the names that a person chose for the keys and checks what the apiserver and a connector accept.
//!
//! No value ends with a newline: most readers take a value as it is.

mod data_space_integration;
mod dotenv;
mod edc;
mod edc_env;
mod edc_helm_values;
mod edc_memory;
mod entry;
mod error;
mod keys;
mod properties;
mod quote;
mod raw;
mod spring;
mod spring_application;
mod spring_env;
mod template;
#[cfg(test)]
mod tests;
mod text;
mod values;
mod vault_json;
mod yaml;

pub use edc_helm_values::Dialect;
pub use entry::{Entry, Named, Reader};
pub use error::{FormatError, Value};
pub use keys::{KeyStyle, MAX_BYTES, Naming};
pub use template::FILTERS;
pub use values::{Content, Known, Surroundings, Values};

use std::collections::BTreeMap;

use crate::domain::user::Credential;

/// The formats of a Secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Format {
    /// One key per value.
    #[default]
    Raw,
    /// Variables of a tractusx-connector, without the secret.
    EdcEnv,
    /// Values for the chart of a tractusx-connector, without the secret.
    EdcHelmValues,
    /// Variables of a connector whose vault is in memory.
    EdcMemory,
    /// The secret as JSON for Vault.
    VaultJson,
    /// Variables of a Spring application.
    SpringEnv,
    /// A configuration file of a Spring application.
    SpringApplication,
    /// An env file.
    Dotenv,
    /// A configuration file of a connector, without the secret.
    Properties,
    /// A worksheet for the onboarding form of SAP's Data Space Integration.
    DataSpaceIntegration,
    /// Keys from templates.
    Template,
}

/// What a person may choose of a format. What means nothing for a format is ignored there.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Options {
    /// The version of the chart.
    pub dialect: Dialect,
    /// The name of the OAuth client in a Spring application; absent: `technical-user`.
    pub registration: Option<String>,
    /// The names of the keys.
    pub naming: Naming,
    /// The templates, by key.
    pub templates: BTreeMap<String, String>,
}

impl Format {
    /// All of them, in the order of the documentation.
    pub const ALL: [Self; 11] = [
        Self::Raw,
        Self::EdcEnv,
        Self::EdcHelmValues,
        Self::EdcMemory,
        Self::VaultJson,
        Self::SpringEnv,
        Self::SpringApplication,
        Self::Dotenv,
        Self::Properties,
        Self::DataSpaceIntegration,
        Self::Template,
    ];

    /// What is known of the format.
    #[must_use]
    pub const fn entry(self) -> &'static Entry {
        match self {
            Self::Raw => &raw::ENTRY,
            Self::EdcEnv => &edc_env::ENTRY,
            Self::EdcHelmValues => &edc_helm_values::ENTRY,
            Self::EdcMemory => &edc_memory::ENTRY,
            Self::VaultJson => &vault_json::ENTRY,
            Self::SpringEnv => &spring_env::ENTRY,
            Self::SpringApplication => &spring_application::ENTRY,
            Self::Dotenv => &dotenv::ENTRY,
            Self::Properties => &properties::ENTRY,
            Self::DataSpaceIntegration => &data_space_integration::ENTRY,
            Self::Template => &template::ENTRY,
        }
    }
}

/// The content of a Secret. Either all of it is there, or nothing.
///
/// # Errors
///
/// Where a value is missing that the format needs, its reader would read another value than the one given, or the keys or
/// the size are not those of a Secret.
pub fn render(format: Format, options: &Options, values: &Values) -> Result<Content, FormatError> {
    let entry = format.entry();
    let content = (entry.render)(values, options)?;
    let content = match entry.named {
        Named::Styled => {
            options.naming.apply(content, KeyStyle::default()).map_err(|error| entry.absent(error))?
        }
        Named::Renamed if matches!(options.naming, Naming::Renamed(_)) => {
            options.naming.apply(content, KeyStyle::default())?
        }
        Named::Renamed | Named::Inside | Named::Fixed => content,
    };
    keys::check(&content)?;
    Ok(content)
}

/// Content with the keys that the one of the user will have, and with nothing of the user, to try whether the output can be
/// written before there is a user.
///
/// # Errors
///
/// As [`render`]: what is missing beside the credential, and what no such user has, is found before there is a user.
pub fn placeholder(format: Format, options: &Options, known: &Known) -> Result<Content, FormatError> {
    render(format, options, &Values::placeholder(known))
}

/// Whether a credential can be read back from a content of this format with these options.
#[must_use]
pub fn is_readable(format: Format, options: &Options) -> bool {
    // A format from which none can be, such as a template, is not rendered for it.
    format.entry().can_be_read_back()
        && render(format, options, &Values::complete())
            .is_ok_and(|content| read_back(format, options, &content).is_some())
}

/// The known values of the data space and of the output that a content of this format has, each with its name: a change of another
/// one changes no byte. `None` if it has none of them, known or not.
#[must_use]
pub fn used<'a>(
    format: Format,
    options: &Options,
    surroundings: &'a Surroundings,
) -> Option<Vec<(&'static str, &'a str)>> {
    let uses = (format.entry().uses)(options);
    let texts = |value: Value| surroundings.texts(value).map(move |text| (value.name(), text));
    (!uses.is_empty()).then(|| uses.into_iter().flat_map(texts).collect())
}

/// The credential that a content of this format holds. `None` where the format does not hold all of it, or the content is
/// not of the format: the caller then verifies the credential that the portal shows.
#[must_use]
pub fn read_back(format: Format, options: &Options, content: &Content) -> Option<Credential> {
    let entry = format.entry();
    let key = |key: &str| match entry.named {
        Named::Styled => options.naming.name(key, KeyStyle::default()),
        Named::Renamed if matches!(options.naming, Naming::Renamed(_)) => {
            options.naming.name(key, KeyStyle::default())
        }
        Named::Renamed | Named::Inside | Named::Fixed => Some(key.to_owned()),
    };
    (entry.read_back?)(&|name| content.get(&key(name)?))
}
