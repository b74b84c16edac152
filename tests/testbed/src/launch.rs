//! Starting servers on ports that another process may take first.

use std::time::Duration;

use kube::Client;

use crate::{
    Binaries, Error, access,
    components::{self, Site},
    eventually,
    pki::Pki,
    supervisor::{Server, Supervisor},
};

/// How often a server is started with other ports when another process took the first ones.
const ATTEMPTS: usize = 5;

/// How long one question whether the apiserver is ready may take before it is asked again.
const ANSWER_LIMIT: Duration = Duration::from_secs(5);

/// Starts etcd; returns it with its client port. `free_port` proposes ports.
pub(crate) async fn etcd(
    supervisor: &Supervisor,
    binaries: &Binaries,
    site: Site<'_>,
    mut free_port: impl FnMut() -> Result<u16, Error>,
) -> Result<(Server, u16), Error> {
    for attempt in 0..ATTEMPTS {
        let (port, peer_port) = (free_port()?, free_port()?);
        // An own data directory each time: the first one may already name the port that was taken.
        let data = supervisor.dir().join(format!("etcd-{attempt}"));
        let args = components::etcd(&data, site, port, peer_port);
        let server = supervisor.run(&format!("etcd-{attempt}"), &binaries.etcd, &args)?;
        let ready = || async { server.log().contains(components::ETCD_READY) };
        if became_ready(&server, ready).await? {
            return Ok((server, port));
        }
    }
    Err(Error::Argument(format!("no free ports for etcd in {ATTEMPTS} attempts")))
}

/// Starts the apiserver; returns it with its port and leaves an admin kubeconfig in the directory.
pub(crate) async fn apiserver(
    supervisor: &Supervisor,
    binaries: &Binaries,
    pki: &Pki,
    etcd_port: u16,
    site: Site<'_>,
    mut free_port: impl FnMut() -> Result<u16, Error>,
) -> Result<(Server, u16), Error> {
    let dir = supervisor.dir();
    for attempt in 0..ATTEMPTS {
        let port = free_port()?;
        let kubeconfig = dir.join(admin_kubeconfig_name(port));
        components::certificate_kubeconfig(&site.server(port), &pki.ca, &pki.admin).write(&kubeconfig)?;
        let args = components::apiserver(pki, dir, etcd_port, site, port);
        let server = supervisor.run(&format!("kube-apiserver-{attempt}"), &binaries.kube_apiserver, &args)?;
        // The client trusts this control plane's own authority only, so no other server on that port is mistaken.
        let client = access::client(&kubeconfig).await?;
        if became_ready(&server, || is_ready(&client)).await? {
            return Ok((server, port));
        }
        supervisor.stop(&server)?;
    }
    Err(Error::Argument(format!("no free port for kube-apiserver in {ATTEMPTS} attempts")))
}

/// The name of the admin kubeconfig for an apiserver on this port.
pub(crate) fn admin_kubeconfig_name(port: u16) -> String {
    format!("admin-{port}.kubeconfig")
}

async fn is_ready(client: &Client) -> bool {
    let Ok(request) = http::Request::get("/readyz").body(Vec::new()) else { return false };
    // Another program that listens on that port need not answer; then the server's end is to be noticed soon.
    tokio::time::timeout(ANSWER_LIMIT, client.request_text(request)).await.is_ok_and(|answer| answer.is_ok())
}

/// Waits for a server: `true` when it is ready, `false` when it ended because its port was taken.
async fn became_ready<F>(server: &Server, ready: impl Fn() -> F) -> Result<bool, Error>
where
    F: Future<Output = bool>,
{
    let outcome = eventually("ready", || async {
        if ready().await {
            Some(Ok(true))
        } else if server.is_running() {
            None
        } else if server.log().contains("address already in use") {
            Some(Ok(false))
        } else {
            Some(Err(server.error("ended before it was ready")))
        }
    });
    match outcome.await {
        Ok(outcome) => outcome,
        Err(error) => Err(server.error(format!("did not become ready ({error})"))),
    }
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;

    use super::*;
    use crate::{binaries, free_port};

    #[tokio::test]
    async fn a_port_that_is_taken_is_replaced_by_another() {
        let binaries = tokio::task::spawn_blocking(binaries).await.unwrap().unwrap();
        let supervisor = Supervisor::start("testbed").unwrap();
        let pki = Pki::create(supervisor.dir(), Site::ALONE).unwrap();
        let taken = TcpListener::bind("127.0.0.1:0").unwrap();
        let taken_port = taken.local_addr().unwrap().port();
        let proposals = || {
            let mut first = Some(taken_port);
            move || first.take().map_or_else(free_port, Ok)
        };

        let (etcd, etcd_port) = etcd(&supervisor, &binaries, Site::ALONE, proposals()).await.unwrap();
        assert!(etcd.is_running());
        assert_ne!(etcd_port, taken_port);
        let (apiserver, port) =
            apiserver(&supervisor, &binaries, &pki, etcd_port, Site::ALONE, proposals()).await.unwrap();
        assert!(apiserver.is_running());
        assert_ne!(port, taken_port);
        let dir = supervisor.dir().to_owned();
        supervisor.finish().unwrap();
        assert!(!dir.exists() && !etcd.is_running() && !apiserver.is_running());
    }
}
