//! The operator's own definitions, as the server publishes them.

use serde_json::{Value, json};
use technical_user_operator::api;
use technical_user_operator::k8s::definitions::{Fit, compare};
use testbed::eventually;

use super::support::{Server, Wire};

facts!(the_definitions_of_the_operator_fit, a_group_that_is_not_served_is_not_found);

async fn the_definitions_of_the_operator_fit(server: Server) {
    let wire = Wire::new(server, "definitions").await;
    for definition in api::definitions() {
        let definition = serde_json::to_value(definition).unwrap();
        let path = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";
        let answer = wire.send("POST", path, "application/json", &definition).await;
        assert!([201, 409].contains(&answer.code), "{}", answer.body);
    }
    let fit =
        async || (compare(&wire.client, api::definitions()).await.unwrap() == Fit::default()).then_some(());
    eventually("the definitions fit", fit).await.unwrap();
}

async fn a_group_that_is_not_served_is_not_found(server: Server) {
    let wire = Wire::new(server, "group").await;
    for path in ["/apis/nothing.testbed.invalid", "/apis/nothing.testbed.invalid/v1"] {
        let answer = wire.send("GET", path, "application/json", &json!(Value::Null)).await;
        assert_eq!(answer.code, 404, "{path}: {}", answer.body);
    }
}
