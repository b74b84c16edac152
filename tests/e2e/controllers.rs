//! Controllers as values: two of them in this process, with an election between them. One that is dropped is as dead as a
//! process that was killed.

use std::path::Path;
use std::sync::Arc;

use kube::Config;
use kube::config::{KubeConfigOptions, Kubeconfig};
use portal_simulator::role_names::DATASPACE_DISCOVERY;
use portal_simulator::{Endpoint, Stage as PortalStage};
use technical_user_operator::app::{Controller, Parts};
use technical_user_operator::config::{Cli, Command, RunArgs};
use technical_user_operator::health::Health;
use technical_user_operator::k8s::client;
use technical_user_operator::metrics::Metrics;
use technical_user_operator::portal::{Network, PlainHttp};
use technical_user_operator::process::{Clock, Random};
use testbed::{Matcher, eventually};
use tokio_util::sync::CancellationToken;

use crate::support::{World, create, one_user, reason, world};

fn args(world: &World, name: &str) -> RunArgs {
    let arguments = [
        "technical-user-operator",
        "run",
        "--instance=e2e",
        "--leader-election",
        "--allow-insecure-http",
        &format!("--namespace={}", world.namespace),
        &format!("--pod-name={name}"),
    ];
    match Cli::from_arguments(arguments.map(Into::into)).unwrap().command {
        Command::Run(args) => *args,
        other => panic!("{other:?}"),
    }
}

/// Starts a controller that reaches the apiserver by this kubeconfig.
async fn start(world: &World, name: &str, kubeconfig: &Path, stop: &CancellationToken) -> Controller {
    let kubeconfig = Kubeconfig::read_from(kubeconfig).unwrap();
    let config = Config::from_custom_kubeconfig(kubeconfig, &KubeConfigOptions::default()).await.unwrap();
    Controller::start(Parts {
        args: args(world, name),
        client: client::client(config).unwrap(),
        transports: Arc::new(Network { plain_http: PlainHttp::PrivateAddresses, ..Network::default() }),
        clock: Clock::system(),
        random: Random::system(),
        metrics: Metrics::default(),
        health: Health::default(),
        stop: stop.clone(),
    })
}

#[tokio::test]
async fn one_that_is_dropped_does_nothing_more_and_the_other_takes_over() {
    let world = world().value("leaderElection.enabled=true").stopped().start().await;
    let (way, kubeconfig) = world.another_way().await;
    let stop = CancellationToken::new();
    let first = start(&world, "first", &world.kubeconfig(), &stop).await;
    world.portal_because("LoggedIn").await;
    let mut second = start(&world, "second", &kubeconfig, &stop).await;
    let asks_for_the_lease = Matcher::any().path("/leases/");
    let stands_by = async || (way.count(&asks_for_the_lease) > 2).then_some(());
    eventually("the second one stands by", stands_by).await.unwrap();
    let gate = world.simulator.gate(Endpoint::Create, PortalStage::Working);
    world.apply(&create("edc", &world.namespace, DATASPACE_DISCOVERY)).await;
    gate.reached().await;

    drop(first);
    // What was on its way to the apiserver has arrived there before the second one has the lease.
    world.until("edc", "the second one has seen the attempt", |o| reason(o) == "SettlingAttempt").await;
    let of_the_first = world.proxy.requests().len();
    gate.release();
    one_user(&world, "edc").await;
    assert_eq!(world.simulator.count(Endpoint::Create), 1, "the user of the first one was found");
    assert_eq!(world.proxy.requests().len(), of_the_first, "the first one asks for nothing more");
    assert!(way.count(&Matcher::writes()) > 0);

    stop.cancel();
    second.ended().await.unwrap();
    let at_the_end = way.requests().len();
    drop(second);
    assert_eq!(way.requests().len(), at_the_end, "a stop that has ended has ended everything");
}
