//! The Secret of a resource: whether it can be written, and the one write that publishes a credential.

use k8s_openapi::api::core::v1::ResourceQuota;
use k8s_openapi::apimachinery::pkg::api::resource::Quantity;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use kube::Api;
use kube::api::ListParams;
use tokio::time::Instant;

use crate::api::keys;
use crate::api::technical_user::TechnicalUserStatus;
use crate::controller::audit;
use crate::controller::kube_error::{KubeError, with_advice};
use crate::controller::marks;
use crate::controller::secrets::Envelope;
use crate::controller::technical_user::memory::places;
use crate::controller::technical_user::pass::{Failure, Pass, SecretAt};
use crate::domain::output::{self, Content, Values};
use crate::domain::plan::{self, OutputId, SecretView, UserRef, Verified};
use crate::domain::reason::Reason;
use crate::domain::roles::Blocker;
use crate::domain::user::UserId;

/// The kind of an output that is a Secret, as a status records it.
pub const SECRET: &str = "Secret";

/// Asks, by a dry run of the very write, whether the Secret can be written.
pub async fn writable(pass: &mut Pass) -> Result<Result<(), Blocker>, Failure> {
    let content = output::placeholder();
    let answer = match (&pass.observation.secret, &pass.secret) {
        (SecretView::Foreign(owner), _) => {
            return Ok(Err(Blocker::lasting(
                Reason::SecretNotOurs,
                format!(
                    "a Secret \"{}\" is there and belongs to {owner}; it is not touched, and no user is made. Delete it, or name \
                     another one in outputs",
                    pass.envelope.name
                ),
            )));
        }
        (SecretView::Ours { .. }, Some(at)) => {
            pass.secrets.overwrite(&pass.envelope, &content, &at.version, &[], true).await.map(drop)
        }
        _ => match pass.secrets.create(&pass.envelope, &content, true).await {
            Ok(_) => return free_place(pass).await,
            Err(error) => Err(error),
        },
    };
    match answer {
        Ok(()) => Ok(Ok(())),
        Err(error) => denied(pass, error).map(Err),
    }
}

fn denied(pass: &Pass, error: KubeError) -> Result<Blocker, Failure> {
    let words = match error {
        KubeError::Denied { message, .. } => with_advice(&message),
        failed @ KubeError::Failed { .. } => failed.to_string(),
        KubeError::NotFound => format!("namespace {} is not there", pass.key.namespace),
        other => return Err(other.into()),
    };
    Ok(Blocker::passing(
        Reason::SecretNotWritable,
        format!(
            "the Secret \"{}\" cannot be written, so the portal is not asked for anything: {words}",
            pass.envelope.name
        ),
    ))
}

/// A dry run says that one Secret has a place. Where a quota counts Secrets, no more users are made than it has places.
async fn free_place(pass: &mut Pass) -> Result<Result<(), Blocker>, Failure> {
    let quotas: Api<ResourceQuota> = Api::namespaced(pass.ctx.client.clone(), &pass.key.namespace);
    let quotas = quotas.list(&ListParams::default()).await.map_err(KubeError::from)?;
    let free = quotas.iter().filter_map(free_places).min();
    if free.is_none_or(|free| places::take(pass, free)) {
        return Ok(Ok(()));
    }
    Ok(Err(Blocker::passing(
        Reason::SecretNotWritable,
        "a quota leaves room for no more Secrets in this namespace than users are being made for; this one waits its turn",
    )))
}

/// How many more Secrets a quota allows; `None` where it does not count them.
fn free_places(quota: &ResourceQuota) -> Option<usize> {
    let status = quota.status.as_ref()?;
    let number = |counts: &Option<std::collections::BTreeMap<String, Quantity>>, name: &str| {
        counts.as_ref()?.get(name)?.0.parse::<usize>().ok()
    };
    ["secrets", "count/secrets"]
        .iter()
        .filter_map(|name| {
            Some(number(&status.hard, name)?.saturating_sub(number(&status.used, name).unwrap_or(0)))
        })
        .min()
}

/// Writes the credential that was read and verified, all keys at once.
pub async fn publish(pass: &mut Pass, current: &UserRef) -> Result<(), Failure> {
    let proved = pass.observation.proof_of(&current.id) == Some(&Verified::Accepted);
    let Some((values, digest)) = content_of(pass, &current.id).filter(|_| proved) else {
        return Err(Failure::Overtaken);
    };
    let content = output::raw(&values);
    let envelope = envelope_for(&pass.envelope, &current.id);
    let began = Instant::now();
    let written = write(pass, &envelope, &content).await;
    let user = (&current.id, values.credential.client_id.as_str());
    audit::published(&pass.key, &envelope.name, user, began, written.as_ref().map(drop));
    let metadata = written?;
    pass.secret = Some(SecretAt::of(&metadata));
    pass.secret_written = true;
    pass.ctx.memory.secrets.forget(&pass.key);
    pass.observation.secret =
        SecretView::Ours { user: Some(current.id.clone()), digest: Some(digest), metadata_as_wanted: true };
    Ok(())
}

/// Creates the Secret, or overwrites it in the state that was seen.
async fn write(pass: &Pass, envelope: &Envelope, content: &Content) -> Result<ObjectMeta, KubeError> {
    match &pass.secret {
        None => pass.secrets.create(envelope, content, false).await,
        Some(at) => {
            // Keys that somebody added are removed with the same write.
            let present = match &at.keys {
                Some(keys) => keys.clone(),
                None => {
                    pass.secrets.texts(&envelope.name).await?.map(|texts| texts.keys()).unwrap_or_default()
                }
            };
            pass.secrets.overwrite(envelope, content, &at.version, &present, false).await
        }
    }
}

/// What the output holds for a user, and its digest; `None` without a credential.
#[must_use]
pub fn content_of(pass: &Pass, id: &UserId) -> Option<(Values, String)> {
    let values = Values {
        credential: pass.credential(id)?.clone(),
        user_id: id.clone(),
        kind: pass.details.get(id)?.kind,
        bpn: plan::company(&pass.observation).map(str::to_owned),
    };
    let digest = pass.ctx.installation.digest_key.of_content(&output::raw(&values));
    Some((values, digest))
}

fn envelope_for(envelope: &Envelope, user: &UserId) -> Envelope {
    let mut envelope = envelope.clone();
    envelope.annotations.insert(keys::USER_ID.to_owned(), user.to_string());
    envelope
}

/// The outputs that the status records and the spec no longer names. What a later release recorded of another kind is not
/// known here, and is not removed.
#[must_use]
pub fn former(status: &TechnicalUserStatus, named: &str) -> Vec<OutputId> {
    let former = status.outputs.iter().filter(|output| output.kind == SECRET && output.name != named);
    former.map(|output| OutputId { kind: output.kind.clone(), name: output.name.clone() }).collect()
}

/// Deletes a Secret that the spec no longer names, where it is ours.
pub async fn remove(pass: &mut Pass, former: &OutputId) -> Result<(), Failure> {
    if let Some(metadata) = pass.secrets.metadata(&former.name).await?
        && marks::is_published_for(&metadata, &pass.observation.owner)
    {
        pass.secrets.delete(&former.name, &SecretAt::of(&metadata).version).await?;
    }
    pass.observation.former_outputs.retain(|output| output != former);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use k8s_openapi::api::core::v1::ResourceQuotaStatus;

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
