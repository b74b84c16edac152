//! The rules of `Portal` on create.

use serde_json::{Value, json};

use crate::support::{Case, Kind, no, try_all, yes};

const ONE_MAKE: &str = "name exactly one of catenaX and cofinityX";
const URL: &str =
    "url is the https address of the portal's backend, without a path (or with /api/administration)";
const TOKEN_URL: &str = "tokenUrl is the https address of the token endpoint, path included";
const WALLET: &str = "walletTokenUrl is the https address of the token endpoint, path included";
const PLAIN_HTTP: &str =
    "plain http is for test systems only: set insecureHttp to true, and the chart's value allowInsecureHttp";
/// Hosts that plain http may go to. What a name resolves to is checked by the operator.
const PRIVATE: [&str; 8] = [
    "localhost",
    "127.0.0.1",
    "10.1.2.3",
    "172.16.0.1",
    "192.168.1.1",
    "[::1]",
    "[fd00::1]",
    "portal-backend.tx.test",
];
const PUBLIC: [&str; 7] = [
    "8.8.8.8",
    "172.32.0.1",
    "169.254.169.254",
    "[fe80::1]",
    "[2001:db8::1]",
    "127.0.0.1@example.org",
    "0.0.0.0",
];
const ENVIRONMENT: &str = "tokenUrl is required for PreProduction, whose identity provider is not published, and must be absent for Production";
const ONE_LOGIN: &str = "name exactly one of clientCredentials and refreshToken";
const ROLES: &str = "a rule for other namespaces names the roles that it grants, or sets existing";
const SELECTOR: &str = "selector is given exactly where from is Selector";
const ONE_BUNDLE: &str = "name exactly one of configMapRef and secretRef";
const RESYNC: &str = "resyncInterval is at least 10s";
const VERIFICATION: &str = "verification.interval is at least 10s";

fn login() -> Value {
    json!({ "secretRef": { "name": "portal-login" } })
}

/// A portal with the Catena-X software.
pub fn catena_x() -> Value {
    json!({ "catenaX": {
        "url": "https://portal-backend.example.org",
        "tokenUrl": "https://centralidp.example.org/auth/realms/CX-Central/protocol/openid-connect/token",
        "auth": { "clientCredentials": login() },
    } })
}

/// The portal of Cofinity-X.
pub fn cofinity_x() -> Value {
    json!({ "cofinityX": { "environment": "Production", "auth": { "clientCredentials": login() } } })
}

pub fn cases() -> Vec<Case> {
    [makes(), addresses(), logins(), access(), the_rest()].into_iter().flatten().collect()
}

fn makes() -> Vec<Case> {
    let (catena, cofinity) = (catena_x(), cofinity_x());
    let cofinity_with = |change: Value| json!({ "cofinityX": change });
    let token_url = "https://idp.example.org/token";
    let dataspace = |dataspace: Value| json!({ "dataspace": dataspace });
    vec![
        yes(&catena, &dataspace(json!({ "did": "did:web:wallet.example.org:BPNL00000003CRHK" }))),
        yes(&catena, &dataspace(json!({ "walletUrl": "https://wallet.example.org/api/sts" }))),
        no(&catena, &dataspace(json!({ "did": "BPNL00000003CRHK" })), "dataspace.did"),
        no(&catena, &dataspace(json!({ "walletUrl": "wallet.example.org" })), "dataspace.walletUrl"),
        no(&catena, &dataspace(json!({ "trustedIssuers": [] })), "dataspace.trustedIssuers"),
        yes(&catena, &json!({})),
        yes(&cofinity, &json!({})),
        no(&catena, &cofinity_x(), ONE_MAKE),
        no(&catena, &json!({ "catenaX": null }), ONE_MAKE),
        no(&cofinity, &cofinity_with(json!({ "environment": "Beta" })), "Unsupported value"),
        no(&cofinity, &cofinity_with(json!({ "environment": "PreProduction" })), ENVIRONMENT),
        no(&cofinity, &cofinity_with(json!({ "tokenUrl": token_url })), ENVIRONMENT),
        yes(&cofinity, &cofinity_with(json!({ "environment": "PreProduction", "tokenUrl": token_url }))),
        no(
            &cofinity,
            &cofinity_with(json!({ "environment": "PreProduction", "tokenUrl": "http://127.0.0.1/token" })),
            TOKEN_URL,
        ),
    ]
}

