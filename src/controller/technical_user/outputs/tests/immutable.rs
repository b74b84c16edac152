//! Immutable Secrets: a new one for each content.

use async_trait::async_trait;
use serde_json::{Value, json};

use super::secrets::Secrets;
use super::{KindUnderTest, publish, state, values};
use crate::api::keys;
use crate::api::technical_user::{RecordedOutput, SecretOutput as Spec};
use crate::controller::technical_user::failure::Failure;
use crate::controller::technical_user::outputs::immutable_secret::ImmutableSecret;
use crate::controller::technical_user::outputs::{Output, of_record};
use crate::domain::format::Values;
use crate::domain::plan::OutputState;
use crate::domain::reason::Reason;

/// Immutable Secrets of an apiserver in memory.
pub(super) struct Immutable(Secrets);

impl Immutable {
    pub(super) fn new() -> Self {
        Self(Secrets::new())
    }

    fn get(&self, name: &str) -> Option<Value> {
        self.0.apiserver.get("connector", name)
    }

    /// The Secrets that are there, by their names.
    fn names(&self) -> Vec<String> {
        (1..9).map(|number| format!("edc-{number}")).filter(|name| self.get(name).is_some()).collect()
    }

    fn with(&self, spec: Value) -> ImmutableSecret {
        let spec: Spec = serde_json::from_value(spec).unwrap();
        ImmutableSecret::new(&self.0.resource, &spec)
    }
}

#[async_trait]
impl KindUnderTest for Immutable {
    fn output(&self) -> Box<dyn Output> {
        Box::new(self.with(json!({"immutable": true})))
    }

    fn put_foreign(&self) {
        let theirs = json!({"metadata": {"annotations": {"by": "Helm"}}, "data": {}});
        self.0.apiserver.put("connector", "edc-1", theirs);
    }

    fn edit(&self) {
        unreachable!("nobody can change the content of an immutable Secret")
    }

    fn delete(&self) {
        self.0.apiserver.remove("connector", "edc-1");
    }

    fn record(&mut self, recorded: RecordedOutput) {
        self.0.resource.history.outputs = vec![recorded];
    }

    fn deny(&self) {
        self.0.deny();
    }

    fn is_there(&self) -> bool {
        self.get("edc-1").is_some()
    }
}

/// Writes the credential of a user as one reconcile does, after the status names the place; what the status records, and what was
/// replaced.
async fn replace(
    place: &mut Immutable,
    user: &str,
    recorded: &RecordedOutput,
) -> (RecordedOutput, Option<RecordedOutput>) {
    place.record(recorded.clone());
    let mut output = place.output();
    output.observe(Some(recorded)).await.unwrap();
    let OutputState::Ours { digest: Some(digest), .. } = output.write(&values(user)).await.unwrap() else {
        panic!("it was written")
    };
    (output.record(&digest, Some(recorded), true).unwrap(), output.superseded().pop())
}

#[tokio::test]
async fn a_new_content_is_a_new_secret_and_the_former_one_is_superseded() {
    let mut place = Immutable::new();
    let first = publish(&place, "u1", None).await;
    assert_eq!((first.name.as_str(), first.secret.as_deref()), ("edc", Some("edc-1")));
    let secret = place.get("edc-1").unwrap();
    assert_eq!(secret["immutable"], json!(true));
    assert_eq!(secret["metadata"]["ownerReferences"][0]["uid"], "uid-of-edc");

    let (second, former) = replace(&mut place, "u2", &first).await;
    assert_eq!(second.secret.as_deref(), Some("edc-2"));
    assert_eq!(place.get("edc-1").unwrap(), secret, "its readers keep it");
    let former = former.unwrap();
    assert_eq!((former.kind.as_str(), former.name.as_str()), ("Secret", "edc-1"));
    assert_eq!((&former.uid, &former.digest), (&first.uid, &first.digest));
    place.0.resource.history.outputs = vec![second.clone(), former.clone()];
    of_record(&place.0.resource, &former.id()).unwrap().remove().await.unwrap();
    assert_eq!(place.names(), ["edc-2"]);

    // The same content again has a number of its own: the name of a deleted Secret is not used again.
    let (third, _) = replace(&mut place, "u1", &second).await;
    assert_eq!(third.secret.as_deref(), Some("edc-3"));
}

