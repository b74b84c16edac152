//! The status: what was found and done, written where it changed.

use std::time::Duration;

use jiff::Timestamp;
use kube::Api;
use kube::api::{DynamicObject, Patch, PatchParams};
use serde_json::{Value, json};

use super::output;
use super::pass::{Failure, Pass, SecretAt};
use super::reference;
use crate::api::bounds::{Bounded as _, OBJECT};
use crate::api::conditions::{
    self, CREDENTIAL_VERIFIED, PUBLISHED, READY, RECONCILING, STALLED, USER_READY, Wanted,
};
use crate::api::technical_user::{
    Handled, PinnedPortal, RecordedCredential, RecordedOutput, RecordedUser, TechnicalUserStatus,
};
use crate::api::{FIELD_MANAGER, keys};
use crate::controller::grace;
use crate::controller::kube_error::KubeError;
use crate::controller::merge;
use crate::controller::objects::{Key, annotation, technical_users};
use crate::domain::identity::Hint;
use crate::domain::ownership::{self, Whose};
use crate::domain::plan::{self, Current, Report, Rest, SecretView, UserFacts, UserView, Wake, Write};
use crate::domain::reason::Reason;
use crate::domain::roles::Blocker;
use crate::domain::text::distinct;
use crate::domain::user::{UserId, UserKind, UserStatus};

/// How `status.user.status` spells an active user.
pub const ACTIVE: &str = "Active";
/// How `status.user.kind` spells a user of the central identity provider.
pub const INTERNAL: &str = "Internal";

/// Writes the status of a pass that came to rest; whether anything changed.
pub async fn write(pass: &mut Pass, rest: &Rest) -> Result<bool, Failure> {
    let new = compute(pass, rest);
    patch(pass, new).await
}

/// Writes that a user is being deleted before the portal is asked to delete it: that may take a while. Until then the status
/// is that of the live resource. What was written since the deletion began is not written over: a deletion that fails again and
/// again would change it each time.
///
/// What goes wrong keeps no user from being deleted.
pub async fn announce_deletion(pass: &mut Pass, what: &Write) {
    let words = match what {
        Write::Delete(id) => format!("user {id} is being deleted in the portal"),
        Write::Reset(id) => format!("the secret of user {id} is being reset in the portal"),
        _ => return,
    };
    if !pass.observation.deleting || speaks_of_this(pass) {
        return;
    }
    let report = Report::Deleting(Blocker::passing(Reason::Deleting, words));
    let rest = Rest { current: None, report, wake: Wake::OnChange, rotation_handled: false };
    if let Err(failure) = write(pass, &rest).await {
        tracing::warn!(resource = %pass.key, error = %failure, "the status of a deletion cannot be written");
    }
}

/// What another object may still bring is not `Stalled` at first; how long that lasts on.
pub fn grant_grace(pass: &Pass, rest: &mut Rest) -> Option<Duration> {
    let blocker = match &mut rest.report {
        Report::User(blocker) | Report::Credential(blocker) | Report::Output(blocker) => Some(blocker),
        Report::Ready | Report::StillReady | Report::AsTold | Report::Deleting(_) | Report::Gone => None,
    };
    let (waiting, metadata) = (&pass.ctx.memory.waiting, &pass.object.metadata);
    let left = grace::left(waiting, &pass.key, metadata, &pass.status.conditions, blocker.as_deref())?;
    if let Some(blocker) = blocker {
        blocker.stalled = false;
    }
    Some(left)
}

/// Whether the status has conditions of the resource's present spec.
#[must_use]
pub fn speaks_of_this(pass: &Pass) -> bool {
    !pass.status.conditions.is_empty() && pass.status.observed_generation == pass.object.metadata.generation
}

/// Writes that a stored resource cannot be read.
pub async fn write_invalid(pass_like: &InvalidResource<'_>) -> Result<bool, Failure> {
    let InvalidResource { ctx, object, why } = pass_like;
    let blocker = Blocker::lasting(
        Reason::InvalidResource,
        format!("this resource cannot be read by this operator, so nothing is done for it: {why}"),
    );
    let old: TechnicalUserStatus = crate::controller::objects::lenient(object, "status");
    let mut new = old.clone();
    new.observed_generation = object.metadata.generation;
    new.conditions = conditions::brought_up_to_date(
        &old.conditions,
        &blocked(READY, &blocker),
        object.metadata.generation,
        Timestamp::now(),
    );
    let new = new.bounded();
    let Some(difference) = merge::difference(&to_value(&old), &to_value(&new)) else { return Ok(false) };
    send(ctx, object, &difference).await?;
    Ok(true)
}

