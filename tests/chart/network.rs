//! The network policy: what may go out.

use serde_json::{Value, json};

use crate::helm::render;
use crate::objects::of_kind;

fn egress(settings: &str) -> Vec<Value> {
    let objects = render(&["--set", &format!("networkPolicy.enabled=true{settings}")]);
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
    assert_eq!(rules.iter().map(tcp).collect::<Vec<_>>(), [vec![53], vec![443], vec![443, 6443]]);
}

#[test]
fn an_api_server_may_listen_on_other_ports() {
    let rules = egress(",networkPolicy.apiServerPorts={8443,16443}");
    assert_eq!(rules.iter().map(tcp).collect::<Vec<_>>(), [vec![53], vec![443], vec![8443, 16443]]);
}

#[test]
fn the_rules_can_be_replaced_and_added_to() {
    let own = ",networkPolicy.egress[0].to[0].ipBlock.cidr=10.0.0.0/8";
    let more = ",networkPolicy.extraEgress[0].ports[0].port=3128";
    let (replaced, added) =
        (json!({"to": [{"ipBlock": {"cidr": "10.0.0.0/8"}}]}), json!({"ports": [{"port": 3128}]}));
    assert_eq!(egress(own), std::slice::from_ref(&replaced));
    assert_eq!(egress(&format!("{own}{more}")), [replaced, added.clone()]);
    assert_eq!(egress(more).len(), 4);
    assert_eq!(egress(more)[3], added);
}
