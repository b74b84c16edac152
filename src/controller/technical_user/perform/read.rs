//! Finds out what the plan asks for, and puts it into the observation.

use kube::Api;
use kube::api::DynamicObject;

use super::{publish, restart};
use crate::api::technical_user::TechnicalUserSpec;
use crate::controller::kube_error::KubeError;
use crate::controller::objects::{is_deleting, part, technical_users};
use crate::controller::portal::connections::Connection;
use crate::controller::portal::inventory::Need;
use crate::controller::technical_user::observe::{named, observe};
use crate::controller::technical_user::pass::{Failure, Pass};
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
pub async fn read(pass: &mut Pass, what: Read) -> Result<(), Failure> {
    match what {
        Read::Search => {
            let found = search(pass).await?;
            pass.observation.searched = Searched::Everywhere;
            pass.observation.users.name_only(found);
            see_loss(pass);
        }
        Read::User(id) => {
            let view = user(pass, &id).await?;
            pass.observation.users.entry(&id).details = Some(view);
        }
        Read::Confirm(id) => {
            let confirmed = confirm(pass, &id).await?;
            let shown = pass.connected()?.inventory.get(&id).map(|user| named_in(pass, &user)).transpose()?;
            if let Some(named) = &mut pass.observation.users.entry(&id).named {
                named.confirmed = confirmed;
                // The mark has the whole generation.
                named.generation = shown.as_ref().map_or(named.generation, |shown| shown.generation);
            }
        }
        Read::Output(id) => output(pass, &id).await?,
        Read::Writable(id) => publish::prove_writable(pass, &id).await?,
        Read::Verify(at) => match (verify(pass, &at).await, at) {
            (Ok(verified), CredentialAt::Portal(id)) => {
                pass.observation.users.entry(&id).proof = Some(verified);
            }
            (Ok(verified), CredentialAt::Output(_)) => pass.observation.published_proof = Some(verified),
            (Err(Failure::OutputUnavailable(blocker)), CredentialAt::Output(id)) => {
                publish::see_state(pass, &id, OutputState::Unknown(blocker));
            }
            (Err(failure), _) => return Err(failure),
        },
        Read::Workload(id) => restart::read(pass, &id).await,
        Read::Object => object(pass).await?,
        Read::Narrow => narrow(pass).await?,
    }
    Ok(())
}