/// A stored resource that does not parse.
pub struct InvalidResource<'a> {
    /// What the process shares.
    pub ctx: &'a crate::controller::context::Context,
    /// The object.
    pub object: &'a DynamicObject,
    /// What does not parse.
    pub why: &'a str,
}

async fn patch(pass: &mut Pass, new: TechnicalUserStatus) -> Result<bool, Failure> {
    let new = new.bounded();
    let Some(difference) = merge::difference(&to_value(&pass.status), &to_value(&new)) else {
        return Ok(false);
    };
    let object = send(&pass.ctx, &pass.object, &difference).await?;
    announce(pass, &new);
    announce_ignored(pass, &new);
    pass.object_is_now(object.metadata);
    pass.status = new;
    Ok(true)
}

async fn send(
    ctx: &crate::controller::context::Context,
    object: &DynamicObject,
    difference: &Value,
) -> Result<DynamicObject, Failure> {
    let key = Key::of(object);
    let api: Api<DynamicObject> =
        Api::namespaced_with(ctx.client.clone(), &key.namespace, &technical_users());
    // A uid is no precondition of a patch of the status (Kubernetes 1.36); the resourceVersion is.
    let body = json!({
        "metadata": { "resourceVersion": object.metadata.resource_version },
        "status": difference,
    });
    let params = PatchParams { field_manager: Some(FIELD_MANAGER.to_owned()), ..PatchParams::default() };
    let written =
        api.patch_status(&key.name, &params, &Patch::Merge(&body)).await.map_err(KubeError::from)?;
    let versions = [object, &written].map(|object| object.metadata.resource_version.as_deref());
    ctx.memory.overwrote(&key, versions[0], versions[1]);
    Ok(written)
}

fn to_value(status: &TechnicalUserStatus) -> Value {
    serde_json::to_value(status).unwrap_or_default()
}

/// A condition that got worse is told as an event, once.
fn announce(pass: &Pass, new: &TechnicalUserStatus) {
    let ready = |status: &TechnicalUserStatus| {
        status
            .conditions
            .iter()
            .find(|c| c.type_ == READY)
            .map(|c| (c.status.clone(), c.reason.clone(), c.message.clone()))
    };
    let on_the_way = [
        Reason::Creating,
        Reason::Searching,
        Reason::SettlingAttempt,
        Reason::Pending,
        Reason::NotYet,
        Reason::Deleting,
    ];
    let (before, after) = (ready(&pass.status), ready(new));
    if let Some((status, reason, message)) = after {
        let changed = before.is_none_or(|(_, old, _)| old != reason);
        let quiet = status == "True" || on_the_way.iter().any(|quiet| quiet.as_str() == reason);
        if let (true, false, Some(reason)) =
            (changed, quiet, Reason::ALL.iter().find(|r| r.as_str() == reason))
        {
            pass.ctx.events.warning(reference(&pass.ctx, &pass.key), reason.as_str(), "Reconcile", &message);
        }
    }
}

/// A request to replace a healthy user is answered by saying that nothing is done.
fn announce_ignored(pass: &Pass, new: &TechnicalUserStatus) {
    let same_user = match (&pass.status.user, &new.user) {
        (Some(before), Some(after)) => before.id == after.id,
        _ => false,
    };
    if same_user && pass.status.handled != new.handled {
        pass.ctx.events.warning(
            reference(&pass.ctx, &pass.key),
            Reason::RequestIgnored.as_str(),
            "Rotate",
            "the user is healthy: this release replaces lost and stuck users only, so the request is not carried out",
        );
    }
}

fn compute(pass: &Pass, rest: &Rest) -> TechnicalUserStatus {
    let mut new = pass.status.clone();
    if let Some(current) = &rest.current {
        record_user(pass, &mut new, current);
    }
    if rest.report == Report::Ready {
        record_credential(pass, &mut new, rest);
    }
    let rotate = annotation(&pass.object, keys::ROTATE);
    let restored = pass.status.user.is_none() && new.user.is_some();
    if let (Some(rotate), true) = (rotate, rest.rotation_handled || restored) {
        new.handled = Some(Handled { rotate: Some(handled_value(rotate)) });
    }
    new.observed_generation = pass.object.metadata.generation;
    let wanted = match &rest.report {
        Report::StillReady | Report::AsTold => {
            return TechnicalUserStatus { conditions: pass.status.conditions.clone(), ..new };
        }
        report => wanted(pass, report, &new),
    };
    new.conditions =
        conditions::brought_up_to_date(&new.conditions, &wanted, new.observed_generation, pass.now);
    new
}

/// What the status says of a value of an annotation that was acted on: a value may be longer than a status should be.
#[must_use]
pub fn handled_value(value: &str) -> String {
    distinct(value, OBJECT)
}