fn addresses() -> Vec<Case> {
    let base = catena_x();
    let field = |name: &str, value: &str| json!({ "catenaX": { name: value } });
    let plain = |name: &str, value: &str| json!({ "catenaX": { name: value, "insecureHttp": true } });
    let mut cases = Vec::new();
    for path in ["", "/", ":8443", "/api/administration", "/api/administration/"] {
        cases.push(yes(&base, &field("url", &format!("https://portal-backend.example.org{path}"))));
    }
    for url in [
        "portal-backend.example.org",
        "ftp://portal-backend.example.org",
        "https://portal.example.org/home",
        "https://portal-backend.example.org/api",
        "https://user:password@portal-backend.example.org",
        "https://portal-backend.example.org?x=y",
        "https://portal-backend.example.org#x",
        "https://portal-backend.example.org /",
        "https://",
    ] {
        cases.push(no(&base, &field("url", url), URL));
    }
    for host in PRIVATE {
        for path in ["", ":8080", "/api/administration"] {
            let url = format!("http://{host}{path}");
            cases.push(yes(&base, &plain("url", &url)));
            cases.push(no(&base, &field("url", &url), PLAIN_HTTP));
        }
    }
    for host in PUBLIC {
        cases.push(no(&base, &plain("url", &format!("http://{host}")), URL));
    }
    for (name, words) in [("tokenUrl", TOKEN_URL), ("walletTokenUrl", WALLET)] {
        let good = "https://idp.example.org/auth/realms/CX-Central/protocol/openid-connect/token";
        cases.push(yes(&base, &field(name, good)));
        for url in [
            "https://idp.example.org",
            "https://idp.example.org/",
            "https://user:password@idp.example.org/token",
            "https://idp.example.org/token?x=y",
            "https://idp.example.org/token#x",
            "idp.example.org/token",
        ] {
            cases.push(no(&base, &field(name, url), words));
        }
        for host in PRIVATE {
            let url = format!("http://{host}:8080/token");
            cases.push(yes(&base, &plain(name, &url)));
            cases.push(no(&base, &field(name, &url), PLAIN_HTTP));
        }
        for host in PUBLIC {
            cases.push(no(&base, &plain(name, &format!("http://{host}/token")), words));
        }
    }
    cases.push(no(
        &base,
        &json!({ "catenaX": { "url": "http://localhost", "insecureHttp": false } }),
        PLAIN_HTTP,
    ));
    cases.push(yes(&base, &field("bpn", "BPNL00000003CRHK")));
    cases.push(no(&base, &field("bpn", "BPNX00000003CRHK"), "catenaX.bpn"));
    cases.push(no(&base, &field("bpn", "BPNL00000003CRH"), "catenaX.bpn"));
    cases
}

fn logins() -> Vec<Case> {
    let mut cases = Vec::new();
    for (base, make) in [(catena_x(), "catenaX"), (cofinity_x(), "cofinityX")] {
        for auth in ["auth", "deleteAuth"] {
            let with = |value: Value| {
                let mut spec = base.clone();
                spec[make][auth] = value;
                spec
            };
            let both = json!({ "clientCredentials": login(), "refreshToken": login() });
            cases.push(yes(&with(json!({ "clientCredentials": login() })), &json!({})));
            cases.push(yes(&with(json!({ "refreshToken": login() })), &json!({})));
            let unnameable = json!({ "clientCredentials": { "secretRef": { "name": "portal_login" } } });
            cases.push(no(&with(unnameable), &json!({}), "clientCredentials.secretRef.name"));
            cases.push(no(&with(both), &json!({}), ONE_LOGIN));
            cases.push(no(&with(json!({})), &json!({}), ONE_LOGIN));
        }
        cases.push(no(&base, &json!({ make: { "auth": null } }), "auth: Required value"));
    }
    cases
}

