//! Reports the logins of a Portal to those who must not publish them.

pub(super) mod credentials;
pub(super) mod login_secret;
pub mod operator_logins;
mod session;

use std::collections::BTreeSet;

use serde_json::Value;

use crate::controller::context::Context;
use crate::controller::objects::Key;
use crate::domain::reason::Reason;
use crate::k8s::stored::StoredObject;
use crate::portal::{Login, Portal, PortalError};
use operator_logins::{LoginChanges, LoginPlace};

/// The login Secrets of a Portal name these client IDs; not all of them could be read where `complete` is false.
pub fn configured(
    ctx: &Context,
    key: &Key,
    place: &LoginPlace,
    client_ids: &BTreeSet<String>,
    complete: bool,
) {
    wake_concerned(ctx, &ctx.connections.logins.configure(key, place, client_ids, complete));
}

/// The portal has accepted logins with these client IDs.
pub fn in_use(ctx: &Context, key: &Key, place: &LoginPlace, client_ids: &BTreeSet<String>) {
    wake_concerned(ctx, &ctx.connections.logins.use_now(key, place, client_ids));
}

/// The client IDs of a Portal's logins that the portal has accepted, after its login was tried with this outcome. A token
/// alone proves nothing: the owner of the token endpoint writes what it says.
pub async fn accepted(
    ctx: &Context,
    key: &Key,
    portal: &dyn Portal,
    login: &Login,
    outcome: &Result<(), PortalError>,
) -> BTreeSet<String> {
    let mut accepted = BTreeSet::new();
    accepted.extend(login.client_id.clone().filter(|_| is_known_to_portal(outcome)));
    if let Some(client_id) = &login.delete_client_id
        && is_deletion_login_accepted(ctx, key, portal, login, client_id).await
    {
        accepted.insert(client_id.clone());
    }
    accepted
}

/// Asks the portal once for each deletion login. One that has no token, or may not delete, is not used.
async fn is_deletion_login_accepted(
    ctx: &Context,
    key: &Key,
    portal: &dyn Portal,
    login: &Login,
    client_id: &str,
) -> bool {
    if ctx.connections.is_deletion_login_confirmed(key, client_id) {
        return true;
    }
    let is_used = login.deletion_trouble.is_none() && login.permissions.delete;
    let accepted = is_used && is_known_to_portal(&portal.confirm_deletion_login(client_id).await);
    if accepted {
        ctx.connections.confirm_deletion_login(key, client_id);
    }
    accepted
}

/// Whether the portal knows who has called, be the login permitted to do so or not.
fn is_known_to_portal(outcome: &Result<(), PortalError>) -> bool {
    matches!(outcome, Ok(()) | Err(PortalError::Forbidden { .. }))
}

/// A Portal is gone.
pub fn gone(ctx: &Context, key: &Key) {
    wake_concerned(ctx, &ctx.connections.logins.forget(key));
}

/// The login Secrets of a Portal were read, or there is nothing to read.
pub fn tried(ctx: &Context, key: &Key) {
    if ctx.connections.logins.tried(key) {
        wake(ctx, |object| object.has("/spec/user/existing") || object.has("/spec/user/create/adopt"));
    }
}

/// Wakes the resources that have published a user which is a login, and those that were refused a user which is no longer a
/// login.
fn wake_concerned(ctx: &Context, changes: &LoginChanges) {
    if *changes == LoginChanges::default() {
        return;
    }
    wake(ctx, |object| {
        let published: Option<String> = object.at("/status/user/clientId");
        let is_new = published.is_some_and(|id| changes.new.iter().any(|new| new.eq_ignore_ascii_case(&id)));
        is_new || (changes.fewer && is_refused(object))
    });
}

fn is_refused(object: &StoredObject) -> bool {
    let conditions: Option<Vec<Value>> = object.at("/status/conditions");
    let refused = |condition: &Value| condition["reason"].as_str() == Some(Reason::OperatorLogin.as_str());
    conditions.is_some_and(|conditions| conditions.iter().any(refused))
}

fn wake(ctx: &Context, concerned: impl Fn(&StoredObject) -> bool) {
    for object in ctx.caches.all_users() {
        if concerned(&object) {
            ctx.wake(&Key::of(&object));
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::controller::test_support::apiserver::{Apiserver, context, technical_user, watch_users};

    #[tokio::test]
    async fn a_login_concerns_who_has_published_it_and_its_end_who_was_refused_it() {
        let published = |client: &str| json!({"status": {"user": {"clientId": client}}});
        let refused = json!({"status": {"conditions": [{"type": "Ready", "reason": "OperatorLogin"}]}});
        let mut ctx = context(Apiserver::default().client());
        let mut woken = watch_users(
            &mut ctx,
            [
                technical_user("login", &published("SA1")),
                technical_user("other", &published("sa2")),
                technical_user("refused", &refused),
            ],
        );
        let mut woken = || {
            let key = std::iter::from_fn(|| woken.try_recv().ok());
            key.map(|key| key.name).collect::<Vec<_>>()
        };
        let portal = Key { namespace: "ops".into(), name: "portal".into() };
        let place = LoginPlace::new("https://portal.example.org", "https://idp.example.org/token");
        let login = BTreeSet::from(["sa1".to_owned()]);
        configured(&ctx, &portal, &place, &login, true);
        assert_eq!(woken(), ["login"]);
        configured(&ctx, &portal, &place, &login, true);
        assert!(woken().is_empty(), "nothing has changed");
        gone(&ctx, &portal);
        assert_eq!(woken(), ["refused"]);
    }

    #[tokio::test]
    async fn the_first_reading_of_all_logins_concerns_those_who_wait_for_it() {
        let spec = |user: Value| json!({"spec": {"user": user}});
        let mut ctx = context(Apiserver::default().client());
        let mut woken = watch_users(
            &mut ctx,
            [
                technical_user("adopts", &spec(json!({"create": {"adopt": {"name": "u"}}}))),
                technical_user("creates", &spec(json!({"create": {}}))),
                technical_user("existing", &spec(json!({"existing": {"name": "u"}}))),
            ],
        );
        let portal = Key { namespace: "ops".into(), name: "portal".into() };
        tried(&ctx, &portal);
        tried(&ctx, &portal);
        let woken = std::iter::from_fn(|| woken.try_recv().ok()).map(|key| key.name).collect::<Vec<_>>();
        assert_eq!(woken, ["adopts", "existing"], "once");
    }
}
