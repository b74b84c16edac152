//! The reconcile of a `Vault`: log in, check what a person has prepared there, report; its finalizer is kept as long as an
//! output needs it.

pub mod abandoned;
pub mod access;
mod blocker;
mod checks;
pub mod claims;
mod finalizer;
mod holders;
pub mod kind;
mod login;
pub mod mark;
pub mod memory;
pub mod note;
pub mod policy;
mod status;
pub mod view;

pub use holders::named as vaults_of;

use std::sync::Arc;

use crate::api::technical_user::VaultRef;
use crate::api::vault::VaultSpec;
use crate::controller::context::Context;
use crate::controller::objects::{Key, part};
use crate::k8s::stored::StoredObject;

/// Requests a reconcile of each `TechnicalUser` that has or names an entry in a Vault.
pub fn wake_all(ctx: &Context, key: &Key) {
    for object in ctx.caches.all_users().filter(|object| holders::names(object, key)) {
        ctx.wake(&Key::of(&object));
    }
}

/// Logs in, for those who have entries there. The status is not written.
pub async fn reach(ctx: &Arc<Context>, key: &Key, object: &StoredObject) {
    let state = view::state(object);
    if let Ok(spec) = part::<VaultSpec>(object, "spec") {
        let found = checks::check(ctx, key, (&spec, &state)).await;
        ctx.vault_memory.found(key, &state, found.version.map(drop));
    }
}

/// Which Vault a reference in a resource of this namespace names.
#[must_use]
pub fn vault_key(reference: &VaultRef, namespace: &str) -> Key {
    let namespace = reference.namespace.as_deref().unwrap_or(namespace);
    Key { namespace: namespace.to_owned(), name: reference.name.clone() }
}
