//! Reports the logins of a Portal to those who must not publish them.

use std::collections::BTreeSet;

use kube::api::DynamicObject;
use serde_json::Value;

use crate::controller::context::Context;
use crate::controller::logins::{LoginChanges, LoginPlace};
use crate::controller::objects::Key;
use crate::controller::registry::PortalKey;
use crate::domain::reason::Reason;
use crate::portal::Login;

/// The login Secrets of a Portal name these client IDs; not all of them could be read where `complete` is false.
pub fn configured(
    ctx: &Context,
    key: &PortalKey,
    place: &LoginPlace,
    client_ids: &BTreeSet<String>,
    complete: bool,
) {
    wake_concerned(ctx, &ctx.registry.logins.configure(key, place, client_ids, complete));
}

/// The portal has answered a call with the Portal's login. Before that, a token proves nothing: the owner of the token endpoint
/// writes what it says.
pub fn in_use(ctx: &Context, key: &PortalKey, place: &LoginPlace, login: &Login) {
    // A deletion login whose token may not delete, or was refused, is as good as one that did not log in.
    let deletion = login.delete_client_id.as_ref().filter(|_| login.permissions.delete);
    let client_ids = login.client_id.iter().chain(deletion);
    wake_concerned(ctx, &ctx.registry.logins.use_now(key, place, client_ids));
}

/// A Portal is gone.
pub fn gone(ctx: &Context, key: &PortalKey) {
    wake_concerned(ctx, &ctx.registry.logins.forget(key));
}

/// The login Secrets of a Portal were read, or there is nothing to read.
pub fn tried(ctx: &Context, key: &PortalKey) {
    if ctx.registry.logins.tried(key) {
        wake(ctx, |object| object.data.pointer("/spec/user/existing").is_some());
    }
}

/// Has the resources looked at that have published a user which turns out to be a login, and those that were refused one
/// which is a login no more.
fn wake_concerned(ctx: &Context, changes: &LoginChanges) {
    if *changes == LoginChanges::default() {
        return;
    }
    wake(ctx, |object| {
        let text = |pointer| object.data.pointer(pointer).and_then(Value::as_str);
        let published = text("/status/user/clientId");
        let is_new = published.is_some_and(|id| changes.new.iter().any(|new| new.eq_ignore_ascii_case(id)));
        is_new || (changes.fewer && is_refused(object))
    });
}

fn is_refused(object: &DynamicObject) -> bool {
    let conditions = object.data.pointer("/status/conditions").and_then(Value::as_array);
    let reasons = conditions.into_iter().flatten().filter_map(|condition| condition["reason"].as_str());
    reasons.into_iter().any(|reason| reason == Reason::OperatorLogin.as_str())
}

fn wake(ctx: &Context, concerned: impl Fn(&DynamicObject) -> bool) {
    for object in ctx.caches.users.state() {
        if concerned(&object) {
            ctx.wake(&Key::of(&object));
        }
    }
}