fn record_user(pass: &Pass, new: &mut TechnicalUserStatus, current: &Current) {
    pin(pass, new, hint_of(pass, current));
    let generation = (current.generation > 0).then_some(current.generation);
    if let Some(details) = pass.details.get(&current.id) {
        new.user = Some(RecordedUser {
            id: current.id.to_string(),
            generation,
            client_id: details.client_id.clone(),
            name: details.name.clone(),
            kind: kind(details.kind).to_owned(),
            status: spelled(details.status).to_owned(),
            roles: details.roles.clone(),
            proof: proof(pass, current),
        });
        return;
    }
    if let Some(user) = new.user.as_mut().filter(|user| UserId::new(&user.id) == current.id) {
        // A status without a proof gets it as soon as the list shows the user as this resource's.
        if user.generation == generation {
            user.proof = proof(pass, current);
        }
        return;
    }
    let listed = pass.link.as_ref().and_then(|link| link.inventory.get(&current.id));
    let listed = listed.as_ref();
    new.user = Some(RecordedUser {
        id: current.id.to_string(),
        generation,
        client_id: listed.and_then(|user| user.client_id.clone()),
        name: listed.map(|user| user.name.clone()).unwrap_or_default(),
        kind: listed.map(|user| kind(user.kind).to_owned()).unwrap_or_default(),
        status: listed.map(|user| spelled(user.status).to_owned()).unwrap_or_default(),
        roles: Vec::new(),
        proof: None,
    });
}

/// Writes down whose portal the user is in. Address and company are never replaced while the status names a user.
fn pin(pass: &Pass, new: &mut TechnicalUserStatus, hint: &Hint) {
    let Ok(portal) = &pass.observation.portal else { return };
    let recorded = new.portal.clone().filter(|portal| new.user.is_some() && !portal.url.is_empty());
    let pinned = recorded.unwrap_or_else(|| PinnedPortal {
        url: portal.url.clone(),
        token_url: Some(portal.token_url.clone()),
        bpn: plan::company(&pass.observation).map(str::to_owned),
        ..PinnedPortal::default()
    });
    // A status of an earlier release gets the token endpoint when the user was looked at.
    let looked_at = pinned.token_url.is_none() && !pass.details.is_empty();
    new.portal = Some(PinnedPortal {
        namespace: pass.portal_key.namespace.clone(),
        name: pass.portal_key.name.clone(),
        token_url: if looked_at { Some(portal.token_url.clone()) } else { pinned.token_url },
        hint: hint.to_string(),
        ..pinned
    });
}

/// Writes address and company anew: the user was found there by its details.
pub async fn repin(pass: &mut Pass) -> Result<(), Failure> {
    let Ok(portal) = &pass.observation.portal else { return Err(Failure::Overtaken) };
    let mut new = pass.status.clone();
    let recorded = new.portal.unwrap_or_default();
    new.portal = Some(PinnedPortal {
        url: portal.url.clone(),
        token_url: Some(portal.token_url.clone()),
        bpn: recorded.bpn.or_else(|| portal.bpn.clone()),
        ..recorded
    });
    patch(pass, new).await?;
    let (ctx, owner, output) = (&pass.ctx, &pass.observation.owner, &pass.envelope.name);
    pass.observation.recorded =
        super::observe::recorded(ctx, owner, &pass.status, output, pass.link.as_ref());
    Ok(())
}

/// The proof that the user of this generation is this resource's: written once its details or the list say so, and kept as
/// long as the same user is recorded. An existing user is nobody's, so it gets none.
fn proof(pass: &Pass, current: &Current) -> Option<String> {
    let o = &pass.observation;
    let portal = o.portal.as_ref().ok().filter(|_| current.generation > 0)?;
    let recorded = o
        .recorded
        .user
        .as_ref()
        .filter(|user| user.id == current.id && user.generation == current.generation);
    let ours = match o.view(&current.id) {
        Some(UserView::Read(user)) => {
            matches!(o.whose(portal, &current.id, user), Whose::Ours(_) | Whose::OursWithoutMark)
        }
        _ => recorded.is_some_and(|user| user.proved),
    };
    if ours {
        let key = &pass.ctx.installation.digest_key;
        return Some(ownership::proof(key, &o.owner, &current.id, current.generation));
    }
    let before = recorded.and(pass.status.user.as_ref())?;
    before.proof.clone()
}

/// Which copy of the installation a user's mark names: that of another cluster until it was written anew.
fn hint_of<'a>(pass: &'a Pass, current: &Current) -> &'a Hint {
    match pass.observation.view(&current.id) {
        Some(UserView::Read(UserFacts { mark: Some(mark), .. })) if current.generation > 0 => &mark.hint,
        _ => &pass.observation.hint,
    }
}

fn kind(kind: UserKind) -> &'static str {
    match kind {
        UserKind::Internal => INTERNAL,
        UserKind::External => "External",
    }
}

