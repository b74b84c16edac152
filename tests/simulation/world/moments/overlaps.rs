//! Which overlaps people have ended.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::Value;
use tokio::time::Instant;

use super::{Moments, State};
use crate::apiserver::Change;
use crate::world::overlaps::END_OVERLAP;

/// What people have named in the annotation that ends overlaps, by the uid of the resource, and until when.
#[derive(Debug, Default)]
pub struct Ended(BTreeMap<(String, String), Instant>);

impl Moments {
    /// A client changed a `TechnicalUser`, perhaps the annotation.
    pub(super) fn overlaps_ended(state: &mut State, change: &Change) {
        for object in change.before.iter().chain([&change.after]) {
            let uid = object["metadata"]["uid"].as_str().unwrap_or_default();
            for name in named(object) {
                state.ended.0.insert((uid.to_owned(), name.to_owned()), Instant::now());
            }
        }
    }
}

impl Ended {
    /// Whether a person asks for the end of something before its overlap has passed, or did so shortly before.
    pub fn has(&self, object: &Value, name: &str, shortly: Duration) -> bool {
        let uid = object["metadata"]["uid"].as_str().unwrap_or_default();
        let until = self.0.get(&(uid.to_owned(), name.to_owned()));
        until.is_some_and(|until| until.elapsed() < shortly) || named(object).any(|named| named == name)
    }
}

/// The names in the annotation.
fn named(object: &Value) -> impl Iterator<Item = &str> {
    let names = object["metadata"]["annotations"][END_OVERLAP].as_str().unwrap_or_default();
    names.split([',', ' ']).filter(|name| !name.is_empty())
}
