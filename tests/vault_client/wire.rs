//! The same calls to a real server and to the simulated one: each answer has the same status and says the same.

use serde_json::{Value, json};
use technical_user_operator::process::Random;

use crate::server::Server;

/// How many calls by chance are compared.
const CALLS: usize = 600;

/// A method, a path and a body.
type Call = (&'static str, String, Value);

/// What two answers have in common: status, errors and data, without the times and the callers of the writes.
async fn answer(vault: &Server, (method, path, body): &Call) -> (u16, Value) {
    let body = if body.is_null() { None } else { Some(body) };
    let answer = vault.as_root(method, path, body).await.unwrap();
    let mut said = json!({ "data": answer.body["data"], "errors": answer.body["errors"] });
    without_writes(&mut said);
    // The words of a validation name what was sent.
    let words = said["errors"][0].as_str().unwrap_or_default();
    if let Some((start, _)) = words.split_once(" validation failed") {
        said["errors"] = json!([format!("{start} validation failed")]);
    }
    (answer.status.as_u16(), said)
}

fn without_writes(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            fields.retain(|name, _| !name.ends_with("_by"));
            for (name, value) in fields {
                let is_time = name.ends_with("_time") && value.as_str().is_some_and(|text| !text.is_empty());
                if is_time {
                    *value = json!("some time");
                }
                without_writes(value);
            }
        }
        Value::Array(values) => values.iter_mut().for_each(without_writes),
        _ => {}
    }
}

async fn compare(calls: impl IntoIterator<Item = Call>) {
    let (real, simulated) = (Server::real().await, Server::simulated());
    for (number, call) in calls.into_iter().enumerate() {
        let (expected, found) = (answer(&real, &call).await, answer(&simulated, &call).await);
        assert_eq!(found, expected, "call {number}: {call:?}");
    }
}

fn custom(count: usize, key: usize, value: usize) -> Value {
    let pairs = (0..count).map(|number| (format!("{number:0key$}"), json!("v".repeat(value))));
    json!({ "custom_metadata": pairs.collect::<serde_json::Map<_, _>>() })
}

#[tokio::test]
async fn custom_metadata_has_the_same_bounds() {
    let metadata = |method, body| (method, "secret/metadata/a".to_owned(), body);
    let bounds =
        [(64, 2, 1), (65, 2, 1), (1, 128, 1), (1, 129, 1), (1, 1, 512), (1, 1, 513), (1, 1, 0), (0, 1, 1)];
    let mut calls: Vec<Call> = Vec::new();
    for (count, key, value) in bounds {
        for method in ["POST", "PATCH"] {
            calls.push(metadata(method, custom(count, key, value)));
            calls.push(metadata("GET", Value::Null));
        }
    }
    calls.push(metadata("POST", json!({ "custom_metadata": { "a": "line\nbreak" } })));
    calls.push(metadata("POST", json!({ "custom_metadata": { "a": "\u{e9}" } })));
    compare(calls).await;
}

#[tokio::test]
async fn calls_by_chance_have_the_same_answers() {
    let random = Random::seeded(17);
    let below = |bound: usize| {
        let mut numbers: Vec<usize> = (0..bound).collect();
        random.shuffle(&mut numbers);
        numbers[0]
    };
    let path = |what: &str| format!("secret/{what}/{}", ["a", "b", "b/c"][below(3)]);
    let calls = (0..CALLS).map(|number| {
        let versions = json!({ "versions": [below(4) + 1, below(12)] });
        match below(17) {
            0..=2 => ("GET", path("data"), Value::Null),
            3..=5 => {
                let body = json!({ "data": { "n": number }, "options": { "cas": below(5) } });
                ("POST", path("data"), body)
            }
            6 | 7 => ("POST", path("data"), json!({ "data": { "n": number } })),
            8 => ("DELETE", path("data"), Value::Null),
            9 => ("POST", path("delete"), versions),
            10 => ("POST", path("undelete"), versions),
            11 => ("POST", path("destroy"), versions),
            12 => ("GET", path("metadata"), Value::Null),
            13 if below(3) == 0 => ("DELETE", path("metadata"), Value::Null),
            13 => ("LIST", "secret/metadata/".to_owned(), Value::Null),
            14 => ("POST", path("metadata"), json!({ "custom_metadata": { "k": number.to_string() } })),
            15 => {
                let value = if below(2) == 0 { Value::Null } else { json!("p") };
                ("PATCH", path("metadata"), json!({ "custom_metadata": { "k": value, "l": "q" } }))
            }
            _ => {
                let body = json!({ "max_versions": below(4), "cas_required": below(4) == 0 });
                ("POST", path("metadata"), body)
            }
        }
    });
    compare(calls.collect::<Vec<_>>()).await;
}
