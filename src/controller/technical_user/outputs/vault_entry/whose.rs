//! Whose the data of an entry are. Mark and data are two writes, so the mark says by a digest which data it is of: of two clients
//! that mark one entry at the same moment, the one has it that wrote the data first, by check-and-set.

use super::removal::of_entry;
use crate::api::technical_user::{RecordedEntry, RecordedOutput};
use crate::controller::technical_user::outputs::Resource;
use crate::controller::vault::mark::EntryMark;
use crate::domain::format::Content;
use crate::domain::vault::place::{EntryAt, Server};
use crate::vault;

/// The digest of what an entry contains.
pub(super) fn digest(resource: &Resource, content: &vault::Content) -> String {
    let key = &resource.ctx.installation.digest_key;
    match content {
        vault::Content::Fields(fields) => key.of_content(&fields.texts()),
        vault::Content::Deleted | vault::Content::Destroyed => key.of_content(&Content::new()),
    }
}

/// Whether the data of an entry on a server are those of a resource, by the mark and by what the status records of the output.
pub(super) fn is_ours(
    resource: &Resource,
    recorded: Option<&RecordedOutput>,
    (at, here): (&EntryAt, Option<&Server>),
    entry: &vault::Entry,
) -> bool {
    let content = &entry.content;
    let digest = digest(resource, content);
    let as_written =
        recorded.is_some_and(|recorded| recorded.digest == digest || is_announced(recorded, at, &digest));
    match EntryMark::of(&entry.custom_metadata) {
        // A person who replaces the custom metadata does not take the entry over.
        None => as_written,
        Some(mark) if is_marked(resource, &mark) => {
            is_taken_over(resource, &mark)
                || mark.covers(&resource.ctx.installation.digest_key, content)
                || is_written(recorded, (at, here), entry.version)
                || !matches!(content, vault::Content::Fields(_))
        }
        Some(mark) => is_of_no_data(resource, &mark, &digest) && as_written,
    }
}

/// Whether a mark is that of this resource, here or in an installation whose users this one takes over.
pub(super) fn is_marked(resource: &Resource, mark: &EntryMark) -> bool {
    let Resource { ctx, owner, taken_over, .. } = resource;
    mark.is_of(&owner.to_string(), &ctx.installation.hint, taken_over)
}

/// Whether it is a mark of another installation whose users this one takes over. Its digest has the key of that installation, so it
/// says nothing of the data: a person has permitted to take over what it marks.
fn is_taken_over(resource: &Resource, mark: &EntryMark) -> bool {
    mark.hint != resource.ctx.installation.hint
}

/// Whether it is the mark of another resource of this installation that came too late: its data were not written. The digests of
/// another installation have another key.
pub(super) fn is_of_no_data(resource: &Resource, mark: &EntryMark, digest: &str) -> bool {
    mark.hint == resource.ctx.installation.hint && !mark.fits(digest)
}

/// Whether the status has this content for this path, though not its write: the operator may have written it all the same.
fn is_announced(recorded: &RecordedOutput, at: &EntryAt, digest: &str) -> bool {
    let is_here = |entry: &&RecordedEntry| of_entry(entry).is_ok_and(|known| known.path == at.path);
    recorded.entries().filter(is_here).any(|entry| entry.digest == digest)
}

/// Whether the status says that the output was written to this path of the server before this version: what another client changes
/// there is repaired. Versions count from one again only after the entry was deleted with all of them, so in an entry that has no
/// more versions than the status names, another client was the first to write.
fn is_written(
    recorded: Option<&RecordedOutput>,
    (at, here): (&EntryAt, Option<&Server>),
    version: u64,
) -> bool {
    let written = recorded.and_then(|recorded| recorded.written_entry().map(|entry| (recorded, entry)));
    written.is_some_and(|(recorded, entry)| {
        !Server::differ(Server::of_record(&entry.server).as_ref(), here)
            && of_entry(entry).is_ok_and(|known| known.path == at.path)
            && recorded.resource_version.parse::<u64>().is_ok_and(|written| written < version)
    })
}