fn access() -> Vec<Case> {
    let base = catena_x();
    let rule = |rule: Value| json!({ "access": [rule] });
    let selector = json!({ "from": "Selector", "selector": { "matchLabels": { "dataspace": "yes" } } });
    let all = json!({ "from": "All" });
    vec![
        yes(&base, &json!({ "access": [] })),
        yes(&base, &rule(json!({ "namespaces": { "from": "Same" } }))),
        yes(&base, &rule(json!({ "namespaces": { "from": "Same" }, "roles": ["A"], "existing": true }))),
        yes(&base, &rule(json!({ "namespaces": all, "roles": ["A"] }))),
        yes(&base, &rule(json!({ "namespaces": all, "existing": true }))),
        yes(&base, &rule(json!({ "namespaces": selector, "roles": ["A", "B"] }))),
        no(&base, &rule(json!({ "namespaces": all })), ROLES),
        no(&base, &rule(json!({ "namespaces": selector, "existing": false })), ROLES),
        no(&base, &rule(json!({ "namespaces": { "from": "Selector" }, "roles": ["A"] })), SELECTOR),
        no(&base, &rule(json!({ "namespaces": { "from": "Same", "selector": {} } })), SELECTOR),
        no(&base, &rule(json!({ "namespaces": { "from": "Some" }, "roles": ["A"] })), "Unsupported value"),
        no(&base, &rule(json!({ "namespaces": all, "roles": ["A", "A"] })), "Duplicate value"),
    ]
}

fn the_rest() -> Vec<Case> {
    let base = catena_x();
    let bundle = |bundle: Value| json!({ "tls": { "caBundle": bundle } });
    let reference = json!({ "name": "ca" });
    let mut cases = vec![
        yes(&base, &bundle(json!({ "configMapRef": reference }))),
        yes(&base, &bundle(json!({ "secretRef": { "name": "ca", "key": "root.pem" } }))),
        no(&base, &bundle(json!({ "secretRef": { "name": "Ca" } })), "secretRef.name"),
        no(&base, &bundle(json!({ "configMapRef": { "name": "a/b" } })), "configMapRef.name"),
        no(&base, &bundle(json!({ "configMapRef": { "name": "ca", "key": "a/b" } })), "configMapRef.key"),
        no(&base, &bundle(json!({})), ONE_BUNDLE),
        no(&base, &bundle(json!({ "configMapRef": reference, "secretRef": reference })), ONE_BUNDLE),
        yes(&base, &json!({ "whenUndeletable": "Hold", "suspend": true })),
        yes(&base, &json!({ "whenUndeletable": "Release" })),
        no(&base, &json!({ "whenUndeletable": "Delete" }), "Unsupported value"),
        yes(&base, &json!({ "limits": { "requestsPerSecond": 1, "burst": 1000, "concurrency": 64 } })),
        no(&base, &json!({ "limits": { "requestsPerSecond": 0 } }), "limits.requestsPerSecond"),
    ];
    for good in ["10s", "5m", "1h30m", "1.5h", "10000ms"] {
        cases.push(yes(&base, &json!({ "resyncInterval": good })));
        cases.push(yes(&base, &json!({ "verification": { "interval": good } })));
    }
    for short in ["9s", "9999ms", "0s", "-5m"] {
        cases.push(no(&base, &json!({ "resyncInterval": short }), RESYNC));
        cases.push(no(&base, &json!({ "verification": { "interval": short } }), VERIFICATION));
    }
    for wrong in ["5", "5 minutes", "", "1d"] {
        cases.push(no(&base, &json!({ "resyncInterval": wrong }), "resyncInterval: Invalid value"));
        cases.push(no(&base, &json!({ "verification": { "interval": wrong } }), "interval: Invalid value"));
    }
    cases
}

#[tokio::test]
async fn each_rule_lets_in_and_keeps_out() {
    try_all(Kind::Portal, "portals", &cases()).await;
}
