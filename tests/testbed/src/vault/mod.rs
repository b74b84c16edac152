//! A Vault server.

use std::{
    fmt,
    io::{BufRead, BufReader},
    net::{IpAddr, SocketAddr},
    os::unix::process::CommandExt,
    process::{Child, ChildStdout, Command, Stdio},
    sync::Arc,
};

use secrecy::{ExposeSecret as _, SecretString};
use serde_json::Value;

use self::api::Api;
use crate::{Error, LIMIT, binaries::built, process::output::Output};

mod api;
mod simulated;

pub use api::VaultAnswer;
pub use simulated::{
    EntryChange, EntryView, Role as VaultRole, SimulatedVault, VaultBackup, service_account_token,
};

/// A Vault server on a free port of 127.0.0.1, unsealed, with everything in memory.
///
/// KV version 2 is mounted at `secret/`; the authentication methods `approle` and `kubernetes` can be enabled. The
/// server is built from source on first use. It ends when this value is dropped, and also when the process that owns it
/// ends in any other way.
pub struct Vault {
    address: String,
    root_token: SecretString,
    unseal_key: SecretString,
    ca: Option<String>,
    api: Api,
    log: Arc<Output>,
    server: Server,
}

/// The running program, with its standard input: the program ends when that closes, so it never outlives this process.
struct Server(Child);

impl Vault {
    /// Starts a server that speaks HTTP.
    pub async fn start() -> Result<Self, Error> {
        Self::launch(&[]).await
    }

    /// Starts a server that speaks HTTPS. [`Vault::ca`] is the certificate to trust.
    pub async fn start_with_tls() -> Result<Self, Error> {
        Self::launch(&["-tls"]).await
    }

    /// Starts a server that speaks HTTPS on an address of this machine that others reach, such as that of a node's host.
    /// [`Vault::ca`] is the certificate to trust.
    pub async fn start_on(address: IpAddr) -> Result<Self, Error> {
        Self::launch(&["-tls", "-listen", &SocketAddr::new(address, 0).to_string()]).await
    }

    async fn launch(args: &[&str]) -> Result<Self, Error> {
        let mut child = Command::new(built("vault").await?)
            .args(args)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            // Signals from a terminal are for the test process.
            .process_group(0)
            .spawn()
            .map_err(Error::io("starting Vault"))?;
        let (Some(stdout), Some(stderr)) = (child.stdout.take(), child.stderr.take()) else {
            return Err(Error::Argument("Vault was started without pipes".to_owned()));
        };
        let server = Server(child);
        let log = Output::new(None)?;
        log.read(stderr);
        let line = first_line(stdout).await.map_err(|why| Error::Process {
            program: "vault".to_owned(),
            why,
            output: log.tail(),
        })?;
        let text = |key| line.get(key).and_then(Value::as_str).map(str::to_owned);
        let (Some(address), Some(root_token), Some(unseal_key)) =
            (text("address"), text("root_token"), text("unseal_key"))
        else {
            return Err(Error::Argument("Vault did not print its address, its token and its key".to_owned()));
        };
        let ca = text("ca");
        let api = Api::new(&address, ca.as_deref())?;
        Ok(Self {
            address,
            root_token: root_token.into(),
            unseal_key: unseal_key.into(),
            ca,
            api,
            log,
            server,
        })
    }

    /// Its address, such as `http://127.0.0.1:8200`.
    #[must_use]
    pub fn address(&self) -> &str {
        &self.address
    }

    /// A token that may do everything.
    #[must_use]
    pub fn root_token(&self) -> &SecretString {
        &self.root_token
    }

    /// The certificate to trust, PEM, if it speaks HTTPS.
    #[must_use]
    pub fn ca(&self) -> Option<&str> {
        self.ca.as_deref()
    }

    /// Its process id.
    #[must_use]
    pub fn id(&self) -> u32 {
        self.server.0.id()
    }

    /// Calls its API with a token; `path` is what follows `/v1/`, and the body is JSON.
    pub async fn call(
        &self,
        token: &SecretString,
        method: &str,
        path: &str,
        body: Option<&Value>,
    ) -> Result<VaultAnswer, Error> {
        self.api.call(token, method, path, body).await
    }

    /// [`Vault::call`] with the root token.
    pub async fn as_root(
        &self,
        method: &str,
        path: &str,
        body: Option<&Value>,
    ) -> Result<VaultAnswer, Error> {
        self.call(&self.root_token, method, path, body).await
    }

    /// Unseals it, after a call of `sys/seal`.
    pub async fn unseal(&self) -> Result<(), Error> {
        let key = serde_json::json!({ "key": self.unseal_key.expose_secret() });
        self.as_root("PUT", "sys/unseal", Some(&key)).await?.success().map(drop)
    }

    /// The warnings and errors that it has logged so far.
    #[must_use]
    pub fn log(&self) -> String {
        self.log.lines().join("\n")
    }
}

/// The line of JSON that the server prints once it answers. Errors do not show it, because a token is in it.
async fn first_line(stdout: ChildStdout) -> Result<Value, String> {
    let read = tokio::task::spawn_blocking(move || {
        let mut line = String::new();
        BufReader::new(stdout).read_line(&mut line).map(|_| line)
    });
    match tokio::time::timeout(LIMIT, read).await {
        Ok(Ok(Ok(line))) if !line.is_empty() => {
            serde_json::from_str(&line).map_err(|_| "printed something else than JSON".to_owned())
        }
        Ok(_) => Err("ended before it answered".to_owned()),
        Err(_) => Err(format!("did not answer within {LIMIT:?}")),
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // If this fails, the end of its standard input ends it a moment later.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl fmt::Debug for Vault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Vault").field("address", &self.address).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_end_of_standard_input_ends_it() {
        let mut server = Vault::start().await.unwrap().server;
        assert!(server.0.try_wait().unwrap().is_none());
        drop(server.0.stdin.take());
        let server = parking_lot::Mutex::new(server);
        let ended = || async { server.lock().0.try_wait().unwrap() };
        let ended = crate::eventually("Vault has ended", ended).await;
        assert!(ended.unwrap().success());
    }
}
