//! Reports the logins of a Portal to those who must not publish them.

use kube::api::DynamicObject;
use serde_json::Value;

use crate::controller::context::Context;
use crate::controller::logins::LoginPlace;
use crate::controller::objects::Key;
use crate::controller::registry::PortalKey;
use crate::portal::Login;

/// A login Secret names this client ID.
pub fn configured(ctx: &Context, place: &LoginPlace, client_id: &str) {
    if ctx.registry.logins.configure(place, client_id) {
        wake_publishers(ctx, client_id);
    }
}

/// The portal has answered a call with the Portal's login. Before that, a token proves nothing: the owner of the token endpoint
/// writes what it says.
pub fn in_use(ctx: &Context, place: &LoginPlace, login: &Login) {
    // A deletion login whose token may not delete, or was refused, is as good as one that did not log in.
    let deletion = login.delete_client_id.as_ref().filter(|_| login.permissions.delete);
    for client_id in login.client_id.iter().chain(deletion) {
        if ctx.registry.logins.use_now(place, client_id) {
            wake_publishers(ctx, client_id);
        }
    }
}

/// The login Secrets of a Portal were read, or there is nothing to read.
pub fn tried(ctx: &Context, key: &PortalKey) {
    if ctx.registry.logins.tried(key) {
        wake(ctx, |object| object.data.pointer("/spec/user/existing").is_some());
    }
}

/// Has the resources looked at that have published a user which turns out to be a login.
fn wake_publishers(ctx: &Context, client_id: &str) {
    let published = |object: &DynamicObject| {
        let recorded = object.data.pointer("/status/user/clientId").and_then(Value::as_str);
        recorded.is_some_and(|recorded| recorded.eq_ignore_ascii_case(client_id))
    };
    wake(ctx, published);
}

fn wake(ctx: &Context, concerned: impl Fn(&DynamicObject) -> bool) {
    for object in ctx.caches.users.state() {
        if concerned(&object) {
            ctx.wake(&Key::of(&object));
        }
    }
}
