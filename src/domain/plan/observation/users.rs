//! The portal's users that concern a resource, and what is known of each: from the list, from a search, from its details,
//! from the token endpoint, and what was done to it in this reconcile.

use std::collections::{BTreeMap, BTreeSet};

use crate::domain::blocker::Blocker;
use crate::domain::identity::{Hint, Mark};
use crate::domain::user::{Offer, UserId, UserKind, UserStatus};

use super::credential::Verified;
use super::output::OutputId;

/// The users that concern a resource, by the portal's ids.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Users(BTreeMap<UserId, Known>);

/// What is known of one user.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Known {
    /// What the last snapshot of the list says of it, where that was asked.
    pub listed: Listed,
    /// Its name was given for this resource.
    pub named: Option<Named>,
    /// The selector of `existing` fits it.
    pub selected: bool,
    /// Its client IDs, by the last snapshot and the status.
    pub client_ids: BTreeSet<String>,
    /// Its details, read in this reconcile.
    pub details: Option<UserView>,
    /// What the token endpoint answered in this reconcile to the credential that its details show.
    pub proof: Option<Verified>,
    /// The technical-user roles that its last token of this reconcile shows, where they can be compared.
    pub token_roles: Option<Vec<String>>,
    /// What was done to it in this reconcile.
    pub done: Vec<Done>,
}

/// What the last snapshot says of a user.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Listed {
    /// No snapshot, or one that missed some users.
    #[default]
    Unknown,
    /// Not in a snapshot that saw every user.
    Missing,
    /// There, in this state.
    There(UserStatus),
}

/// Which users are known to bear a name that was given for this resource.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Searched {
    /// Those of the last snapshot, which may be old.
    #[default]
    No,
    /// All: a search of this reconcile found them, and confirmed each. A name that it did not find is not there.
    Everywhere,
}

/// Whether the users are known that the selector of `existing` fits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Selection {
    /// The list was not read yet.
    Unread,
    /// All of them.
    Certain,
    /// The list hides users of equal names: there may be more.
    Uncertain,
    /// As `Uncertain`, and a list narrowed by the client ID was not read yet.
    Narrows,
}

/// A user whose name was given for this resource.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Named {
    /// The generation by its name.
    pub generation: i64,
    /// Its state in the list.
    pub status: UserStatus,
    /// Internal or External.
    pub kind: UserKind,
    /// The OAuth client ID.
    pub client_id: Option<String>,
    /// Whose it is by its details.
    pub confirmed: Confirmed,
    /// There is no need to list it as retained in the Portal's status: it is there, or the list is full. Decides nothing
    /// else.
    pub listed_as_retained: bool,
}

/// Whose user it is by the mark in its details.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Confirmed {
    /// Not read yet.
    Unread,
    /// Created for this resource, by the copy of the installation with this hint.
    Ours(Hint),
    /// Created for this resource, and retained in the portal.
    Retained,
    /// No mark, or the mark of another resource.
    Foreign,
    /// Its client is missing in the identity provider: it cannot be read, nor used.
    ClientMissing,
    /// It is no longer there.
    Gone,
}

/// A user's details.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(clippy::large_enum_variant, reason = "a handful of them live for one reconcile")]
pub enum UserView {
    /// Read.
    Read(UserFacts),
    /// The portal knows no such user (any more).
    Gone,
    /// Its client is missing in the identity provider.
    ClientMissing,
}

/// What the details say, as far as it decides. The credential itself is kept by the caller that read it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UserFacts {
    /// The name.
    pub name: String,
    /// The state.
    pub status: UserStatus,
    /// Internal or External.
    pub kind: UserKind,
    /// The OAuth client ID.
    pub client_id: Option<String>,
    /// The roles by name.
    pub roles: Vec<String>,
    /// A token of the user, where it is internal, names these roles in the same words.
    pub roles_in_tokens: bool,
    /// The mark in the description.
    pub mark: Option<Mark>,
    /// The resource that the mark names does not exist any more, and the spec names exactly this user by its id to take it over.
    pub owner_is_gone: bool,
    /// The description.
    pub description: String,
    /// The connector it is linked to.
    pub connector: Option<String>,
    /// The marketplace offer whose subscription created it.
    pub offer: Option<Box<Offer>>,
    /// What each output would hold with its credential; absent without a credential.
    pub contents: Option<Contents>,
    /// The credential is another one than the status names.
    pub other_credential: bool,
    /// The outputs whose next write with its credential goes to a place that the status does not name.
    pub elsewhere: BTreeSet<OutputId>,
}

/// The digest of what each output would hold, or why its content cannot be built.
pub type Contents = BTreeMap<OutputId, Result<String, Blocker>>;

impl UserFacts {
    /// The digest of what an output would hold.
    #[must_use]
    pub fn content(&self, output: &OutputId) -> Option<&String> {
        self.contents.as_ref()?.get(output)?.as_ref().ok()
    }

    /// Why the content of an output cannot be built.
    #[must_use]
    pub fn invalid(&self, output: &OutputId) -> Option<&Blocker> {
        self.contents.as_ref()?.get(output)?.as_ref().err()
    }
}

/// What was done to a user in this reconcile.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Done {
    /// The portal accepted its deletion.
    Deleted,
    /// The login may not delete it.
    DeleteForbidden,
    /// The portal refuses to delete it: why, in words.
    DeleteRefused(String),
    /// Its secret was reset, and the new one was not kept.
    Reset,
    /// Its secret was reset, and the new one is to be published.
    SecretRotated,
    /// It got the mark of a retained user, or cannot get it.
    MarkedRetained,
    /// It is listed in the Portal's status.
    RecordedRetained,
}

impl Users {
    /// What is known of a user, if anything is.
    #[must_use]
    pub fn get(&self, id: &UserId) -> Option<&Known> {
        self.0.get(id)
    }

    /// What is known of a user, to add to it.
    pub fn entry(&mut self, id: &UserId) -> &mut Known {
        self.0.entry(id.clone()).or_default()
    }

    /// All users, in the order of their ids.
    pub fn iter(&self) -> impl Iterator<Item = (&UserId, &Known)> {
        self.0.iter()
    }

    /// The users whose names were given for this resource, in the order of their ids.
    pub fn named(&self) -> impl Iterator<Item = (&UserId, &Named)> {
        self.0.iter().filter_map(|(id, known)| Some((id, known.named.as_ref()?)))
    }

    /// The users whose names were given for this resource are now these alone.
    pub fn name_only(&mut self, found: impl IntoIterator<Item = (UserId, Named)>) {
        for known in self.0.values_mut() {
            known.named = None;
        }
        for (id, named) in found {
            self.entry(&id).named = Some(named);
        }
    }

    /// The users that the selector of `existing` fits, in the order of their ids.
    pub fn selected(&self) -> impl Iterator<Item = &UserId> {
        self.0.iter().filter(|(_, known)| known.selected).map(|(id, _)| id)
    }

    /// The selector of `existing` fits these alone.
    pub fn select_only(&mut self, selected: impl IntoIterator<Item = UserId>) {
        for known in self.0.values_mut() {
            known.selected = false;
        }
        for id in selected {
            self.entry(&id).selected = true;
        }
    }

    /// Keeps what was read and done in this reconcile, beside what was observed again.
    pub fn keep_read_and_done(&mut self, before: Self) {
        for (id, known) in before.0 {
            let kept = self.entry(&id);
            (kept.details, kept.proof) = (known.details, known.proof);
            (kept.token_roles, kept.done) = (known.token_roles, known.done);
        }
    }
}
