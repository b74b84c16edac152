//! A calm system: sweeps continue, nothing is written and no single user is read; nor after a restart.

use portal_simulator::Endpoint;
use portal_simulator::role_names::DATASPACE_DISCOVERY;

use crate::support::{World, create, world};

#[tokio::test]
async fn nothing_is_written_while_nothing_changes_and_a_restart_costs_nothing_per_user() {
    let mut world = world().start().await;
    let names: Vec<String> = (1..=10).map(|number| format!("edc-{number}")).collect();
    for name in &names {
        world.apply(&create(name, &world.namespace, DATASPACE_DISCOVERY)).await;
    }
    world.apply(&create("refused", &world.namespace, "No such role")).await;
    for name in &names {
        world.ready(name).await;
    }
    world.because("refused", "RoleNotOffered").await;
    world.two_sweeps().await;
    let count = |world: &World| {
        (
            world.writes(),
            world.portal_writes(),
            world.count(Endpoint::Details),
            world.count(Endpoint::WalletToken),
        )
    };
    let (before, sweeps) = (count(&world), world.count(Endpoint::List));
    // By the clock, as no annotation would be calm.
    world.lists_answered(sweeps + 3).await;
    assert_eq!(count(&world), before);

    world.stop_operator().await;
    let before = count(&world);
    world.start_operator();
    let sweeps = world.count(Endpoint::List);
    world.lists_answered(sweeps + 3).await;
    let writes = world.proxy.matching(&testbed::Matcher::writes().dry_run(false));
    let last: Vec<_> = writes.iter().rev().take(5).map(|r| format!("{} {}", r.method, r.target)).collect();
    assert_eq!(count(&world), before, "what is as recorded is neither asked for nor written: {last:#?}");
    for name in &names {
        world.ready(name).await;
    }
}
