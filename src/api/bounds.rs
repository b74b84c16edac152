//! How long the texts of a status may be. Many come from a portal, an identity provider or an annotation: each is cut to the
//! bound that the schema states, so that no such text makes a status too long to be written.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;
use schemars::Schema;
use serde_json::{Value, json};

use crate::api::conditions::cut;
use crate::domain::text::printable;

/// Names and client IDs of a portal.
pub const NAME: usize = 256;
/// Ids of a portal, digests, times, and words of a closed set, which a later portal may extend.
pub const WORD: usize = 64;
/// Addresses.
pub const ADDRESS: usize = 512;
/// Business partner numbers.
pub const COMPANY: usize = 64;
/// Names of Kubernetes objects, and values of annotations.
pub const OBJECT: usize = 256;
/// `<namespace>/<name>` of a Kubernetes object.
pub const RESOURCE: usize = 320;
/// Texts for people.
pub const TEXT: usize = 512;
/// The message of a condition, in bytes.
pub const MESSAGE: usize = 4096;
/// Roles of a user.
pub const ROLES: usize = 256;
/// Roles on offer.
pub const OFFERED: usize = 512;
/// Issuers that a data space trusts.
pub const ISSUERS: usize = 16;
/// Conditions of an object.
pub const CONDITIONS: usize = 16;
/// Conditions of an output.
pub const OUTPUT_CONDITIONS: usize = 2;
/// The message of a condition of an output, in bytes: a status may have many of them.
pub const OUTPUT_MESSAGE: usize = 1024;
/// The name of an output: `<namespace>/<name>/<path>` of an entry in a Vault.
pub const OUTPUT_NAME: usize = 640;
/// Places of one output that may have been written.
pub const BEGUN: usize = 8;
/// Keys that an output adds to an entry of another owner.
pub const KEYS: usize = 16;
/// Outputs of a resource: those that a spec names, and former ones that wait for their removal.
pub const OUTPUTS: usize = 32;
/// Users that successors have replaced.
pub const RETIRING: usize = 16;
/// Workloads to restart.
pub const RESTARTS: usize = 16;

/// Steps that a suspended resource waits with.
pub const PLANNED: usize = 32;

/// A part of a status whose texts and lists can be cut to what the schema permits.
pub trait Bounded {
    /// Cuts them.
    fn bound(&mut self);

    /// The part with its texts and lists cut.
    #[must_use]
    fn bounded(mut self) -> Self
    where
        Self: Sized,
    {
        self.bound();
        self
    }
}

impl<T: Bounded> Bounded for Option<T> {
    fn bound(&mut self) {
        if let Some(part) = self {
            part.bound();
        }
    }
}

/// Cuts a text.
pub(super) fn text(text: &mut String, most: usize) {
    *text = printable(text, most);
}

/// Cuts a text that may be absent.
pub(super) fn optional(text: &mut Option<String>, most: usize) {
    if let Some(text) = text {
        self::text(text, most);
    }
}

/// Cuts a list of texts, and each of them.
pub(super) fn texts(texts: &mut Vec<String>, most: usize, length: usize) {
    texts.truncate(most);
    for text in texts {
        self::text(text, length);
    }
}

/// Cuts a list and what is in it.
pub(super) fn list<T: Bounded>(list: &mut Vec<T>, most: usize) {
    list.truncate(most);
    list.iter_mut().for_each(Bounded::bound);
}

impl Bounded for Condition {
    fn bound(&mut self) {
        self.message = cut(&self.message, MESSAGE);
        for word in [&mut self.type_, &mut self.status, &mut self.reason] {
            text(word, WORD);
        }
    }
}

/// Takes the defaults of fields out of the schema of a part of a status. They are for reading: the apiserver would put them into
/// what the operator writes, and an empty text is neither a time nor the name of an output.
pub(super) fn without_defaults(schema: &mut Schema) {
    let fields = schema.get_mut("properties").and_then(Value::as_object_mut);
    for field in fields.into_iter().flat_map(|fields| fields.values_mut()).filter_map(Value::as_object_mut) {
        field.remove("default");
    }
}

/// States the bounds of conditions, whose schema is that of Kubernetes.
pub(super) fn of_conditions(schema: &mut Schema) {
    bound_conditions(schema, CONDITIONS, MESSAGE);
}

/// As [`of_conditions`], for the conditions of an output.
pub(super) fn of_output_conditions(schema: &mut Schema) {
    bound_conditions(schema, OUTPUT_CONDITIONS, OUTPUT_MESSAGE);
}

fn bound_conditions(schema: &mut Schema, conditions: usize, message: usize) {
    schema.insert("maxItems".to_owned(), json!(conditions));
    for (field, most) in [("message", message), ("type", WORD), ("status", WORD), ("reason", WORD)] {
        let field = schema.pointer_mut(&format!("/items/properties/{field}")).and_then(Value::as_object_mut);
        if let Some(field) = field {
            field.insert("maxLength".to_owned(), json!(most));
        }
    }
}
