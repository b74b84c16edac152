//! Backups of the portal and restores.

use serde_json::json;

use crate::world::{DISCOVERY, WALLET, World};

#[tokio::test]
async fn a_restored_portal_has_the_users_and_secrets_of_the_backup() {
    let world = World::main().await;
    let kept = world.create("kept", &[DISCOVERY]).await.id();
    let deleted = world.create("deleted", &[DISCOVERY]).await.id();
    let pending = world.create("pending", &[WALLET]).await.id();
    let before = world.details(&kept).await.json();
    let backup = world.sim.back_up();

    world.sim.activate_wallet_users();
    assert_eq!(world.reset(&kept).await.status, 200);
    assert_eq!(world.delete(&deleted).await.status, 204);
    let later = world.create("later", &[DISCOVERY]).await;
    let changes = world.sim.changes_of_users();
    world.sim.restore(&backup);

    assert!(world.sim.changes_of_users() > changes);
    assert_eq!(world.details(&kept).await.json()["secret"], before["secret"]);
    assert_eq!(world.details(&deleted).await.json()["status"], json!("ACTIVE"));
    assert_eq!(world.details(&later.id()).await.status, 404);
    // What the wallet had to do is not forgotten.
    assert_eq!(world.details(&pending).await.json()["status"], json!("ACTIVE"));
    let again = world.create("again", &[DISCOVERY]).await;
    assert_ne!(again.id(), later.id());
}
