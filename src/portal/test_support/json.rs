//! Bodies of answers for tests that read any of them.

use proptest::prelude::*;
use serde_json::Value;

/// A body that a server may send: any bytes, or JSON whose keys and texts are often among `words`, so that it gets past
/// the first check of a reader.
pub fn a_body(words: &'static [&'static str]) -> impl Strategy<Value = Vec<u8>> {
    let json = a_value(words).prop_map(|value| value.to_string().into_bytes());
    prop_oneof![1 => any::<Vec<u8>>(), 1 => a_cut(words), 8 => json]
}

/// JSON that ends too early.
fn a_cut(words: &'static [&'static str]) -> impl Strategy<Value = Vec<u8>> {
    (a_value(words), any::<prop::sample::Index>()).prop_map(|(value, end)| {
        let mut text = value.to_string().into_bytes();
        text.truncate(end.index(text.len() + 1));
        text
    })
}

fn a_text(words: &'static [&'static str]) -> impl Strategy<Value = String> {
    prop_oneof![4 => prop::sample::select(words).prop_map(str::to_owned), 1 => any::<String>()]
}

fn a_value(words: &'static [&'static str]) -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        a_text(words).prop_map(Value::from),
    ];
    leaf.prop_recursive(5, 48, 6, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
            prop::collection::btree_map(a_text(words), inner, 0..8)
                .prop_map(|fields| Value::Object(fields.into_iter().collect())),
        ]
    })
}
