//! Whether an answer is the recorded one, up to what was volatile.

use serde_json::Value;

use crate::world::Answer;

/// Compares status, content type, challenge and body.
pub(crate) fn compare(case: &str, wanted: &Value, answer: &Answer) {
    assert_eq!(wanted["status"], answer.status, "{case}: {answer:?}");
    assert_eq!(wanted["media"], answer.media(), "{case}: {answer:?}");
    let challenged = answer.header("www-authenticate").starts_with("Bearer");
    assert_eq!(wanted.get("challenge").is_some(), challenged, "{case}: {answer:?}");
    if wanted["body"] == "" {
        assert_eq!(answer.text, "", "{case}");
    } else {
        body_matches(case, &wanted["body"], &answer.json());
    }
}

/// Whether a value is the recorded one, up to what was volatile.
fn body_matches(place: &str, wanted: &Value, have: &Value) {
    match (wanted, have) {
        (Value::Object(wanted), Value::Object(have)) => {
            let mut wanted: Vec<(&str, &Value)> =
                wanted.iter().map(|(key, value)| (key.as_str(), value)).collect();
            let mut have: Vec<(&str, &Value)> =
                have.iter().map(|(key, value)| (assembly(key, &wanted), value)).collect();
            wanted.sort_by_key(|(key, _)| *key);
            have.sort_by_key(|(key, _)| *key);
            let keys =
                |pairs: &[(&str, &Value)]| pairs.iter().map(|(key, _)| (*key).to_owned()).collect::<Vec<_>>();
            assert_eq!(keys(&wanted), keys(&have), "keys at {place}");
            for ((key, wanted), (_, have)) in wanted.iter().zip(&have) {
                body_matches(&format!("{place}.{key}"), wanted, have);
            }
        }
        (Value::Array(wanted), Value::Array(have)) => {
            assert_eq!(wanted.len(), have.len(), "length at {place}: {have:?}");
            for (index, (wanted, have)) in wanted.iter().zip(have).enumerate() {
                body_matches(&format!("{place}[{index}]"), wanted, have);
            }
        }
        (Value::String(wanted), have) => {
            assert!(text_matches(wanted, have), "at {place}: {wanted} is not {have}");
        }
        _ => assert_eq!(wanted, have, "at {place}"),
    }
}

/// Names of assemblies are recorded as one word.
fn assembly<'a>(key: &'a str, wanted: &[(&str, &Value)]) -> &'a str {
    let recorded = wanted.iter().any(|(key, _)| *key == "<assembly>");
    if recorded && key.contains('.') { "<assembly>" } else { key }
}

fn text_matches(wanted: &str, have: &Value) -> bool {
    let text = have.as_str();
    match wanted {
        "<uuid>" => text.is_some_and(|text| uuid::Uuid::try_parse(text).is_ok()),
        "<sa>" => {
            text.and_then(|text| text.strip_prefix("sa")).is_some_and(|rest| rest.parse::<u64>().is_ok())
        }
        "<secret>" => text.is_some_and(|text| text.len() >= 32),
        "<wallet>" => text.is_some_and(|text| text.starts_with("sb-") && text.contains('!')),
        "<text>" => text.is_some_and(|text| !text.is_empty()),
        "<n>" => have.is_u64(),
        _ => text == Some(wanted),
    }
}
