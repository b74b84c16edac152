//! Finds out what the plan asks for, and puts it into the observation.

use kube::Api;
use kube::api::DynamicObject;

use super::{publish, restart};
use crate::api::technical_user::TechnicalUserSpec;
use crate::controller::kube_error::KubeError;
use crate::controller::objects::{is_deleting, part, technical_users};
use crate::controller::portal::connections::Connection;
use crate::controller::portal::inventory::Need;
use crate::controller::technical_user::failure::Failure;
use crate::controller::technical_user::observe::{named, observe};
use crate::controller::technical_user::reconcile::Reconcile;
use crate::controller::technical_user::{lenient_spec, token_roles};
use crate::domain::inventory::Snapshot;
use crate::domain::plan::{
    AttemptState, Confirmed, CredentialAt, Desired, Named, OutputId, OutputState, Read, Searched, Selection,
    UserFacts, UserView, Verified,
};
use crate::domain::user::{ListedUser, UserDetails, UserId, UserStatus};
use crate::metrics::Verified as Counted;
use crate::portal::{Lane, PortalError, Verification};

/// Carries one read out.
pub async fn read(reconcile: &mut Reconcile, what: Read) -> Result<(), Failure> {
    match what {
        Read::Search => {
            let found = search(reconcile).await?;
            reconcile.observation.searched = Searched::Everywhere;
            reconcile.observation.users.name_only(found);
            see_loss(reconcile);
        }
        Read::User(id) => {
            let view = user(reconcile, &id).await?;
            reconcile.observation.users.entry(&id).details = Some(view);
        }
        Read::Confirm(id) => {
            let confirmed = confirm(reconcile, &id).await?;
            let shown = reconcile
                .connected()?
                .inventory
                .get(&id)
                .map(|user| named_in(reconcile, &user))
                .transpose()?;
            if let Some(named) = &mut reconcile.observation.users.entry(&id).named {
                named.confirmed = confirmed;
                // The mark has the whole generation.
                named.generation = shown.as_ref().map_or(named.generation, |shown| shown.generation);
            }
        }
        Read::Output(id) => output(reconcile, &id).await?,
        Read::Writable(id) => publish::prove_writable(reconcile, &id).await?,
        Read::Verify(at) => match (verify(reconcile, &at).await, at) {
            (Ok(verified), CredentialAt::Portal(id)) => {
                reconcile.observation.users.entry(&id).proof = Some(verified);
            }
            (Ok(verified), CredentialAt::Output(_)) => reconcile.observation.published_proof = Some(verified),
            (Err(Failure::OutputUnavailable(blocker)), CredentialAt::Output(id)) => {
                publish::see_state(reconcile, &id, OutputState::Unknown(blocker));
            }
            (Err(failure), _) => return Err(failure),
        },
        Read::Workload(id) => restart::read(reconcile, &id).await,
        Read::Object => object(reconcile).await?,
        Read::Narrow => narrow(reconcile).await?,
    }
    Ok(())
}

/// Every user with a name of this resource, each confirmed by its mark. A name that is not found is proved absent.
async fn search(reconcile: &Reconcile) -> Result<Vec<(UserId, Named)>, Failure> {
    let link = reconcile.connected()?;
    let settled = match &reconcile.observation.attempt {
        Some(open) if open.state == AttemptState::Settled => {
            reconcile.ctx.memory.with(&reconcile.key, |user| user.attempts.settled_at())
        }
        _ => None,
    };
    link.inventory.meet(&reconcile.key, Need::Proof(settled)).await?;
    let owner = &reconcile.observation.owner;
    let of_our_name = |list: &Snapshot| {
        let cloned = |users: Vec<&ListedUser>| users.into_iter().cloned().collect::<Vec<_>>();
        (cloned(list.named_for(owner)), cloned(list.unseen_for(owner)), list.is_complete())
    };
    let (seen, unseen, complete) = link.inventory.with(of_our_name).unwrap_or_default();
    let mut found = Vec::new();
    for (user, is_seen) in seen.iter().map(|user| (user, true)).chain(unseen.iter().map(|user| (user, false)))
    {
        let mut named = named_in(reconcile, user)?;
        if !is_seen {
            // Its entry is from an earlier reading.
            named.confirmed = Confirmed::Unread;
        }
        if named.confirmed == Confirmed::Unread && named.status != UserStatus::PendingDeletion {
            let confirmed = confirm(reconcile, &user.id).await?;
            named = Named { confirmed, ..named_in(reconcile, user)? };
        }
        found.push((user.id.clone(), named));
    }
    for user in renamed(reconcile, link, &found) {
        confirm(reconcile, &user.id).await?;
        let named = named_in(reconcile, &user)?;
        if matches!(named.confirmed, Confirmed::Ours(_) | Confirmed::Retained) {
            found.push((user.id, named));
        }
    }
    // Foreign users of the very same name may hide ours on a list that did not show everybody.
    let foreign = found.iter().any(|(_, named)| named.confirmed == Confirmed::Foreign);
    if foreign && !complete {
        return Err(
            PortalError::BadAnswer { reason: "users of equal names hide each other in the list" }.into()
        );
    }
    Ok(found)
}

