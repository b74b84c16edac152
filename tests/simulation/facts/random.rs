//! Requests by chance, sent to a real apiserver and to the simulated one: each must get the same answer from both.

use std::collections::BTreeMap;

use regex::Regex;
use serde_json::{Value, json};
use technical_user_operator::process::Random;

use super::support::{Answer, Server, WIDGETS, Wire, secret, widget, with_widgets};

const LEASES: &str = "coordination.k8s.io/v1/leases";
const REQUESTS: usize = 250;

/// Numbers by chance.
struct Draw(Random);

impl Draw {
    fn one<'a, T>(&self, of: &'a [T]) -> &'a T {
        let mut order: Vec<&T> = of.iter().collect();
        self.0.shuffle(&mut order);
        order[0]
    }

    fn word(&self, of: &[&'static str]) -> &'static str {
        self.one::<&str>(of)
    }

    fn chance(&self, of: f64) -> bool {
        self.0.fraction() < of
    }
}

/// What a request says of the state of the object that it means.
#[derive(Debug, Clone, Copy)]
enum State {
    Unsaid,
    Present,
    Former,
    Unknown,
}

const STATES: [State; 6] =
    [State::Unsaid, State::Unsaid, State::Present, State::Present, State::Former, State::Unknown];

/// A request that is the same for both servers.
#[derive(Debug, Clone)]
struct Sent {
    method: &'static str,
    resource: &'static str,
    name: &'static str,
    status: bool,
    query: &'static str,
    uid: State,
    version: State,
    body: Value,
}

fn draw(draw: &Draw) -> Sent {
    let resource = draw.word(&["secrets", "secrets", WIDGETS, WIDGETS, LEASES]);
    let method = draw.word(&["POST", "POST", "PATCH", "PATCH", "PATCH", "DELETE", "GET", "PUT", "LIST"]);
    // Objects of other kinds are never replaced by the operator.
    let method = if method == "PUT" && resource != LEASES { "PATCH" } else { method };
    let writes = ["POST", "PATCH"].contains(&method);
    let body = match method {
        "POST" => new(draw, resource),
        "PATCH" => change(draw, resource),
        _ => Value::Null,
    };
    Sent {
        method,
        resource,
        name: draw.word(&["a", "b"]),
        status: method == "PATCH" && resource == WIDGETS && draw.chance(0.4),
        query: match method {
            "LIST" => draw.word(&["", "labelSelector=facts.testbed.invalid%2Fx%3D1", "limit=1"]),
            _ if writes && draw.chance(0.2) => "fieldManager=facts&dryRun=All",
            _ => "fieldManager=facts",
        },
        uid: *draw.one(&STATES),
        version: if method == "POST" && draw.chance(0.9) { State::Unsaid } else { *draw.one(&STATES) },
        body,
    }
}

fn new(draw: &Draw, resource: &str) -> Value {
    let mut object = match resource {
        "secrets" => secret("", draw.word(&["x", "y", ""])),
        LEASES => json!({ "apiVersion": "coordination.k8s.io/v1", "kind": "Lease", "metadata": {},
                          "spec": { "holderIdentity": "a" } }),
        _ => widget(""),
    };
    if draw.chance(0.3) {
        object["metadata"]["finalizers"] = json!(["facts.testbed.invalid/a"]);
    }
    if draw.chance(0.3) {
        object["metadata"]["labels"] = json!({ "facts.testbed.invalid/x": "1" });
    }
    if resource == WIDGETS && draw.chance(0.4) {
        object["spec"] = spec(draw);
        object["status"] = json!({ "phase": "early" });
    }
    object
}

fn spec(draw: &Draw) -> Value {
    let parts = json!([{ "name": "p", "more": 1 }, { "name": null }]);
    let specs = [
        json!({}),
        json!({ "size": 2 }),
        json!({ "size": "2" }),
        json!({ "color": "Blue", "unknown": 1 }),
        json!({ "color": "Green" }),
        json!({ "color": null, "labels": { "a": "b", "c": null } }),
        json!({ "parts": parts }),
        json!({ "parts": [{ "name": "p" }] }),
        json!({ "parts": [] }),
        json!({ "name": "abc" }),
    ];
    draw.one(&specs).clone()
}

fn change(draw: &Draw, resource: &str) -> Value {
    let mut patch = json!({ "metadata": {} });
    if draw.chance(0.4) {
        let value = draw.one(&[json!("1"), json!("2"), Value::Null]).clone();
        patch["metadata"]["labels"] = json!({ "facts.testbed.invalid/x": value });
    }
    if draw.chance(0.2) {
        let value = draw.one(&[json!("1"), Value::Null]).clone();
        patch["metadata"]["annotations"] = json!({ "facts.testbed.invalid/note": value });
    }
    if draw.chance(0.4) {
        let (a, b) = ("facts.testbed.invalid/a", "facts.testbed.invalid/b");
        patch["metadata"]["finalizers"] =
            draw.one(&[json!([a]), json!([b, a]), json!([]), Value::Null]).clone();
    }
    if draw.chance(0.6) {
        match resource {
            "secrets" => {
                let data =
                    [json!({ "key": "eQ==" }), json!({ "key": null }), json!({ "other": "" }), Value::Null];
                patch["data"] = draw.one(&data).clone();
            }
            WIDGETS => {
                patch["spec"] = spec(draw);
                let phases =
                    [json!({ "phase": "a" }), json!({ "phase": null }), json!({ "phase": 1 }), Value::Null];
                patch["status"] = draw.one(&phases).clone();
            }
            _ => patch["spec"] = json!({ "holderIdentity": draw.word(&["a", "b"]) }),
        }
    }
    patch
}

/// One server, and what it has answered.
struct Side {
    wire: Wire,
    /// The states of each object, by resource and name.
    seen: BTreeMap<(&'static str, &'static str), Vec<Value>>,
    /// Uids and versions in the order of their appearance: the same for both servers.
    tokens: Vec<String>,
}

impl Side {
    async fn new(server: Server) -> Self {
        let wire = Wire::new(server, "random").await;
        with_widgets(&wire).await;
        Self { wire, seen: BTreeMap::new(), tokens: Vec::new() }
    }

    fn field(&self, sent: &Sent, state: State, field: &str) -> Option<Value> {
        let seen = self.seen.get(&(sent.resource, sent.name)).map(Vec::as_slice).unwrap_or_default();
        let of = |object: Option<&Value>| object.map(|object| object["metadata"][field].clone());
        match state {
            State::Unsaid => None,
            State::Present => of(seen.last()),
            State::Former => of(seen.first()),
            State::Unknown if field == "uid" => Some(json!("00000000-0000-0000-0000-000000000000")),
            State::Unknown => Some(json!("1")),
        }
    }

    /// Sends a request, with the uid and the version as this server knows them.
    async fn send(&mut self, sent: &Sent) -> (u16, Value) {
        let (uid, version) =
            (self.field(sent, sent.uid, "uid"), self.field(sent, sent.version, "resourceVersion"));
        let mut body = sent.body.clone();
        if sent.method == "PUT" {
            let seen = self.seen.get(&(sent.resource, sent.name));
            body = seen.and_then(|seen| seen.last()).cloned().unwrap_or_else(|| json!({ "metadata": {} }));
            body["spec"] = json!({ "holderIdentity": "c" });
        }
        let target = if sent.method == "DELETE" { "preconditions" } else { "metadata" };
        if sent.method == "POST" || sent.method == "PUT" {
            body["metadata"]["name"] = json!(sent.name);
        }
        for (field, value) in [("uid", uid), ("resourceVersion", version)] {
            if let Some(value) = value {
                body[target][field] = value;
            }
        }
        let answer = self.request(sent, &body).await;
        let of_object = answer.body["metadata"]["uid"].is_string() && !sent.query.contains("dryRun");
        if answer.code < 300 && of_object {
            self.seen.entry((sent.resource, sent.name)).or_default().push(answer.body.clone());
        }
        (answer.code, self.plain(answer.body))
    }

    async fn request(&self, sent: &Sent, body: &Value) -> Answer {
        let wire = &self.wire;
        let name = if sent.status { format!("{}/status", sent.name) } else { sent.name.to_owned() };
        let object = format!("{}?{}", wire.path(sent.resource, &name), sent.query);
        match sent.method {
            "LIST" => wire.list(sent.resource, sent.query).await,
            "POST" => wire.create(sent.resource, sent.query, body).await,
            "PATCH" => wire.send("PATCH", &object, "application/merge-patch+json", body).await,
            method => wire.send(method, &object, "application/json", body).await,
        }
    }

    /// An answer without what differs from server to server.
    fn plain(&mut self, mut body: Value) -> Value {
        if body["items"].is_array() {
            // The version of a list counts the writes of all clients; a token is the server's own business.
            body["metadata"] = json!({ "more": body["metadata"]["continue"].as_str().is_some_and(|token| !token.is_empty()) });
        }
        if body["kind"] == "Status" && body["status"] == "Failure" {
            // The details repeat the message.
            body = json!({ "reason": body["reason"], "message": body["message"] });
        }
        self.replace(&mut body);
        body
    }

    fn replace(&mut self, value: &mut Value) {
        match value {
            Value::Object(map) => {
                map.remove("managedFields");
                for (field, value) in map.iter_mut() {
                    match (field.as_str(), &*value) {
                        ("uid" | "resourceVersion", Value::String(text)) => {
                            *value = json!(self.token(&text.clone()));
                        }
                        ("creationTimestamp" | "deletionTimestamp", Value::String(_)) => {
                            *value = json!("time");
                        }
                        _ => self.replace(value),
                    }
                }
            }
            Value::Array(list) => list.iter_mut().for_each(|value| self.replace(value)),
            Value::String(text) => *text = self.words(text),
            _ => {}
        }
    }

    fn token(&mut self, text: &str) -> String {
        let at = self.tokens.iter().position(|known| known == text).unwrap_or_else(|| {
            self.tokens.push(text.to_owned());
            self.tokens.len() - 1
        });
        format!("token {at}")
    }

    /// A message without uids and versions.
    fn words(&mut self, text: &str) -> String {
        let ids = Regex::new(r"[0-9a-f]{8}-[0-9a-f-]{27}|\((\d+)\)").unwrap();
        let namespace = self.wire.namespace.clone();
        ids.replace_all(text, |found: &regex::Captures| self.token(found[0].trim_matches(['(', ')'])))
            .replace(&namespace, "namespace")
    }
}

#[tokio::test]
async fn both_servers_answer_the_same() {
    for seed in 1..=4 {
        let chance = Draw(Random::seeded(seed));
        let (mut real, mut simulated) = (Side::new(Server::Real).await, Side::new(Server::simulated()).await);
        let mut differences = Vec::new();
        for number in 0..REQUESTS {
            let sent = draw(&chance);
            let (expected, answer) = (real.send(&sent).await, simulated.send(&sent).await);
            if answer != expected {
                differences
                    .push(format!("{number}: {sent:?}\nreal:      {expected:?}\nsimulated: {answer:?}"));
            }
        }
        let first: Vec<_> = differences.iter().take(6).cloned().collect();
        assert!(first.is_empty(), "seed {seed}, {} differences\n{}", differences.len(), first.join("\n"));
    }
}
