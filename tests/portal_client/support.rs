//! What the tests share.

use std::fmt::{Debug, Display};
use std::sync::Arc;

use technical_user_operator::config;
use technical_user_operator::portal::clients::catena_x::{CatenaXConfig, CatenaXPortal};
use technical_user_operator::portal::oauth::Credentials;
use technical_user_operator::portal::observe::NoObserver;
use technical_user_operator::portal::resilient::Limits;
use technical_user_operator::portal::{Network, PlainHttp};
use technical_user_operator::process::Process;

use crate::stub::{SECRET, Stub};

/// Limits that slow nothing down.
pub(crate) const FAST: Limits = Limits { requests_per_second: Some(10_000), burst: 10_000, concurrency: 16 };

/// The secret of the login `sa1`.
pub(crate) const LOGIN_SECRET: &str = "s3cret-of-the-login";

pub(crate) fn client_credentials(client_id: &str, secret: &str) -> Credentials {
    Credentials::ClientCredentials { client_id: client_id.to_owned(), client_secret: secret.into() }
}

pub(crate) fn connection(api_url: &str, token_url: &str, login: Credentials) -> CatenaXConfig {
    CatenaXConfig {
        api_url: api_url.to_owned(),
        token_url: token_url.to_owned(),
        external_token_url: None,
        login,
        delete_login: None,
        ca_bundle: None,
        insecure_http: true,
        limits: FAST,
    }
}

/// A client of the stub with the login `sa1`.
pub(crate) fn portal_of(stub: &Stub) -> CatenaXPortal {
    portal(connection(&stub.origin, &stub.token_url(), client_credentials("sa1", LOGIN_SECRET)))
}

/// A process that permits plain http, with the proxy of its environment.
pub(crate) fn network() -> Network {
    Network { plain_http: PlainHttp::PrivateAddresses, proxies: config::proxies().unwrap() }
}

pub(crate) fn portal(connection: CatenaXConfig) -> CatenaXPortal {
    CatenaXPortal::new(connection, &network(), Arc::new(NoObserver), Process::system()).unwrap()
}

/// The error, after a check that it has no secret.
pub(crate) fn error<T, E: Debug + Display>(result: Result<T, E>) -> E {
    let Err(error) = result else { panic!("it should have failed") };
    let shown = format!("{error} {error:?}");
    for secret in [SECRET, LOGIN_SECRET, "e30.", "eyJ", "Org.Eclipse", "clientId "] {
        assert!(!shown.contains(secret), "{shown}");
    }
    error
}
