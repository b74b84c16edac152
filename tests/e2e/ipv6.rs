//! A cluster without IPv4.

use std::net::{Ipv6Addr, TcpListener};

use portal_simulator::Version;
use portal_simulator::role_names::{DATASPACE_DISCOVERY, IDENTITY_WALLET_MANAGEMENT};
use testbed::ControlPlane;

use crate::support::{create, one_company, world};

#[tokio::test]
async fn control_plane_probes_and_portal_are_reached_by_ipv6_alone() {
    if let Err(error) = TcpListener::bind((Ipv6Addr::LOCALHOST, 0)) {
        println!("NOT RUN: this machine has no IPv6: {error}");
        return;
    }
    testbed::install_crypto_provider();
    let plane: &ControlPlane = Box::leak(Box::new(ControlPlane::start_by_ipv6().await.unwrap()));
    assert!(plane.server().starts_with("https://[::1]:"), "{}", plane.server());
    let simulator = one_company(Version::Main).listen_on(Ipv6Addr::LOCALHOST);
    let mut world = world().plane(plane).simulator(simulator).env("TUO_LISTEN", ":0").stopped().start().await;
    assert!(world.simulator.portal_url().starts_with("http://[::1]:"));
    // Past the tests' proxy, which is reached by IPv4.
    let token = plane.service_account_token(&world.namespace, "technical-user-operator").await.unwrap();
    let kubeconfig = plane.kubeconfig_for_token(&token, None).unwrap();
    world.apply(&create("internal", &world.namespace, DATASPACE_DISCOVERY)).await;
    world.apply(&create("wallet", &world.namespace, IDENTITY_WALLET_MANAGEMENT)).await;
    world.start_operator_with(&kubeconfig);
    world.readyz(200, "ok").await;
    let served = world.operator().lines().into_iter().find_map(|line| {
        let (_, address) = line.split_once("address=[::]:")?;
        address.split_whitespace().next()?.parse::<u16>().ok()
    });
    for host in ["[::1]", "127.0.0.1"] {
        let url = format!("http://{host}:{}/livez", served.unwrap());
        assert!(world.http().get(url).send().await.unwrap().status().is_success(), "{host}");
    }
    let (_, metrics) = world.ask("/metrics").await.unwrap();
    assert!(metrics.contains("tuo_leader 1\n"), "without election this process is the active one: {metrics}");
    for name in ["internal", "wallet"] {
        world.ready(name).await;
        assert_eq!(world.token_with(name).await, 200);
    }
    world.delete("internal").await;
    world.gone("internal").await;
}
