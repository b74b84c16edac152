//! Refusals, in the words of the real apiserver.

use std::sync::Arc;

use serde_json::{Value, json};

use super::kinds::Kind;

/// What is answered, with its status code.
pub type Answer = Result<(u16, Arc<Value>), Refusal>;

/// An answer that is no success.
#[derive(Debug, Clone, PartialEq)]
pub struct Refusal {
    pub code: u16,
    pub reason: &'static str,
    pub message: String,
    pub details: Value,
}

impl Refusal {
    /// The body of the answer.
    pub fn body(&self) -> Value {
        let mut body = json!({
            "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure",
            "message": self.message, "code": self.code,
        });
        if !self.reason.is_empty() {
            body["reason"] = json!(self.reason);
        }
        if !self.details.is_null() {
            body["details"] = self.details.clone();
        }
        body
    }

    fn about(kind: &Kind, name: &str, code: u16, reason: &'static str, message: String) -> Self {
        let mut details = json!({ "name": name, "kind": kind.plural });
        if !kind.group.is_empty() {
            details["group"] = json!(kind.group);
        }
        Self { code, reason, message, details }
    }

    /// Nothing is served at this path.
    pub fn no_such_path() -> Self {
        let message = "the server could not find the requested resource".to_owned();
        Self { code: 404, reason: "NotFound", message, details: json!({}) }
    }

    /// No object has this name.
    pub fn not_found(kind: &Kind, name: &str) -> Self {
        Self::about(kind, name, 404, "NotFound", format!("{} \"{name}\" not found", kind.resource()))
    }

    /// The name is taken.
    pub fn already_exists(kind: &Kind, name: &str, deleting: bool) -> Self {
        let prefix = if deleting { "object is being deleted: " } else { "" };
        let message = format!("{prefix}{} \"{name}\" already exists", kind.resource());
        Self::about(kind, name, 409, "AlreadyExists", message)
    }

    /// The object is not as the caller assumes.
    pub fn conflict(kind: &Kind, name: &str, why: &str) -> Self {
        let message = format!("Operation cannot be fulfilled on {} \"{name}\": {why}", kind.resource());
        Self::about(kind, name, 409, "Conflict", message)
    }

    /// The object to delete is not as the caller assumes.
    pub fn precondition(kind: &Kind, name: &str, why: &str) -> Self {
        let message = format!("Operation cannot be fulfilled on {} \"{name}\": {why}", kind.qualified());
        Self::about(kind, name, 409, "Conflict", message)
    }

    /// Another client has changed the object.
    pub fn modified(kind: &Kind, name: &str) -> Self {
        let why =
            "the object has been modified; please apply your changes to the latest version and try again";
        Self::conflict(kind, name, why)
    }

    /// The object breaks the rules of its kind.
    pub fn invalid(kind: &Kind, name: &str, problems: &[String]) -> Self {
        let all = match problems {
            [one] => one.clone(),
            many => format!("[{}]", many.join(", ")),
        };
        let message = format!("{} \"{name}\" is invalid: {all}", kind.qualified());
        Self::about(kind, name, 422, "Invalid", message)
    }

    /// Refused by a policy, a quota or missing rights.
    pub fn forbidden(kind: &Kind, name: Option<&str>, why: &str) -> Self {
        let name = name.unwrap_or_default();
        let subject =
            if name.is_empty() { kind.resource() } else { format!("{} \"{name}\"", kind.resource()) };
        Self::about(kind, name, 403, "Forbidden", format!("{subject} is forbidden: {why}"))
    }

    /// The namespace of the object is being deleted.
    pub fn terminating(kind: &Kind, name: &str, namespace: &str) -> Self {
        let why =
            format!("unable to create new content in namespace {namespace} because it is being terminated");
        let mut refusal = Self::forbidden(kind, Some(name), &why);
        let message = format!("namespace {namespace} is being terminated");
        refusal.details["causes"] =
            json!([{ "reason": "NamespaceTerminating", "message": message, "field": "metadata.namespace" }]);
        refusal
    }

    /// The version is older than what is kept.
    pub fn expired(message: String) -> Self {
        Self { code: 410, reason: "Expired", message, details: Value::Null }
    }

    /// A failure of the apiserver, or of something behind it.
    pub fn internal(message: &str) -> Self {
        Self { code: 500, reason: "InternalError", message: message.to_owned(), details: Value::Null }
    }

    /// The apiserver has too much to do.
    pub fn too_many_requests() -> Self {
        let message =
            "the server has received too many requests and has asked us to try again later".to_owned();
        let details = json!({ "retryAfterSeconds": 1 });
        Self { code: 429, reason: "TooManyRequests", message, details }
    }
}
