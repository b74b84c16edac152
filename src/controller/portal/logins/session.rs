//! The live refresh token of a person's login, in a Secret of ours beside the Portal.

use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{ObjectMeta, OwnerReference};
use kube::Resource as _;
use secrecy::{ExposeSecret, SecretString};

use crate::api::{Portal, keys};
use crate::controller::context::Context;
use crate::controller::kube_error::KubeError;
use crate::controller::marks;
use crate::controller::secrets::{Envelope, OPAQUE, Secrets, Version};
use crate::domain::digest::DigestKey;
use crate::domain::format::Content;
use crate::domain::identity::Owner;
use crate::k8s::stored::StoredObject;
use crate::portal::TokenStore;

const TOKEN: &str = "refresh-token";
/// A digest of the token that a person gave: a new one there starts a new session.
const SOURCE: &str = "source";

/// The session of one login.
pub struct Session {
    secrets: Secrets,
    portal: Owner,
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
        portal: &StoredObject,
        name: &str,
        given: SecretString,
    ) -> Self {
        let portal_name = portal.metadata.name.clone().unwrap_or_default();
        let namespace = portal.metadata.namespace.clone().unwrap_or_default();
        let portal_owner =
            Owner { instance: ctx.installation.instance.clone(), namespace, name: portal_name.clone() };
        Self {
            secrets,
            envelope: Envelope {
                r#type: OPAQUE.to_owned(),
                name: name.to_owned(),
                labels: ctx.installation.labels.clone(),
                annotations: BTreeMap::from([(keys::OWNER.to_owned(), marks::of_session(&portal_owner))]),
                owner: OwnerReference {
                    api_version: Portal::api_version(&()).into_owned(),
                    kind: Portal::kind(&()).into_owned(),
                    name: portal_name,
                    uid: portal.metadata.uid.clone().unwrap_or_default(),
                    controller: Some(true),
                    block_owner_deletion: None,
                },
                immutable: false,
            },
            portal: portal_owner,
            source: source(&ctx.installation.digest_key, &given),
            given,
        }
    }
}

fn source(key: &DigestKey, given: &SecretString) -> String {
    key.digest([(SOURCE, given.expose_secret().as_bytes())])
}

impl Session {
    /// The token that was stored for the token that a person gave. The digest beside it shows that this installation
    /// wrote it.
    async fn live(&self) -> Result<Option<SecretString>, KubeError> {
        let stored = self.secrets.texts(&self.envelope.name).await?;
        let live = stored.filter(|texts| texts.plain(SOURCE).as_ref() == Some(&self.source));
        Ok(live.and_then(|texts| texts.get(TOKEN)))
    }

    /// Whether a Secret of the session's name is the session. One of an earlier release that lost its ownerReference in a
    /// restore is known by its content.
    async fn is_own(&self, secret: &ObjectMeta) -> Result<bool, KubeError> {
        if marks::is_session_of(secret, &self.portal) {
            return Ok(true);
        }
        Ok(marks::bears_former_mark(secret, &self.portal) && self.live().await?.is_some())
    }
}

#[async_trait]
impl TokenStore for Session {
    async fn load(&self) -> Result<SecretString, String> {
        let live = self.live().await.map_err(|error| error.to_string())?;
        Ok(live.unwrap_or_else(|| self.given.clone()))
    }

    async fn store(&self, new: &SecretString) -> Result<(), String> {
        let content = Content::from([
            (TOKEN.to_owned(), new.clone()),
            (SOURCE.to_owned(), SecretString::from(self.source.clone())),
        ]);
        let name = &self.envelope.name;
        let written = match self.secrets.metadata(name).await {
            Ok(None) => self.secrets.create(&self.envelope, &content, false).await,
            Ok(Some(metadata)) => match self.is_own(&metadata).await {
                Ok(true) => {
                    let version = Version::of(&metadata);
                    self.secrets.overwrite(&self.envelope, &content, &version, &[], false).await
                }
                Ok(false) => {
                    let owner = marks::words(&metadata);
                    return Err(format!(
                        "Secret \"{name}\" belongs to {owner}; delete it, or give the Portal another name"
                    ));
                }
                Err(error) => Err(error),
            },
            Err(error) => Err(error),
        };
        written.map(drop).map_err(|error| match error {
            // The apiserver's words about a real write may quote it.
            KubeError::Denied { code, .. } => format!("Secret \"{name}\" was refused with status {code}"),
            other => format!("Secret \"{name}\": {other}"),
        })
    }
}
