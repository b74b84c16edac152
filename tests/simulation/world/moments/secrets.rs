//! Writes of Secrets: only those that the operator created, and only whole credentials that were accepted just before.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;
use tokio::time::Instant;

use super::{Moments, SHORTLY, State};
use crate::apiserver::{ADMIN, Change};

/// What a Secret held last.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Published {
    pub client_id: String,
    pub secret: String,
}

/// The values of a Secret with a credential in the default format; `None` for a Secret of another form.
fn credential(secret: &Value) -> Option<Published> {
    let value = |key: &str| {
        let bytes = STANDARD.decode(secret["data"][key].as_str().unwrap_or_default()).unwrap_or_default();
        String::from_utf8_lossy(&bytes).into_owned()
    };
    let is_one = secret["data"].get("client-id").is_some() || secret["data"].get("client-secret").is_some();
    is_one.then(|| Published { client_id: value("client-id"), secret: value("client-secret") })
}

/// The `TechnicalUser` that a Secret belongs to.
fn owner(secret: &Value) -> Option<&str> {
    let owner = &secret["metadata"]["ownerReferences"][0];
    (owner["kind"] == "TechnicalUser").then(|| owner["name"].as_str())?
}

impl Moments {
    pub(super) fn secret_changed(&self, state: &mut State, caller: &str, change: &Change) {
        let uid = change.after["metadata"]["uid"].as_str().unwrap_or_default().to_owned();
        if caller == ADMIN {
            return;
        }
        if change.before.is_none() {
            state.own_secrets.push(uid);
        } else {
            let foreign = (!state.own_secrets.contains(&uid))
                .then(|| format!("{caller} changes the Secret {} of another client", change.id.name));
            self.check(state, "no Secret of others is changed", foreign);
        }
        let (Some(owner), Some(written), false) =
            (owner(&change.after), credential(&change.after), change.deleted)
        else {
            return;
        };
        let half = written.client_id.is_empty() || written.secret.is_empty();
        let half = half.then(|| format!("the Secret {} holds half of a credential", change.id.name));
        self.check(state, "a credential is written whole", half);
        let wrong = not_accepted(state, &written, owner);
        self.check(state, "a credential that is written is that of the resource's active user", wrong);
        let key = (caller.to_owned(), written.client_id.clone(), written.secret.clone());
        let proved = state.tokens.get(&key).is_some_and(|at| Instant::now() - *at < SHORTLY);
        let unproved = (!proved)
            .then(|| format!("{caller} obtained no token with what it writes into {}", change.id.name));
        self.check(state, "a credential is verified before it is written", unproved);
        state.published.insert(owner.to_owned(), written);
    }
}

/// Why a credential is not one that the token endpoint accepted just before, for the user of this resource.
fn not_accepted(state: &State, written: &Published, owner: &str) -> Option<String> {
    let now = Instant::now();
    let fits = state.users.values().any(|user| {
        user.owner.as_deref().is_none_or(|of| of == owner)
            && user.credentials.iter().any(|credential| {
                credential.client_id == written.client_id
                    && credential.secret == written.secret
                    && now - credential.until < SHORTLY
            })
    });
    (!fits).then(|| {
        format!("the credential of client {} in the Secret of {owner} was not accepted", written.client_id)
    })
}
