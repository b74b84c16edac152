//! The fields of an entry. Their values are secret, whatever they are.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

use crate::domain::user::is_same_secret;

/// The fields of an entry. A value is kept as the JSON that Vault has, so that a change of one field leaves the others exactly
/// as they are.
#[derive(Clone, Default)]
pub struct Fields(BTreeMap<String, SecretString>);

impl Fields {
    /// These fields and one more, with a text. The text is written as it is, without a line break at its end.
    #[must_use]
    pub fn with(mut self, name: &str, text: &SecretString) -> Self {
        self.0.insert(name.to_owned(), json_text(text.expose_secret()));
        self
    }

    /// The text of a field; `None` where there is no such field or its value is no text.
    #[must_use]
    pub fn text(&self, name: &str) -> Option<SecretString> {
        let text: String = serde_json::from_str(self.0.get(name)?.expose_secret()).ok()?;
        Some(text.into())
    }

    /// The text of each field. One whose value is no text has a name that no field of ours has.
    #[must_use]
    pub fn texts(&self) -> BTreeMap<String, SecretString> {
        let text = |(name, value): (&String, &SecretString)| match self.text(name) {
            Some(text) => (name.clone(), text),
            None => (format!("{name} (no text)"), value.clone()),
        };
        self.0.iter().map(text).collect()
    }

    /// The names of the fields, in order.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }

    /// Whether there are no fields.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether both have the same fields with the same values.
    #[must_use]
    pub fn is_same(&self, other: &Self) -> bool {
        self.0.len() == other.0.len()
            && self
                .0
                .iter()
                .all(|(name, value)| other.0.get(name).is_some_and(|other| is_same_value(value, other)))
    }

    /// Adds these fields, in place of those that have their names.
    pub fn set(&mut self, other: &Self) {
        self.0.extend(other.0.iter().map(|(name, value)| (name.clone(), value.clone())));
    }

    /// Removes the fields with these names.
    pub fn remove(&mut self, names: &BTreeSet<String>) {
        self.0.retain(|name, _| !names.contains(name));
    }

    /// As a JSON object.
    pub(super) fn json(&self) -> SecretString {
        let fields: Vec<_> = self
            .0
            .iter()
            .map(|(name, value)| format!("{}:{}", json_text(name).expose_secret(), value.expose_secret()))
            .collect();
        format!("{{{}}}", fields.join(",")).into()
    }
}

/// Two spellings of one text are the same value.
fn is_same_value(one: &SecretString, other: &SecretString) -> bool {
    let text = |value: &SecretString| -> Option<SecretString> {
        serde_json::from_str::<String>(value.expose_secret()).ok().map(Into::into)
    };
    match (text(one), text(other)) {
        (Some(one), Some(other)) => is_same_secret(&one, &other),
        (None, None) => is_same_secret(one, other),
        _ => false,
    }
}

fn json_text(text: &str) -> SecretString {
    serde_json::Value::from(text).to_string().into()
}

impl<'de> Deserialize<'de> for Fields {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let fields: BTreeMap<String, Box<RawValue>> = BTreeMap::deserialize(deserializer)?;
        let secret = |value: Box<RawValue>| SecretString::from(value.get().to_owned());
        Ok(Self(fields.into_iter().map(|(name, value)| (name, secret(value))).collect()))
    }
}

impl fmt::Debug for Fields {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(json: &str) -> Fields {
        serde_json::from_str(json).unwrap()
    }

    #[test]
    fn values_of_others_are_kept_as_they_are() {
        let mut fields =
            read(r#"{"n":1234567890123456789012345678901234567890.10,"o":{"a": [1]},"s":"\u00e9"}"#);
        fields.set(&Fields::default().with("content", &"a\"b\\".into()));
        fields.remove(&BTreeSet::from(["s".to_owned()]));
        assert_eq!(
            fields.json().expose_secret(),
            r#"{"content":"a\"b\\","n":1234567890123456789012345678901234567890.10,"o":{"a": [1]}}"#
        );
        assert_eq!(fields.text("content").unwrap().expose_secret(), "a\"b\\");
        assert!(fields.text("n").is_none() && fields.text("none").is_none());
    }

    #[test]
    fn equal_values_are_equal_in_each_spelling() {
        assert!(read(r#"{"a":"\u00e9","b":1}"#).is_same(&read(r#"{"b":1,"a":"é"}"#)));
        for other in [r#"{"a":"e"}"#, r#"{"a":1}"#, r#"{"b":"é"}"#, r#"{"a":"é","b":1}"#, "{}"] {
            assert!(!read(r#"{"a":"é"}"#).is_same(&read(other)), "{other}");
        }
    }

    #[test]
    fn only_names_are_shown() {
        assert_eq!(format!("{:?}", Fields::default().with("content", &"s3cret".into())), r#"{"content"}"#);
    }
}
