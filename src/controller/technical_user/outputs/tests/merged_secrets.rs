//! Keys in a Secret of another owner.

use async_trait::async_trait;
use serde_json::json;

use super::secrets::Secrets;
use super::{KindUnderTest, publish, state, values};
use crate::api::keys;
use crate::controller::technical_user::failure::Failure;
use crate::controller::technical_user::outputs::Output;
use crate::controller::technical_user::outputs::merged_secret::MergedSecret;
use crate::domain::plan::OutputState;
use crate::domain::reason::Reason;

/// Keys in a Secret of another owner.
pub(super) struct Merged(Secrets);

impl Merged {
    pub(super) fn new() -> Self {
        let merged = Self(Secrets::new());
        merged.delete();
        merged
    }
}

#[async_trait]
impl KindUnderTest for Merged {
    fn output(&self) -> Box<dyn Output> {
        let spec = serde_json::from_value(json!({"creationPolicy": "Merge"})).unwrap();
        Box::new(MergedSecret::new(&self.0.resource, &spec))
    }

    /// Another `TechnicalUser` owns all of it.
    fn put_foreign(&self) {
        let owner = json!({keys::OWNER: "prod/connector/other"});
        let data = json!({"client-id": "eA=="});
        self.0.apiserver.put("connector", "edc", json!({"metadata": {"annotations": owner}, "data": data}));
    }

    fn edit(&self) {
        self.0.edit();
    }

    /// Its owner creates the Secret again.
    fn delete(&self) {
        self.0.delete();
        self.0.apiserver.put(
            "connector",
            "edc",
            json!({"metadata": {"labels": {"by": "Helm"}}, "data": {"theirs": "eA=="}}),
        );
    }

    fn deny(&self) {
        self.0.deny();
    }

    fn is_there(&self) -> bool {
        let secret = self.0.apiserver.get("connector", "edc");
        secret.is_some_and(|secret| !secret["data"]["client-id"].is_null())
    }
}

#[tokio::test]
async fn a_secret_of_another_owner_gets_our_keys_and_loses_no_other_thing() {
    let merged = Merged::new();
    let before = merged.0.apiserver.get("connector", "edc").unwrap();
    let recorded = publish(&merged, "u1", None).await;
    let secret = merged.0.apiserver.get("connector", "edc").unwrap();
    for field in ["theirs", "client-id", "client-secret"] {
        assert!(secret["data"][field].is_string(), "{field}");
    }
    assert_eq!(secret["metadata"]["labels"], before["metadata"]["labels"]);
    assert!(secret["metadata"]["ownerReferences"].is_null() && secret["type"].is_null());

    // Another client removes the note, as a restore of the manifest does: the keys are still ours.
    merged.0.apiserver.change("connector", "edc", |secret| secret["metadata"]["annotations"] = json!({}));
    assert_eq!(state(&merged, Some(&recorded)).await, OutputState::Absent);
    let again = publish(&merged, "u1", Some(&recorded)).await;
    assert_eq!(again.digest, recorded.digest);
    merged.output().remove().await.unwrap();
    let after = merged.0.apiserver.get("connector", "edc").unwrap();
    assert_eq!(after["data"], before["data"]);
    assert_eq!(after["metadata"]["annotations"], json!({}));
}

#[tokio::test]
async fn a_key_of_another_client_is_never_overwritten() {
    let merged = Merged::new();
    merged.0.apiserver.change("connector", "edc", |secret| secret["data"]["client-id"] = json!("eA=="));
    let before = merged.0.apiserver.get("connector", "edc").unwrap();
    let mut output = merged.output();
    let state = output.observe(None).await.unwrap().state;
    let blocker = output.prove_writable(&state, 1).await.unwrap().unwrap_err();
    assert_eq!(blocker.reason, Reason::KeyTaken);
    assert!(blocker.message.contains("\"client-id\""), "{}", blocker.message);
    let failure = output.write(&values("u1")).await.unwrap_err();
    assert!(matches!(failure, Failure::OutputUnavailable(blocker) if blocker.reason == Reason::KeyTaken));
    assert_eq!(merged.0.apiserver.get("connector", "edc").unwrap(), before);
}

#[tokio::test]
async fn keys_are_added_only_to_a_secret_that_exists() {
    let merged = Merged::new();
    merged.0.delete();
    let mut output = merged.output();
    let state = output.observe(None).await.unwrap().state;
    assert_eq!(state, OutputState::Absent);
    assert_eq!(
        output.prove_writable(&state, 1).await.unwrap().unwrap_err().reason,
        Reason::MergeTargetMissing
    );
    assert!(output.write(&values("u1")).await.is_err());
    assert!(merged.0.apiserver.get("connector", "edc").is_none());
}
