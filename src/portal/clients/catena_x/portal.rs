//! The portal as the rest of the operator sees it.

use std::sync::Arc;

use async_trait::async_trait;
use http::Method;
use serde_json::json;
use tokio::sync::OnceCell;
use url::Url;

use super::address::Address;
use super::client::Client;
use super::codes::OTHER;
use super::config::CatenaXConfig;
use super::credential::TokenEndpoints;
use super::request::Call;
use super::version::{self, VersionRange};
use super::{absence, answer, create, dataspace, login, scan};
use crate::domain::user::{Credential, Role, UserDetails, UserId};
use crate::portal::bounds::is_id;
use crate::portal::caller::Caller;
use crate::portal::oauth::{self, TokenSource};
use crate::portal::observe::{CallObserver, Operation};
use crate::portal::{
    Absence, Capabilities, ConfigError, CreateSlot, Lane, Login, NotHttps, Portal, PortalError, Refusal,
    Scan, ScanProgress, ShownDataspace, Verification,
};
use crate::process::Process;
use crate::transport::{PlainHttp, Transports, endpoint};

/// A portal of Catena-X or Cofinity-X.
pub struct CatenaXPortal {
    client: Arc<Client>,
    version: Arc<OnceCell<VersionRange>>,
}

impl CatenaXPortal {
    /// Creates the client, without any call. Needs a Tokio runtime only for the calls.
    pub fn new(
        config: CatenaXConfig,
        transports: &dyn Transports,
        observer: Arc<dyn CallObserver>,
        process: Process,
    ) -> Result<Self, ConfigError> {
        let CatenaXConfig {
            api_url,
            token_url,
            login,
            delete_login,
            ca_bundle,
            insecure_http,
            limits,
            external_token_url,
        } = config;
        let permitted = transports.plain_http();
        let plain_http = if insecure_http { permitted } else { PlainHttp::Refused };
        let address = Address::parse(&api_url).map_err(|reason| ConfigError::ApiUrl { reason })?;
        let token_url = parse_token_url(&token_url)?;
        let transport = transports
            .open(ca_bundle.as_deref(), plain_http)
            .map_err(|reason| ConfigError::Client { reason })?;
        for url in [address.url(), &token_url] {
            if !plain_http.allows(url) {
                let why = NotHttps::of(permitted, insecure_http);
                return Err(ConfigError::NotHttps { endpoint: endpoint(url), why });
            }
        }
        let caller = Caller::new((transport, plain_http), &token_url, limits, observer, process);
        let source = |credentials| TokenSource::new(caller.clone(), token_url.clone(), credentials);
        let (login, delete_login) = (source(login), delete_login.map(source));
        let endpoints = TokenEndpoints::new(token_url.to_string(), external_token_url);
        Ok(Self {
            client: Arc::new(Client::new(caller, address, endpoints, login, delete_login)),
            version: Arc::default(),
        })
    }

    /// The portal's version; requested once, then remembered.
    async fn version(&self) -> Result<VersionRange, PortalError> {
        self.version.get_or_try_init(|| version::ask(&self.client)).await.copied()
    }
}

fn parse_token_url(text: &str) -> Result<Url, ConfigError> {
    let wrong = |reason| ConfigError::TokenUrl { reason };
    let url = Url::parse(text.trim()).map_err(|_| wrong("it is no URL"))?;
    if !matches!(url.scheme(), "http" | "https") || url.host_str().is_none_or(str::is_empty) {
        return Err(wrong("it is no web address"));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(wrong("it holds a user name or a password"));
    }
    Ok(url)
}

/// Refuses an id that is none, as the portal would: as a segment of a path it could name another resource.
fn check_id(id: &UserId) -> Result<(), PortalError> {
    if is_id(id.as_str()) {
        Ok(())
    } else {
        Err(PortalError::Refused { refusal: Refusal::Request, status: 400, code: OTHER })
    }
}

#[async_trait]
impl Portal for CatenaXPortal {
    async fn login(&self) -> Result<Login, PortalError> {
        login::login(&self.client).await
    }

    async fn forget_token(&self) {
        self.client.login.forget().await;
    }

    async fn confirm(&self, login: &Login) -> Result<(), PortalError> {
        login::confirm(&self.client, login).await
    }

