//! The note that a `TechnicalUser` leaves on a Secret of another owner: which keys are its own. Each `TechnicalUser` has an annotation
//! of its own, because backups keep annotations and drop the managers of fields, and several may add keys to one Secret.

use std::collections::{BTreeMap, BTreeSet};

use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use serde::{Deserialize, Serialize};

use crate::domain::identity::Owner;

/// What the annotations of all notes begin with; the hash of the `TechnicalUser` follows.
const PREFIX: &str = "technicaluser.dev/merged-";

/// What a `TechnicalUser` has added to a Secret.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct MergeNote {
    /// `<instance>/<namespace>/<name>` of the `TechnicalUser`.
    pub owner: String,
    /// The id of the user whose credential the keys hold.
    pub user: String,
    /// The keys.
    pub keys: BTreeSet<String>,
    /// A keyed digest of what the content depends on beside the user and the spec.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub surroundings: Option<String>,
}

impl MergeNote {
    /// The annotation that has the note of a `TechnicalUser`.
    pub(super) fn annotation(owner: &Owner) -> String {
        format!("{PREFIX}{}", owner.name_prefix())
    }

    /// The note of a `TechnicalUser` on a Secret.
    pub(super) fn of(metadata: &ObjectMeta, owner: &Owner) -> Option<Self> {
        let text = metadata.annotations.as_ref()?.get(&Self::annotation(owner))?;
        let note: Self = serde_json::from_str(text).ok()?;
        (note.owner == owner.to_string()).then_some(note)
    }

    /// The keys that other `TechnicalUser`s have added to a Secret, with the `TechnicalUser` of each.
    pub(super) fn keys_of_others(metadata: &ObjectMeta, owner: &Owner) -> BTreeMap<String, String> {
        let own = Self::annotation(owner);
        let notes =
            metadata.annotations.iter().flatten().filter(|(key, _)| key.starts_with(PREFIX) && **key != own);
        let notes = notes.filter_map(|(_, text)| serde_json::from_str::<Self>(text).ok());
        notes.flat_map(|note| note.keys.into_iter().map(move |key| (key, note.owner.clone()))).collect()
    }

    /// The text of the annotation.
    pub(super) fn text(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn owner(name: &str) -> Owner {
        Owner { instance: "prod".into(), namespace: "connector".into(), name: name.into() }
    }

    fn note(name: &str, keys: &[&str]) -> MergeNote {
        let keys = keys.iter().map(ToString::to_string).collect();
        MergeNote { owner: owner(name).to_string(), user: "u1".into(), keys, surroundings: None }
    }

    fn secret(annotations: &[(String, String)]) -> ObjectMeta {
        ObjectMeta { annotations: Some(annotations.iter().cloned().collect()), ..ObjectMeta::default() }
    }

    #[test]
    fn two_resources_have_notes_of_their_own() {
        let (one, two) = (note("one", &["a"]), note("two", &["b", "c"]));
        let metadata = secret(&[
            (MergeNote::annotation(&owner("one")), one.text()),
            (MergeNote::annotation(&owner("two")), two.text()),
        ]);
        assert_eq!(MergeNote::of(&metadata, &owner("one")), Some(one));
        let others = MergeNote::keys_of_others(&metadata, &owner("one"));
        assert_eq!(others.into_keys().collect::<Vec<_>>(), ["b", "c"]);
        let (_, name) = MergeNote::annotation(&owner("one"))
            .split_once('/')
            .map(|(a, b)| (a.to_owned(), b.to_owned()))
            .unwrap();
        assert!(name.len() <= 63, "{name}");
    }

    #[test]
    fn a_note_that_another_client_wrote_for_another_resource_is_none() {
        let of_two = note("two", &["a"]).text();
        let annotation = MergeNote::annotation(&owner("one"));
        for text in [of_two.as_str(), "no json", "[]"] {
            let metadata = secret(&[(annotation.clone(), text.to_owned())]);
            assert_eq!(MergeNote::of(&metadata, &owner("one")), None, "{text}");
        }
    }
}
