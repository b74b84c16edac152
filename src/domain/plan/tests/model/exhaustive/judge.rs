//! What holds in each state, whatever happened before.

use super::super::portal::{Fate, Post};
use super::super::world::World;

/// What is wrong with a state; `restores` is how many backups were restored before it.
pub(super) fn judge(world: &World, restores: u8) -> Result<(), String> {
    if let Some(wrong) = world.wrong.first() {
        return Err(wrong.clone());
    }
    has_one_user(world, usize::from(restores))?;
    leaves_others_unchanged(world)
}

/// A resource has one user at most, and no create is in progress beside a user or another create. Without the object there is
/// none. Each restore may hide a create from all processes.
fn has_one_user(world: &World, restores: usize) -> Result<(), String> {
    let users = world.portal.users.iter().filter(|user| user.bears_our_live_mark()).count();
    let in_progress = |post: &&Post| post.outcome.is_none() && post.fate != Fate::Swallowed;
    let creates = world.portal.posts.iter().filter(in_progress).count();
    let allowed = usize::from(world.object.is_some()) + restores;
    if users + creates > allowed {
        return Err(format!("{users} users and {creates} creates in progress, {allowed} allowed"));
    }
    Ok(())
}

/// The user of another resource and that of a person are as at the beginning.
fn leaves_others_unchanged(world: &World) -> Result<(), String> {
    let others = World::not_ours();
    let unchanged = |id| {
        world
            .portal
            .user(id)
            .is_none_or(|user| user.version == 1 && !user.mark.retained && !user.client_missing)
    };
    let there = others.iter().filter(|id| world.portal.user(id).is_some()).count();
    if there < 1 + usize::from(world.setup.foreign) || !others.iter().all(unchanged) {
        return Err("a user of another resource or of a person is changed".into());
    }
    Ok(())
}
