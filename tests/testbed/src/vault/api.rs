//! Calls of a Vault server.

use http::{Method, Request, StatusCode, header::CONTENT_TYPE};
use http_body_util::{BodyExt, Full};
use hyper::body::Bytes;
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::TokioExecutor,
};
use rustls::{
    ClientConfig, RootCertStore,
    pki_types::{CertificateDer, pem::PemObject},
};
use secrecy::{ExposeSecret, SecretString};
use serde_json::Value;

use crate::{Error, install_crypto_provider};

/// What Vault answered.
#[derive(Clone)]
pub struct VaultAnswer {
    /// The method and path that it answers.
    pub call: String,
    /// The status.
    pub status: StatusCode,
    /// The body; null if there is none.
    pub body: Value,
}

impl VaultAnswer {
    /// The body if the status is one of success; otherwise an error with Vault's own `errors`.
    pub fn success(self) -> Result<Value, Error> {
        if self.status.is_success() {
            return Ok(self.body);
        }
        let errors = self.body.get("errors").cloned().unwrap_or_default();
        Err(Error::Command {
            command: self.call,
            status: self.status.to_string(),
            output: errors.to_string(),
        })
    }
}

/// The way to one server.
pub(super) struct Api {
    address: String,
    client: Client<HttpsConnector<HttpConnector>, Full<Bytes>>,
}

impl Api {
    pub(super) fn new(address: &str, ca: Option<&str>) -> Result<Self, Error> {
        install_crypto_provider();
        let mut roots = RootCertStore::empty();
        if let Some(ca) = ca {
            let what = "reading Vault's certificate";
            let certificate =
                CertificateDer::from_pem_slice(ca.as_bytes()).map_err(Error::credentials(what))?;
            roots.add(certificate).map_err(Error::credentials(what))?;
        }
        let tls = ClientConfig::builder().with_root_certificates(roots).with_no_client_auth();
        let connector =
            HttpsConnectorBuilder::new().with_tls_config(tls).https_or_http().enable_http1().build();
        // No connection is kept: it would belong to the Tokio runtime of the first test that called.
        let client = Client::builder(TokioExecutor::new()).pool_max_idle_per_host(0).build(connector);
        Ok(Self { address: address.to_owned(), client })
    }

    pub(super) async fn call(
        &self,
        token: &SecretString,
        method: &str,
        path: &str,
        body: Option<&Value>,
    ) -> Result<VaultAnswer, Error> {
        let call = format!("{method} /v1/{path}");
        let what = || format!("calling Vault: {call}");
        let method = Method::from_bytes(method.as_bytes()).map_err(Error::credentials(what()))?;
        let body = body.map(Value::to_string).unwrap_or_default();
        let media = if method == Method::PATCH { "application/merge-patch+json" } else { "application/json" };
        let request = Request::builder()
            .method(method)
            .uri(format!("{}/v1/{path}", self.address))
            .header("X-Vault-Token", token.expose_secret())
            .header(CONTENT_TYPE, media)
            .body(Full::new(Bytes::from(body)))
            .map_err(Error::credentials(what()))?;
        let sent = self.client.request(request).await;
        let answer = sent.map_err(|error| Error::Argument(format!("{}: {}", what(), with_causes(&error))))?;
        let status = answer.status();
        let body = answer.into_body().collect().await.map_err(Error::credentials(what()))?.to_bytes();
        let body = match body.as_ref() {
            [] => Value::Null,
            text => serde_json::from_slice(text).map_err(Error::credentials(what()))?,
        };
        Ok(VaultAnswer { call, status, body })
    }
}

/// The text of an error with those of its causes; that of a failed connection alone says nothing.
fn with_causes(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(Some(error), |error| error.source());
    causes.map(ToString::to_string).collect::<Vec<_>>().join(": ")
}
