//! The list of retained users in the Portal's status: a bounded view of the marks in the portal. Nothing is decided by it.

use std::time::Duration;

use kube::Api;
use kube::api::Patch;
use serde_json::json;

use crate::api::bounds::Bounded as _;
use crate::api::portal::{PortalStatus, RETAINED_LIMIT, RetainedUser};
use crate::controller::kube_error::KubeError;
use crate::controller::objects::lenient;
use crate::controller::technical_user::failure::Failure;
use crate::controller::technical_user::reconcile::Reconcile;
use crate::controller::writes;
use crate::domain::plan::{AttemptState, Done, OpenAttempt};
use crate::domain::reason::Reason;
use crate::domain::user::{UserId, is_id};
use crate::k8s::stored::StoredObject;
use crate::process::Random;

/// How often a write of the list is tried before the reconcile begins again, which no longer knows why the user is
/// kept …
const LIST_TRIES: u32 = 10;
/// … and the wait between the tries, longer each time.
const LIST_AGAIN_AFTER: Duration = Duration::from_millis(100);

/// Lists a user in the Portal's status: written before its resource is released.
pub async fn list(reconcile: &mut Reconcile, id: &UserId, why: &str) -> Result<(), Failure> {
    if !Evidence::of(reconcile, id).may_be_listed(id) {
        tracing::warn!(
            resource = %reconcile.key,
            "A user is not listed as retained: nothing proves that the id in the status is of a user of this resource"
        );
        reconcile.observation.users.entry(id).done.push(Done::RecordedRetained);
        return Ok(());
    }
    let listing: &Reconcile = reconcile;
    repeated(&reconcile.ctx.process.random, || add(listing, id, why)).await?;
    let note = format!("User {id} is kept in the portal: {why}");
    reconcile.warn(Reason::UserRetained, "Retain", &note);
    reconcile.observation.users.entry(id).done.push(Done::RecordedRetained);
    Ok(())
}

/// Repeats a write while it conflicts: the Portal's own status, or another resource's user, was written meanwhile.
async fn repeated<W: Future<Output = Result<(), KubeError>>>(
    random: &Random,
    write: impl Fn() -> W,
) -> Result<(), Failure> {
    for tried in 1..=LIST_TRIES {
        match write().await {
            Err(KubeError::Conflict) if tried < LIST_TRIES => {
                tokio::time::sleep(random.spread(LIST_AGAIN_AFTER * tried)).await;
            }
            ended => return Ok(ended?),
        }
    }
    Err(Failure::Overtaken)
}

/// From where the id of a user is known that is to be listed.
#[derive(Debug, Clone, Copy, Default)]
#[expect(clippy::struct_excessive_bools, reason = "independent facts, each read on its own")]
struct Evidence {
    /// The Portal's access serves the resource's namespace.
    discloses: bool,
    /// The status names it …
    recorded: bool,
    /// … and it is proved to be the resource's.
    proved: bool,
    /// A create of this process led to it.
    created: bool,
    /// Its details were read in this reconcile, and the plan has judged them.
    read: bool,
}

impl Evidence {
    fn of(reconcile: &Reconcile, id: &UserId) -> Self {
        let o = &reconcile.observation;
        let is_made =
            |open: &OpenAttempt| matches!(&open.state, AttemptState::Created(created) if created == id);
        let recorded = o.recorded_users().find(|user| user.id == *id);
        Self {
            discloses: reconcile.discloses,
            recorded: recorded.is_some(),
            proved: recorded.is_some_and(|user| user.proved),
            created: o.attempt.as_ref().is_some_and(is_made),
            read: reconcile.details.contains_key(id),
        }
    }

    /// A status can be written by others: what it says gets into the Portal of a namespace without a grant only where it is
    /// proved. A user that only a list shows was judged by its mark.
    fn may_be_listed(self, id: &UserId) -> bool {
        is_id(id.as_str()) && (self.discloses || !self.recorded || self.proved || self.created || self.read)
    }
}

async fn add(reconcile: &Reconcile, id: &UserId, why: &str) -> Result<(), KubeError> {
    let api: Api<StoredObject> = Api::namespaced_with(
        reconcile.ctx.client.clone(),
        &reconcile.portal_key.namespace,
        &reconcile.ctx.portals.api,
    );
    let Some(portal) = api.get_opt(&reconcile.portal_key.name).await? else { return Ok(()) };
    let mut status: PortalStatus = lenient(&portal, "status");
    if !insert(&mut status, entry(reconcile, id, why)) {
        return Ok(());
    }
    let patch = json!({
        "metadata": { "resourceVersion": portal.metadata.resource_version },
        "status": { "retained": status.retained, "retainedOmitted": status.retained_omitted },
    });
    api.patch_status(&reconcile.portal_key.name, &writes::patch(), &Patch::Merge(&patch)).await?;
    Ok(())
}

/// Adds an entry. If the list is full, removes and counts the oldest one. Whether anything changed.
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

