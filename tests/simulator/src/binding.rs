//! Model binding: bodies and queries, as strict and as lax as the real service reads them (portal contract,
//! sections 1 and 3.2).

use serde_json::{Map, Value};
use uuid::Uuid;

use crate::errors::{ModelErrors, no_media_type};
use crate::http::{Reply, Request};

/// What a body or a query cannot be read by.
pub(crate) enum Unreadable {
    /// 400 with these keys.
    Model(ModelErrors),
    /// 415 with a body.
    NoMediaType,
}

impl From<ModelErrors> for Unreadable {
    fn from(errors: ModelErrors) -> Self {
        Self::Model(errors)
    }
}

impl Unreadable {
    pub(crate) fn reply(self) -> Reply {
        match self {
            Self::Model(errors) => errors.reply(),
            Self::NoMediaType => no_media_type(),
        }
    }
}

/// A JSON object being read. The first value of a wrong type ends the reading, as in the real service; missing
/// values are all reported at once.
pub(crate) struct Body {
    fields: Map<String, Value>,
    /// Name of the action's parameter, which stands beside the JSON path in the errors.
    parameter: &'static str,
    missing: ModelErrors,
    wrong: Option<ModelErrors>,
}

impl Body {
    /// Reads a request's body; `parameter` is the action's name for it.
    pub(crate) fn read(request: &Request, parameter: &'static str) -> Result<Self, Unreadable> {
        if request.media_type().is_none() {
            return Err(Unreadable::NoMediaType);
        }
        let empty = || {
            let mut errors = ModelErrors::of("", "A non-empty request body is required.");
            errors.add(parameter, format!("The {parameter} field is required."));
            errors
        };
        if request.body.iter().all(u8::is_ascii_whitespace) {
            return Err(empty().into());
        }
        match serde_json::from_slice::<Value>(&request.body) {
            Ok(Value::Object(fields)) => {
                Ok(Self { fields, parameter, missing: ModelErrors::default(), wrong: None })
            }
            Ok(Value::Null) => Err(empty().into()),
            Ok(_) => {
                Err(wrong("$", parameter, "The JSON value could not be converted to the expected object.")
                    .into())
            }
            Err(error) => Err(wrong("$", parameter, &format!("The body is no JSON: {error}")).into()),
        }
    }

