//! What a test reads off rendered objects.

use serde_json::Value;

pub fn kind(object: &Value) -> &str {
    object["kind"].as_str().expect("a kind")
}

pub fn name(object: &Value) -> &str {
    object["metadata"]["name"].as_str().expect("a name")
}

pub fn of_kind<'a>(objects: &'a [Value], wanted: &str) -> Vec<&'a Value> {
    objects.iter().filter(|object| kind(object) == wanted).collect()
}

pub fn deployment(objects: &[Value]) -> &Value {
    of_kind(objects, "Deployment")[0]
}

pub fn pod(objects: &[Value]) -> &Value {
    &deployment(objects)["spec"]["template"]["spec"]
}

pub fn env(objects: &[Value], variable: &str) -> Option<String> {
    let all = pod(objects)["containers"][0]["env"].as_array().expect("an environment");
    all.iter().find(|entry| entry["name"] == variable)?["value"].as_str().map(str::to_owned)
}
