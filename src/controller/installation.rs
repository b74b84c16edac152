//! Which copy of the installation this is: a Secret of its own, created at the first start and kept.

use std::collections::BTreeMap;

use k8s_openapi::ByteString;
use k8s_openapi::api::core::v1::Secret;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use kube::api::Api;
use kube::{Client, ResourceExt as _};
use thiserror::Error;

use crate::api::FIELD_MANAGER;
use crate::controller::context::Installation;
use crate::controller::kube_error::KubeError;
use crate::controller::writes;
use crate::domain::digest::DigestKey;
use crate::domain::identity::Hint;
use crate::process::{NoRandomness, Random};

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
    /// It exists, but not as it was created.
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
    #[error(transparent)]
    Random(#[from] NoRandomness),
}

/// Loads the installation's Secret, or creates it with these labels. The chart never creates it: a `helm upgrade` would
/// change it.
pub async fn load_or_create(
    client: &Client,
    namespace: &str,
    instance: &str,
    labels: &BTreeMap<String, String>,
    random: &Random,
) -> Result<Installation, InstallationError> {
    let name = format!("technical-user-operator-{instance}");
    let api: Api<Secret> = Api::namespaced(client.clone(), namespace);
    let failed = |error: kube::Error| InstallationError::Kubernetes {
        name: name.clone(),
        reason: KubeError::from(error).to_string(),
    };
    let secret = match api.get_opt(&name).await.map_err(failed)? {
        Some(secret) => secret,
        None => create(&api, &name, labels, random).await?,
    };
    of_secret(instance, labels, &secret)
}

/// The installation as its Secret says; `None` where there is no Secret.
pub async fn read(
    client: &Client,
    namespace: Option<&str>,
    instance: &str,
) -> Result<Option<Installation>, InstallationError> {
    let name = format!("technical-user-operator-{instance}");
    let stored = match namespace {
        Some(namespace) => Api::<Secret>::namespaced(client.clone(), namespace).get_opt(&name).await,
        None => Ok(None),
    };
    let failed = |error: kube::Error| InstallationError::Kubernetes {
        name: name.clone(),
        reason: KubeError::from(error).to_string(),
    };
    stored.map_err(failed)?.map(|secret| of_secret(instance, &BTreeMap::new(), &secret)).transpose()
}

/// A new installation, which is written nowhere.
pub fn invented(instance: &str, random: &Random) -> Result<Installation, InstallationError> {
    let name = format!("technical-user-operator-{instance}");
    let mut key = [0_u8; 32];
    random.fill_key(&mut key)?;
    let id = random.uuid().to_string();
    of_secret(instance, &BTreeMap::new(), &document(&name, &BTreeMap::new(), id.as_bytes(), &key))
}

fn of_secret(
    instance: &str,
    labels: &BTreeMap<String, String>,
    secret: &Secret,
) -> Result<Installation, InstallationError> {
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
        labels: labels.clone(),
    })
}

async fn create(
    api: &Api<Secret>,
    name: &str,
    labels: &BTreeMap<String, String>,
    random: &Random,
) -> Result<Secret, InstallationError> {
    let mut key = [0_u8; 32];
    random.fill_key(&mut key)?;
    let id = random.uuid().to_string();
    let failed = |reason: String| InstallationError::Kubernetes { name: name.to_owned(), reason };
    match api.create(&writes::create(false), &document(name, labels, id.as_bytes(), &key)).await {
        Ok(secret) => Ok(secret),
        // Another replica was first.
        Err(kube::Error::Api(status)) if status.is_already_exists() => {
            api.get(name).await.map_err(|error| failed(KubeError::from(error).to_string()))
        }
        Err(kube::Error::Api(status)) => Err(failed(refusal(api, name, labels, status.code).await)),
        Err(other) => Err(failed(KubeError::from(other).to_string())),
    }
}

