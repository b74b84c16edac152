//! What a test reads off objects.

use k8s_openapi::api::core::v1::Secret;
use kube::api::DynamicObject;
use serde_json::Value;

/// The status of an object.
pub fn status(object: &DynamicObject) -> &Value {
    &object.data["status"]
}

/// A condition of an object.
pub fn condition<'a>(object: &'a DynamicObject, type_: &str) -> Option<&'a Value> {
    status(object)["conditions"].as_array()?.iter().find(|condition| condition["type"] == type_)
}

/// The reason of its condition Ready.
pub fn reason(object: &DynamicObject) -> String {
    condition(object, "Ready").and_then(|ready| ready["reason"].as_str()).unwrap_or_default().to_owned()
}

/// The message of its condition Ready.
pub fn message(object: &DynamicObject) -> String {
    condition(object, "Ready").and_then(|ready| ready["message"].as_str()).unwrap_or_default().to_owned()
}

/// A value of a Secret.
pub fn secret_value(secret: &Secret, key: &str) -> String {
    let data = secret.data.as_ref().and_then(|data| data.get(key));
    data.map(|value| String::from_utf8_lossy(&value.0).into_owned()).unwrap_or_default()
}
