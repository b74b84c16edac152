//! A login that a person replaces: it is used within seconds of a refusal, and its age is in the status and in the metrics.

use kube::api::DeleteParams;
use portal_simulator::Change;
use portal_simulator::role_names::DATASPACE_DISCOVERY;
use serde_json::json;

use crate::support::{FULL_LOGIN, Login, PORTAL, create, world};

const RENEWED: Login<'_> = Login { secret: "another-secret-of-the-same-login", ..FULL_LOGIN };

#[tokio::test]
async fn a_login_that_a_person_replaces_after_a_refusal_is_used_and_its_age_is_shown() {
    let mut world = world().start().await;
    world.apply(&create("edc", &world.namespace, DATASPACE_DISCOVERY)).await;
    world.ready("edc").await;
    // No sweep is due before the test ends.
    world.patch_portal(&json!({"spec": {"resyncInterval": "1h"}})).await;
    let first = world.portal_ready().await.login.unwrap();
    assert_eq!(world.simulator.set_caller_secret(FULL_LOGIN.client_id, RENEWED.secret), Change::Done);
    world.simulator.revoke_tokens();
    world.apply(&create("second", &world.namespace, DATASPACE_DISCOVERY)).await;
    world.portal_because("LoginRefused").await;
    world.login(RENEWED).await;
    let second = world.portal_ready().await.login.unwrap();
    world.ready("second").await;
    assert_ne!(second.digest, first.digest);
    assert!(second.since >= first.since, "{first:?} {second:?}");

    world.stop_operator().await;
    // A restore creates the same content again.
    world.secrets_api().delete("portal-login", &DeleteParams::default()).await.unwrap();
    world.login(RENEWED).await;
    world.start_operator();
    let labels = format!("{{portal_namespace=\"{}\",portal=\"{PORTAL}\"}} ", world.namespace);
    for age in ["login", "credential", "verification"] {
        let line = format!("tuo_portal_{age}_age_seconds{labels}");
        world
            .eventually(&line, async || {
                world.ask("/metrics").await.is_some_and(|(_, text)| text.contains(&line))
            })
            .await;
    }
    assert_eq!(world.portal_ready().await.login, Some(second));
}