fn entry(reconcile: &Reconcile, id: &UserId, why: &str) -> RetainedUser {
    let details = reconcile.details.get(id);
    let recorded = reconcile.status.user.as_ref().filter(|user| UserId::new(&user.id) == *id);
    let connection = reconcile.connection.as_ref();
    RetainedUser {
        id: id.to_string(),
        client_id: details
            .and_then(|details| details.client_id.clone())
            .or_else(|| recorded.and_then(|user| user.client_id.clone())),
        name: details.map(|details| details.name.clone()).or_else(|| recorded.map(|user| user.name.clone())),
        technical_user: format!("{}/{}", reconcile.key.namespace, reconcile.key.name),
        reason: why.to_owned(),
        since: reconcile.ctx.process.clock.now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
        url: reconcile
            .status
            .portal
            .as_ref()
            .map(|portal| portal.url.clone())
            .filter(|url| !url.is_empty())
            .or_else(|| connection.map(|connection| connection.url.clone())),
        bpn: match reconcile.status.portal.as_ref().filter(|portal| !portal.url.is_empty()) {
            Some(portal) => portal.bpn.clone(),
            None => connection.and_then(|connection| connection.company.clone()),
        },
    }
    .bounded()
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};

    use tokio::time::Instant;

    use super::*;
    use crate::api::portal::FOUND_BY_MARK;

    fn retained(id: &str, reason: &str) -> RetainedUser {
        RetainedUser {
            id: id.into(),
            client_id: None,
            name: None,
            technical_user: "connector/edc".into(),
            reason: reason.into(),
            since: "2026-11-26T15:00:00Z".into(),
            url: None,
            bpn: None,
        }
    }

    /// A sweep may find the mark of a user before the resource that retained it has listed it.
    #[test]
    fn why_a_user_was_retained_replaces_that_it_was_found_and_nothing_else_does() {
        for (listed, new, replaces) in [
            (FOUND_BY_MARK, "its resource was deleted", true),
            (FOUND_BY_MARK, FOUND_BY_MARK, false),
            ("its resource was deleted", FOUND_BY_MARK, false),
            ("its resource was deleted", "its client is missing", false),
        ] {
            let mut status = PortalStatus { retained: vec![retained("u1", listed)], ..Default::default() };
            assert_eq!(insert(&mut status, retained("u1", new)), replaces, "{listed}, {new}");
            assert_eq!(status.retained, [retained("u1", if replaces { new } else { listed })]);
        }
    }

    #[test]
    fn a_list_that_is_full_loses_its_oldest_entry_and_counts_it() {
        let mut status = PortalStatus::default();
        for number in 0..RETAINED_LIMIT {
            assert!(insert(&mut status, retained(&format!("u{number}"), "deleted")));
        }
        assert_eq!((status.retained.len(), status.retained_omitted), (RETAINED_LIMIT, None));
        for omitted in 1..3 {
            assert!(insert(&mut status, retained(&format!("later{omitted}"), "deleted")));
            assert_eq!((status.retained.len(), status.retained_omitted), (RETAINED_LIMIT, Some(omitted)));
        }
        assert_eq!(status.retained[0].id, "u2");
    }

    #[test]
    fn what_a_status_names_is_listed_elsewhere_only_where_it_is_proved() {
        let (id, recorded) = (UserId::new("u1"), Evidence { recorded: true, ..Evidence::default() });
        assert!(!recorded.may_be_listed(&id), "anybody can write down an id");
        for known in [
            Evidence { proved: true, ..recorded },
            Evidence { created: true, ..recorded },
            Evidence { read: true, ..recorded },
            Evidence { discloses: true, ..recorded },
            Evidence::default(),
        ] {
            assert!(known.may_be_listed(&id), "{known:?}");
            assert!(!known.may_be_listed(&UserId::new("../u1")), "no id of a portal: {known:?}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_list_that_others_write_is_tried_again_after_a_pause_and_not_for_ever() {
        let (began, tries) = (Instant::now(), AtomicU32::new(0));
        let conflicts = |until: u32| {
            let tries = &tries;
            move || {
                let conflicts = tries.fetch_add(1, Ordering::SeqCst) < until;
                std::future::ready(if conflicts { Err(KubeError::Conflict) } else { Ok(()) })
            }
        };
        let random = Random::seeded(1);
        repeated(&random, conflicts(3)).await.unwrap();
        assert_eq!(tries.swap(0, Ordering::SeqCst), 4);
        assert!(began.elapsed() >= LIST_AGAIN_AFTER * 3, "{:?}", began.elapsed());
        let ended = repeated(&random, conflicts(u32::MAX)).await;
        assert!(matches!(ended, Err(Failure::Overtaken)), "{ended:?}");
        assert_eq!(tries.load(Ordering::SeqCst), LIST_TRIES);
    }

    #[test]
    fn an_entry_is_bounded_whatever_a_status_says() {
        let long = || format!("\u{1B}\u{202E}{}", "x".repeat(100_000));
        let entry = RetainedUser {
            id: long(),
            client_id: Some(long()),
            name: Some(long()),
            technical_user: "connector/edc".into(),
            reason: long(),
            since: "2026-11-26T15:00:00Z".into(),
            url: Some(long()),
            bpn: Some(long()),
        }
        .bounded();
        let text = serde_json::to_string(&entry).unwrap();
        assert!(text.len() < 4096 && !text.contains(['\u{202E}']) && !text.contains("u001b"), "{text}");
    }
}
