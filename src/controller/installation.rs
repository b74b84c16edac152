//! Which copy of the installation this is: a Secret of its own, made at the first start and kept.

use aws_lc_rs::rand::{SecureRandom as _, SystemRandom};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use k8s_openapi::api::core::v1::Secret;
use kube::api::{Api, PostParams};
use kube::{Client, ResourceExt as _};
use serde_json::json;
use thiserror::Error;

use crate::api::FIELD_MANAGER;
use crate::controller::context::Installation;
use crate::controller::kube_error::KubeError;
use crate::domain::identity::Hint;
use crate::domain::output::DigestKey;

const ID: &str = "id";
const DIGEST_KEY: &str = "digest-key";

/// The installation's Secret cannot be had.
#[derive(Debug, Error)]
pub enum InstallationError {
    /// The apiserver refused.
    #[error("Secret \"{name}\" of the installation: {reason}")]
    Kubernetes {
        /// The Secret.
        name: String,
        /// What went wrong.
        reason: String,
    },
    /// It is there, but not as it was made.
    #[error(
        "Secret \"{name}\" of the installation lacks \"{key}\"; restore it from a backup, or delete it to start as a new copy of the installation"
    )]
    Incomplete {
        /// The Secret.
        name: String,
        /// The key.
        key: &'static str,
    },
    /// No random numbers.
    #[error("the system gives no random numbers")]
    Random,
}

/// Loads the installation's Secret, or makes it. The chart never makes it: a `helm upgrade` would change it.
pub async fn load_or_create(
    client: &Client,
    namespace: &str,
    instance: &str,
) -> Result<Installation, InstallationError> {
    let name = format!("technical-user-operator-{instance}");
    let api: Api<Secret> = Api::namespaced(client.clone(), namespace);
    let failed = |error: kube::Error| InstallationError::Kubernetes {
        name: name.clone(),
        reason: KubeError::from(error).to_string(),
    };
    let secret = match api.get_opt(&name).await.map_err(failed)? {
        Some(secret) => secret,
        None => match api.create(&params(), &new_secret(&name)?).await {
            Ok(secret) => secret,
            // Another replica was first.
            Err(kube::Error::Api(status)) if status.is_already_exists() => {
                api.get(&name).await.map_err(failed)?
            }
            Err(error) => return Err(refused(&name, error)),
        },
    };
    let value = |key: &'static str| {
        secret
            .data
            .as_ref()
            .and_then(|data| data.get(key))
            .filter(|value| !value.0.is_empty())
            .map(|value| value.0.clone())
            .ok_or_else(|| InstallationError::Incomplete { name: secret.name_any(), key })
    };
    let id = String::from_utf8_lossy(&value(ID)?).into_owned();
    Ok(Installation {
        instance: instance.to_owned(),
        hint: Hint::of_installation(&id),
        digest_key: DigestKey::new(&value(DIGEST_KEY)?),
    })
}

/// The apiserver's words about a real write of a Secret may quote it, so they are left out.
fn refused(name: &str, error: kube::Error) -> InstallationError {
    let reason = match error {
        kube::Error::Api(status) => {
            format!(
                "the apiserver refuses to create it, with status {}; its audit log tells why",
                status.code
            )
        }
        other => KubeError::from(other).to_string(),
    };
    InstallationError::Kubernetes { name: name.to_owned(), reason }
}

fn params() -> PostParams {
    PostParams { field_manager: Some(FIELD_MANAGER.to_owned()), ..PostParams::default() }
}

fn new_secret(name: &str) -> Result<Secret, InstallationError> {
    let mut key = [0_u8; 32];
    SystemRandom::new().fill(&mut key).map_err(|_| InstallationError::Random)?;
    let id = uuid::Uuid::new_v4().to_string();
    serde_json::from_value(json!({
        "apiVersion": "v1",
        "kind": "Secret",
        "type": "Opaque",
        "metadata": { "name": name, "labels": { "app.kubernetes.io/managed-by": FIELD_MANAGER } },
        "data": { ID: STANDARD.encode(id), DIGEST_KEY: STANDARD.encode(key) },
    }))
    .map_err(|_| InstallationError::Random)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_apiservers_words_about_the_secret_are_left_out() {
        let status = kube::core::Status {
            code: 422,
            message: "Secret \"x\" is invalid: data[digest-key]: Invalid value: \"s3cret\"".to_owned(),
            ..kube::core::Status::default()
        };
        let error = refused("technical-user-operator-prod", kube::Error::Api(status.boxed()));
        let shown = format!("{error} {error:?}");
        assert!(shown.contains("422") && !shown.contains("s3cret"), "{shown}");
    }
}
