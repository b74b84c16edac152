//! Ways into a control plane: kubeconfigs, clients and service account tokens.

use std::{
    path::{Path, PathBuf},
    sync::atomic::{AtomicU64, Ordering},
};

use k8s_openapi::api::{
    authentication::v1::{TokenRequest, TokenRequestSpec},
    core::v1::ServiceAccount,
};
use kube::{
    Api, Client, Config,
    api::{ObjectMeta, PostParams},
    config::KubeConfigOptions,
};
use serde_json::{Value, json};

use crate::{ControlPlane, Error, install_crypto_provider, pki::write_private};

/// How long a service account's token is valid: longer than any test.
const TOKEN_SECONDS: i64 = 12 * 3600;

/// A kubeconfig with one cluster and one user.
pub(crate) struct Kubeconfig {
    server: String,
    ca: PathBuf,
    user: Value,
}

impl Kubeconfig {
    pub(crate) fn new(server: &str, ca: &Path) -> Self {
        Self { server: server.to_owned(), ca: ca.to_owned(), user: json!({}) }
    }

    pub(crate) fn with_certificate(mut self, certificate: &Path, key: &Path) -> Self {
        self.user = json!({ "client-certificate": certificate, "client-key": key });
        self
    }

    pub(crate) fn with_token(mut self, token: &str) -> Self {
        self.user = json!({ "token": token });
        self
    }

    /// Writes it as JSON, which is YAML too, readable by this user only.
    pub(crate) fn write(&self, path: &Path) -> Result<(), Error> {
        let content = json!({
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [{
                "name": "testbed",
                "cluster": { "server": self.server, "certificate-authority": self.ca },
            }],
            "users": [{ "name": "testbed", "user": self.user }],
            "contexts": [{ "name": "testbed", "context": { "cluster": "testbed", "user": "testbed" } }],
            "current-context": "testbed",
        });
        write_private(path, &content.to_string())
    }
}

/// A client for a kubeconfig file. It belongs to the Tokio runtime it is created in.
pub(crate) async fn client(kubeconfig: &Path) -> Result<Client, Error> {
    install_crypto_provider();
    let what = || format!("reading {}", kubeconfig.display());
    let read = kube::config::Kubeconfig::read_from(kubeconfig).map_err(Error::credentials(what()))?;
    let mut config = Config::from_custom_kubeconfig(read, &KubeConfigOptions::default())
        .await
        .map_err(Error::credentials(what()))?;
    // A test wants to see the refusals that a client would otherwise try to get over on its own.
    config.default_retry = false;
    Client::try_from(config).map_err(Error::kube("making a client"))
}

impl ControlPlane {
    /// A new client that may do everything. Each call makes one, because a client belongs to the Tokio runtime it was
    /// made in, and every `#[tokio::test]` has its own.
    pub async fn admin_client(&self) -> Result<Client, Error> {
        client(self.admin_kubeconfig()).await
    }

    /// Creates a service account without any rights.
    pub async fn create_service_account(&self, namespace: &str, name: &str) -> Result<(), Error> {
        let account = ServiceAccount {
            metadata: ObjectMeta { name: Some(name.to_owned()), ..ObjectMeta::default() },
            ..ServiceAccount::default()
        };
        Api::<ServiceAccount>::namespaced(self.admin_client().await?, namespace)
            .create(&PostParams::default(), &account)
            .await
            .map(drop)
            .map_err(Error::kube(format!("creating the service account {namespace}/{name}")))
    }

    /// A token of an existing service account, by the `TokenRequest` API.
    pub async fn service_account_token(&self, namespace: &str, name: &str) -> Result<String, Error> {
        let what = format!("requesting a token for the service account {namespace}/{name}");
        let request = TokenRequest {
            spec: Some(TokenRequestSpec {
                expiration_seconds: Some(TOKEN_SECONDS),
                ..TokenRequestSpec::default()
            }),
            ..TokenRequest::default()
        };
        Api::<ServiceAccount>::namespaced(self.admin_client().await?, namespace)
            .create_token_request(name, &PostParams::default(), &request)
            .await
            .map_err(Error::kube(&what))?
            .status
            .and_then(|status| status.token)
            .ok_or(Error::Credentials { what, why: "the answer has no token".to_owned() })
    }

    /// Writes a kubeconfig for a bearer token, readable by this user only. `server` replaces the apiserver's address,
    /// for example by that of an [`ApiProxy`](crate::ApiProxy). The file lives as long as the control plane.
    pub fn kubeconfig_for_token(&self, token: &str, server: Option<&str>) -> Result<PathBuf, Error> {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let path = self.dir().join(format!("token-{}.kubeconfig", NEXT.fetch_add(1, Ordering::Relaxed)));
        Kubeconfig::new(server.unwrap_or(self.server()), self.ca()).with_token(token).write(&path)?;
        Ok(path)
    }

    /// A new client with the rights of an existing service account.
    pub async fn client_for_service_account(&self, namespace: &str, name: &str) -> Result<Client, Error> {
        let token = self.service_account_token(namespace, name).await?;
        client(&self.kubeconfig_for_token(&token, None)?).await
    }

    /// A new client for a kubeconfig created by [`ControlPlane::kubeconfig_for_token`]. It never retries on its own.
    pub async fn client_for_kubeconfig(&self, kubeconfig: &Path) -> Result<Client, Error> {
        client(kubeconfig).await
    }
}
