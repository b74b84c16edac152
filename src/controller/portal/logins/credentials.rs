//! The credentials of a login, read from its Secret.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::session::Session;
use crate::controller::context::Context;
use crate::controller::objects::Key;
use crate::controller::portal::memory::SeenLogin;
use crate::controller::secrets::{Secrets, Texts, written_at};
use crate::domain::blocker::Blocker;
use crate::domain::reason::Reason;
use crate::k8s::stored::StoredObject;
use crate::portal::Credentials;
use crate::site::{LoginForm, LoginSecret, NamedLogin};

/// Whose login is read, and from where.
pub struct LoginOf<'a> {
    pub ctx: &'a Arc<Context>,
    pub key: &'a Key,
    pub object: &'a StoredObject,
    pub secrets: &'a Secrets,
}

/// What the login Secrets of a Portal hold.
#[derive(Default)]
pub struct Seen {
    /// For the fingerprint.
    pub parts: Vec<(String, Vec<u8>)>,
    /// What each of them holds, by the session of its login.
    pub logins: BTreeMap<&'static str, SeenLogin>,
    /// The client IDs that they name.
    pub client_ids: BTreeSet<String>,
    /// One of them could not be read, or is not as it should be: it may name more, and what it named before may be in use.
    pub unread: bool,
}

impl Seen {
    /// What the Secret of a technical user's login names.
    fn names(&mut self, client_id: Option<String>) {
        self.unread |= client_id.is_none();
        self.client_ids.extend(client_id);
    }
}

/// One login, read from its Secret.
pub async fn credentials(
    of: &LoginOf<'_>,
    login: &NamedLogin,
    seen: &mut Seen,
) -> Result<Credentials, Blocker> {
    let LoginOf { ctx, key, object, secrets } = *of;
    let Some(LoginSecret { name, form }) = &login.secret else {
        return Err(Blocker::lasting(Reason::InvalidResource, "spec.auth names no login"));
    };
    let secret = match secrets.get(name).await {
        Ok(Some(secret)) => secret,
        Ok(None) => {
            seen.unread = true;
            return Err(Blocker::lasting(
                Reason::LoginSecretMissing,
                format!(
                    "The Secret \"{name}\" does not exist. Create it in namespace {} with the keys of the login.",
                    key.namespace
                ),
            ));
        }
        Err(error) => {
            seen.unread = true;
            return Err(error.blocker());
        }
    };
    let texts = Texts::of(&secret);
    // A digest, so that no copy of a secret is left in memory.
    let digest = ctx.installation.digest_key.digest(texts.exact());
    let content = SeenLogin { digest: digest.clone(), written: written_at(&secret.metadata) };
    seen.logins.insert(login.session, content);
    seen.parts.push((login.session.to_owned(), digest.into_bytes()));
    match *form {
        LoginForm::ClientCredentials { client_id, client_secret } => {
            let id = texts.plain(client_id);
            seen.names(id.clone());
            Ok(Credentials::ClientCredentials {
                client_id: id.ok_or_else(|| lacks(name, client_id))?,
                client_secret: required(&texts, name, client_secret)?,
            })
        }
        LoginForm::RefreshToken { token, client_id, default_client_id } => {
            let token = required(&texts, name, token)?;
            let client_id = texts.plain(client_id).unwrap_or_else(|| default_client_id.to_owned());
            let session = format!("{}-{}", key.name, login.session);
            let store = Session::new(ctx, secrets.clone(), object, &session, token);
            Ok(Credentials::RefreshToken { client_id, store: Arc::new(store) })
        }
    }
}

fn required(texts: &Texts, name: &str, key: &str) -> Result<secrecy::SecretString, Blocker> {
    texts.get(key).ok_or_else(|| lacks(name, key))
}

fn lacks(name: &str, key: &str) -> Blocker {
    Blocker::lasting(
        Reason::LoginSecretIncomplete,
        format!("Secret \"{name}\" has no key \"{key}\", or it is empty"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_login_secret_without_a_client_id_is_not_one_that_names_no_login() {
        let mut seen = Seen::default();
        seen.names(Some("sa1".to_owned()));
        assert!(!seen.unread && seen.client_ids.contains("sa1"));
        seen.names(None);
        assert!(seen.unread && seen.client_ids.contains("sa1"));
    }
}
