//! The logins that are tried.

use std::sync::Arc;

use super::print::Printer;
use super::report::Step;
use super::site::CheckedSite;
use super::token_file::TokenFile;
use crate::config::{self, CheckArgs};
use crate::portal::observe::NoObserver;
use crate::portal::{Clients, Connector as _, Credentials, Network, PORTAL_CLIENT, Portal};
use crate::process::Process;
use crate::site::Logins;

/// Clients of the portal that were not used yet.
pub(super) struct TriedLogins {
    /// As the operator uses it: with the deletion login if there is one.
    pub(super) portal: Arc<dyn Portal>,
    /// The deletion login alone, to report what is wrong with it.
    pub(super) deletion: Option<Arc<dyn Portal>>,
    /// A person's login: it is tried once more after its first failure.
    pub(super) is_person: bool,
}

/// Reads the secrets and creates the clients; `None` if a refresh token must not be used. The error is in words.
pub(super) fn open(
    args: &CheckArgs,
    checked: &CheckedSite,
    printer: &mut Printer<'_>,
) -> Result<Option<TriedLogins>, String> {
    let login = match args.refresh_token_file() {
        Some(path) => match TokenFile::open(path) {
            Ok(file) => Credentials::RefreshToken {
                client_id: args.client_id.clone().unwrap_or_else(|| PORTAL_CLIENT.to_owned()),
                store: Arc::new(file),
            },
            Err(words) => {
                let words = format!(
                    "{words}; each use of the token replaces it, so nothing was sent and the token is still valid"
                );
                printer.step(Step::failed("token", words.clone()));
                printer.missing(words);
                return Ok(None);
            }
        },
        None => client(args.client_id.as_deref(), args.client_secret())?,
    };
    let delete_login = match &args.delete_client_id {
        Some(id) => Some(client(Some(id), args.delete_client_secret())?),
        None => None,
    };
    let network = Network { plain_http: args.plain_http.setting(), proxies: config::proxies()? };
    let clients = Clients::new(Arc::new(network), Arc::new(NoObserver), Process::system());
    let connect = |main: Credentials, deletion: Option<Credentials>| {
        let config = checked.site.client(Logins { main, deletion }, checked.ca_bundle.clone());
        clients.connect(config).map_err(|error| error.to_string())
    };
    let is_person = matches!(login, Credentials::RefreshToken { .. });
    let deletion = delete_login.clone().map(|login| connect(login, None)).transpose()?;
    Ok(Some(TriedLogins { portal: connect(login, delete_login)?, deletion, is_person }))
}

fn client(
    id: Option<&str>,
    secret: Result<Option<secrecy::SecretString>, crate::config::SecretError>,
) -> Result<Credentials, String> {
    let secret = secret.map_err(|error| error.to_string())?;
    match (id, secret) {
        (Some(id), Some(client_secret)) => {
            Ok(Credentials::ClientCredentials { client_id: id.to_owned(), client_secret })
        }
        _ => Err("the login's client ID or secret is missing".to_owned()),
    }
}
