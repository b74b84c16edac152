//! One try at a time to hold a `Lease`: read, judge, replace with `resourceVersion`.

use std::collections::BTreeMap;

use k8s_openapi::api::coordination::v1::{Lease, LeaseSpec};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::MicroTime;
use kube::Api;
use kube::api::PostParams;
use tokio::time::{Duration, Instant, timeout};

use crate::k8s::words;
use crate::process::Clock;

use super::{CALL_WITHIN, LEASE_DURATION, LeaseMetadata, RENEW_DEADLINE};

/// Who holds the lease after a try.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Held {
    /// We do, and act until then.
    Ours(Instant),
    /// Another process, or it is not known yet which process won a race.
    Other(String),
}

/// Why a try failed. Nothing is known of its effect.
#[derive(Debug, thiserror::Error)]
pub(super) enum LeaseError {
    #[error("the apiserver did not answer in time")]
    Slow,
    #[error("{}", words(.0))]
    Call(#[from] kube::Error),
}

/// A lease as one candidate sees it.
pub(super) struct LeaseLock {
    api: Api<Lease>,
    name: String,
    labels: BTreeMap<String, String>,
    identity: String,
    observed: Option<Observed>,
    clock: Clock,
}

/// The lease as last seen.
struct Observed {
    lease: Lease,
    /// When we first saw it like that.
    since: Instant,
}

impl LeaseLock {
    pub(super) fn new(api: Api<Lease>, lease: LeaseMetadata, identity: String, clock: Clock) -> Self {
        Self { api, name: lease.name, labels: lease.labels, identity, observed: None, clock }
    }

    /// The lease, in the words of messages.
    pub(super) fn words(&self) -> String {
        format!("the lease \"{}\"", self.name)
    }

    pub(super) fn identity(&self) -> &str {
        &self.identity
    }

    /// Acquires the lease or renews it, if no other process holds it.
    pub(super) async fn hold(&mut self) -> Result<Held, LeaseError> {
        // The lease as this process wrote it needs no read first; a conflict shows that another client changed it.
        if let Some(ours) = self.ours()
            && let Some(until) = self.replace(ours).await?
        {
            return Ok(Held::Ours(until));
        }
        let Some(lease) = call(self.api.get_opt(&self.name)).await? else { return self.create().await };
        self.observe(lease.clone());
        if let Some(other) = self.other() {
            return Ok(Held::Other(other));
        }
        Ok(self.replace(lease).await?.map_or_else(lost_race, Held::Ours))
    }

    /// Releases the lease if this process holds it, as client-go does: no holder, one second.
    pub(super) async fn release(&mut self) {
        loop {
            match self.try_release().await {
                Ok(true) => return,
                Ok(false) => {}
                Err(error) => {
                    tracing::warn!("The lease was not released; it expires automatically: {error}");
                    return;
                }
            }
        }
    }

    /// `false` after a conflict, such as with a renewal that was broken off on our side only.
    async fn try_release(&mut self) -> Result<bool, LeaseError> {
        let Some(mut lease) = call(self.api.get_opt(&self.name)).await? else { return Ok(true) };
        if holder(&lease) != self.identity {
            return Ok(true);
        }
        let now = Some(MicroTime(self.clock.now()));
        let spec = lease.spec.get_or_insert_default();
        spec.holder_identity = Some(String::new());
        spec.lease_duration_seconds = Some(1);
        spec.acquire_time.clone_from(&now);
        spec.renew_time = now;
        match call(self.api.replace(&self.name, &PostParams::default(), &lease)).await {
            Ok(_) => Ok(true),
            Err(LeaseError::Call(kube::Error::Api(status))) if status.is_conflict() => Ok(false),
            Err(error) => Err(error),
        }
    }

    fn ours(&self) -> Option<Lease> {
        self.observed.as_ref().map(|seen| &seen.lease).filter(|lease| holder(lease) == self.identity).cloned()
    }

