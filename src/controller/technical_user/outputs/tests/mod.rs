//! What every kind of output has to do. The files below it test what only one kind does.

mod aliases;
mod immutable;
mod in_memory;
mod merged_entries;
mod merged_notes;
mod merged_secrets;
mod secrets;
mod unnamed;
mod unreadable;
mod vault_begun;
mod vault_claims;
mod vault_entries;
mod vault_identity;
mod vault_left;
mod vault_races;
mod vault_take_over;

use std::collections::BTreeSet;

use async_trait::async_trait;
use secrecy::SecretString;

use self::immutable::Immutable;
use self::in_memory::Entries;
use self::merged_entries::MergedEntries;
use self::merged_secrets::Merged;
use self::secrets::Secrets;
use self::vault_entries::VaultEntries;
use super::{Output, keep_written};
use crate::api::technical_user::RecordedOutput;
use crate::controller::technical_user::failure::Failure;
use crate::domain::format::{Surroundings, Values};
use crate::domain::plan::OutputState;
use crate::domain::user::{Credential, UserId, UserKind};

const OWNER: &str = "prod/connector/edc";

/// A place where outputs of one kind are, and what other clients do there.
#[async_trait]
trait KindUnderTest: Send + Sync {
    /// The output of the resource, as a new reconcile has it.
    fn output(&self) -> Box<dyn Output>;
    /// It belongs to this resource or client, whatever was there before.
    fn put_foreign(&self);
    /// Another client changes its content.
    fn edit(&self);
    /// Another client removes it.
    fn delete(&self);
    /// The status has this entry for it.
    fn record(&mut self, _recorded: RecordedOutput) {}
    /// What no watch reports is read at the next observation.
    fn come_due(&self) {}
    /// Writes are denied from now on.
    fn deny(&self);
    fn is_there(&self) -> bool;
}

/// Places whose content another client can change.
async fn editable_places() -> Vec<Box<dyn KindUnderTest>> {
    vec![
        Box::new(Merged::new()),
        Box::new(Entries::default()),
        Box::new(Secrets::new()),
        Box::new(VaultEntries::new().await),
        Box::new(MergedEntries::new().await),
    ]
}

async fn places() -> Vec<Box<dyn KindUnderTest>> {
    let mut places = editable_places().await;
    places.push(Box::new(Immutable::new()));
    places
}

fn values(user: &str) -> Values {
    Values {
        credential: Credential::with_secret(
            format!("client-of-{user}"),
            SecretString::from(format!("secret-of-{user}")),
            "https://idp.example.org/token".into(),
        ),
        user_id: UserId::new(user),
        kind: UserKind::Internal,
        generation: 1,
        bpn: Some("BPNL1".into()),
        surroundings: Surroundings::default(),
    }
}

async fn state(place: &dyn KindUnderTest, recorded: Option<&RecordedOutput>) -> OutputState {
    place.output().observe(recorded).await.unwrap().state
}

/// Writes the credential of a user as one reconcile does; what the status records of it.
async fn publish(place: &dyn KindUnderTest, user: &str, recorded: Option<&RecordedOutput>) -> RecordedOutput {
    let mut output = place.output();
    output.observe(recorded).await.unwrap();
    let OutputState::Ours { digest: Some(digest), user: Some(holder), .. } =
        output.write(&values(user)).await.unwrap()
    else {
        panic!("it was written, and is not ours");
    };
    assert_eq!(holder, UserId::new(user));
    output.record(&digest, recorded, true).unwrap()
}

/// A process that ends after the write of an output leaves nothing behind that no status names.
#[tokio::test]
async fn an_output_is_named_by_the_status_before_it_is_written() {
    for place in places().await {
        let mut output = place.output();
        output.observe(None).await.unwrap();
        let announced = output.announced(None, &values("u1")).unwrap();
        assert_eq!(announced.id(), *output.id());
        assert_eq!(announced.digest, "", "it holds nothing yet");
        let before = RecordedOutput { digest: "d0".into(), ..announced.clone() };
        let again = output.announced(Some(&before), &values("u1")).unwrap();
        assert_eq!((again.id(), again.digest.as_str()), (announced.id(), "d0"), "it holds what it did");
    }
}

/// The resource is read again after a write, and its outputs are observed again: what was written is recorded all the same.
#[tokio::test]
async fn what_was_written_is_recorded_though_it_was_observed_again() {
    for place in places().await {
        let before = publish(place.as_ref(), "u1", None).await;
        let mut output = place.output();
        output.observe(Some(&before)).await.unwrap();
        let written = output.write(&values("u2")).await.unwrap();
        let OutputState::Ours { digest: Some(digest), .. } = written else { panic!("{written:?}") };
        let (id, recorded) = (output.id().clone(), output.record(&digest, Some(&before), true));
        let mut observed = vec![place.output()];
        observed[0].observe(Some(&before)).await.unwrap();
        keep_written(&mut observed, vec![output], &BTreeSet::from([id]));
        assert!(recorded.is_some());
        assert_eq!(observed[0].record(&digest, Some(&before), true), recorded);
    }
}

