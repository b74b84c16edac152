//! What an answer may hold. Every text and list of an answer is read into one of these types, so that nothing of a
//! server's choice gets further: neither long text, nor many entries, nor control characters.

use std::fmt;
use std::marker::PhantomData;

use serde::de::{
    Deserialize, DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor,
};

pub(crate) use crate::domain::user::is_id;

use super::absence::Lead;
use crate::domain::text::{printable, printable_lines};

/// The longest name of a user, role, connector or offer. One more than a resource can request, so that a cut name is
/// never equal to the requested one.
pub(crate) const NAME: usize = 256;

/// The longest description. What the operator writes there is shorter.
pub(crate) const DESCRIPTION: usize = 2048;

/// The longest id, URL or secret.
pub(crate) const ID: usize = 64;
pub(crate) const URL: usize = 2048;
pub(crate) const SECRET: usize = 4096;

/// A text for people, cut at `MOST` characters, without control characters.
#[derive(Default)]
pub(crate) struct Text<const MOST: usize>(pub(crate) String);

/// The name of a user in the list: as [`Text`], and what decides its place there.
#[derive(Default)]
pub(crate) struct Named<const MOST: usize> {
    pub(crate) text: String,
    pub(crate) lead: Lead,
}

/// As [`Text`], with line breaks and tabs.
#[derive(Default)]
pub(crate) struct Lines<const MOST: usize>(pub(crate) String);

/// A text for machines: at most `MOST` printable ASCII characters (`VSCHAR` of RFC 6749), else the answer is refused.
pub(crate) struct Exact<const MOST: usize>(pub(crate) String);

/// The id of an object of the portal: 1 to 64 letters, digits and dashes, else the answer is refused. It becomes a segment
/// of a path.
pub(crate) struct Id(pub(crate) String);

/// The first `MOST` entries of a list.
pub(crate) struct List<T, const MOST: usize> {
    pub(crate) entries: Vec<T>,
    /// There were more, which were skipped.
    pub(crate) has_more: bool,
}

impl<T, const MOST: usize> Default for List<T, MOST> {
    fn default() -> Self {
        Self { entries: Vec::new(), has_more: false }
    }
}

/// Whether a text is printable ASCII, blanks included, of at most `most` characters.
pub(crate) fn is_exact(text: &str, most: usize) -> bool {
    text.len() <= most && text.bytes().all(|b| (0x20..=0x7E).contains(&b))
}

impl<'de, const MOST: usize> Deserialize<'de> for Text<MOST> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_str(Reader(|text: &str| Some(Self(printable(text, MOST)))))
    }
}

impl<'de, const MOST: usize> Deserialize<'de> for Named<MOST> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let read = |text: &str| Some(Self { text: printable(text, MOST), lead: Lead::of(text) });
        deserializer.deserialize_str(Reader(read))
    }
}

impl<'de, const MOST: usize> Deserialize<'de> for Lines<MOST> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_str(Reader(|text: &str| Some(Self(printable_lines(text, MOST)))))
    }
}

impl<'de, const MOST: usize> Deserialize<'de> for Exact<MOST> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let read = |text: &str| is_exact(text, MOST).then(|| Self(text.to_owned()));
        deserializer.deserialize_str(Reader(read))
    }
}

impl<'de> Deserialize<'de> for Id {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_str(Reader(|text: &str| is_id(text).then(|| Self(text.to_owned()))))
    }
}

/// Reads a text without a copy of the whole.
struct Reader<F>(F);

impl<T, F: FnOnce(&str) -> Option<T>> Visitor<'_> for Reader<F> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a text within bounds")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<T, E> {
        (self.0)(text).ok_or_else(|| E::custom("a text out of bounds"))
    }
}

impl<'de, T: Deserialize<'de>, const MOST: usize> Deserialize<'de> for List<T, MOST> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_seq(ListReader(PhantomData))
    }
}

struct ListReader<T, const MOST: usize>(PhantomData<T>);

impl<'de, T: Deserialize<'de>, const MOST: usize> Visitor<'de> for ListReader<T, MOST> {
    type Value = List<T, MOST>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Self::Value, A::Error> {
        let mut read = List::default();
        while read.entries.len() < MOST {
            match list.next_element()? {
                Some(entry) => read.entries.push(entry),
                None => return Ok(read),
            }
        }
        while list.next_element::<IgnoredAny>()?.is_some() {
            read.has_more = true;
        }
        Ok(read)
    }
}