/// A user of the list with what is remembered of its mark.
fn named_in(reconcile: &Reconcile, user: &ListedUser) -> Result<Named, Failure> {
    let o = &reconcile.observation;
    Ok(named(reconcile.connected()?, &o.owner, o.recorded_generation(), user, false))
}

/// Users of the list that are not found by their names and may bear the mark of this resource all the same: where it was
/// seen before, and the one whose credential is published.
fn renamed(reconcile: &Reconcile, link: &Connection, found: &[(UserId, Named)]) -> Vec<ListedUser> {
    let owner = &reconcile.observation.owner;
    let published = reconcile.observation.outputs.iter().filter_map(|output| match &output.state {
        OutputState::Ours { user: Some(id), .. } => link.inventory.get(id),
        _ => None,
    });
    let mut users = link.inventory.marked(|mark| mark.is_of(owner));
    users.extend(published);
    users.sort_by(|a, b| a.id.cmp(&b.id));
    users.dedup_by(|a, b| a.id == b.id);
    users.retain(|user| found.iter().all(|(id, _)| *id != user.id));
    users
}

async fn confirm(reconcile: &Reconcile, id: &UserId) -> Result<Confirmed, Failure> {
    let (link, owner) = (reconcile.connected()?, &reconcile.observation.owner);
    match link.portal.details(id, Lane::Interactive).await {
        Ok(details) => {
            reconcile.ctx.memory.change(&reconcile.key, |user| user.absent_users.there(id));
            link.inventory.remember(id, details.mark.clone());
            Ok(match details.mark {
                Some(mark) if mark.is_of(owner) && mark.retained => Confirmed::Retained,
                Some(mark) if mark.is_of(owner) => Confirmed::Ours(mark.hint),
                _ => Confirmed::Foreign,
            })
        }
        Err(PortalError::NotFound) => {
            confirm_gone(reconcile, link, id).await?;
            Ok(Confirmed::Gone)
        }
        Err(PortalError::ClientMissing) => Ok(Confirmed::Lost),
        Err(error) => Err(error.into()),
    }
}

/// Reads one user. That the portal does not know it counts once its list confirms that.
pub(in crate::controller::technical_user) async fn user(
    reconcile: &mut Reconcile,
    id: &UserId,
) -> Result<UserView, Failure> {
    let link = reconcile.connected()?.clone();
    match link.portal.details(id, Lane::Interactive).await {
        Ok(details) => {
            if is_the_resources(reconcile, id) {
                reconcile.ctx.memory.change(&reconcile.key, |user| user.missing_client.there());
            }
            reconcile.ctx.memory.change(&reconcile.key, |user| user.absent_users.there(id));
            link.inventory.remember(id, details.mark.clone());
            reconcile.details.insert(id.clone(), details.clone());
            Ok(UserView::Read(facts(reconcile, id, &details)))
        }
        Err(PortalError::NotFound) => {
            missing(reconcile, &link, id).await?;
            Ok(UserView::Gone)
        }
        Err(PortalError::ClientMissing) if !link.capabilities.reports_deleted => {
            deleted_or_lost(reconcile, &link, id).await
        }
        Err(PortalError::ClientMissing) => Ok(lost(reconcile, id)),
        Err(error) => Err(error.into()),
    }
}

/// What is remembered of a resource's missing client is that of its own user, not of one that is looked at beside it.
fn is_the_resources(reconcile: &Reconcile, id: &UserId) -> bool {
    reconcile.observation.recorded.user.as_ref().is_none_or(|user| user.id == *id)
}

