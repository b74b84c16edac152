//! What a test reads off objects, typed as the operator's API has it.

use k8s_openapi::api::core::v1::Secret;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;
use kube::api::DynamicObject;
use serde::de::DeserializeOwned;
use serde_json::Value;
use technical_user_operator::api::portal::PortalStatus;
use technical_user_operator::api::technical_user::{RecordedUser, TechnicalUserStatus};
use technical_user_operator::k8s::stored::StoredObject;

/// A part of an object (`spec`, `status`), as the operator reads it.
pub fn part<T: DeserializeOwned>(object: &DynamicObject, field: &str) -> Result<T, serde_json::Error> {
    StoredObject::from(object.clone()).part(field)
}

/// The status of a `TechnicalUser`.
pub fn user_status(object: &DynamicObject) -> TechnicalUserStatus {
    part(object, "status").unwrap()
}

/// The user that the status of a `TechnicalUser` names; an empty one where it names none.
pub fn recorded(object: &DynamicObject) -> RecordedUser {
    user_status(object).user.unwrap_or_default()
}

/// The status of a Portal.
pub fn portal_status(object: &DynamicObject) -> PortalStatus {
    part(object, "status").unwrap()
}

/// The status as it is stored, for a test that writes one.
pub fn stored_status(object: &DynamicObject) -> &Value {
    &object.data["status"]
}

/// A condition of an object of any kind.
pub fn condition(object: &DynamicObject, type_: &str) -> Option<Condition> {
    let conditions = object.data["status"]["conditions"].as_array()?;
    let condition = conditions.iter().find(|condition| condition["type"] == type_)?;
    Some(serde_json::from_value(condition.clone()).unwrap())
}

/// The reason of its condition Ready.
pub fn reason(object: &DynamicObject) -> String {
    condition(object, "Ready").map(|ready| ready.reason).unwrap_or_default()
}

/// The message of its condition Ready.
pub fn message(object: &DynamicObject) -> String {
    condition(object, "Ready").map(|ready| ready.message).unwrap_or_default()
}

/// A value of a Secret.
pub fn secret_value(secret: &Secret, key: &str) -> String {
    let data = secret.data.as_ref().and_then(|data| data.get(key));
    data.map(|value| String::from_utf8_lossy(&value.0).into_owned()).unwrap_or_default()
}
