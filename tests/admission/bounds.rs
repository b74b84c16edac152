//! Every bound of the schemas (lengths, numbers, patterns, required fields, …) holds where it says. The cases are built
//! from the definitions, so that a new bound is tried without a word here; a field that no sample has fails the test.

use serde_json::{Map, Value, json};

use crate::schema::{definition, walk};
use crate::support::{Case, Kind, try_all};

/// Words of a schema that bound nothing, and those that are tried below.
const WITHOUT_BOUND: &[&str] = &[
    "additionalProperties",
    "description",
    "items",
    "nullable",
    "properties",
    "type",
    "x-kubernetes-map-type",
    "x-kubernetes-validations",
];

/// Valid specs that have every field between them.
fn samples(kind: Kind) -> Vec<Value> {
    let login = |key: &str| json!({ key: { "secretRef": { "name": "login" } } });
    let (credentials, refresh) = (login("clientCredentials"), login("refreshToken"));
    let url = "https://portal.example.org";
    let token_url = "https://idp.example.org/token";
    let bpn = "BPNL00000003CRHK";
    let expression = json!({ "key": "a", "operator": "In", "values": ["b"] });
    let selector = json!({ "matchLabels": { "a": "b" }, "matchExpressions": [expression] });
    let rule = json!({ "namespaces": { "from": "Selector", "selector": selector }, "roles": ["A"], "existing": true, "adopt": true });
    let key = json!({ "name": "ca", "key": "ca.crt" });
    let create = json!({ "roles": ["A"], "name": "edc", "description": "x" });
    let secret = json!({ "name": "s", "format": "Raw", "labels": { "a": "b" }, "annotations": { "a": "b" } });
    let with = |secret: Value| json!({ "portalRef": { "name": "p" }, "user": { "create": create }, "outputs": [{ "secret": secret }] });
    let id = "0b6c0000-0000-0000-0000-000000000001";
    let existing = |by: &str, value: &str| json!({ "portalRef": { "name": "p" }, "user": { "existing": { by: value } } });
    match kind {
        Kind::Portal => vec![
            json!({
                "catenaX": { "url": url, "tokenUrl": token_url, "walletTokenUrl": token_url, "bpn": bpn,
                             "auth": credentials, "deleteAuth": refresh },
                "access": [rule],
                "tls": { "caBundle": { "configMapRef": key } },
                "limits": { "requestsPerSecond": 10, "burst": 20, "concurrency": 4 },
                "dataspace": { "did": "did:web:x", "walletUrl": url, "bdrsUrl": url, "trustedIssuers": ["did:web:i"] },
                "resyncInterval": "5m", "verification": { "interval": "1h" },
                "whenUndeletable": "Hold", "suspend": false,
            }),
            json!({
                "catenaX": { "url": url, "tokenUrl": token_url, "auth": refresh, "deleteAuth": credentials },
                "tls": { "caBundle": { "secretRef": key } },
            }),
            json!({ "cofinityX": { "environment": "PreProduction", "tokenUrl": token_url, "bpn": bpn,
                                   "auth": credentials, "deleteAuth": refresh } }),
            json!({ "cofinityX": { "environment": "Production", "auth": refresh, "deleteAuth": credentials } }),
        ],
        Kind::Vault => vec![
            json!({
                "address": "https://vault", "mount": "secret", "namespace": "team", "insecureHttp": false,
                "auth": { "kubernetes": { "role": "r", "mount": "kubernetes" } },
                "access": [{ "namespaces": { "from": "Selector", "selector": selector }, "prefix": "a" }],
                "tls": { "caBundle": { "configMapRef": key } }, "aliasMode": "Fixed",
            }),
            json!({
                "address": "https://vault", "mount": "secret",
                "auth": { "appRole": { "roleId": "r", "secretRef": key, "mount": "approle" } },
                "tls": { "caBundle": { "secretRef": key } },
            }),
            json!({ "address": "https://vault", "mount": "secret", "auth": { "tokenSecretRef": key } }),
        ],
        Kind::TechnicalUser => vec![
            json!({ "portalRef": { "name": "p", "namespace": "n" }, "user": { "create": create },
                    "deletionPolicy": "Retain", "rotation": { "interval": "720h", "overlap": "24h", "strategy": "Replace", "windows": [{ "cron": "0 2 * * SAT", "duration": "4h", "timeZone": "Europe/Berlin" }] }, "outputs": [{ "secret": secret }],
                    "restart": [{ "kind": "Deployment", "name": "edc" }] }),
            json!({ "portalRef": { "name": "p" }, "user": { "create": create },
                    "outputs": [{ "vault": { "vaultRef": { "name": "v", "namespace": "n" }, "path": "a/b", "keys": { "client-id": "id" },
                                              "creationPolicy": "Merge" } }] }),
            with(json!({ "keyStyle": "Camel", "keyPrefix": "PORTAL_", "type": "Opaque" })),
            with(json!({ "creationPolicy": "Merge", "keys": { "client-id": "id" } })),
            with(json!({ "format": "EdcHelmValues", "edcDialect": "Iatp", "secretAlias": "edc/wallet" })),
            with(json!({ "format": "Template", "template": { "a": "{{ clientId }}" } })),
            with(json!({ "format": "SpringEnv", "springRegistration": "pool" })),
            json!({ "portalRef": { "name": "p" }, "user": { "create": { "roles": ["A"], "adopt": { "id": id } } } }),
            json!({ "portalRef": { "name": "p" }, "user": { "create": { "roles": ["A"], "adopt": { "name": "x" } } } }),
            existing("id", id),
            existing("clientId", "sa42"),
            existing("name", "sa-x"),
            json!({ "portalRef": { "name": "p" }, "user": { "existing": {
                "offer": { "id": id, "subscriptionId": id }, "role": "A" } } }),
            json!({ "portalRef": { "name": "p" }, "user": { "existing": { "offer": { "name": "app" } } } }),
        ],
    }
}