/// Why the apiserver refuses. Its words about the real write may quote the Secret, so it is asked again, by a dry run with
/// placeholders.
async fn refusal(api: &Api<Secret>, name: &str, labels: &BTreeMap<String, String>, code: u16) -> String {
    let placeholders = document(name, labels, b"placeholder", b"placeholder");
    match api.create(&writes::create(true), &placeholders).await {
        Err(error @ kube::Error::Api(_)) => {
            format!("the apiserver refuses to create it: {}", KubeError::from(error))
        }
        _ => format!("the apiserver refuses to create it, with status {code}; its audit log has the reason"),
    }
}

fn document(name: &str, labels: &BTreeMap<String, String>, id: &[u8], digest_key: &[u8]) -> Secret {
    let mut labels = labels.clone();
    labels.insert("app.kubernetes.io/managed-by".to_owned(), FIELD_MANAGER.to_owned());
    let data = [(ID, id), (DIGEST_KEY, digest_key)];
    Secret {
        type_: Some("Opaque".to_owned()),
        metadata: ObjectMeta { name: Some(name.to_owned()), labels: Some(labels), ..ObjectMeta::default() },
        data: Some(data.map(|(key, value)| (key.to_owned(), ByteString(value.to_vec()))).into()),
        ..Secret::default()
    }
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use http::{Request, Response};
    use kube::client::Body;
    use serde_json::{Value, json};

    use super::*;

    /// An apiserver that refuses each create in words that quote what was sent; of a dry run also why.
    fn refusing() -> Client {
        let service = tower::service_fn(|request: Request<Body>| async move {
            let (method, query) =
                (request.method().clone(), request.uri().query().unwrap_or_default().to_owned());
            let sent = request.into_body().collect_bytes().await.unwrap();
            let (code, words) = if method == http::Method::GET {
                (404, String::new())
            } else {
                let sent: Value = serde_json::from_slice(&sent).unwrap();
                let policy = if query.contains("dryRun=All") { "the policy wants a team" } else { "" };
                (422, format!("{policy} Invalid value: {} {}", sent["data"], sent["metadata"]["labels"]))
            };
            let status = json!({"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure",
                "code": code, "message": words, "reason": if code == 404 { "NotFound" } else { "Invalid" }});
            let body = Body::from(status.to_string().into_bytes());
            Ok::<_, Infallible>(Response::builder().status(code).body(body).unwrap())
        });
        Client::new(service, "default")
    }

    #[test]
    fn a_secret_that_lacks_a_value_is_not_used() {
        let labels = BTreeMap::new();
        let secret = document("own", &labels, b"id", &[7; 32]);
        let whole = of_secret("prod", &labels, &secret).unwrap();
        assert_eq!((whole.instance.as_str(), whole.hint), ("prod", Hint::of_installation("id")));
        for key in [ID, DIGEST_KEY] {
            let mut absent = secret.clone();
            absent.data.as_mut().unwrap().remove(key);
            let mut empty = secret.clone();
            empty.data.as_mut().unwrap().insert(key.to_owned(), ByteString(Vec::new()));
            for lacking in [absent, empty] {
                let error = of_secret("prod", &labels, &lacking).err().map(|error| error.to_string());
                assert!(error.as_ref().is_some_and(|error| error.contains(key)), "{key}: {error:?}");
            }
        }
    }

    #[tokio::test]
    async fn the_apiservers_words_about_the_secret_are_left_out() {
        let labels = BTreeMap::from([("team".to_owned(), "connector".to_owned())]);
        let error =
            load_or_create(&refusing(), "own", "prod", &labels, &Random::seeded(1)).await.unwrap_err();
        let shown = format!("{error} {error:?}");
        assert!(shown.contains("technical-user-operator-prod") && shown.contains("the policy wants a team"));
        assert!(shown.contains("connector"), "the labels are sent: {shown}");
        // "placeholder" in base64, for both keys: nothing of what was really sent.
        assert_eq!(error.to_string().matches("cGxhY2Vob2xkZXI=").count(), 2, "{error}");
        let data = error.to_string();
        let data = data.split_once('{').unwrap().1.split_once('}').unwrap().0;
        assert_eq!(data.matches(':').count(), 2, "{data}");
    }
}
