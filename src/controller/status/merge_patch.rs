//! JSON merge patches (RFC 7396) between two states of a status.

use serde_json::{Map, Value};

/// The patch from `old` to `new`: `None` if nothing differs. What is missing in `new` is removed.
#[must_use]
pub fn difference(old: &Value, new: &Value) -> Option<Value> {
    if old == new {
        return None;
    }
    let (Value::Object(before), Value::Object(after)) = (old, new) else { return Some(new.clone()) };
    let mut patch = Map::new();
    for key in before.keys().filter(|key| !after.contains_key(*key)) {
        patch.insert(key.clone(), Value::Null);
    }
    for (key, value) in after {
        let nothing = Value::Null;
        if let Some(changed) = difference(before.get(key).unwrap_or(&nothing), value) {
            patch.insert(key.clone(), changed);
        }
    }
    Some(Value::Object(patch))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn only_what_differs_is_sent_and_what_is_missing_is_removed() {
        let old = json!({"a": 1, "b": {"c": 2, "d": 3}, "list": [1, 2]});
        let new = json!({"a": 1, "b": {"c": 2}, "list": [1], "new": {"x": true}});
        assert_eq!(difference(&old, &new), Some(json!({"b": {"d": null}, "list": [1], "new": {"x": true}})));
        assert_eq!(difference(&old, &old), None);
    }
}