    /// Property names match whatever their letter case.
    fn get(&self, name: &str) -> Option<&Value> {
        self.fields.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value)
    }

    fn set_wrong(&mut self, path: &str, kind: &str) {
        let text = format!("The JSON value could not be converted to {kind}. Path: {path}");
        let parameter = self.parameter;
        self.wrong.get_or_insert_with(|| wrong(path, parameter, &text));
    }

    /// A text that must be there; `clr` is its key among the errors.
    pub(crate) fn text(&mut self, name: &str, clr: &str) -> String {
        match self.get(name) {
            Some(Value::String(text)) => text.clone(),
            None | Some(Value::Null) => {
                self.missing.add(clr, format!("The {clr} field is required."));
                String::new()
            }
            Some(_) => {
                self.set_wrong(&format!("$.{name}"), "System.String");
                String::new()
            }
        }
    }

    /// An id; a missing one is the id of zeros.
    pub(crate) fn id(&mut self, name: &str) -> Uuid {
        match self.get(name).map(|value| value.as_str().and_then(json_id)) {
            None => Uuid::nil(),
            Some(Some(id)) => id,
            Some(None) => {
                self.set_wrong(&format!("$.{name}"), "System.Guid");
                Uuid::nil()
            }
        }
    }

    /// A list of ids that must be there.
    pub(crate) fn ids(&mut self, name: &str, clr: &str) -> Vec<Uuid> {
        let items = match self.get(name) {
            Some(Value::Array(items)) => items.clone(),
            None | Some(Value::Null) => {
                self.missing.add(clr, format!("The {clr} field is required."));
                return Vec::new();
            }
            Some(_) => {
                self.set_wrong(&format!("$.{name}"), "System.Collections.Generic.IEnumerable`1[System.Guid]");
                return Vec::new();
            }
        };
        let mut ids = Vec::with_capacity(items.len());
        for (index, item) in items.iter().enumerate() {
            match item.as_str().and_then(json_id) {
                Some(id) => ids.push(id),
                None => self.set_wrong(&format!("$.{name}[{index}]"), "System.Guid"),
            }
        }
        ids
    }

    /// One of these words, whatever its letter case. Numbers are refused; a missing one is `None`.
    pub(crate) fn word(&mut self, name: &str, words: &[&'static str]) -> Option<&'static str> {
        let value = self.get(name)?;
        let found =
            value.as_str().and_then(|text| words.iter().find(|word| word.eq_ignore_ascii_case(text.trim())));
        if found.is_none() {
            self.set_wrong(&format!("$.{name}"), "the enumeration");
        }
        found.copied()
    }

    /// Ends the reading.
    pub(crate) fn finish(self) -> Result<(), Unreadable> {
        match self.wrong {
            Some(errors) => Err(errors.into()),
            None if !self.missing.is_empty() => Err(self.missing.into()),
            None => Ok(()),
        }
    }
}

fn wrong(path: &str, parameter: &str, message: &str) -> ModelErrors {
    let mut errors = ModelErrors::of(path, message);
    errors.add(parameter, format!("The {parameter} field is required."));
    errors
}

/// In JSON an id is 36 characters with hyphens and nothing else.
fn json_id(text: &str) -> Option<Uuid> {
    if text.len() == 36 { Uuid::try_parse(text).ok() } else { None }
}

/// An id in a path, which may be written in any of the usual ways.
pub(crate) fn path_id(params: &[String], name: &str) -> Result<Uuid, ModelErrors> {
    let text = params.first().map(String::as_str).unwrap_or_default();
    Uuid::try_parse(text).map_err(|_| ModelErrors::of(name, format!("The value '{text}' is not valid.")))
}

/// A query being read.
pub(crate) struct Query {
    pairs: Vec<(String, String)>,
    errors: ModelErrors,
}

impl Query {
    pub(crate) fn read(request: &Request) -> Self {
        let text = request.query.as_deref().unwrap_or_default();
        Self {
            pairs: form_urlencoded::parse(text.as_bytes()).into_owned().collect(),
            errors: ModelErrors::default(),
        }
    }

    fn all(&self, name: &str) -> Vec<String> {
        let wanted = self.pairs.iter().filter(|(key, _)| key.eq_ignore_ascii_case(name));
        wanted.map(|(_, value)| value.clone()).collect()
    }

    fn refuse(&mut self, name: &str, value: &str) {
        self.errors.add(name, format!("The value '{value}' is not valid."));
    }

    /// The first value, unless it is empty.
    pub(crate) fn text(&self, name: &str) -> Option<String> {
        self.all(name).into_iter().next().filter(|text| !text.is_empty())
    }

    pub(crate) fn number(&mut self, name: &str) -> Option<i32> {
        let value = self.all(name).into_iter().next()?;
        let number = value.trim().parse().ok();
        if number.is_none() {
            self.refuse(name, &value);
        }
        number
    }

    pub(crate) fn flag(&mut self, name: &str) -> Option<bool> {
        let value = self.all(name).into_iter().next()?;
        match value.trim().to_ascii_lowercase().as_str() {
            "true" => Some(true),
            "false" => Some(false),
            _ => {
                self.refuse(name, &value);
                None
            }
        }
    }

    /// Words of an enumeration, each given by name in any letter case or by its number, which counts from 1.
    /// Several in one value are read as the bits of one, as .NET does.
    pub(crate) fn words<T: Copy>(&mut self, name: &str, words: &[(&str, T)]) -> Vec<T> {
        let mut found = Vec::new();
        for value in self.all(name) {
            let number = value.split(',').try_fold(0usize, |bits, part| {
                let part = part.trim();
                let position = words.iter().position(|(word, _)| word.eq_ignore_ascii_case(part));
                position.map(|index| index + 1).or_else(|| part.parse().ok()).map(|number| bits | number)
            });
            match number.and_then(|number| number.checked_sub(1)).and_then(|index| words.get(index)) {
                Some((_, word)) => found.push(*word),
                None => self.refuse(name, &value),
            }
        }
        found
    }

    pub(crate) fn finish(self) -> Result<(), Unreadable> {
        if self.errors.is_empty() { Ok(()) } else { Err(self.errors.into()) }
    }
}
