//! The live refresh token of a person's login, in a Secret of ours beside the Portal.

use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::OwnerReference;
use kube::Resource as _;
use kube::api::DynamicObject;
use secrecy::{ExposeSecret, SecretString};

use crate::api::{Portal, keys};
use crate::controller::context::Context;
use crate::controller::kube_error::KubeError;
use crate::controller::secrets::{Envelope, Secrets, Version};
use crate::domain::output::{Content, DigestKey};
use crate::portal::TokenStore;

const TOKEN: &str = "refresh-token";
/// A digest of the token that a person gave: a new one there starts a new session.
const SOURCE: &str = "source";

/// The session of one login.
pub struct Session {
    secrets: Secrets,
    envelope: Envelope,
    given: SecretString,
    source: String,
}

impl Session {
    /// The session Secret `name` for the token that a person gave.
    #[must_use]
    pub fn new(
        ctx: &Arc<Context>,
        secrets: Secrets,
        portal: &DynamicObject,
        name: &str,
        given: SecretString,
    ) -> Self {
        let portal_name = portal.metadata.name.clone().unwrap_or_default();
        let namespace = portal.metadata.namespace.clone().unwrap_or_default();
        let mark = format!("{}/{namespace}/{portal_name}", ctx.installation.instance);
        Self {
            secrets,
            envelope: Envelope {
                name: name.to_owned(),
                labels: BTreeMap::new(),
                annotations: BTreeMap::from([(keys::OWNER.to_owned(), mark)]),
                owner: OwnerReference {
                    api_version: Portal::api_version(&()).into_owned(),
                    kind: Portal::kind(&()).into_owned(),
                    name: portal_name,
                    uid: portal.metadata.uid.clone().unwrap_or_default(),
                    controller: Some(true),
                    block_owner_deletion: None,
                },
            },
            source: source(&ctx.installation.digest_key, &given),
            given,
        }
    }
}

fn source(key: &DigestKey, given: &SecretString) -> String {
    key.digest([(SOURCE, given.expose_secret().as_bytes())])
}

#[async_trait]
impl TokenStore for Session {
    async fn load(&self) -> Result<SecretString, String> {
        let stored = self.secrets.texts(&self.envelope.name).await.map_err(|error| error.to_string())?;
        let live = stored.filter(|texts| texts.plain(SOURCE).as_ref() == Some(&self.source));
        Ok(live.and_then(|texts| texts.get(TOKEN)).unwrap_or_else(|| self.given.clone()))
    }

    async fn store(&self, new: &SecretString) -> Result<(), String> {
        let content = Content::from([
            (TOKEN.to_owned(), new.clone()),
            (SOURCE.to_owned(), SecretString::from(self.source.clone())),
        ]);
        let name = &self.envelope.name;
        let written = match self.secrets.metadata(name).await {
            Ok(None) => self.secrets.create(&self.envelope, &content, false).await,
            Ok(Some(metadata)) => {
                let owner =
                    metadata.annotations.as_ref().and_then(|annotations| annotations.get(keys::OWNER));
                if owner != self.envelope.annotations.get(keys::OWNER) {
                    return Err(format!("Secret \"{name}\" is there and belongs to somebody else"));
                }
                self.secrets.overwrite(&self.envelope, &content, &Version::of(&metadata), &[], false).await
            }
            Err(error) => Err(error),
        };
        written.map(drop).map_err(|error| match error {
            // The apiserver's words about a real write may quote it.
            KubeError::Denied { code, .. } => format!("Secret \"{name}\" was refused with status {code}"),
            other => format!("Secret \"{name}\": {other}"),
        })
    }
}