/// The field of a path such as `access[].roles`.
fn field<'a>(spec: &'a mut Value, path: &str) -> Option<&'a mut Value> {
    path.split('.').try_fold(spec, |value, step| {
        let name = step.trim_end_matches("[]");
        let value = if name.is_empty() { value } else { value.get_mut(name)? };
        if step.ends_with("[]") { value.get_mut(0) } else { Some(value) }
    })
}

/// The first sample that has the field, with another value there.
fn with(samples: &[Value], path: &str, value: &Value) -> Value {
    samples
        .iter()
        .find_map(|sample| {
            let mut spec = sample.clone();
            *field(&mut spec, path)? = value.clone();
            Some(spec)
        })
        .unwrap_or_else(|| panic!("no sample has {path}"))
}

fn now(samples: &[Value], path: &str) -> Value {
    let found = samples.iter().find_map(|sample| field(&mut sample.clone(), path).cloned());
    found.unwrap_or_else(|| panic!("no sample has {path}"))
}

/// A text of this length that is as valid as the sample, but for its length.
fn stretched(path: &str, text: &str, length: usize) -> String {
    let fill = length.saturating_sub(text.len());
    if path.ends_with("cron") {
        let minute = if length.is_multiple_of(2) { "00" } else { "0" };
        let shortest = format!("{minute} 2 * * 0");
        return format!("{shortest}{}", ",0".repeat((length - shortest.len()) / 2));
    }
    if ["interval", "overlap", "duration"].iter().any(|name| path.to_lowercase().ends_with(name)) {
        return format!("{}{text}", "0".repeat(fill));
    }
    format!("{text}{}", "a".repeat(fill))
}

/// Values beside a bound: the last that is let in, where another rule does not keep it out, and the first that is not.
fn beside(
    path: &str,
    schema: &Map<String, Value>,
    word: &str,
    now: &Value,
) -> Vec<(Value, Option<&'static str>)> {
    let bound = &schema[word];
    let number = || usize::try_from(bound.as_u64().unwrap()).unwrap();
    let items = |count: usize| -> Value {
        let item = |n: usize| match &now[0] {
            Value::String(text) => json!(format!("{text}{n}")),
            // Outputs have different names.
            Value::Object(entry) if entry.contains_key("secret") => {
                json!({"secret": {"name": format!("s{n}")}})
            }
            // Workloads, too.
            Value::Object(entry) if entry.contains_key("kind") => {
                json!({"kind": "Deployment", "name": format!("d{n}")})
            }
            other => other.clone(),
        };
        (0..count).map(item).collect()
    };
    let entries = |count| -> Value {
        (0..count).map(|n| (format!("key-{n}"), json!("x"))).collect::<Map<_, _>>().into()
    };
    let text = now.as_str().unwrap_or_default();
    match word {
        "maxLength" => {
            let long = |length| json!(stretched(path, text, length));
            let mut cases = vec![(long(number() + 1), Some("Too long"))];
            // A pattern of one length only leaves the limit without use.
            if !schema.get("pattern").is_some_and(|p| p.as_str().unwrap().contains("{12}")) {
                cases.push((long(number()), None));
            }
            cases
        }
        "minLength" => {
            assert_eq!(number(), 1, "{path}");
            vec![(json!(""), Some("should be at least 1 chars long"))]
        }
        "pattern" => vec![(json!("~"), Some("should match"))],
        "enum" => vec![(json!("~"), Some("Unsupported value"))],
        "maxItems" => vec![(items(number()), None), (items(number() + 1), Some("Too many"))],
        "minItems" => {
            assert_eq!(number(), 1, "{path}");
            vec![(json!([]), Some("should have at least 1 items"))]
        }
        "minimum" | "maximum" => {
            let limit = bound.as_f64().unwrap();
            let step = if word == "maximum" { 1.0 } else { -1.0 };
            #[allow(clippy::cast_possible_truncation, reason = "all are whole and small")]
            let whole = |number: f64| json!(number as i64);
            vec![(whole(limit), None), (whole(limit + step), Some("should be "))]
        }
        "maxProperties" => vec![(entries(number()), None), (entries(number() + 1), Some("Too many"))],
        "x-kubernetes-list-type" if bound == "set" => {
            vec![(json!([now[0], now[0]]), Some("Duplicate value"))]
        }
        "x-kubernetes-list-type" => Vec::new(),
        "format" => vec![(json!(i64::from(i32::MAX) + 1), Some("Invalid value"))],
        other => panic!("{path}: no case for {other}; add one here"),
    }
}

