//! Secrets that the operator wrote and that neither spec nor status names.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use serde_json::{Value, json};

use super::secrets::Secrets;
use super::{publish, values};
use crate::api::keys;
use crate::api::technical_user::{Output as Spec, RecordedOutput, TechnicalUserStatus};
use crate::controller::technical_user::outputs::{Output, of_spec, unnamed};

/// The watch shows this Secret.
fn see(place: &Secrets, name: &str) {
    let secret = place.apiserver.get("connector", name).unwrap();
    let metadata: ObjectMeta = serde_json::from_value(secret["metadata"].clone()).unwrap();
    place.resource.ctx.secrets_by_owner.saw(&metadata, "prod", false);
}

/// The outputs that a spec has, as they are observed.
async fn outputs(place: &Secrets, spec: Value, status: &[RecordedOutput]) -> Vec<Box<dyn Output>> {
    let spec: Vec<Spec> = serde_json::from_value(spec).unwrap();
    let mut outputs = of_spec(&place.resource, Some(&spec));
    for output in &mut outputs {
        let id = output.id().clone();
        output.observe(status.iter().find(|recorded| recorded.id() == id)).await.unwrap();
    }
    outputs
}

/// The Secrets that are found beside these of the spec and the status.
async fn found(place: &Secrets, spec: Value, status: &[RecordedOutput]) -> Vec<RecordedOutput> {
    let outputs = outputs(place, spec, status).await;
    let status = TechnicalUserStatus { outputs: status.to_vec(), ..TechnicalUserStatus::default() };
    unnamed(&place.resource, &status, &outputs, 16).await.unwrap()
}

async fn names(place: &Secrets, spec: Value, status: &[RecordedOutput]) -> Vec<String> {
    found(place, spec, status).await.into_iter().map(|output| output.name).collect()
}

fn renamed() -> Value {
    json!([{"secret": {"name": "renamed"}}])
}

/// A Secret with the credential, and one that a person made of it: with another name, and everything else as it was.
async fn with_a_copy() -> Secrets {
    let place = Secrets::new();
    publish(&place, "u1", None).await;
    let mut copy = place.apiserver.get("connector", "edc").unwrap();
    copy["metadata"]["uid"] = Value::Null;
    place.apiserver.put("connector", "copy", copy);
    for name in ["edc", "copy"] {
        see(&place, name);
    }
    place
}

#[tokio::test]
async fn a_secret_that_nothing_names_is_found_and_a_copy_of_it_is_not() {
    let place = with_a_copy().await;
    let seen = found(&place, renamed(), &[]).await;
    let uid = place.apiserver.get("connector", "edc").unwrap()["metadata"]["uid"].clone();
    let [secret] = seen.as_slice() else { panic!("{seen:?}") };
    assert_eq!((secret.kind.as_str(), secret.name.as_str(), json!(secret.uid)), ("Secret", "edc", uid));
    assert!(secret.is_written());
    let none = unnamed(&place.resource, &TechnicalUserStatus::default(), &[], 0).await.unwrap();
    assert!(none.is_empty(), "there is no room for it");
}

#[tokio::test]
async fn a_secret_that_the_spec_or_the_status_names_is_not_found() {
    let place = with_a_copy().await;
    let kinds = [json!({"name": "edc"}), json!({"name": "edc", "creationPolicy": "Merge"})];
    for named in kinds.map(|secret| json!([{ "secret": secret }])) {
        assert!(found(&place, named.clone(), &[]).await.is_empty(), "{named}");
    }
    let recorded = |kind: &str, name: &str| RecordedOutput {
        kind: kind.into(),
        name: name.into(),
        ..RecordedOutput::default()
    };
    assert!(found(&place, renamed(), &[recorded("Secret", "edc")]).await.is_empty());
    assert_eq!(names(&place, renamed(), &[recorded("ImmutableSecret", "edc")]).await, ["edc"]);
    let immutable = json!([{"secret": {"name": "edc", "immutable": true}}]);
    assert_eq!(names(&place, immutable, &[]).await, ["edc"], "its Secrets have numbers");
}

#[tokio::test]
async fn what_is_not_proved_to_be_written_for_this_very_resource_is_not_found() {
    let mut place = with_a_copy().await;
    place.resource.uid = "uid-of-the-next".into();
    assert!(found(&place, renamed(), &[]).await.is_empty(), "the resource was created again");

    // The watch is behind.
    for change in [
        |secret: &mut Value| secret["metadata"]["annotations"][keys::PROOF] = json!("of another"),
        |secret: &mut Value| secret["metadata"]["annotations"][keys::OWNER] = json!("prod/connector/other"),
        |secret: &mut Value| secret["metadata"]["deletionTimestamp"] = json!("2026-11-27T12:00:00Z"),
    ] {
        let place = with_a_copy().await;
        place.apiserver.change("connector", "edc", change);
        assert!(found(&place, renamed(), &[]).await.is_empty());
    }
    let place = with_a_copy().await;
    place.apiserver.remove("connector", "edc");
    assert!(found(&place, renamed(), &[]).await.is_empty());
}

#[tokio::test]
async fn of_immutable_secrets_those_are_found_that_are_not_in_use() {
    let mut place = Secrets::new();
    let spec = json!([{"secret": {"immutable": true}}]);
    let mut status: Vec<RecordedOutput> = Vec::new();
    for user in ["u1", "u2"] {
        place.resource.history.outputs.clone_from(&status);
        let mut output = outputs(&place, spec.clone(), &status).await.remove(0);
        status = vec![output.announced(status.first(), &values(user)).unwrap()];
        output.write(&values(user)).await.unwrap();
        let begun = status[0].begun_secret.clone().unwrap();
        see(&place, &begun);
        assert!(!names(&place, spec.clone(), &status).await.contains(&begun), "{begun} is announced");
        status = vec![output.record("d", None, true).unwrap()];
    }
    assert_eq!(status[0].secret.as_deref(), Some("edc-2"));
    assert_eq!(names(&place, spec.clone(), &status).await, ["edc-1"]);

    // A backup brings back an earlier status.
    status[0].secret = Some("edc-1".into());
    assert_eq!(names(&place, spec, &status).await, ["edc-2"]);
}
