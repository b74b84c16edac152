//! Whether this machine can have a node.

use std::sync::OnceLock;

use super::{box_command::ask, parts::parts};

pub(super) fn missing() -> Option<String> {
    static ANSWER: OnceLock<Option<String>> = OnceLock::new();
    ANSWER.get_or_init(|| check().err()).clone()
}

/// What can be found out without the parts first: a machine that cannot have a node need not fetch them.
fn check() -> Result<(), String> {
    ask("check", None)?;
    let parts = parts().map_err(|error| format!("the parts of a node are not to be had: {error}"))?;
    ask("try", Some(&parts))
}
