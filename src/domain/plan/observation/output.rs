//! Which output: what a step and a status name it by.

use std::fmt;

/// An output of a resource. Kind and name identify it, as in `status.outputs`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct OutputId {
    /// The kind, such as Secret.
    pub kind: String,
    /// The name within the resource's namespace.
    pub name: String,
}

impl fmt::Display for OutputId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} \"{}\"", self.kind, self.name)
    }
}
