//! Quotas that count Secrets: a dry run says that one Secret has a place, not that several have.

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::ResourceQuota;
use k8s_openapi::apimachinery::pkg::api::resource::Quantity;
use kube::Api;
use kube::api::ListParams;
use tokio::time::Instant;

use super::{Resource, Writable};
use crate::controller::context::Context;
use crate::controller::kube_error::KubeError;
use crate::controller::objects::Key;
use crate::controller::technical_user::failure::Failure;
use crate::controller::technical_user::memory::places::{self, Answer};
use crate::domain::blocker::Blocker;
use crate::domain::plan::OutputId;
use crate::domain::reason::Reason;

/// Takes a place for a new Secret where a quota counts them: no more users are created than Secrets have room.
///
/// # Errors
/// [`Failure::Overtaken`] if Secrets were written while the quota was read.
pub(super) async fn take_place(
    resource: &Resource,
    output: &OutputId,
) -> Result<Result<Writable, Blocker>, Failure> {
    let (ctx, secret) = (&resource.ctx, secret(resource, output));
    let places = &ctx.memory.places;
    if places.are_unlimited(&secret.namespace) {
        return Ok(Ok(Writable::default()));
    }
    let read = Instant::now();
    // Which Secrets need a place takes long to find among many resources, and few namespaces have such a quota.
    if free_in(ctx, &secret.namespace).await?.is_none() {
        places.unlimited(&secret.namespace, read);
        return Ok(Ok(Writable::default()));
    }
    // A Secret that is written meanwhile may be missing both in the answer and among those that need a place after it.
    let before = places::needed_in(ctx, &secret.namespace);
    let Some(free) = free_in(ctx, &secret.namespace).await? else { return Ok(Ok(Writable::default())) };
    match places::take(ctx, &secret, (free, before)) {
        Answer::Taken(place) => Ok(Ok(Writable { place: Some(place) })),
        Answer::None => Ok(Err(Blocker::passing(
            Reason::OutputNotWritable,
            "A ResourceQuota permits no more Secrets in this namespace than users are being created for. This resource waits for them.",
        ))),
        Answer::AskAgain => Err(Failure::Overtaken),
    }
}

/// How many more Secrets the quotas of a namespace allow; `None` where none counts them.
async fn free_in(ctx: &Context, namespace: &str) -> Result<Option<usize>, KubeError> {
    let quotas: Api<ResourceQuota> = Api::namespaced(ctx.client.clone(), namespace);
    Ok(quotas.list(&ListParams::default()).await?.iter().filter_map(free_places).min())
}

/// A Secret of an output was created: the quota counts it from now on.
pub(super) fn created(resource: &Resource, output: &OutputId) {
    resource.ctx.memory.places.wrote(&secret(resource, output));
}

fn secret(resource: &Resource, output: &OutputId) -> Key {
    Key { namespace: resource.key.namespace.clone(), name: output.name.clone() }
}

/// How many more Secrets a quota allows; `None` where it does not count them.
fn free_places(quota: &ResourceQuota) -> Option<usize> {
    let status = quota.status.as_ref()?;
    let number = |counts: &Option<BTreeMap<String, Quantity>>, name: &str| {
        counts.as_ref()?.get(name)?.0.parse::<usize>().ok()
    };
    ["secrets", "count/secrets"]
        .iter()
        .filter_map(|name| {
            Some(number(&status.hard, name)?.saturating_sub(number(&status.used, name).unwrap_or(0)))
        })
        .min()
}

#[cfg(test)]
mod tests {
    use k8s_openapi::api::core::v1::ResourceQuotaStatus;

    use super::*;

    fn quota(hard: &[(&str, &str)], used: &[(&str, &str)]) -> ResourceQuota {
        let counts = |pairs: &[(&str, &str)]| {
            Some(
                pairs
                    .iter()
                    .map(|(name, count)| ((*name).to_owned(), Quantity((*count).to_owned())))
                    .collect(),
            )
        };
        let status = ResourceQuotaStatus { hard: counts(hard), used: counts(used) };
        ResourceQuota { status: Some(status), ..ResourceQuota::default() }
    }

    #[test]
    fn a_quota_that_counts_secrets_has_so_many_places() {
        assert_eq!(free_places(&quota(&[("secrets", "5")], &[("secrets", "3")])), Some(2));
        assert_eq!(free_places(&quota(&[("count/secrets", "1"), ("secrets", "9")], &[])), Some(1));
        assert_eq!(free_places(&quota(&[("secrets", "1")], &[("secrets", "4")])), Some(0));
        assert_eq!(free_places(&quota(&[("pods", "5")], &[])), None);
        assert_eq!(free_places(&ResourceQuota::default()), None);
    }
}
