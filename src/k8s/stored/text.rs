//! JSON text out of whatever is deserialized.

use std::sync::Arc;

use serde::Deserialize;
use serde::de::{Deserializer, Error};

/// A value as JSON text, without blanks.
pub(super) struct Text(String);

impl From<Text> for Arc<str> {
    fn from(text: Text) -> Self {
        text.0.into()
    }
}

/// A raw value of `serde_json` would be quicker, and works only where nothing was read of the object before: a watch may show it
/// before the type of its event.
impl<'de> Deserialize<'de> for Text {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut text = Vec::with_capacity(1024);
        let mut json = serde_json::Serializer::new(&mut text);
        serde_transcode::transcode(deserializer, &mut json).map_err(D::Error::custom)?;
        String::from_utf8(text).map(Self).map_err(D::Error::custom)
    }
}
