//! The rules of `Vault` on create.

use serde_json::{Value, json};

use crate::support::{Case, Kind, no, try_all, yes};

const ADDRESS: &str = "address is the https address of Vault, without a path";
const PLAIN_HTTP: &str =
    "plain http is for test systems only: set insecureHttp to true, and the chart's value allowInsecureHttp";
const MOUNT: &str = "mount is the path of the secrets engine, such as secret or team/kv: without v1/, /data, empty segments, . and ..";
const ONE_LOGIN: &str = "name exactly one of kubernetes, appRole and tokenSecretRef";
const PREFIX: &str = "prefix is a path such as connectors/{namespace}, of letters, digits and . _ -, without empty segments, . and ..";
const PREFIX_OF_OTHERS: &str =
    "a rule for other namespaces names the prefix below which they may have entries";
const SELECTOR: &str = "selector is given exactly where from is Selector";
const ONE_BUNDLE: &str = "name exactly one of configMapRef and secretRef";

/// A Vault with a token.
pub fn vault() -> Value {
    json!({
        "address": "https://vault.example.org:8200", "mount": "secret",
        "auth": { "tokenSecretRef": { "name": "vault-token" } },
    })
}

pub fn cases() -> Vec<Case> {
    [addresses(), mounts(), logins(), access()].into_iter().flatten().collect()
}

fn addresses() -> Vec<Case> {
    let base = vault();
    let at = |address: &str| json!({ "address": address });
    let mut cases = vec![
        yes(&base, &json!({})),
        yes(&base, &at("https://vault")),
        yes(&base, &at("https://[::1]:8200/")),
        yes(&base, &json!({ "address": "http://127.0.0.1:8200", "insecureHttp": true })),
        no(&base, &at("http://127.0.0.1:8200"), PLAIN_HTTP),
        no(&base, &json!({ "address": "http://vault", "insecureHttp": false }), PLAIN_HTTP),
        yes(&base, &json!({ "namespace": "team/blue" })),
        no(&base, &json!({ "namespace": "team/" }), "namespace"),
        no(&base, &json!({ "tls": { "caBundle": {} } }), ONE_BUNDLE),
    ];
    for wrong in ["vault:8200", "https://vault/v1", "https://me@vault", "https://vault?a", "ftp://vault"] {
        cases.push(no(&base, &at(wrong), ADDRESS));
    }
    cases
}

fn mounts() -> Vec<Case> {
    let base = vault();
    let at = |mount: &str| json!({ "mount": mount });
    let mut cases = vec![yes(&base, &at("team/kv")), yes(&base, &at("data")), yes(&base, &at("a.b_c-1"))];
    for wrong in ["/secret", "secret/", "a//b", "v1/secret", "secret/data", "a/../b", ".", "a b", "a%2fb"] {
        cases.push(no(&base, &at(wrong), MOUNT));
    }
    cases
}

fn logins() -> Vec<Case> {
    let base = vault();
    let only = |auth: Value| {
        let mut auth = auth;
        auth["tokenSecretRef"] = Value::Null;
        json!({ "auth": auth })
    };
    let secret = json!({ "name": "vault-id" });
    vec![
        yes(&base, &only(json!({ "kubernetes": { "role": "operator" } }))),
        yes(&base, &only(json!({ "kubernetes": { "role": "operator", "mount": "clusters/one" } }))),
        yes(&base, &only(json!({ "appRole": { "roleId": "r", "secretRef": secret, "mount": "approle" } }))),
        yes(&base, &json!({ "auth": { "tokenSecretRef": { "key": "value" } } })),
        no(&base, &only(json!({})), ONE_LOGIN),
        no(&base, &json!({ "auth": { "kubernetes": { "role": "operator" } } }), ONE_LOGIN),
        no(&base, &only(json!({ "kubernetes": {} })), "role"),
        no(&base, &only(json!({ "kubernetes": { "role": "operator", "mount": "/x" } })), "kubernetes.mount"),
        no(&base, &only(json!({ "appRole": { "roleId": "r" } })), "secretRef"),
        no(&base, &json!({ "auth": { "tokenSecretRef": { "name": "A" } } }), "tokenSecretRef.name"),
    ]
}

fn access() -> Vec<Case> {
    let base = vault();
    let rule = |namespaces: Value, prefix: Value| {
        let mut rule = json!({ "namespaces": namespaces });
        if !prefix.is_null() {
            rule["prefix"] = prefix;
        }
        json!({ "access": [rule] })
    };
    let (same, all) = (json!({ "from": "Same" }), json!({ "from": "All" }));
    let selected = json!({ "from": "Selector", "selector": { "matchLabels": { "a": "b" } } });
    let mut cases = vec![
        yes(&base, &json!({ "access": [] })),
        yes(&base, &rule(same.clone(), Value::Null)),
        yes(&base, &rule(same, json!("connectors"))),
        yes(&base, &rule(all.clone(), json!("teams/{namespace}"))),
        yes(&base, &rule(selected.clone(), json!("edc-{namespace}/x"))),
        no(&base, &rule(all.clone(), Value::Null), PREFIX_OF_OTHERS),
        no(&base, &rule(selected, Value::Null), PREFIX_OF_OTHERS),
        no(&base, &rule(json!({ "from": "Selector" }), json!("a")), SELECTOR),
    ];
    for wrong in ["/a", "a/", "a//b", "a/../b", "a/.", "{name}", "a/{namespace", "a%2fb", "a b"] {
        cases.push(no(&base, &rule(all.clone(), json!(wrong)), PREFIX));
    }
    cases
}

#[tokio::test]
async fn each_rule_of_a_vault_lets_in_and_keeps_out() {
    try_all(Kind::Vault, "vaults", &cases()).await;
}
