//! Objects as a cache keeps them: compressed text, opened where it is used.
//!
//! The objects of one kind differ in names, ids and times, and are alike in all else. So each is compressed with what others of
//! its kind say, which makes it a quarter of its text.

use std::sync::Arc;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use lz4_flex::block::{compress_with_dict, decompress_with_dict};
use parking_lot::Mutex;
use serde_json::from_str;

use super::StoredObject;
use super::metadata::Metadata;
use crate::k8s::watch::Entry;

/// A longer dictionary would make packing slower, and hardly smaller what is packed.
const LONGEST_DICTIONARY: usize = 8 * 1024;

/// An object, or the metadata of one, in little memory.
pub struct PackedObject {
    /// Namespace and name, one after the other.
    key: Box<str>,
    /// Where the name begins.
    name_at: u32,
    /// The size of the text.
    size: u32,
    packed: Box<[u8]>,
    dictionary: Dictionary,
}

/// What was learned of a kind. A thin pointer, as each object has one.
type Dictionary = Arc<Vec<u8>>;

impl PackedObject {
    /// Its metadata.
    #[must_use]
    pub fn metadata(&self) -> ObjectMeta {
        self.open().metadata
    }

    /// The object.
    #[must_use]
    pub fn open(&self) -> StoredObject {
        // This process has written all of it, so it can be read.
        let text = decompress_with_dict(&self.packed, self.text_size(), &self.dictionary).unwrap_or_default();
        let text = String::from_utf8(text).unwrap_or_default();
        let mut lines = text.split('\n');
        let metadata = lines.next().and_then(|line| from_str::<Metadata>(line).ok()).unwrap_or_default();
        let mut part = || lines.next().filter(|line| !line.is_empty()).map(Arc::from);
        StoredObject { metadata: metadata.into(), spec: part(), status: part() }
    }
}

impl std::fmt::Debug for PackedObject {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.open().fmt(f)
    }
}

impl Entry for PackedObject {
    fn namespace(&self) -> &str {
        self.key.get(..self.name_at()).unwrap_or_default()
    }

    fn name(&self) -> &str {
        self.key.get(self.name_at()..).unwrap_or_default()
    }
}

impl PackedObject {
    fn text_size(&self) -> usize {
        usize::try_from(self.size).unwrap_or_default()
    }

    fn name_at(&self) -> usize {
        usize::try_from(self.name_at).unwrap_or_default()
    }
}

/// Packs the objects of one kind, and learns from them. Clones learn together.
#[derive(Debug, Clone, Default)]
pub struct Packer(Arc<Mutex<Learned>>);

#[derive(Debug, Default)]
struct Learned {
    dictionary: Dictionary,
    /// How many objects were packed with it.
    used: u32,
    /// How many dictionaries there were.
    times: u32,
}

impl Packer {
    /// Packs an object.
    #[must_use]
    pub fn pack(&self, object: &StoredObject) -> PackedObject {
        let StoredObject { metadata, spec, status } = object;
        let mut key = metadata.namespace.clone().unwrap_or_default();
        let name_at = size(key.len());
        key.push_str(metadata.name.as_deref().unwrap_or_default());
        // JSON has no line breaks. Maps with texts as keys can always be written.
        let metadata = serde_json::to_string(metadata).unwrap_or_default();
        let text = [&metadata, spec.as_deref().unwrap_or_default(), status.as_deref().unwrap_or_default()];
        let text = text.join("\n");
        let (packed, dictionary) = self.compress(text.as_bytes());
        PackedObject { key: key.into(), name_at, size: size(text.len()), packed: packed.into(), dictionary }
    }

    /// Packs metadata alone.
    #[must_use]
    pub fn pack_metadata(&self, metadata: ObjectMeta) -> PackedObject {
        let metadata = ObjectMeta { managed_fields: None, ..metadata };
        self.pack(&StoredObject { metadata, spec: None, status: None })
    }

    fn compress(&self, text: &[u8]) -> (Vec<u8>, Dictionary) {
        let dictionary = {
            let mut learned = self.0.lock();
            learned.used = learned.used.saturating_add(1);
            Arc::clone(&learned.dictionary)
        };
        let packed = compress_with_dict(text, &dictionary);
        if packed.len() <= text.len() / 3 {
            return (packed, dictionary);
        }
        match self.learn(text) {
            Some(learned) => (compress_with_dict(text, &learned), learned),
            None => (packed, dictionary),
        }
    }

    /// Takes over a text that the dictionary does not help with: more rarely each time, as objects keep the former dictionaries.
    fn learn(&self, text: &[u8]) -> Option<Dictionary> {
        let mut learned = self.0.lock();
        if learned.used < 1_u32.checked_shl(learned.times).unwrap_or(u32::MAX) {
            return None;
        }
        let text = text.get(text.len().saturating_sub(LONGEST_DICTIONARY)..).unwrap_or_default();
        let room = LONGEST_DICTIONARY - text.len();
        let begin = learned.dictionary.len().saturating_sub(room);
        let longer = [learned.dictionary.get(begin..).unwrap_or_default(), text].concat();
        let dictionary = Arc::new(longer);
        *learned = Learned { dictionary: Arc::clone(&dictionary), used: 0, times: learned.times + 1 };
        Some(dictionary)
    }
}

fn size(length: usize) -> u32 {
    u32::try_from(length).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn objects_that_are_alike_become_small_and_keep_few_dictionaries() {
        let common = Packer::default();
        let of = |number: u64, more: &str| -> StoredObject {
            let words = "The user was created, and its credential is published. The next rotation is due at the time below.";
            let id = number.wrapping_mul(0x9E37_79B9_7F4A_7C15);
            let status = json!({"id": format!("{id:x}"), "words": words, "more": more});
            let object = json!({"metadata": {"name": "edc"}, "spec": {"count": number}, "status": status});
            serde_json::from_value(object).unwrap()
        };
        let packed: Vec<_> = (0..1000).map(|number| common.pack(&of(number, "fresh"))).collect();
        let last = packed.last().unwrap();
        assert!(last.packed.len() * 4 < last.text_size(), "{} of {}", last.packed.len(), last.text_size());
        // Nothing that is learned helps with texts that have nothing in common.
        let odd: Vec<_> = (0..1000_u64)
            .map(|number| {
                let text = |n: u64| format!("{:x}", (number * 1000 + n).wrapping_mul(0xD134_2543_DE82_EF95));
                let odd = (0..200).map(text).collect::<Vec<_>>().concat();
                common.pack(&of(number, &odd))
            })
            .collect();
        let mut dictionaries: Vec<_> =
            packed.iter().chain(&odd).map(|one| Arc::as_ptr(&one.dictionary)).collect();
        dictionaries.dedup();
        assert!(dictionaries.len() < 12, "{}", dictionaries.len());
        for (number, packed) in odd.iter().enumerate() {
            assert_eq!(packed.open().at::<usize>("/spec/count"), Some(number));
            assert!(packed.dictionary.len() <= 8 * 1024);
        }
    }
}