    async fn confirm_deletion_login(&self, client_id: &str) -> Result<(), PortalError> {
        login::confirm_deletion_login(&self.client, client_id).await
    }

    fn bound_to(self: Arc<Self>, companies: &[String]) -> Arc<dyn Portal> {
        Arc::new(Self {
            client: Arc::new(self.client.bound_to(companies)),
            version: Arc::clone(&self.version),
        })
    }

    async fn capabilities(&self) -> Result<Capabilities, PortalError> {
        self.version().await.map(VersionRange::capabilities)
    }

    async fn roles(&self, lane: Lane) -> Result<Vec<Role>, PortalError> {
        let call = Call::get(Operation::Roles, self.client.address.roles());
        answer::roles(&self.client.read(&call, lane).await?)
    }

    async fn scan(&self, lane: Lane) -> Result<Scan, PortalError> {
        let version = self.version().await?;
        scan::scan(&self.client, version, lane).await
    }

    fn scan_progress(&self) -> Option<ScanProgress> {
        Some(self.client.progress.get())
    }

    async fn prove_absent(&self, beginning: &str, users: u64, lane: Lane) -> Result<Absence, PortalError> {
        let version = self.version().await?;
        absence::by_pages(&self.client, version, (beginning, users), lane).await
    }

    async fn narrow(&self, client_id: &str, lane: Lane) -> Result<Scan, PortalError> {
        let version = self.version().await?;
        scan::narrow(&self.client, version, client_id, lane).await
    }

    async fn pending(&self, lane: Lane) -> Result<Scan, PortalError> {
        let version = self.version().await?;
        scan::pending(&self.client, version, lane).await
    }

    async fn details(&self, id: &UserId, lane: Lane) -> Result<UserDetails, PortalError> {
        check_id(id)?;
        let call = Call::get(Operation::Details, self.client.address.user(id));
        answer::details(&self.client.read(&call, lane).await?, id, &self.client.endpoints)
    }

    fn named_token_url(&self) -> Option<String> {
        self.client.endpoints.named_for_internal_users()
    }

    async fn dataspace(&self, lane: Lane) -> Result<Option<ShownDataspace>, PortalError> {
        let call = Call::get(Operation::Dataspace, self.client.address.dataspace());
        match self.client.read(&call, lane).await {
            Ok(found) => dataspace::shown(&found).map(Some),
            // The login may not read it, or the portal does not have it.
            Err(
                PortalError::Forbidden { .. }
                | PortalError::NotFound
                | PortalError::Refused { status: 404, .. },
            ) => Ok(None),
            Err(error) => Err(error),
        }
    }

    async fn create_slot(&self) -> Result<Box<dyn CreateSlot>, PortalError> {
        Ok(Box::new(create::slot(&self.client).await?))
    }

    async fn update(&self, id: &UserId, name: &str, description: &str) -> Result<(), PortalError> {
        check_id(id)?;
        let body = json!({
            "serviceAccountId": id.as_str(),
            "name": name,
            "description": description,
            "authenticationType": "SECRET",
        });
        let call = Call::new(Operation::Update, Method::PUT, self.client.address.user(id)).with_body(body);
        self.client.write(&self.client.login, &call).await.map(drop)
    }

    async fn reset(&self, id: &UserId) -> Result<(), PortalError> {
        check_id(id)?;
        let call = Call::new(Operation::Reset, Method::POST, self.client.address.reset(id));
        self.client.write(&self.client.login, &call).await.map(drop)
    }

    async fn delete(&self, id: &UserId) -> Result<(), PortalError> {
        check_id(id)?;
        let call = Call::new(Operation::Delete, Method::DELETE, self.client.address.user(id));
        let Some(login) = &self.client.delete_login else {
            return self.client.write(&self.client.login, &call).await.map(drop);
        };
        login::deletion_login_works(login).await?;
        self.client.write(login, &call).await.map(drop).map_err(|error| match error {
            PortalError::Unauthorized => {
                PortalError::DeletionLogin { reason: "the portal does not accept its token".to_owned() }
            }
            PortalError::OtherCompany => {
                PortalError::DeletionLogin { reason: "its token names another company".to_owned() }
            }
            error => error,
        })
    }

    async fn verify(&self, credential: &Credential, lane: Lane) -> Verification {
        oauth::verify(&self.client.caller, credential, lane).await
    }
}