#[tokio::test]
async fn the_same_content_is_the_same_secret_and_its_labels_are_repaired() {
    let mut place = Immutable::new();
    let first = publish(&place, "u1", None).await;
    place.0.apiserver.change("connector", "edc-1", |secret| secret["metadata"]["labels"] = json!({}));
    let seen = state(&place, Some(&first)).await;
    let OutputState::Ours { digest, metadata_as_wanted: false, .. } = seen else { panic!("{seen:?}") };
    assert_eq!(digest.as_ref(), Some(&first.digest), "the content is known without being read");
    let (again, former) = replace(&mut place, "u1", &first).await;
    assert_eq!((again.secret.as_deref(), former), (Some("edc-1"), None));
    assert_eq!(place.get("edc-1").unwrap()["metadata"]["labels"][keys::INSTANCE], "prod");
    // One that was deleted has its name again.
    place.0.apiserver.remove("connector", "edc-1");
    assert_eq!(state(&place, Some(&again)).await, OutputState::Absent);
    let (again, _) = replace(&mut place, "u1", &again).await;
    assert_eq!(again.secret.as_deref(), Some("edc-1"));
    assert_eq!(place.names(), ["edc-1"]);
}

#[tokio::test]
async fn one_that_others_created_again_is_theirs_unless_it_has_the_content() {
    let mut place = Immutable::new();
    let first = publish(&place, "u1", None).await;
    place.record(first.clone());
    let again = |data: Value, annotations: Value| {
        let secret = json!({"metadata": {"annotations": annotations}, "data": data, "immutable": true});
        place.0.apiserver.put("connector", "edc-1", secret);
    };
    let ours = place.get("edc-1").unwrap();
    let annotations = ours["metadata"]["annotations"].clone();
    let read = async || {
        let mut output = place.output();
        let seen = output.observe(Some(&first)).await.unwrap().state;
        match seen {
            OutputState::Ours { digest: None, .. } => output.read(Some(&first)).await.unwrap(),
            seen => seen,
        }
    };
    again(ours["data"].clone(), annotations.clone());
    assert!(matches!(read().await, OutputState::Ours { .. }), "a restore");
    for (data, annotations) in [
        (ours["data"].clone(), json!({})),
        (json!({"client-id": "eA=="}), annotations),
        (json!({"client-id": "eA=="}), json!({"by": "Helm"})),
    ] {
        again(data, annotations);
        let before = place.get("edc-1");
        let seen = read().await;
        let OutputState::Foreign(words) = &seen else { panic!("{seen:?}") };
        assert!(words.contains("\"edc-1\""), "{words}");
        let blocker = place.output().prove_writable(&seen, 1).await.unwrap().unwrap_err();
        assert_eq!(blocker.reason, Reason::OutputNotOurs);
        assert_eq!(place.get("edc-1"), before);
    }
}

#[tokio::test]
async fn the_next_name_belongs_to_another_client() {
    let mut place = Immutable::new();
    let first = publish(&place, "u1", None).await;
    place.record(first.clone());
    place.0.apiserver.put("connector", "edc-2", json!({"metadata": {}, "data": {"theirs": "eA=="}}));
    let before = place.get("edc-2");
    let mut output = place.output();
    let seen = output.observe(Some(&first)).await.unwrap().state;
    let blocker = output.prove_writable(&seen, 1).await.unwrap().unwrap_err();
    assert_eq!(blocker.reason, Reason::OutputNotOurs);
    assert!(blocker.message.contains("\"edc-2\""), "{}", blocker.message);
    let failure = output.write(&values("u2")).await.unwrap_err();
    assert!(
        matches!(failure, Failure::OutputUnavailable(blocker) if blocker.reason == Reason::OutputNotOurs)
    );
    assert_eq!((place.get("edc-2"), output.superseded()), (before, Vec::new()));
}