fn spelled(status: UserStatus) -> &'static str {
    match status {
        UserStatus::Active => ACTIVE,
        UserStatus::Pending => "Pending",
        UserStatus::PendingDeletion => "PendingDeletion",
        UserStatus::Inactive => "Inactive",
        UserStatus::Deleted => "Deleted",
        UserStatus::Other => "Other",
    }
}

fn record_credential(pass: &Pass, new: &mut TechnicalUserStatus, rest: &Rest) {
    let (Some(at), SecretView::Ours { digest: Some(digest), .. }) = (&pass.secret, &pass.observation.secret)
    else {
        return;
    };
    let written = RecordedOutput {
        kind: "Secret".to_owned(),
        name: pass.envelope.name.clone(),
        uid: at.version.uid.clone(),
        resource_version: resource_version(pass, at, digest),
        digest: digest.clone(),
    };
    // A key of another installation makes other digests of the same credential; that counts as a new one.
    let known = new.outputs.iter().any(|output| output.digest == *digest) && new.credential.is_some();
    let seen_here = rest.current.as_ref().and_then(|current| output::content_of(pass, &current.id));
    if !known && seen_here.is_some() {
        let time = pass.now.strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
        let generation = new.credential.as_ref().map_or(0, |credential| credential.generation) + 1;
        new.credential = Some(RecordedCredential { generation, issued_at: time.clone(), verified_at: time });
    }
    new.outputs = vec![written];
}

/// The state that this installation has written. What others change of the Secret is not recorded, however often they do.
fn resource_version(pass: &Pass, at: &SecretAt, digest: &str) -> String {
    let as_written = pass.status.outputs.iter().find(|written| {
        written.name == pass.envelope.name && written.uid == at.version.uid && written.digest == digest
    });
    match as_written {
        Some(written) if !pass.secret_written => written.resource_version.clone(),
        _ => at.version.resource_version.clone(),
    }
}

fn wanted(pass: &Pass, report: &Report, new: &TechnicalUserStatus) -> Vec<Wanted> {
    let user = new.user.as_ref();
    let user_ready = || {
        let name = user.map_or("?", |user| user.client_id.as_deref().unwrap_or(&user.id));
        done(USER_READY, Reason::UserActive, format!("user {name} is active in the portal"))
    };
    let verified = || {
        done(CREDENTIAL_VERIFIED, Reason::TokenObtained, "a token was obtained with the credential".into())
    };
    let secret = &pass.envelope.name;
    let published =
        || done(PUBLISHED, Reason::OutputsWritten, format!("Secret \"{secret}\" holds the credential"));
    let not_yet = |type_| Wanted {
        type_,
        status: None,
        reason: Reason::NotYet.as_str(),
        message: "not looked at yet".to_owned(),
    };
    let before = || {
        let holds =
            matches!(&pass.observation.secret, SecretView::Ours { .. }) && pass.status.credential.is_some();
        if holds { published() } else { Wanted { status: Some(false), ..not_yet(PUBLISHED) } }
    };
    match report {
        Report::Ready | Report::StillReady | Report::AsTold => vec![
            done(
                READY,
                Reason::Ready,
                format!("the credential is verified and Secret \"{secret}\" holds it"),
            ),
            user_ready(),
            verified(),
            published(),
        ],
        Report::User(b) => with_parts(b, [failed(USER_READY, b), not_yet(CREDENTIAL_VERIFIED), before()]),
        Report::Credential(b) => with_parts(b, [user_ready(), failed(CREDENTIAL_VERIFIED, b), before()]),
        Report::Output(b) => with_parts(b, [user_ready(), verified(), failed(PUBLISHED, b)]),
        Report::Deleting(b) => blocked(READY, b),
        Report::Gone => blocked(READY, &Blocker::passing(Reason::Deleting, "nothing is left to be done")),
    }
}

fn with_parts(blocker: &Blocker, parts: [Wanted; 3]) -> Vec<Wanted> {
    let mut all = blocked(READY, blocker);
    all.extend(parts);
    all
}

fn done(type_: &'static str, reason: Reason, message: String) -> Wanted {
    Wanted { type_, status: Some(true), reason: reason.as_str(), message }
}

fn failed(type_: &'static str, blocker: &Blocker) -> Wanted {
    Wanted { type_, status: Some(false), reason: blocker.reason.as_str(), message: blocker.message.clone() }
}

/// A condition that is not true, and whether the operator is at it or only a person can help (kstatus).
fn blocked(type_: &'static str, blocker: &Blocker) -> Vec<Wanted> {
    let progress = if blocker.stalled { STALLED } else { RECONCILING };
    vec![failed(type_, blocker), Wanted { status: Some(true), ..failed(progress, blocker) }]
}
