//! Plain http: only where the process permits it, the Portal asks for it and the address is private.

use portal_simulator::role_names::DATASPACE_DISCOVERY;

use crate::support::{condition, create, world};

#[tokio::test]
async fn plain_http_is_permitted_by_the_process_and_asked_for_by_the_portal() {
    let mut world = world().env("TUO_ALLOW_INSECURE_HTTP", "false").start().await;
    world.apply(&create("edc", &world.namespace, DATASPACE_DISCOVERY)).await;
    let words = world.portal_because("InsecureHttpRefused").await;
    assert!(words.contains("allowInsecureHttp"), "{words}");
    let portal = world.portal().await.unwrap();
    let notice = condition(&portal, "InsecureHttp").unwrap();
    assert_eq!((notice.status.as_str(), notice.reason.as_str()), ("False", "InsecureHttpRefused"));
    assert!(notice.message.contains("allowInsecureHttp"));
    assert!(world.ours().is_empty());
    world.stop_operator().await;
    world.set_env("TUO_ALLOW_INSECURE_HTTP", "true");
    world.start_operator();
    world.ready("edc").await;
    let portal = world.portal().await.unwrap();
    let notice = condition(&portal, "InsecureHttp").unwrap();
    assert_eq!((notice.status.as_str(), notice.reason.as_str()), ("True", "InsecureHttpAllowed"));
}