/// The operator ends at any point between the status that announces the next Secret and the one that records it.
#[tokio::test]
async fn a_write_that_could_not_end_is_found_by_what_the_status_announces() {
    let mut place = Immutable::new();
    let first = publish(&place, "u1", None).await;
    place.record(first.clone());
    let mut output = place.output();
    output.observe(Some(&first)).await.unwrap();
    assert!(!output.goes_elsewhere(Some(&first), &values("u1")));
    assert!(output.goes_elsewhere(Some(&first), &values("u2")));
    let announced = output.announced(Some(&first), &values("u2")).unwrap();
    assert_eq!(
        (announced.secret.as_deref(), announced.begun_secret.as_deref()),
        (Some("edc-1"), Some("edc-2"))
    );
    assert!(!output.goes_elsewhere(Some(&announced), &values("u2")));
    output.write(&values("u2")).await.unwrap();

    // The same content: the Secret is taken as it is.
    let uid = place.get("edc-2").unwrap()["metadata"]["uid"].clone();
    let (second, former) = replace(&mut place, "u2", &announced).await;
    assert_eq!((second.secret.as_deref(), former.unwrap().name.as_str()), (Some("edc-2"), "edc-1"));
    assert_eq!(place.get("edc-2").unwrap()["metadata"]["uid"], uid);
    // Another content: nobody reads the Secret yet, so another one has its name.
    let (second, _) = replace(&mut place, "u3", &announced).await;
    assert_eq!(second.secret.as_deref(), Some("edc-2"));
    assert_ne!(place.get("edc-2").unwrap()["metadata"]["uid"], uid);
    assert_eq!(place.names(), ["edc-1", "edc-2"]);
    // The spec does not name the output any more.
    place.record(announced.clone());
    of_record(&place.0.resource, &announced.id()).unwrap().remove().await.unwrap();
    assert_eq!(place.names(), Vec::<String>::new());
}

#[tokio::test]
async fn the_first_secret_is_announced_too() {
    let place = Immutable::new();
    let mut output = place.output();
    output.observe(None).await.unwrap();
    assert!(output.goes_elsewhere(None, &values("u1")));
    let announced = output.announced(None, &values("u1")).unwrap();
    assert_eq!((announced.secret, announced.begun_secret.as_deref()), (None, Some("edc-1")));
}

/// The status of a backup may be older than some Secrets, which are former ones then.
#[tokio::test]
async fn the_next_secret_is_none_that_is_to_be_deleted() {
    let mut place = Immutable::new();
    let first = publish(&place, "u1", None).await;
    let former =
        |name: &str| RecordedOutput { kind: "Secret".into(), name: name.into(), ..RecordedOutput::default() };
    let recorded = [first.clone(), former("edc-7"), former("edc-3"), former("edc-9x"), former("other-9")];
    place.0.resource.history.outputs = recorded.into();
    let mut output = place.output();
    output.observe(Some(&first)).await.unwrap();
    let announced = output.announced(Some(&first), &values("u2")).unwrap();
    assert_eq!(announced.begun_secret.as_deref(), Some("edc-8"));
}

/// A backup without the status: the Secret in use has the content, or is replaced as any other.
#[tokio::test]
async fn without_a_status_the_last_secret_of_ours_is_in_use() {
    let mut place = Immutable::new();
    let first = publish(&place, "u1", None).await;
    place.record(RecordedOutput::default());
    let mut output = place.output();
    let seen = output.observe(None).await.unwrap().state;
    assert!(matches!(seen, OutputState::Ours { digest: None, .. }), "{seen:?}");
    let OutputState::Ours { digest: Some(digest), .. } = output.read(None).await.unwrap() else { panic!() };
    assert_eq!(output.record(&digest, None, false), Some(first));
    let announced = output.announced(None, &values("u2")).unwrap();
    assert_eq!(announced.begun_secret.as_deref(), Some("edc-2"));
    output.write(&Values { generation: 2, ..values("u2") }).await.unwrap();
    assert_eq!(output.superseded()[0].name, "edc-1");
}