fn lost(reconcile: &Reconcile, id: &UserId) -> UserView {
    if is_the_resources(reconcile, id) {
        client_is_missing(reconcile, false);
    }
    UserView::Lost
}

/// `refused`: the user's token endpoint said `invalid_client` just now.
fn client_is_missing(reconcile: &Reconcile, refused: bool) {
    reconcile
        .ctx
        .memory
        .change(&reconcile.key, |user| user.missing_client.missing(&reconcile.portal_key, refused));
}

/// Such a portal answers the same for a deleted user as for one whose client is missing. Its list distinguishes them: a
/// deleted one is inactive.
async fn deleted_or_lost(
    reconcile: &mut Reconcile,
    link: &Connection,
    id: &UserId,
) -> Result<UserView, Failure> {
    let since = reconcile.ctx.memory.change(&reconcile.key, |user| user.absent_users.since(id));
    let is_inactive = || link.inventory.get(id).is_some_and(|user| user.status == UserStatus::Inactive);
    if is_inactive() {
        missing(reconcile, link, id).await?;
        return Ok(UserView::Gone);
    }
    link.inventory.meet(&reconcile.key, Need::Judgement(since)).await?;
    let is_listed = link.inventory.get(id).is_some();
    if !is_inactive() && !is_listed {
        link.inventory.meet(&reconcile.key, Need::Proof(Some(since))).await?;
    }
    let absent = link.inventory.with(|list| list.is_complete() && !list.knows(id)).unwrap_or(false);
    if is_inactive() || absent {
        see_loss(reconcile);
        return Ok(UserView::Gone);
    }
    Ok(lost(reconcile, id))
}

/// The portal knows no such user (any more). What follows from that waits for a reading of the list that began later,
/// and on which it was judged whether many users are missing at once: that is a fault of the portal.
async fn missing(reconcile: &mut Reconcile, link: &Connection, id: &UserId) -> Result<(), Failure> {
    if matches!(reconcile.observation.desired, Desired::Existing { .. }) {
        return Ok(());
    }
    confirm_gone(reconcile, link, id).await?;
    see_loss(reconcile);
    Ok(())
}

/// Waits for a reading of the list that began after the portal first answered that it knows no such user. A list that
/// shows the user all the same contradicts the answer: nothing follows from it then, and both are read again.
async fn confirm_gone(reconcile: &Reconcile, link: &Connection, id: &UserId) -> Result<(), Failure> {
    let since = reconcile.ctx.memory.change(&reconcile.key, |user| user.absent_users.since(id));
    if link.inventory.confirms_gone(&reconcile.key, id, since).await? {
        return Ok(());
    }
    reconcile.ctx.memory.change(&reconcile.key, |user| user.absent_users.there(id));
    Err(PortalError::BadAnswer { reason: "its user list shows a user that it does not know" }.into())
}

/// Takes over whether a mass disappearance is suspected now: the reconcile may have begun before a reading showed it.
fn see_loss(reconcile: &mut Reconcile) {
    let suspected = reconcile.link.as_ref().and_then(|link| link.inventory.mass_disappearance());
    if let Ok(portal) = &mut reconcile.observation.portal {
        portal.mass_disappearance = suspected;
    }
}

/// The users with the client ID that `existing` selects, by a list that shows them all.
async fn narrow(reconcile: &mut Reconcile) -> Result<(), Failure> {
    let wanted = reconcile.spec.user.existing.as_ref().and_then(|existing| existing.client_id.clone());
    let wanted = wanted.unwrap_or_default();
    let scan = reconcile.connected()?.portal.narrow(&wanted, Lane::Interactive).await?;
    let fits = |user: &ListedUser| user.client_id.as_deref() == Some(wanted.as_str());
    let selected: Vec<UserId> =
        scan.users.iter().filter(|user| fits(user)).map(|user| user.id.clone()).collect();
    for id in &selected {
        reconcile.observation.users.entry(id).client_ids.insert(wanted.clone());
    }
    reconcile.observation.users.select_only(selected);
    reconcile.observation.selection = if scan.complete { Selection::Certain } else { Selection::Uncertain };
    Ok(())
}

