//! What must have come of it in the end, whatever happened on the way.

use portal_simulator::UserView;
use serde_json::json;

use super::{Site, World, WorldBuilder, recorded, secret_value};

/// A world whose operator has connected to the portal and does nothing periodically.
pub async fn connected(builder: WorldBuilder) -> World {
    let world = builder.start().await;
    world.patch_portal(&json!({"spec": {"resyncInterval": "1h"}})).await;
    world.portal_because("LoggedIn").await;
    world
}

/// Waits until a resource is ready; fails where it has not exactly one live user, which its status names, and whose
/// credential its Secret holds and obtains a token with.
pub async fn one_user(world: &Site, name: &str) -> UserView {
    let object = world.ready(name).await;
    let mark = format!("/{}/{name} g", world.namespace);
    let users: Vec<_> = world.ours().into_iter().filter(|user| user.description.contains(&mark)).collect();
    assert_eq!(users.len(), 1, "{name} has these users: {users:#?}");
    let user = users[0].clone();
    assert_eq!(recorded(&object).id, user.id.to_string(), "the status of {name} names another user");
    let secret = world.get_secret(name).await.expect("the Secret is there");
    assert_eq!(secret_value(&secret, "client-id"), user.client_id.clone().unwrap_or_default());
    assert_eq!(world.token_with(name).await, 200, "the Secret of {name} obtains no token");
    user
}
