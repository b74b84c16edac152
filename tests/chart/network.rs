//! The network policy: what may go out.

use serde_json::{Value, json};

use crate::helm::render;
use crate::objects::of_kind;

fn egress(settings: &str) -> Vec<Value> {
    egress_with(&["--set", &format!("networkPolicy.enabled=true{settings}")])
}

fn egress_with(arguments: &[&str]) -> Vec<Value> {
    let objects = render(arguments);
    of_kind(&objects, "NetworkPolicy")[0]["spec"]["egress"].as_array().expect("rules").clone()
}

/// The TCP ports of a rule.
fn tcp(rule: &Value) -> Vec<i64> {
    let ports = rule["ports"].as_array().expect("ports").iter();
    let tcp = ports.filter(|port| port["protocol"] == "TCP");
    tcp.map(|port| port["port"].as_i64().expect("a number")).collect()
}

#[test]
fn dns_the_portal_and_the_api_server_are_reached() {
    let rules = egress("");
    assert_eq!(rules.iter().map(tcp).collect::<Vec<_>>(), [vec![53], vec![443], vec![443, 6443], vec![8200]]);
}

#[test]
fn a_vault_may_listen_on_other_ports_and_nothing_is_open_for_none() {
    let rules = egress(",networkPolicy.vaultPorts={8300,8301}");
    assert_eq!(rules.iter().map(tcp).next_back(), Some(vec![8300, 8301]));
    assert_eq!(egress(",networkPolicy.vaultPorts=null").len(), 4, "the default");
    let none =
        egress_with(&["--set", "networkPolicy.enabled=true", "--set-json", "networkPolicy.vaultPorts=[]"]);
    assert_eq!(none.len(), 3);
}

#[test]
fn an_api_server_may_listen_on_other_ports() {
    let rules = egress(",networkPolicy.apiServerPorts={8443,16443}");
    assert_eq!(
        rules.iter().map(tcp).collect::<Vec<_>>(),
        [vec![53], vec![443], vec![8443, 16443], vec![8200]]
    );
}

#[test]
fn the_rules_can_be_replaced_and_added_to() {
    let own = ",networkPolicy.egress[0].to[0].ipBlock.cidr=10.0.0.0/8";
    let more = ",networkPolicy.extraEgress[0].ports[0].port=3128";
    let (replaced, added) =
        (json!({"to": [{"ipBlock": {"cidr": "10.0.0.0/8"}}]}), json!({"ports": [{"port": 3128}]}));
    assert_eq!(egress(own), std::slice::from_ref(&replaced));
    assert_eq!(egress(&format!("{own}{more}")), [replaced, added.clone()]);
    assert_eq!(egress(more).len(), 5);
    assert_eq!(egress(more)[4], added);
}
