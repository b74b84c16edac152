//! The example of docs/your-first-test.md.

use kube::api::DeleteParams;
use portal_simulator::Endpoint;
use portal_simulator::role_names::DATASPACE_DISCOVERY;

use crate::support::{create, recorded, world};

#[tokio::test]
async fn a_deleted_secret_is_written_again_for_the_same_user() {
    // A namespace, a chart, a portal and an operator for this test alone, and a resource whose user is published.
    let world = world().start().await;
    world.apply(&create("edc", &world.namespace, DATASPACE_DISCOVERY)).await;
    let before = recorded(&world.ready("edc").await);

    // What a person does.
    world.secrets_api().delete("edc", &DeleteParams::default()).await.unwrap();

    // First wait for the new state, then compare what must not have changed.
    world.eventually("the Secret is written again", async || world.get_secret("edc").await.is_some()).await;
    assert_eq!(world.token_with("edc").await, 200);
    assert_eq!(recorded(&world.ready("edc").await).id, before.id);
    assert_eq!(world.count(Endpoint::Create), 1, "no second user is created");
}