#[tokio::test]
async fn what_was_written_is_known_without_being_read() {
    for place in places().await {
        assert_eq!(state(place.as_ref(), None).await, OutputState::Absent);
        let recorded = publish(place.as_ref(), "u1", None).await;
        let ours = OutputState::Ours {
            user: Some(UserId::new("u1")),
            digest: Some(recorded.digest.clone()),
            metadata_as_wanted: true,
        };
        assert_eq!(state(place.as_ref(), Some(&recorded)).await, ours);
        assert_eq!(place.output().read(Some(&recorded)).await.unwrap(), ours);
        let mut output = place.output();
        output.observe(Some(&recorded)).await.unwrap();
        assert_eq!(output.record(&recorded.digest, Some(&recorded), false), Some(recorded), "no other entry");
    }
}

#[tokio::test]
async fn another_user_s_credential_is_another_content() {
    for place in places().await {
        let first = publish(place.as_ref(), "u1", None).await;
        let second = publish(place.as_ref(), "u2", Some(&first)).await;
        assert_ne!(first.digest, second.digest);
        let state = state(place.as_ref(), Some(&second)).await;
        assert!(matches!(state, OutputState::Ours { user: Some(user), .. } if user == UserId::new("u2")));
    }
}

#[tokio::test]
async fn what_another_client_changed_is_read_and_differs() {
    for place in editable_places().await {
        let recorded = publish(place.as_ref(), "u1", None).await;
        place.edit();
        place.come_due();
        let seen = state(place.as_ref(), Some(&recorded)).await;
        let OutputState::Ours { digest, .. } = &seen else { panic!("{seen:?}") };
        assert_ne!(digest.as_ref(), Some(&recorded.digest), "{seen:?}");
        let OutputState::Ours { digest: Some(digest), .. } =
            place.output().read(Some(&recorded)).await.unwrap()
        else {
            panic!("the content was read, and has no digest");
        };
        assert_ne!(digest, recorded.digest);
        let repaired = publish(place.as_ref(), "u1", Some(&recorded)).await;
        assert_eq!(repaired.digest, recorded.digest);
    }
}

#[tokio::test]
async fn what_another_client_wrote_meanwhile_is_not_overwritten() {
    for place in editable_places().await {
        let recorded = publish(place.as_ref(), "u1", None).await;
        let mut output = place.output();
        output.observe(Some(&recorded)).await.unwrap();
        place.edit();
        assert!(matches!(output.write(&values("u2")).await, Err(Failure::Overtaken)));
        // One that appears after it was seen absent.
        place.delete();
        let mut output = place.output();
        output.observe(None).await.unwrap();
        place.put_foreign();
        assert!(matches!(output.write(&values("u1")).await, Err(Failure::Overtaken)));
        assert!(matches!(state(place.as_ref(), None).await, OutputState::Foreign(_)));
    }
}

#[tokio::test]
async fn what_belongs_to_others_is_neither_written_nor_removed() {
    for place in places().await {
        place.put_foreign();
        let mut output = place.output();
        let state = output.observe(None).await.unwrap().state;
        assert!(matches!(state, OutputState::Foreign(_)), "{state:?}");
        assert!(output.prove_writable(&state, 1).await.unwrap().is_err());
        output.remove().await.unwrap();
        assert!(place.is_there());
    }
}

#[tokio::test]
async fn whether_it_can_be_written_is_asked_without_a_change() {
    for place in places().await {
        let mut output = place.output();
        let state = output.observe(None).await.unwrap().state;
        assert!(output.prove_writable(&state, 1).await.unwrap().is_ok());
        assert!(!place.is_there());
        let recorded = publish(place.as_ref(), "u1", None).await;
        let mut output = place.output();
        let state = output.observe(Some(&recorded)).await.unwrap().state;
        assert!(output.prove_writable(&state, 1).await.unwrap().is_ok());
        assert_eq!(self::state(place.as_ref(), Some(&recorded)).await, state, "nothing was changed");
        place.deny();
        let blocker = output.prove_writable(&state, 1).await.unwrap().unwrap_err();
        assert!(!blocker.message.is_empty());
        assert!(output.write(&values("u2")).await.is_err());
    }
}

#[tokio::test]
async fn ours_is_removed_and_removing_it_again_does_nothing() {
    for mut place in places().await {
        let recorded = publish(place.as_ref(), "u1", None).await;
        place.record(recorded);
        place.output().remove().await.unwrap();
        assert!(!place.is_there());
        place.output().remove().await.unwrap();
    }
}

#[tokio::test]
async fn a_credential_that_can_be_read_back_is_the_one_that_was_written() {
    for place in places().await {
        assert!(place.output().credential().await.unwrap().is_none());
        let recorded = publish(place.as_ref(), "u1", None).await;
        let mut output = place.output();
        output.observe(Some(&recorded)).await.unwrap();
        let credential = output.credential().await.unwrap();
        assert_eq!(credential.is_some(), output.is_readable());
        if let Some(credential) = credential {
            assert_eq!(credential.client_id, "client-of-u1");
        }
    }
}
