//! The Secret that a resource owns.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use serde_json::{Value, json};

use super::{KindUnderTest, OWNER, publish, state, values};
use crate::api::keys;
use crate::controller::objects::Key;
use crate::controller::technical_user::failure::Failure;
use crate::controller::technical_user::outputs::secret::SecretOutput;
use crate::controller::technical_user::outputs::{History, Output, Resource, Stores};
use crate::controller::test_support::apiserver::{Apiserver, context};
use crate::domain::format::Known;
use crate::domain::identity::Owner;
use crate::domain::plan::OutputState;
use crate::domain::user::UserId;

/// Secrets of an apiserver in memory.
pub(super) struct Secrets {
    pub apiserver: Apiserver,
    pub resource: Resource,
}

impl Secrets {
    pub(super) fn new() -> Self {
        let apiserver = Apiserver::default();
        let key = Key { namespace: "connector".into(), name: "edc".into() };
        let owner =
            Owner { instance: "prod".into(), namespace: key.namespace.clone(), name: key.name.clone() };
        let ctx = Arc::new(context(apiserver.client()));
        // The cache is empty, so it is not believed.
        ctx.conflicts.after_conflict(&key);
        Self {
            apiserver,
            resource: Resource {
                ctx,
                key,
                uid: "uid-of-edc".into(),
                deleting: false,
                owner,
                known: Some(Known::default()),
                stores: Stores::default(),
                history: History::default(),
                taken_over: Vec::new(),
                verification_interval: Duration::from_hours(1),
            },
        }
    }
}

#[async_trait]
impl KindUnderTest for Secrets {
    fn output(&self) -> Box<dyn Output> {
        Box::new(SecretOutput::new(&self.resource, None))
    }

    fn put_foreign(&self) {
        self.apiserver.put(
            "connector",
            "edc",
            json!({"metadata": {"annotations": {"by": "Helm"}}, "data": {}}),
        );
    }

    fn edit(&self) {
        self.apiserver.change("connector", "edc", |secret| secret["data"]["client-id"] = json!("b3RoZXI="));
    }

    fn delete(&self) {
        self.apiserver.remove("connector", "edc");
    }

    fn deny(&self) {
        self.apiserver.deny("quota exceeded");
    }

    fn is_there(&self) -> bool {
        self.apiserver.get("connector", "edc").is_some()
    }
}

#[tokio::test]
async fn a_secret_has_the_owner_the_mark_and_the_keys_of_its_format_and_no_others() {
    let secrets = Secrets::new();
    let recorded = publish(&secrets, "u1", None).await;
    secrets.apiserver.change("connector", "edc", |secret| secret["data"]["added"] = json!("eA=="));
    publish(&secrets, "u1", Some(&recorded)).await;
    let secret = secrets.apiserver.get("connector", "edc").unwrap();
    let keys: BTreeMap<String, Value> = serde_json::from_value(secret["data"].clone()).unwrap();
    let keys: Vec<&String> = keys.keys().collect();
    assert_eq!(keys, ["bpn", "client-id", "client-secret", "technical-user-id", "token-url"]);
    let metadata = &secret["metadata"];
    assert_eq!(metadata["annotations"][keys::OWNER], OWNER);
    assert_eq!(metadata["annotations"][keys::USER_ID], "u1");
    let proof = metadata["annotations"][keys::PROOF].as_str().unwrap();
    assert_eq!(proof.len(), 32);
    assert_eq!(metadata["ownerReferences"][0]["uid"], "uid-of-edc");
}

/// The dry run finds a Secret that the cache does not show yet, and after a conflict the apiserver is asked.
#[tokio::test]
async fn a_secret_of_a_new_resource_is_looked_for_in_the_cache_alone() {
    let secrets = Secrets::new();
    secrets.put_foreign();
    let Resource { ctx, key, .. } = &secrets.resource;
    ctx.conflicts.forget(key);
    let mut output = secrets.output();
    let seen = output.observe(None).await.unwrap().state;
    assert_eq!(seen, OutputState::Absent);
    assert!(matches!(output.prove_writable(&seen, 1).await, Err(Failure::Overtaken)));
    ctx.conflicts.after_conflict(key);
    let seen = state(&secrets, None).await;
    assert!(matches!(seen, OutputState::Foreign(_)), "{seen:?}");
}

/// As long as no user was created: after that a repair would begin with calls of the portal.
#[tokio::test]
async fn a_secret_of_a_resource_with_a_user_is_looked_for_at_the_apiserver() {
    let mut secrets = Secrets::new();
    secrets.resource.history.user = Some(UserId::new("u1"));
    secrets.put_foreign();
    secrets.resource.ctx.conflicts.forget(&secrets.resource.key);
    let seen = state(&secrets, None).await;
    assert!(matches!(seen, OutputState::Foreign(_)), "{seen:?}");
}

/// A copy that a person made is an output from now on: it is ours by its mark, and gets a proof of its own.
#[tokio::test]
async fn a_copy_that_becomes_an_output_gets_a_proof_of_its_own() {
    let secrets = Secrets::new();
    let recorded = publish(&secrets, "u1", None).await;
    let original = secrets.apiserver.get("connector", "edc").unwrap();
    let proof = |name: &str| {
        secrets.apiserver.get("connector", name).unwrap()["metadata"]["annotations"][keys::PROOF].clone()
    };
    secrets.apiserver.put("connector", "copy", original);
    let mut output = SecretOutput::named(&secrets.resource, "copy");
    let seen = output.observe(None).await.unwrap().state;
    assert!(matches!(seen, OutputState::Ours { metadata_as_wanted: false, .. }), "{seen:?}");
    output.write(&values("u1")).await.unwrap();
    assert_ne!(proof("copy"), proof("edc"));
    let seen = SecretOutput::named(&secrets.resource, "copy").observe(None).await.unwrap().state;
    assert!(matches!(seen, OutputState::Ours { metadata_as_wanted: true, .. }), "{seen:?}");
    let seen = state(&secrets, Some(&recorded)).await;
    assert!(matches!(seen, OutputState::Ours { metadata_as_wanted: true, .. }), "{seen:?}");
}