/// What is read of a value of any kind; nothing else of it is kept. Nesting is bounded by `serde_json` (128).
pub(crate) trait Gather: Default {
    /// A text, and the key of the innermost object that it stands in (empty outside of objects).
    fn text(&mut self, key: &str, text: &str);

    /// A number that is whole and not negative.
    fn number(&mut self, _: u64) {}
}

/// A value of any kind, read by `T`.
#[derive(Default)]
pub(crate) struct Gathered<T>(pub(crate) T);

impl<'de, T: Gather> Deserialize<'de> for Gathered<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut gathered = T::default();
        deserializer.deserialize_any(Walk { key: "", into: &mut gathered })?;
        Ok(Self(gathered))
    }
}

struct Walk<'a, T> {
    key: &'a str,
    into: &'a mut T,
}

impl<'de, T: Gather> DeserializeSeed<'de> for Walk<'_, T> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de, T: Gather> Visitor<'de> for Walk<'_, T> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any value")
    }

    fn visit_bool<E>(self, _: bool) -> Result<(), E> {
        Ok(())
    }

    fn visit_i64<E>(self, _: i64) -> Result<(), E> {
        Ok(())
    }

    fn visit_u64<E>(self, number: u64) -> Result<(), E> {
        self.into.number(number);
        Ok(())
    }

    fn visit_f64<E>(self, _: f64) -> Result<(), E> {
        Ok(())
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_str<E>(self, text: &str) -> Result<(), E> {
        self.into.text(self.key, text);
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<(), A::Error> {
        while list.next_element_seed(Walk { key: self.key, into: &mut *self.into })?.is_some() {}
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut object: A) -> Result<(), A::Error> {
        while let Some(Text::<NAME>(key)) = object.next_key()? {
            object.next_value_seed(Walk { key: &key, into: &mut *self.into })?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_cleaned_and_cut() {
        let Text::<4>(name) = serde_json::from_str(r#""a\u0000\nb""#).unwrap();
        assert_eq!(name, "a\u{FFFD}\u{FFFD}b");
        let Text::<4>(name) = serde_json::from_str(r#""abcde""#).unwrap();
        assert_eq!(name, "abc…");
        let Lines::<4>(description) = serde_json::from_str(r#""a\n\u001bb""#).unwrap();
        assert_eq!(description, "a\n\u{FFFD}b");
    }

    #[test]
    fn texts_for_machines_are_refused_rather_than_changed() {
        for bad in [r#""a\u0000""#, r#""ä""#, r#""12345""#, r#""a\nb""#, "1", "null"] {
            assert!(serde_json::from_str::<Exact<4>>(bad).is_err(), "{bad}");
        }
        assert!(serde_json::from_str::<Exact<4>>(r#""a b!""#).is_ok());
    }

    #[test]
    fn an_id_is_a_segment_of_a_path_and_nothing_else() {
        for id in ["0b6c1f4e-2222-4444-8888-1234567890ab", "A", "id-1"] {
            assert!(is_id(id), "{id}");
        }
        for id in ["", ".", "..", "a/b", "a?b", "a#b", "a%2e", "a b", "ä", "a\n", &"a".repeat(65)] {
            assert!(!is_id(id), "{id}");
        }
    }

    #[test]
    fn a_list_ends_where_it_may_and_says_so() {
        let list: List<u8, 2> = serde_json::from_str("[1,2]").unwrap();
        assert!(list.entries == [1, 2] && !list.has_more);
        let list: List<u8, 2> = serde_json::from_str(r#"[1,2,"x",{"y":[]}]"#).unwrap();
        assert!(list.entries == [1, 2] && list.has_more);
    }

    #[derive(Default)]
    struct Texts(Vec<String>);

    impl Gather for Texts {
        fn text(&mut self, key: &str, text: &str) {
            self.0.push(format!("{key}={text}"));
        }
    }

    #[test]
    fn texts_are_gathered_from_any_value() {
        let Gathered(Texts(texts)) =
            serde_json::from_str(r#"[1,null,true,-1,0.5,"a",{"b":["c",{"d":"e"}],"f":{}}]"#).unwrap();
        assert_eq!(texts, ["=a", "b=c", "d=e"]);
        let deep = format!("{}{}", "[".repeat(10_000), "]".repeat(10_000));
        assert!(serde_json::from_str::<Gathered<Texts>>(&deep).is_err(), "nesting is bounded");
    }
}