/// Every user with a name of this resource, each confirmed by its mark. A name that is not found is proved absent.
async fn search(pass: &Pass) -> Result<Vec<(UserId, Named)>, Failure> {
    let link = pass.connected()?;
    let settled = match &pass.observation.attempt {
        Some(open) if open.state == AttemptState::Settled => {
            pass.ctx.memory.look(&pass.key, |user| user.attempts.settled_at())
        }
        _ => None,
    };
    link.inventory.meet(&pass.key, Need::Proof(settled)).await?;
    let owner = &pass.observation.owner;
    let of_our_name = |list: &Snapshot| {
        let cloned = |users: Vec<&ListedUser>| users.into_iter().cloned().collect::<Vec<_>>();
        (cloned(list.named_for(owner)), cloned(list.unseen_for(owner)), list.is_complete())
    };
    let (seen, unseen, complete) = link.inventory.look(of_our_name).unwrap_or_default();
    let mut found = Vec::new();
    for (user, is_seen) in seen.iter().map(|user| (user, true)).chain(unseen.iter().map(|user| (user, false)))
    {
        let mut named = named_in(pass, user)?;
        if !is_seen {
            // Its entry is from an earlier reading.
            named.confirmed = Confirmed::Unread;
        }
        if named.confirmed == Confirmed::Unread && named.status != UserStatus::PendingDeletion {
            let confirmed = confirm(pass, &user.id).await?;
            named = Named { confirmed, ..named_in(pass, user)? };
        }
        found.push((user.id.clone(), named));
    }
    for user in renamed(pass, link, &found) {
        confirm(pass, &user.id).await?;
        let named = named_in(pass, &user)?;
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
fn named_in(pass: &Pass, user: &ListedUser) -> Result<Named, Failure> {
    let o = &pass.observation;
    Ok(named(pass.connected()?, &o.owner, o.recorded_generation(), user, false))
}

/// Users of the list that are not found by their names and may bear the mark of this resource all the same: where it was
/// seen before, and the one whose credential is published.
fn renamed(pass: &Pass, link: &Connection, found: &[(UserId, Named)]) -> Vec<ListedUser> {
    let owner = &pass.observation.owner;
    let published = pass.observation.outputs.iter().filter_map(|output| match &output.state {
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

async fn confirm(pass: &Pass, id: &UserId) -> Result<Confirmed, Failure> {
    let (link, owner) = (pass.connected()?, &pass.observation.owner);
    match link.portal.details(id, Lane::Interactive).await {
        Ok(details) => {
            pass.ctx.memory.change(&pass.key, |user| user.absent_users.there(id));
            link.inventory.remember(id, details.mark.clone());
            Ok(match details.mark {
                Some(mark) if mark.is_of(owner) && mark.retained => Confirmed::Retained,
                Some(mark) if mark.is_of(owner) => Confirmed::Ours(mark.hint),
                _ => Confirmed::Foreign,
            })
        }
        Err(PortalError::NotFound) => {
            confirm_gone(pass, link, id).await?;
            Ok(Confirmed::Gone)
        }
        Err(PortalError::ClientMissing) => Ok(Confirmed::Lost),
        Err(error) => Err(error.into()),
    }
}

/// Reads one user. That the portal does not know it counts once its list confirms that.
pub(in crate::controller::technical_user) async fn user(
    pass: &mut Pass,
    id: &UserId,
) -> Result<UserView, Failure> {
    let link = pass.connected()?.clone();
    match link.portal.details(id, Lane::Interactive).await {
        Ok(details) => {
            if is_the_resources(pass, id) {
                pass.ctx.memory.change(&pass.key, |user| user.missing_client.there());
            }
            pass.ctx.memory.change(&pass.key, |user| user.absent_users.there(id));
            link.inventory.remember(id, details.mark.clone());
            pass.details.insert(id.clone(), details.clone());
            Ok(UserView::Read(facts(pass, id, &details)))
        }
        Err(PortalError::NotFound) => {
            missing(pass, &link, id).await?;
            Ok(UserView::Gone)
        }
        Err(PortalError::ClientMissing) if !link.capabilities.reports_deleted => {
            deleted_or_lost(pass, &link, id).await
        }
        Err(PortalError::ClientMissing) => Ok(lost(pass, id)),
        Err(error) => Err(error.into()),
    }
}

/// What is remembered of a resource's missing client is that of its own user, not of one that is looked at beside it.
fn is_the_resources(pass: &Pass, id: &UserId) -> bool {
    pass.observation.recorded.user.as_ref().is_none_or(|user| user.id == *id)
}

fn lost(pass: &Pass, id: &UserId) -> UserView {
    if is_the_resources(pass, id) {
        client_is_missing(pass, false);
    }
    UserView::Lost
}

/// `refused`: the user's token endpoint said `invalid_client` just now.
fn client_is_missing(pass: &Pass, refused: bool) {
    pass.ctx.memory.change(&pass.key, |user| user.missing_client.missing(&pass.portal_key, refused));
}

/// Such a portal answers the same for a deleted user as for one whose client is missing. Its list distinguishes them: a
/// deleted one is inactive.
async fn deleted_or_lost(pass: &mut Pass, link: &Connection, id: &UserId) -> Result<UserView, Failure> {
    let since = pass.ctx.memory.change(&pass.key, |user| user.absent_users.since(id));
    let is_inactive = || link.inventory.get(id).is_some_and(|user| user.status == UserStatus::Inactive);
    if is_inactive() {
        missing(pass, link, id).await?;
        return Ok(UserView::Gone);
    }
    link.inventory.meet(&pass.key, Need::Judgement(since)).await?;
    let is_listed = link.inventory.get(id).is_some();
    if !is_inactive() && !is_listed {
        link.inventory.meet(&pass.key, Need::Proof(Some(since))).await?;
    }
    let absent = link.inventory.look(|list| list.is_complete() && !list.knows(id)).unwrap_or(false);
    if is_inactive() || absent {
        see_loss(pass);
        return Ok(UserView::Gone);
    }
    Ok(lost(pass, id))
}

/// The portal knows no such user (any more). What follows from that waits for a reading of the list that began later,
/// and on which it was judged whether many users are missing at once: that is a fault of the portal.
async fn missing(pass: &mut Pass, link: &Connection, id: &UserId) -> Result<(), Failure> {
    if matches!(pass.observation.desired, Desired::Existing { .. }) {
        return Ok(());
    }
    confirm_gone(pass, link, id).await?;
    see_loss(pass);
    Ok(())
}

/// Waits for a reading of the list that began after the portal first answered that it knows no such user. A list that
/// shows the user all the same contradicts the answer: nothing follows from it then, and both are read again.
async fn confirm_gone(pass: &Pass, link: &Connection, id: &UserId) -> Result<(), Failure> {
    let since = pass.ctx.memory.change(&pass.key, |user| user.absent_users.since(id));
    if link.inventory.confirms_gone(&pass.key, id, since).await? {
        return Ok(());
    }
    pass.ctx.memory.change(&pass.key, |user| user.absent_users.there(id));
    Err(PortalError::BadAnswer { reason: "its user list shows a user that it does not know" }.into())
}

/// Takes over whether a mass disappearance is suspected now: the reconcile may have begun before a reading showed it.
fn see_loss(pass: &mut Pass) {
    let suspected = pass.link.as_ref().and_then(|link| link.inventory.mass_disappearance());
    if let Ok(portal) = &mut pass.observation.portal {
        portal.mass_disappearance = suspected;
    }
}

/// The users with the client ID that `existing` selects, by a list that shows them all.
async fn narrow(pass: &mut Pass) -> Result<(), Failure> {
    let wanted = pass.spec.user.existing.as_ref().and_then(|existing| existing.client_id.clone());
    let wanted = wanted.unwrap_or_default();
    let scan = pass.connected()?.portal.narrow(&wanted, Lane::Interactive).await?;
    let fits = |user: &ListedUser| user.client_id.as_deref() == Some(wanted.as_str());
    let selected: Vec<UserId> =
        scan.users.iter().filter(|user| fits(user)).map(|user| user.id.clone()).collect();
    for id in &selected {
        pass.observation.users.entry(id).client_ids.insert(wanted.clone());
    }
    pass.observation.users.select_only(selected);
    pass.observation.selection = if scan.complete { Selection::Certain } else { Selection::Uncertain };
    Ok(())
}

fn facts(pass: &Pass, id: &UserId, details: &UserDetails) -> UserFacts {
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
        contents: pass.contents(id),
        elsewhere: pass.elsewhere(id),
    }
}

/// The content of an output, as a digest.
async fn output(pass: &mut Pass, id: &OutputId) -> Result<(), Failure> {
    let recorded = pass.recorded_output(id).cloned();
    let state = match pass.output(id)?.read(recorded.as_ref()).await {
        Err(Failure::OutputUnavailable(blocker)) => OutputState::Unknown(blocker),
        state => state?,
    };
    publish::see_state(pass, id, state);
    Ok(())
}

async fn verify(pass: &mut Pass, at: &CredentialAt) -> Result<Verified, Failure> {
    let link = pass.connected()?.clone();
    let (credential, lane) = match at {
        CredentialAt::Portal(id) => (pass.credential(id).cloned(), Lane::Interactive),
        CredentialAt::Output(id) => (pass.output(id)?.credential().await?, Lane::Background),
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
    pass.ctx.metrics.credential_verified(outcome);
    Ok(match verification {
        Verification::Accepted { roles } => {
            let random = &pass.ctx.process.random;
            pass.observation.timers.verification = pass.ctx.memory.change(&pass.key, |user| {
                user.verification.verified(random);
                user.verification.due_in(pass.verification_interval, random)
            });
            if let Some(roles) = roles {
                token_roles::compare(pass, &link, at, roles);
            }
            Verified::Accepted
        }
        Verification::Refused { unknown_client } => {
            if pass.observation.users.iter().any(|(_, known)| known.details == Some(UserView::Lost)) {
                client_is_missing(pass, unknown_client);
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
async fn object(pass: &mut Pass) -> Result<(), Failure> {
    let api: Api<DynamicObject> =
        Api::namespaced_with(pass.ctx.client.clone(), &pass.key.namespace, &technical_users());
    let live = api.get(&pass.key.name).await.map_err(KubeError::from)?;
    if live.metadata.uid != pass.object.metadata.uid {
        return Err(Failure::Overtaken);
    }
    let spec = match part::<TechnicalUserSpec>(&live, "spec") {
        Ok(spec) => spec,
        Err(_) if is_deleting(&live) => lenient_spec(&live),
        // The next reconcile, which the watch brings, reports that it cannot be read.
        Err(_) => return Err(Failure::Overtaken),
    };
    let new = observe(&pass.ctx, live, spec).await?;
    let old = std::mem::replace(pass, new);
    let o = &mut pass.observation;
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
    pass.details = old.details;
    pass.places = old.places;
    pass.written = old.written;
    pass.removed = old.removed;
    pass.failed = old.failed;
    pass.now = old.now;
    Ok(())
}