    /// Who else holds it, as far as we have seen.
    fn other(&self) -> Option<String> {
        let seen = self.observed.as_ref()?;
        let holder = holder(&seen.lease);
        (holder != self.identity && !seen.expired()).then(|| holder.to_owned())
    }

    /// Notes what was read; the time does not change if nothing changed.
    fn observe(&mut self, lease: Lease) {
        let since = match self.observed.take() {
            Some(seen) if seen.lease.spec == lease.spec => seen.since,
            _ => Instant::now(),
        };
        self.observed = Some(Observed { lease, since });
    }

    /// No process has the lease. If it had a holder before, that one may not know yet, so this process waits for its duration.
    async fn create(&mut self) -> Result<Held, LeaseError> {
        if let Some(other) = self.other() {
            return Ok(Held::Other(other));
        }
        let mut lease = Lease::default();
        lease.metadata.name = Some(self.name.clone());
        self.label(&mut lease);
        lease.spec = Some(self.spec(None));
        let sent = Instant::now();
        match call(self.api.create(&PostParams::default(), &lease)).await {
            Ok(lease) => {
                self.observe(lease);
                Ok(Held::Ours(sent + RENEW_DEADLINE))
            }
            Err(LeaseError::Call(kube::Error::Api(status))) if status.is_already_exists() => Ok(lost_race()),
            Err(error) => Err(error),
        }
    }

    /// Writes this process into `lease`. `None` if it was changed or deleted meanwhile.
    async fn replace(&mut self, mut lease: Lease) -> Result<Option<Instant>, LeaseError> {
        lease.spec = Some(self.spec(lease.spec.as_ref()));
        self.label(&mut lease);
        // Others count from when they see the write, which is later than now.
        let sent = Instant::now();
        match call(self.api.replace(&self.name, &PostParams::default(), &lease)).await {
            Ok(lease) => {
                self.observe(lease);
                Ok(Some(sent + RENEW_DEADLINE))
            }
            Err(LeaseError::Call(kube::Error::Api(status)))
                if status.is_conflict() || status.is_not_found() =>
            {
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }

    fn label(&self, lease: &mut Lease) {
        if !self.labels.is_empty() {
            lease.metadata.labels.get_or_insert_default().extend(self.labels.clone());
        }
    }

    fn spec(&self, before: Option<&LeaseSpec>) -> LeaseSpec {
        let now = MicroTime(self.clock.now());
        let before = before.cloned().unwrap_or_default();
        let renewal = before.holder_identity.as_deref() == Some(&self.identity);
        let transitions = before.lease_transitions.unwrap_or(0);
        let first = before.acquire_time.is_none();
        LeaseSpec {
            holder_identity: Some(self.identity.clone()),
            lease_duration_seconds: i32::try_from(LEASE_DURATION.as_secs()).ok(),
            acquire_time: before.acquire_time.filter(|_| renewal).or_else(|| Some(now.clone())),
            renew_time: Some(now),
            lease_transitions: Some(if renewal || first {
                transitions
            } else {
                transitions.saturating_add(1)
            }),
            ..before
        }
    }
}

impl Observed {
    /// No process holds it, or its holder did not renew it for its whole duration.
    fn expired(&self) -> bool {
        let spec = self.lease.spec.as_ref();
        let seconds = spec.and_then(|spec| spec.lease_duration_seconds).and_then(|s| u64::try_from(s).ok());
        let duration = seconds.map_or(LEASE_DURATION, Duration::from_secs);
        holder(&self.lease).is_empty() || self.since.elapsed() >= duration
    }
}

fn holder(lease: &Lease) -> &str {
    lease.spec.as_ref().and_then(|spec| spec.holder_identity.as_deref()).unwrap_or_default()
}

fn lost_race() -> Held {
    Held::Other("who was faster".into())
}

async fn call<T>(future: impl Future<Output = Result<T, kube::Error>>) -> Result<T, LeaseError> {
    Ok(timeout(CALL_WITHIN, future).await.map_err(|_| LeaseError::Slow)??)
}
