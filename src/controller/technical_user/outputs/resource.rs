//! What the outputs of a resource need to know of it.

use std::sync::Arc;
use std::time::Duration;

use super::Stores;
use crate::api::keys;
use crate::api::technical_user::{RecordedOutput, TechnicalUserStatus};
use crate::controller::context::Context;
use crate::controller::objects::{Key, annotation, is_deleting};
use crate::domain::attempt::Attempt;
use crate::domain::format::Known;
use crate::domain::identity::{Hint, Owner};
use crate::domain::plan::OutputId;
use crate::domain::user::UserId;
use crate::k8s::stored::StoredObject;

/// Whose outputs: what each of them needs to know of its resource.
#[derive(Clone)]
pub struct Resource {
    /// What the process shares.
    pub ctx: Arc<Context>,
    /// Which resource.
    pub key: Key,
    /// Its uid.
    pub uid: String,
    /// It is under deletion.
    pub deleting: bool,
    /// Whose mark the outputs have.
    pub owner: Owner,
    /// What its Portal says; `None` while that cannot be read.
    pub known: Option<Known>,
    /// The stores that its outputs name.
    pub stores: Stores,
    /// What is known of its earlier writes.
    pub history: History,
    /// How often an output is compared of which no watch reports a change.
    pub verification_interval: Duration,
    /// The installations whose users this one takes over.
    pub taken_over: Vec<Hint>,
}

/// What surrounds a resource, as far as its outputs need it.
pub struct Around {
    /// The stores that its outputs name.
    pub stores: Stores,
    /// How often an output is compared of which no watch reports a change.
    pub verification_interval: Duration,
    /// The installations whose users this one takes over.
    pub taken_over: Vec<Hint>,
}

/// What the object of a resource shows of earlier writes to its outputs.
#[derive(Debug, Clone, Default)]
pub struct History {
    /// The outputs that the status records.
    pub outputs: Vec<RecordedOutput>,
    /// The number of the user that the status names; 1 if it names none, or an existing user.
    pub generation: i64,
    /// The least number of a successor by the attempt in the annotation, or 0: the number of its user, and one more once the attempt
    /// is closed.
    pub successor: i64,
    /// The user that the status names.
    pub user: Option<UserId>,
}

impl History {
    fn of(object: &StoredObject, status: &TechnicalUserStatus) -> Self {
        let user = status.user.as_ref().map(|user| UserId::new(&user.id));
        let generation = status.user.as_ref().and_then(|user| user.generation);
        let attempt = annotation(object, keys::CREATING).and_then(Attempt::parse);
        let successor =
            attempt.map_or(0, |attempt| attempt.generation.saturating_add(i64::from(attempt.closed)));
        Self {
            outputs: status.outputs.clone(),
            successor,
            generation: generation.filter(|generation| *generation > 0).unwrap_or(1),
            user,
        }
    }

    /// No user was created, and no attempt is known of.
    pub fn is_empty(&self) -> bool {
        self.user.is_none() && self.successor == 0 && self.outputs.is_empty()
    }

    /// The numbers of the user that the status names, and of its successor.
    pub fn generations(&self) -> [i64; 2] {
        [self.generation, self.generation.saturating_add(1).max(self.successor)]
    }

    /// What the status records of an output.
    pub fn recorded(&self, id: &OutputId) -> Option<&RecordedOutput> {
        self.outputs.iter().find(|output| output.id() == *id)
    }
}

impl Resource {
    /// What the outputs of this object need to know of it.
    #[must_use]
    pub fn of(
        ctx: &Arc<Context>,
        object: &StoredObject,
        status: &TechnicalUserStatus,
        owner: &Owner,
        known: Option<&Known>,
        around: Around,
    ) -> Self {
        Self {
            ctx: Arc::clone(ctx),
            key: Key::of(object),
            uid: object.metadata.uid.clone().unwrap_or_default(),
            deleting: is_deleting(object),
            owner: owner.clone(),
            known: known.cloned(),
            stores: around.stores,
            history: History::of(object, status),
            verification_interval: around.verification_interval,
            taken_over: around.taken_over,
        }
    }
}

impl RecordedOutput {
    /// Which output the entry describes.
    #[must_use]
    pub fn id(&self) -> OutputId {
        OutputId { kind: self.kind.clone(), name: self.name.clone() }
    }
}
