//! The parameters of the operator's writes to the Kubernetes API: each names its field manager, so that `managedFields` show which fields
//! are the operator's, and never the name of a library.

use kube::api::{PatchParams, PostParams};

use crate::api::FIELD_MANAGER;

/// For a create, or for one that stores nothing.
#[must_use]
pub fn create(dry_run: bool) -> PostParams {
    PostParams { dry_run, field_manager: Some(FIELD_MANAGER.to_owned()) }
}

/// For a patch.
#[must_use]
pub fn patch() -> PatchParams {
    PatchParams { field_manager: Some(FIELD_MANAGER.to_owned()), ..PatchParams::default() }
}

/// For a patch, or for one that stores nothing.
#[must_use]
pub fn patch_or_try(dry_run: bool) -> PatchParams {
    PatchParams { dry_run, ..patch() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_write_names_its_manager_and_a_trial_stores_nothing() {
        for dry_run in [true, false] {
            let (create, patch) = (create(dry_run), patch_or_try(dry_run));
            assert_eq!((create.dry_run, patch.dry_run), (dry_run, dry_run));
            assert_eq!(create.field_manager.as_deref(), Some("technical-user-operator"));
            assert_eq!(patch.field_manager.as_deref(), Some("technical-user-operator"));
        }
        assert!(!patch().dry_run && !patch().force);
    }
}