fn facts(reconcile: &Reconcile, id: &UserId, details: &UserDetails) -> UserFacts {
    UserFacts {
        name: details.name.clone(),
        status: details.status,
        kind: details.kind,
        client_id: details.client_id.clone(),
        roles: details.roles.clone(),
        roles_in_tokens: details.roles_in_tokens,
        mark: details.mark.clone(),
        description: details.description.clone(),
        connector: details.connector.as_ref().map(|c| c.name.clone().unwrap_or_else(|| c.id.clone())),
        contents: reconcile.contents(id),
        elsewhere: reconcile.elsewhere(id),
    }
}

/// The content of an output, as a digest.
async fn output(reconcile: &mut Reconcile, id: &OutputId) -> Result<(), Failure> {
    let recorded = reconcile.recorded_output(id).cloned();
    let state = match reconcile.output(id)?.read(recorded.as_ref()).await {
        Err(Failure::OutputUnavailable(blocker)) => OutputState::Unknown(blocker),
        state => state?,
    };
    publish::see_state(reconcile, id, state);
    Ok(())
}

async fn verify(reconcile: &mut Reconcile, at: &CredentialAt) -> Result<Verified, Failure> {
    let link = reconcile.connected()?.clone();
    let (credential, lane) = match at {
        CredentialAt::Portal(id) => (reconcile.credential(id).cloned(), Lane::Interactive),
        CredentialAt::Output(id) => (reconcile.output(id)?.credential().await?, Lane::Background),
    };
    let Some(credential) = credential else {
        // An output without a whole credential is healed from the portal.
        return Ok(Verified::Refused { unknown_client: false });
    };
    let verification = link.portal.verify(&credential, lane).await;
    let outcome = match &verification {
        Verification::Accepted { .. } => Counted::Accepted,
        Verification::Refused { .. } => Counted::Refused,
        Verification::Unreachable { .. } => Counted::Unreachable,
    };
    reconcile.ctx.metrics.credential_verified(outcome);
    Ok(match verification {
        Verification::Accepted { roles } => {
            let random = &reconcile.ctx.process.random;
            reconcile.observation.timers.verification = reconcile.ctx.memory.change(&reconcile.key, |user| {
                user.verification.verified(random);
                user.verification.due_in(reconcile.verification_interval, random)
            });
            if let Some(roles) = roles {
                token_roles::compare(reconcile, &link, at, roles);
            }
            Verified::Accepted
        }
        Verification::Refused { unknown_client } => {
            if reconcile.observation.users.iter().any(|(_, known)| known.details == Some(UserView::Lost)) {
                client_is_missing(reconcile, unknown_client);
            }
            Verified::Refused { unknown_client }
        }
        Verification::Unreachable { endpoint, reason } => {
            Verified::Unreachable(format!("the token endpoint {endpoint} cannot be reached: {reason}"))
        }
    })
}

/// The object itself: what is decided next must not rest on a cache. All that was observed is observed anew with it; what
/// was read and done in this reconcile is kept.
async fn object(reconcile: &mut Reconcile) -> Result<(), Failure> {
    let api: Api<DynamicObject> =
        Api::namespaced_with(reconcile.ctx.client.clone(), &reconcile.key.namespace, &technical_users());
    let live = api.get(&reconcile.key.name).await.map_err(KubeError::from)?;
    if live.metadata.uid != reconcile.object.metadata.uid {
        return Err(Failure::Overtaken);
    }
    let spec = match part::<TechnicalUserSpec>(&live, "spec") {
        Ok(spec) => spec,
        Err(_) if is_deleting(&live) => lenient_spec(&live),
        // The next reconcile, which the watch brings, reports that it cannot be read.
        Err(_) => return Err(Failure::Overtaken),
    };
    let new = observe(&reconcile.ctx, live, spec).await?;
    let old = std::mem::replace(reconcile, new);
    let o = &mut reconcile.observation;
    o.live = true;
    if old.observation.searched == Searched::Everywhere {
        o.searched = Searched::Everywhere;
        let found = old.observation.users.named().map(|(id, named)| (id.clone(), named.clone()));
        o.users.name_only(found);
    }
    for before in old.observation.outputs {
        if let Some(output) = o.output_mut(&before.id) {
            output.writable = before.writable;
        }
    }
    o.published_proof = old.observation.published_proof;
    o.timers.verification = old.observation.timers.verification;
    o.users.keep_read_and_done(old.observation.users);
    reconcile.details = old.details;
    reconcile.places = old.places;
    reconcile.written = old.written;
    reconcile.removed = old.removed;
    reconcile.failed = old.failed;
    reconcile.now = old.now;
    Ok(())
}
