//! The alias that a Secret with the variables of a connector names: that of the first entry in a Vault that the outputs name and
//! the operator owns. An entry of another owner has the keys that its own readers expect, so its alias is never used. A Secret
//! names no alias before the entry there holds the credential of its user, because its readers would find nothing, or the secret
//! of another user.

use super::Resource;
use super::vault_entry::{EntryAt, of_entry};
use crate::api::technical_user::{OutputKind, RecordedEntry, RecordedOutput};
use crate::domain::blocker::Blocker;
use crate::domain::plan::OutputId;
use crate::domain::reason::Reason;
use crate::domain::user::UserId;

/// The generation whose alias stands for those of all generations where the user is of no matter.
const FIRST: i64 = 1;

/// Which entry holds the credential of a user.
enum Holder<'a> {
    /// The one where the spec wants it.
    Wanted,
    /// One that the status records elsewhere.
    Elsewhere(&'a RecordedEntry),
}

impl Resource {
    /// The alias that Secrets name for a user of this generation; `None` if no output is an entry in a Vault that the operator
    /// owns. `written`: this reconcile wrote the first entry for this user.
    ///
    /// # Errors
    /// What it waits for: no entry holds the credential of the user yet.
    pub fn alias(&self, user: &UserId, generation: i64, written: bool) -> Result<Option<String>, Blocker> {
        let Some(first) = self.stores.vaults.first() else { return Ok(None) };
        let holder = if written { Some(Holder::Wanted) } else { self.holder(first, user, generation) };
        let alias = match holder {
            Some(Holder::Wanted) => self.wanted(first, generation).map(|at| at.paths.secret_alias),
            Some(Holder::Elsewhere(entry)) => Some(entry.secret_alias.clone()),
            None => None,
        };
        alias.map(Some).ok_or_else(|| waits_for(first))
    }

    /// The alias as far as Secrets show a change of it without a read of the user: that of its generation is no change.
    pub(super) fn surrounding_alias(&self) -> Option<String> {
        let first = self.stores.vaults.first()?;
        let user = self.history.user.as_ref();
        match user.and_then(|user| self.holder(first, user, self.history.generation)) {
            Some(Holder::Elsewhere(entry)) => Some(entry.secret_alias.clone()),
            Some(Holder::Wanted) | None => self.of_all_generations(),
        }
    }

    /// The same for an alias that is written for a user of this generation.
    pub(super) fn surrounding(&self, alias: Option<&str>, generation: i64) -> Option<String> {
        let first = self.stores.vaults.first()?;
        let wanted = self.wanted(first, generation).map(|at| at.paths.secret_alias);
        if alias == wanted.as_deref() { self.of_all_generations() } else { alias.map(str::to_owned) }
    }

    fn of_all_generations(&self) -> Option<String> {
        self.stores.vaults.first_alias()?.of(FIRST).ok().map(|alias| alias.as_str().to_owned())
    }

    fn wanted(&self, first: &OutputId, generation: i64) -> Option<EntryAt> {
        self.stores.vaults.place(first)?.ok()?.at(generation).ok()
    }

    fn holder(&self, first: &OutputId, user: &UserId, generation: i64) -> Option<Holder<'_>> {
        let holds = |output: &&RecordedOutput| {
            output.known_kind() == Some(OutputKind::VaultEntry)
                && output.written_entry().is_some_and(|entry| entry.user == user.as_str())
        };
        let own = self.history.recorded(first).filter(holds);
        // Of several the one that had the last credential and that Secrets named before the spec named another one first.
        let is_former = |output: &RecordedOutput| self.stores.vaults.place(&output.id()).is_none();
        let last =
            |output: &&RecordedOutput| (output.credential, output.delete_after.is_none(), is_former(output));
        let other = || self.history.outputs.iter().filter(holds).max_by_key(last);
        let entry = own.or_else(other)?.written_entry()?;
        let path = |at: &EntryAt| at.path.clone();
        let is_wanted = of_entry(entry)
            .is_ok_and(|at| self.wanted(first, generation).as_ref().map(path) == Some(at.path));
        Some(if is_wanted { Holder::Wanted } else { Holder::Elsewhere(entry) })
    }
}

/// What an output waits for that names the alias of the first entry.
fn waits_for(first: &OutputId) -> Blocker {
    let message = format!(
        "It names the alias of the {first}, which does not hold the credential of the user yet. The operator writes it after \
         that."
    );
    Blocker::passing(Reason::NotYet, message)
}
