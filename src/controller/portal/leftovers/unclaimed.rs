//! Users of ours in a portal that no resource claims.

use std::collections::BTreeSet;

use crate::api::portal::{PortalStatus, UNCLAIMED_LIMIT, UnclaimedUser};
use crate::controller::context::Context;
use crate::controller::objects::technical_users;
use crate::controller::portal::connections::Connection;
use crate::controller::portal::inventory::Inventory;
use crate::controller::technical_user::owner;
use crate::domain::identity::{Mark, parse_own_name};
use crate::domain::inventory::Snapshot;
use crate::domain::user::{ListedUser, UserId, UserStatus};
use crate::portal::{Lane, Portal, PortalError, ServerKind};

/// At most this number of users of ours without a resource are read per sweep.
const LIMIT: usize = UNCLAIMED_LIMIT;

/// Users that bear the mark of this installation while no resource claims them. Each is read once.
///
/// A resource in a namespace that may not be listed is not seen, so none of its users is found without one; what was
/// found while it could be listed stays.
pub async fn unclaimed(ctx: &Context, connection: &Connection, status: &PortalStatus) -> Vec<UnclaimedUser> {
    let claimed = claimed(ctx);
    let mut candidates = candidates(ctx, connection, status);
    candidates.extend(renamed(&connection.inventory, &ctx.installation.instance, &claimed));
    candidates.sort_by(|a, b| (&a.name, &a.id).cmp(&(&b.name, &b.id)));
    let marked = marks(connection.portal.as_ref(), &connection.inventory, candidates).await;
    let reported = |id: &UserId| status.unclaimed.iter().find(|user| UserId::new(&user.id) == *id);
    let known = |mark: &Mark, id: &UserId| {
        !ctx.hides(&technical_users(), &mark.owner.namespace) || reported(id).is_some()
    };
    // One that was taken over keeps the name of a resource that is gone.
    let ours = |mark: &Mark| {
        is_live(mark, &ctx.installation.instance) && !claimed.contains(&mark.owner.name_prefix())
    };
    let entry = |(user, mark): (ListedUser, Marked)| match mark {
        Marked::Read(mark) => {
            mark.filter(|mark| ours(mark) && known(mark, &user.id)).map(|mark| UnclaimedUser {
                id: user.id.to_string(),
                name: user.name,
                technical_user: format!("{}/{}", mark.owner.namespace, mark.owner.name),
            })
        }
        Marked::NotRead => reported(&user.id).cloned(),
    };
    marked.into_iter().filter_map(entry).take(LIMIT).collect()
}

/// What the names of the users begin with that a resource claims.
fn claimed(ctx: &Context) -> BTreeSet<String> {
    ctx.caches.users.all().iter().map(|user| owner(ctx, &user.key()).name_prefix()).collect()
}

/// The users with names of our form that no resource claims. Not all of them need have a mark of ours.
pub fn candidates(ctx: &Context, connection: &Connection, status: &PortalStatus) -> Vec<ListedUser> {
    let claimed = claimed(ctx);
    let retained: BTreeSet<UserId> = status.retained.iter().map(|user| UserId::new(&user.id)).collect();
    let unclaimed = |list: &Snapshot| -> Vec<ListedUser> {
        list.of_our_form()
            .filter(|(prefix, _)| !claimed.contains(*prefix))
            .map(|(_, user)| user)
            .filter(|user| matches!(user.status, UserStatus::Active | UserStatus::Pending))
            .filter(|user| !retained.contains(&user.id))
            .cloned()
            .collect()
    };
    connection.inventory.with(unclaimed).unwrap_or_default()
}

/// Whether a mark says that a user stands for a resource of this installation.
fn is_live(mark: &Mark, instance: &str) -> bool {
    !mark.retained && !mark.login && mark.owner.instance == instance
}

/// Users with the mark of this installation whose names say nothing of it: a person renamed them, and their details were read
/// before.
fn renamed(inventory: &Inventory, instance: &str, claimed: &BTreeSet<String>) -> Vec<ListedUser> {
    let users =
        inventory.marked(|mark| is_live(mark, instance) && !claimed.contains(&mark.owner.name_prefix()));
    let is_left = |user: &ListedUser| {
        parse_own_name(&user.name).is_none()
            && matches!(user.status, UserStatus::Active | UserStatus::Pending)
    };
    users.into_iter().filter(is_left).collect()
}

/// What is known of a user's mark.
#[derive(Debug, PartialEq, Eq)]
enum Marked {
    /// Its details were read.
    Read(Option<Mark>),
    /// They were not, or could not be: what was reported before still counts.
    NotRead,
}

/// The marks of these users. A user that cannot be read keeps no other from being read, unless it is the portal that fails.
async fn marks(
    portal: &dyn Portal,
    inventory: &Inventory,
    users: Vec<ListedUser>,
) -> Vec<(ListedUser, Marked)> {
    let mut reads = 0;
    let mut marked = Vec::with_capacity(users.len());
    for user in users {
        let mark = match inventory.mark(&user.id) {
            Some(mark) => Marked::Read(mark),
            None if reads >= LIMIT => Marked::NotRead,
            None => {
                reads += 1;
                match portal.details(&user.id, Lane::Background).await {
                    Ok(details) => {
                        inventory.remember(&user.id, details.mark.clone());
                        Marked::Read(details.mark)
                    }
                    Err(PortalError::NotFound | PortalError::ClientMissing) => Marked::Read(None),
                    Err(error) => {
                        tracing::warn!(user_id = %user.id, %error, "A user that no resource claims cannot be read");
                        if !is_of_one_user(&error) {
                            reads = LIMIT;
                        }
                        Marked::NotRead
                    }
                }
            }
        };
        marked.push((user, mark));
    }
    marked
}

/// Whether an error may concern one user alone.
fn is_of_one_user(error: &PortalError) -> bool {
    matches!(
        error,
        PortalError::Server { server: ServerKind::Portal, .. }
            | PortalError::BadAnswer { .. }
            | PortalError::Refused { .. }
    )
}

#[cfg(test)]
mod tests;
