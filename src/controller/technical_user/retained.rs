//! The list of retained users in the Portal's status: a bounded view of the marks in the portal. Nothing is decided by it.

use jiff::Timestamp;
use kube::Api;
use kube::api::{DynamicObject, Patch, PatchParams};
use serde_json::json;

use super::pass::{Failure, Pass};
use super::reference;
use crate::api::FIELD_MANAGER;
use crate::api::portal::{PortalStatus, RETAINED_LIMIT, RetainedUser};
use crate::controller::kube_error::KubeError;
use crate::controller::objects::{lenient, portals};
use crate::domain::plan::{AttemptState, Done};
use crate::domain::reason::Reason;
use crate::domain::text::printable;
use crate::domain::user::{UserId, is_id};

/// How often the list is tried to be written before the whole reconcile is begun anew, which no longer knows why the user
/// is kept.
const LIST_TRIES: usize = 10;

/// Lists a user in the Portal's status: written before its resource is released.
pub async fn list(pass: &mut Pass, id: &UserId, why: &str) -> Result<(), Failure> {
    if !may_be_listed(pass, id) {
        tracing::warn!(
            resource = %pass.key,
            "a user is not listed as retained: nothing proves that the id in the status is of a user of this resource"
        );
        pass.observation.done.push((id.clone(), Done::ListedRetained));
        return Ok(());
    }
    for _ in 0..LIST_TRIES {
        match add(pass, id, why).await {
            // The Portal's own status, or another resource's user, was written meanwhile.
            Err(KubeError::Conflict) => {}
            Err(error) => return Err(error.into()),
            Ok(()) => {
                let note = format!("user {id} stays in the portal: {why}");
                let reference = reference(&pass.ctx, &pass.key);
                pass.ctx.events.warning(reference, Reason::UserRetained.as_str(), "Retain", &note);
                pass.observation.done.push((id.clone(), Done::ListedRetained));
                return Ok(());
            }
        }
    }
    Err(Failure::Overtaken)
}

/// A status can be written by others: what it says gets into the Portal of a namespace without a grant only where it is
/// proved.
fn may_be_listed(pass: &Pass, id: &UserId) -> bool {
    let o = &pass.observation;
    let made =
        o.attempt.as_ref().is_some_and(|open| matches!(&open.state, AttemptState::Made(made) if made == id));
    let recorded = o.recorded.user.as_ref().is_some_and(|user| user.id == *id);
    let proved = o.recorded.user.as_ref().is_some_and(|user| recorded && user.proved);
    let named = |name: &str| o.owner.generation_of(name).is_some();
    let named = recorded && pass.status.user.as_ref().is_some_and(|user| named(&user.name));
    // A user that only a list shows, or whose details were read, was judged before.
    let known = !recorded || pass.details.contains_key(id);
    is_id(id.as_str()) && (pass.discloses || made || proved || named || known)
}

async fn add(pass: &Pass, id: &UserId, why: &str) -> Result<(), KubeError> {
    let api: Api<DynamicObject> =
        Api::namespaced_with(pass.ctx.client.clone(), &pass.portal_key.namespace, &portals());
    let Some(portal) = api.get_opt(&pass.portal_key.name).await? else { return Ok(()) };
    let mut status: PortalStatus = lenient(&portal, "status");
    if !insert(&mut status, entry(pass, id, why)) {
        return Ok(());
    }
    let patch = json!({
        "metadata": { "resourceVersion": portal.metadata.resource_version },
        "status": { "retained": status.retained, "retainedOmitted": status.retained_omitted },
    });
    let params = PatchParams { field_manager: Some(FIELD_MANAGER.to_owned()), ..PatchParams::default() };
    api.patch_status(&pass.portal_key.name, &params, &Patch::Merge(&patch)).await?;
    Ok(())
}

/// Adds an entry; the oldest one makes room where the list is full, and is counted. Whether anything changed.
fn insert(status: &mut PortalStatus, new: RetainedUser) -> bool {
    if let Some(listed) = status.retained.iter_mut().find(|listed| listed.id == new.id) {
        // A sweep found its mark before this resource wrote why.
        let replaces = listed.found_by_mark() && !new.found_by_mark();
        if replaces {
            *listed = new;
        }
        return replaces;
    }
    status.retained.push(new);
    let excess = status.retained.len().saturating_sub(RETAINED_LIMIT);
    status.retained.drain(..excess);
    if excess > 0 {
        let omitted = status.retained_omitted.unwrap_or(0);
        status.retained_omitted = Some(omitted.saturating_add(i64::try_from(excess).unwrap_or(i64::MAX)));
    }
    true
}

fn entry(pass: &Pass, id: &UserId, why: &str) -> RetainedUser {
    let details = pass.details.get(id);
    let recorded = pass.status.user.as_ref().filter(|user| UserId::new(&user.id) == *id);
    let link = pass.link.as_ref();
    bounded(RetainedUser {
        id: id.to_string(),
        client_id: details
            .and_then(|details| details.client_id.clone())
            .or_else(|| recorded.and_then(|user| user.client_id.clone())),
        name: details.map(|details| details.name.clone()).or_else(|| recorded.map(|user| user.name.clone())),
        technical_user: format!("{}/{}", pass.key.namespace, pass.key.name),
        reason: why.to_owned(),
        since: Timestamp::now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
        url: pass
            .status
            .portal
            .as_ref()
            .map(|portal| portal.url.clone())
            .filter(|url| !url.is_empty())
            .or_else(|| link.map(|link| link.url.clone())),
        bpn: match pass.status.portal.as_ref().filter(|portal| !portal.url.is_empty()) {
            Some(portal) => portal.bpn.clone(),
            None => link.and_then(|link| link.company.clone()),
        },
    })
}

/// Texts of a status that others can write, and of the portal, in the bounds of what the portal may answer.
fn bounded(entry: RetainedUser) -> RetainedUser {
    let text = |text: Option<String>, most: usize| text.map(|text| printable(&text, most));
    RetainedUser {
        id: printable(&entry.id, 64),
        client_id: text(entry.client_id, 256),
        name: text(entry.name, 256),
        reason: printable(&entry.reason, 512),
        url: text(entry.url, 512),
        bpn: text(entry.bpn, 32),
        ..entry
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_is_bounded_whatever_a_status_says() {
        let long = || format!("\u{1B}\u{202E}{}", "x".repeat(100_000));
        let entry = bounded(RetainedUser {
            id: long(),
            client_id: Some(long()),
            name: Some(long()),
            technical_user: "connector/edc".into(),
            reason: long(),
            since: "2026-11-26T15:00:00Z".into(),
            url: Some(long()),
            bpn: Some(long()),
        });
        let text = serde_json::to_string(&entry).unwrap();
        assert!(text.len() < 4096 && !text.contains(['\u{202E}']) && !text.contains("u001b"), "{text}");
    }
}
