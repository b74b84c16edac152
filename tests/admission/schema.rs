//! The schemas in `crds/`.

use serde_json::Value;

use crate::support::Kind;

/// The schema of a kind's only version.
pub fn definition(kind: Kind) -> Value {
    let file = format!("{}/crds/{}.yaml", env!("CARGO_MANIFEST_DIR"), kind.plural());
    let text = std::fs::read_to_string(&file).unwrap_or_else(|error| panic!("{file}: {error}"));
    let definition: Value = serde_saphyr::from_str(&text).unwrap();
    let versions = definition["spec"]["versions"].as_array().unwrap();
    assert_eq!(versions.len(), 1, "{file}");
    versions[0]["schema"]["openAPIV3Schema"].clone()
}

/// Visits a schema and all below it, by paths such as `spec.access[].roles`.
pub fn walk(path: &str, schema: &Value, visit: &mut dyn FnMut(&str, &Value)) {
    visit(path, schema);
    for (name, field) in schema["properties"].as_object().into_iter().flatten() {
        let below = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
        walk(&below, field, visit);
    }
    if schema["items"].is_object() {
        walk(&format!("{path}[]"), &schema["items"], visit);
    }
}
