//! Whom the facts are asked of: a real Vault, or the simulated one.

use std::sync::Arc;

use async_trait::async_trait;
use http::HeaderMap;
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::Value;
use technical_user_operator::portal::{
    Bounded, Fault, HttpRequest, HttpResponse, Payload, PlainHttp, Transport, Transports,
};
use testbed::{Error, SimulatedVault, Vault, VaultAnswer};

/// Tests of these facts against both servers.
macro_rules! facts {
    ($($name:ident),* $(,)?) => {
        mod real {
            $(
                #[tokio::test]
                async fn $name() {
                    super::$name(&crate::server::Server::real().await).await;
                }
            )*
        }

        mod simulated {
            $(
                #[tokio::test(start_paused = true)]
                async fn $name() {
                    super::$name(&crate::server::Server::simulated()).await;
                }
            )*
        }
    };
}
pub(crate) use facts;

/// A server.
pub enum Server {
    /// A process.
    Real(Box<Vault>),
    /// The one in memory, behind a transport without a network.
    Simulated(Wire),
}

impl Server {
    /// A server of its own.
    pub async fn real() -> Self {
        Self::Real(Box::new(Vault::start().await.unwrap()))
    }

    /// A server of its own.
    pub fn simulated() -> Self {
        Self::Simulated(Wire(SimulatedVault::default()))
    }

    /// A token that may do everything.
    pub fn root_token(&self) -> SecretString {
        match self {
            Self::Real(vault) => vault.root_token().clone(),
            Self::Simulated(Wire(vault)) => vault.root_token(),
        }
    }

    /// A call with a token.
    pub async fn call(
        &self,
        token: &SecretString,
        method: &str,
        path: &str,
        body: Option<&Value>,
    ) -> Result<VaultAnswer, Error> {
        match self {
            Self::Real(vault) => vault.call(token, method, path, body).await,
            Self::Simulated(Wire(vault)) => {
                Ok(vault.answer(token.expose_secret(), method, path, body.unwrap_or(&Value::Null)))
            }
        }
    }

    /// A call with the root token.
    pub async fn as_root(
        &self,
        method: &str,
        path: &str,
        body: Option<&Value>,
    ) -> Result<VaultAnswer, Error> {
        self.call(&self.root_token(), method, path, body).await
    }
}

/// The way to a simulated server.
#[derive(Clone)]
pub struct Wire(SimulatedVault);

#[async_trait]
impl Transport for Wire {
    async fn send(&self, request: HttpRequest) -> Result<HttpResponse, Fault> {
        let body = match &request.payload {
            Payload::None => Value::Null,
            Payload::Json(json) | Payload::MergePatch(json) => serde_json::from_slice(json).unwrap(),
            Payload::SecretJson(text) | Payload::Form(text) => {
                serde_json::from_str(text.expose_secret()).unwrap()
            }
        };
        let token = request.bearer.as_ref().map_or("", |token| token.expose_secret());
        let path = request.url.path().trim_start_matches("/v1/");
        let answer = self.0.answer(token, request.method.as_str(), path, &body);
        let status = answer.status.as_u16();
        let text = if answer.body.is_null() { String::new() } else { answer.body.to_string() };
        let mut body = Bounded::new(request.limit, status);
        body.take(text.as_bytes())?;
        Ok(HttpResponse { status, headers: HeaderMap::new(), body: body.into_body() })
    }
}

impl Transports for Wire {
    fn plain_http(&self) -> PlainHttp {
        PlainHttp::Refused
    }

    fn open(&self, _: Option<&str>, _: PlainHttp) -> Result<Arc<dyn Transport>, String> {
        Ok(Arc::new(self.clone()))
    }
}