fn cases(kind: Kind) -> Vec<(String, &'static str, Case)> {
    let samples = samples(kind);
    let mut cases = Vec::new();
    walk("", &definition(kind)["properties"]["spec"], &mut |path, schema| {
        let schema = schema.as_object().unwrap();
        for word in schema.keys().filter(|word| !WITHOUT_BOUND.contains(&word.as_str())) {
            if word == "required" {
                for name in schema[word].as_array().unwrap() {
                    let mut without = if path.is_empty() { samples[0].clone() } else { now(&samples, path) };
                    without.as_object_mut().unwrap().remove(name.as_str().unwrap());
                    let spec = if path.is_empty() { without } else { with(&samples, path, &without) };
                    let at = format!("{path}.{}", name.as_str().unwrap());
                    cases.push((
                        at.trim_start_matches('.').to_owned(),
                        "Required value",
                        Case { spec, refused: Some("Required value") },
                    ));
                }
                continue;
            }
            for (value, refused) in beside(path, schema, word, &now(&samples, path)) {
                let case = Case { spec: with(&samples, path, &value), refused };
                cases.push((path.to_owned(), refused.unwrap_or_default(), case));
            }
        }
    });
    cases
}

/// Tries what the apiserver says to all cases: the field and the words, not only that something is wrong.
async fn try_bounds(kind: Kind, at_least: usize) {
    let cases = cases(kind);
    assert!(cases.len() >= at_least, "only {} cases", cases.len());
    let server = crate::support::Server::new("bounds").await;
    for (path, words, Case { spec, refused }) in &cases {
        let answer = server.create(kind, "x", spec, true).await;
        crate::support::assert_answer(&format!("{path} {words}: {spec}"), &answer, *refused);
        let named = format!("spec.{}", path.replace("[]", "[0]"));
        assert!(answer.is_ok() || answer.as_ref().is_err_and(|m| m.contains(&named)), "{named}: {answer:?}");
    }
}

#[tokio::test]
async fn of_technical_users() {
    try_bounds(Kind::TechnicalUser, 40).await;
}

#[tokio::test]
async fn of_portals() {
    try_bounds(Kind::Portal, 80).await;
}

#[tokio::test]
async fn of_vaults() {
    try_bounds(Kind::Vault, 20).await;
}

#[tokio::test]
async fn the_samples_are_valid_and_nulls_are_as_good_as_nothing() {
    // Not those of enums, which list no null.
    let portal = ["access", "tls", "limits", "resyncInterval", "verification", "suspend", "cofinityX"];
    let technical_user =
        ["outputs", "portalRef.namespace", "user.existing", "user.create.name", "user.create.description"];
    let vault = ["access", "tls", "namespace", "insecureHttp"];
    let kinds =
        [(Kind::Portal, portal.as_slice()), (Kind::TechnicalUser, &technical_user), (Kind::Vault, &vault)];
    for (kind, fields) in kinds {
        let samples = samples(kind);
        let valid = |spec: Value| Case { spec, refused: None };
        let mut cases: Vec<_> = samples.iter().cloned().map(valid).collect();
        for path in fields {
            let (parent, name) = path.rsplit_once('.').unwrap_or(("", path));
            let mut spec = samples[0].clone();
            field(&mut spec, parent).unwrap()[name] = Value::Null;
            cases.push(valid(spec));
        }
        try_all(kind, "samples", &cases).await;
    }
}
