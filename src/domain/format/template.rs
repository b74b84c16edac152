//! Format `Template`: keys whose values come from templates, for programs that no other format serves.

use std::collections::BTreeMap;
use std::io;

use minijinja::{Environment, ErrorKind, UndefinedBehavior, Value as Variable};
use secrecy::{ExposeSecret, SecretString};

use super::entry::{Entry, Named, Reader};
use super::error::{FormatError, Value};
use super::keys::MAX_BYTES;
use super::quote;
use super::text::SecretText;
use super::values::{Content, Values};
use crate::domain::user::UserKind;

/// The format.
pub(super) const ENTRY: Entry = Entry {
    name: "Template",
    keys: &["<key>"],
    optional: &[],
    needs: &[],
    uses: |options| uses(&options.templates),
    named: Named::Fixed,
    has_secret: true,
    reader: Reader { who: "any program", change: "depends on the program", needs_restart: true },
    render: |values, options| templates(values, &options.templates),
    read_back: None,
};

/// The filters beside those of the language, and what each writes.
pub const FILTERS: [(&str, &str); 5] = [
    ("json", "a JSON string with its quotes"),
    ("yaml", "a YAML string with its quotes"),
    ("properties", "a value of a Java properties file"),
    ("dotenv", "a value of an env file with its quotes, for Docker Compose"),
    ("base64", "the value in Base64"),
];

/// What all templates of an output together may use up, in units of the engine: an instruction, or 64 bytes of data. It bounds
/// time and memory. Nothing can interrupt the engine, but no template takes it longer than 15 ms to use this up (measured with an
/// optimized build), so the content is built where it is needed, without a thread of its own.
const FUEL: u64 = 50_000;

/// What the templates of an output may still use up.
struct Budget {
    fuel: u64,
    bytes: usize,
}

fn templates(values: &Values, templates: &BTreeMap<String, String>) -> Result<Content, FormatError> {
    let mut environment = environment();
    let variables = variables(values);
    let mut left = Budget { fuel: FUEL, bytes: MAX_BYTES };
    let mut content = Content::new();
    for (key, source) in templates {
        content.insert(key.clone(), one(&mut environment, key, source, &variables, values, &mut left)?);
    }
    Ok(content)
}

/// The values whose names are words of a template: a name cannot be computed.
fn uses(templates: &BTreeMap<String, String>) -> Vec<Value> {
    let is_named = |value: &Value| {
        let words = |text: &String| {
            text.split(|c: char| !c.is_alphanumeric() && c != '_').any(|word| word == value.name())
        };
        templates.values().any(words)
    };
    Value::ALL.into_iter().filter(is_named).collect()
}

fn one(
    environment: &mut Environment<'_>,
    key: &str,
    source: &str,
    variables: &BTreeMap<&'static str, Variable>,
    values: &Values,
    left: &mut Budget,
) -> Result<SecretString, FormatError> {
    environment.set_fuel(Some(left.fuel));
    // Only kind and line of an error are shown: its detail may quote a value.
    let failed = |error: &minijinja::Error| FormatError::Template {
        key: key.to_owned(),
        kind: match error.kind() {
            ErrorKind::WriteFailure => format!("more than {MAX_BYTES} bytes in all keys together"),
            kind => kind.to_string(),
        },
        line: error.line().unwrap_or_default(),
    };
    let template = environment.template_from_str(source).map_err(|error| failed(&error))?;
    let mut text = Capped { text: SecretText::new(), most: left.bytes };
    let context = Variable::from_pairs(variables.iter().map(|(name, value)| (*name, value.clone())));
    let rendered = template.render_captured_to(context, &mut text).map_err(|error| {
        let used = template.undeclared_variables(false);
        let absent = |value: &Value| used.contains(value.name()) && !variables.contains_key(value.name());
        let missing = Value::ALL.into_iter().find(absent);
        match missing {
            Some(value) if error.kind() == ErrorKind::UndefinedError => FormatError::Missing(value),
            _ => failed(&error),
        }
    })?;
    left.fuel = rendered.state().fuel_levels().map_or(0, |(_, left)| left);
    left.bytes = left.bytes.saturating_sub(text.text.as_str().len());
    without_line_end(text.text, values)
}

/// No value ends with a newline. One that belongs to the secret must not be lost.
fn without_line_end(text: SecretText, values: &Values) -> Result<SecretString, FormatError> {
    const ENDS: [char; 2] = ['\n', '\r'];
    let kept = text.as_str().trim_end_matches(ENDS);
    if kept.len() == text.as_str().len() {
        return Ok(text.finish());
    }
    if values.credential.secret().expose_secret().ends_with(ENDS) {
        return Err(FormatError::Unwritable {
            value: "client secret",
            why: "it ends with a newline, and newlines at the end are removed",
        });
    }
    let mut shorter = SecretText::new();
    shorter.push(kept);
    Ok(shorter.finish())
}

/// Nothing can be loaded, an undefined variable is an error, and work and memory are bounded.
fn environment() -> Environment<'static> {
    let mut environment = Environment::new();
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    environment.set_fuel(Some(FUEL));
    environment.add_filter("json", |value: &str| quoted(quote::json, value));
    environment.add_filter("yaml", |value: &str| quoted(quote::yaml, value));
    environment.add_filter("properties", |value: &str| quoted(quote::properties, value));
    environment.add_filter("dotenv", |value: &str| quoted(quote::dotenv, value));
    environment.add_filter("base64", |value: &str| quoted(quote::base64, value));
    environment
}

fn quoted(quote: fn(&mut SecretText, &str), value: &str) -> String {
    let mut text = SecretText::new();
    quote(&mut text, value);
    text.as_str().to_owned()
}

/// The variables, those only whose value is known. The engine keeps copies of them while it renders.
fn variables(values: &Values) -> BTreeMap<&'static str, Variable> {
    let credential = &values.credential;
    let kind = match values.kind {
        UserKind::Internal => "Internal",
        UserKind::External => "External",
    };
    let around = &values.surroundings;
    let issuers = &around.trusted_issuers;
    let always = [
        ("clientId", Variable::from(credential.client_id.as_str())),
        ("clientSecret", Variable::from(credential.secret().expose_secret())),
        ("tokenUrl", Variable::from(credential.token_url.as_str())),
        ("technicalUserId", Variable::from(values.user_id.as_str())),
        ("kind", Variable::from(kind)),
    ];
    let known = [
        (Value::Bpn, values.bpn.clone()),
        (Value::Did, around.did.clone()),
        (Value::WalletUrl, around.wallet_url.clone()),
        (Value::BdrsUrl, around.bdrs_url.clone()),
        (Value::SecretAlias, around.secret_alias.clone()),
        (Value::IssuerUrl, values.issuer_url()),
    ];
    let known = known.into_iter().filter_map(|(value, text)| Some((value.name(), Variable::from(text?))));
    let issuers = (!issuers.is_empty())
        .then(|| (Value::TrustedIssuers.name(), issuers.iter().map(String::as_str).collect::<Variable>()));
    always.into_iter().chain(known).chain(issuers).collect()
}

/// Takes no more than this number of bytes.
struct Capped {
    text: SecretText,
    most: usize,
}

impl io::Write for Capped {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.text.as_str().len() + bytes.len() > self.most {
            return Err(io::Error::from(io::ErrorKind::FileTooLarge));
        }
        self.text.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
