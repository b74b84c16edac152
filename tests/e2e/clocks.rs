//! The wall clock of an operator's process is ten minutes ahead of all others, or behind.

use std::time::{Duration, Instant};

use k8s_openapi::jiff::Timestamp;
use portal_simulator::role_names::{DATASPACE_DISCOVERY, IDENTITY_WALLET_MANAGEMENT};
use portal_simulator::{Answer, Endpoint, Stage, Version};
use testbed::Matcher;

use crate::support::{
    PORTAL, World, WorldBuilder, condition, create, library, message, one_company, one_user, reason, world,
};

const CLOCKS: [&str; 2] = ["+10m", "-10m"];
const SKEW: i64 = 600;

/// What gives a process another clock. A monotonic clock counts on as it did, as it does where a person sets the time.
fn variables(clock: &str) -> [(&'static str, String); 3] {
    [
        ("LD_PRELOAD", library()),
        ("FAKETIME", clock.to_owned()),
        ("FAKETIME_DONT_FAKE_MONOTONIC", "1".to_owned()),
    ]
}

/// Sets the clock of operators that are started from now on.
pub fn set_clock(world: &mut World, clock: &str) {
    for (name, value) in variables(clock) {
        world.set_env(name, &value);
    }
}

fn with_clock(builder: WorldBuilder, clock: &str) -> WorldBuilder {
    variables(clock).into_iter().fold(builder, |builder, (name, value)| builder.env(name, &value))
}

/// Fails where the operator's clock was not the wrong one: else a test would show nothing.
fn assert_clock_was_wrong(clock: &str, object: &kube::api::DynamicObject) {
    let reported = condition(object, "Ready").unwrap().last_transition_time.0;
    let ahead = reported.duration_since(Timestamp::now()).as_secs();
    let wanted = if clock.starts_with('+') { SKEW } else { -SKEW };
    assert!((ahead - wanted).abs() < 300, "{clock}: {reported} is {ahead} s ahead");
}

#[tokio::test]
async fn users_come_and_go_as_ever() {
    for clock in CLOCKS {
        let simulator = one_company(Version::Main).token_lifetime(Duration::from_secs(20));
        let world = with_clock(world().simulator(simulator), clock).start().await;
        world.apply(&create("edc", &world.namespace, DATASPACE_DISCOVERY)).await;
        world.apply(&create("wallet", &world.namespace, IDENTITY_WALLET_MANAGEMENT)).await;
        one_user(&world, "edc").await;
        one_user(&world, "wallet").await;
        assert_clock_was_wrong(clock, &world.user("edc").await.unwrap());
        // Tokens are renewed before they end, not refused and not for each call.
        let tokens = world.count(Endpoint::Token);
        world.more_lists_answered(4).await;
        assert!(world.count(Endpoint::Token) > tokens && world.count(Endpoint::Token) < tokens + 10);
        let refused = world.simulator.calls_of(Endpoint::List);
        assert!(refused.iter().all(|call| call.answer != Some(Answer::Status(401))), "{refused:#?}");
        assert_eq!(world.count(Endpoint::Create), 2);

        for name in ["edc", "wallet"] {
            world.delete(name).await;
            world.gone(name).await;
        }
        assert_eq!(world.ours(), []);
        world.portals_api().delete(PORTAL, &kube::api::DeleteParams::default()).await.unwrap();
        // Creates that others may have had in progress are given their time, by whatever clock.
        world
            .portal_until("the Portal waits", |portal| {
                message(portal).contains("creates that were in progress")
            })
            .await;
        world.eventually("the Portal goes", async || world.portal().await.is_none()).await;
    }
}

#[tokio::test]
async fn a_create_that_another_clock_began_is_not_settled_early() {
    for clock in CLOCKS {
        let mut world = world().start().await;
        let gate = world.simulator.gate(Endpoint::Create, Stage::Working);
        world.apply(&create("edc", &world.namespace, DATASPACE_DISCOVERY)).await;
        gate.reached().await;
        world.kill_operator();
        set_clock(&mut world, clock);
        let began = Instant::now();
        world.start_operator();
        world.until("edc", "the attempt is seen", |object| reason(object) == "SettlingAttempt").await;
        gate.release();
        one_user(&world, "edc").await;
        assert!(began.elapsed() >= Duration::from_mins(1), "{clock}: settled after {:?}", began.elapsed());
        assert_clock_was_wrong(clock, &world.user("edc").await.unwrap());
        assert_eq!(world.count(Endpoint::Create), 1);
    }
}

#[tokio::test]
async fn a_standby_with_another_clock_neither_takes_over_nor_misses_its_turn() {
    for clock in CLOCKS {
        let mut world = world().elected().start().await;
        let leads = |line: &str| line.contains("This process is the active one");
        world.operator().wait_for_line(leads).await.unwrap();
        let (way, kubeconfig) = world.another_way().await;
        set_clock(&mut world, clock);
        world.start_operator_with(&kubeconfig);
        world.operator().wait_for_line(|line| line.contains("Standing by")).await.unwrap();
        // The leader renews every two seconds; a lease lasts fifteen.
        let renewals = Matcher::any().method("PUT").path("/leases/");
        let enough = world.proxy.count(&renewals) + 12;
        world.eventually("the lease was renewed", async || world.proxy.count(&renewals) >= enough).await;
        assert_eq!(way.count(&renewals), 0, "{clock}: the standby wrote the lease");
        assert!(world.operators().iter().all(|operator| operator.try_wait().unwrap().is_none()));
        world.kill_first_operator();
        world.operator().wait_for_line(leads).await.unwrap();
        world.apply(&create("edc", &world.namespace, DATASPACE_DISCOVERY)).await;
        one_user(&world, "edc").await;
        // One with the right time stands by a leader with the wrong one.
        let (third, kubeconfig) = world.another_way().await;
        set_clock(&mut world, "+0m");
        world.start_operator_with(&kubeconfig);
        world.operator().wait_for_line(|line| line.contains("Standing by")).await.unwrap();
        let enough = way.count(&renewals) + 12;
        world.eventually("the lease was renewed", async || way.count(&renewals) >= enough).await;
        assert_eq!(third.count(&renewals), 0, "{clock}: two leaders");
    }
}
