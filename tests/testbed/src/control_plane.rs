//! Starting and stopping a control plane, and namespaces in it.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use k8s_openapi::api::core::v1::{ConfigMap, Namespace, ServiceAccount};
use kube::{
    Api, Client,
    api::{ObjectMeta, PostParams},
};
use tokio::sync::OnceCell;

use crate::{
    Binaries, Error, access, binaries, components, eventually, free_port,
    pki::Pki,
    supervisor::{Server, Supervisor},
};

/// How often a server is started with other ports when another process took the first ones.
const ATTEMPTS: usize = 5;

/// etcd, kube-apiserver and kube-controller-manager on 127.0.0.1, with RBAC.
///
/// They end when this value is dropped, and also when the process that owns it ends in any other way.
#[derive(Debug)]
pub struct ControlPlane {
    supervisor: Supervisor,
    binaries: Binaries,
    server: String,
    ca: PathBuf,
    admin_kubeconfig: PathBuf,
    servers: BTreeMap<&'static str, Server>,
}

/// The control plane that all tests of this process share. Each test takes its own [`ControlPlane::namespace`].
///
/// # Panics
///
/// If it cannot be started: no test can do anything without it.
#[allow(clippy::panic, reason = "a test that cannot have its control plane has failed, with this message")]
pub async fn shared() -> &'static ControlPlane {
    // The failure is kept too, or else each of many tests would wait for a start that fails again.
    static SHARED: OnceCell<Result<ControlPlane, Error>> = OnceCell::const_new();
    match SHARED.get_or_init(ControlPlane::start).await {
        Ok(control_plane) => control_plane,
        Err(error) => panic!("the shared control plane does not start: {error}"),
    }
}

impl ControlPlane {
    /// Starts a control plane of its own and waits until namespaces in it can be used.
    pub async fn start() -> Result<Self, Error> {
        // May build for minutes, which must not hold up the runtime's other tasks.
        let binaries = tokio::task::spawn_blocking(binaries)
            .await
            .map_err(|error| Error::Binaries(format!("looking for them ended early: {error}")))??;
        let supervisor = Supervisor::start()?;
        let dir = supervisor.dir().to_owned();
        let pki = Pki::create(&dir)?;

        let (etcd, etcd_port) = start_etcd(&supervisor, &binaries).await?;
        let (apiserver, port) = start_apiserver(&supervisor, &binaries, &pki, etcd_port).await?;
        let server = format!("https://127.0.0.1:{port}");
        let admin_kubeconfig = dir.join(admin_kubeconfig_name(port));

        let kubeconfig = dir.join("controller-manager.kubeconfig");
        components::certificate_kubeconfig(&server, &pki.ca, &pki.controller_manager).write(&kubeconfig)?;
        let controller_manager = supervisor.run(
            "kube-controller-manager",
            &binaries.kube_controller_manager,
            &components::controller_manager(&pki, &kubeconfig),
        )?;

        let servers = BTreeMap::from([
            ("etcd", etcd),
            ("kube-apiserver", apiserver),
            ("kube-controller-manager", controller_manager),
        ]);
        let control_plane = Self { supervisor, binaries, server, ca: pki.ca, admin_kubeconfig, servers };
        control_plane.wait_for_default_objects("default").await?;
        Ok(control_plane)
    }

    /// Ends all servers and removes their files, and waits for that.
    pub async fn stop(self) -> Result<(), Error> {
        tokio::task::spawn_blocking(|| self.supervisor.finish())
            .await
            .map_err(|error| Error::Argument(format!("stopping was ended early: {error}")))?
    }

    /// The apiserver's address.
    #[must_use]
    pub fn server(&self) -> &str {
        &self.server
    }

    /// The file of the certificate authority that signed the apiserver's certificate, PEM.
    #[must_use]
    pub fn ca(&self) -> &Path {
        &self.ca
    }

    /// The temporary directory of this control plane. Tests may put files there; it is removed at the end.
    #[must_use]
    pub fn dir(&self) -> &Path {
        self.supervisor.dir()
    }

    /// A kubeconfig that may do everything.
    #[must_use]
    pub fn admin_kubeconfig(&self) -> &Path {
        &self.admin_kubeconfig
    }

    /// The programs it runs.
    #[must_use]
    pub fn binaries(&self) -> &Binaries {
        &self.binaries
    }

    /// The servers' process ids by name.
    #[must_use]
    pub fn pids(&self) -> BTreeMap<&'static str, i32> {
        self.servers.iter().map(|(name, server)| (*name, server.pid())).collect()
    }

    /// What a server (`etcd`, `kube-apiserver` or `kube-controller-manager`) has logged so far.
    #[must_use]
    pub fn log(&self, server: &str) -> String {
        self.servers.get(server).map(Server::log).unwrap_or_default()
    }

    /// Makes a namespace whose name begins with `prefix` and is unique, and waits until a pod could be made in it.
    pub async fn namespace(&self, prefix: &str) -> Result<String, Error> {
        let namespace = Namespace {
            metadata: ObjectMeta { generate_name: Some(format!("{prefix}-")), ..ObjectMeta::default() },
            ..Namespace::default()
        };
        let name = Api::<Namespace>::all(self.admin_client().await?)
            .create(&PostParams::default(), &namespace)
            .await
            .map_err(Error::kube(format!("creating a namespace {prefix}-…")))?
            .metadata
            .name
            .unwrap_or_default();
        self.wait_for_default_objects(&name).await?;
        Ok(name)
    }

    /// Waits for what the controllers put into every namespace; until then the apiserver refuses pods there.
    async fn wait_for_default_objects(&self, namespace: &str) -> Result<(), Error> {
        let client = self.admin_client().await?;
        let accounts = Api::<ServiceAccount>::namespaced(client.clone(), namespace);
        let config_maps = Api::<ConfigMap>::namespaced(client, namespace);
        let what = format!("the default objects in namespace {namespace}");
        let there = eventually(&what, || async {
            // A dead server is reported as such instead of after the limit.
            if let Some(dead) = self.servers.values().find(|server| !server.is_running()) {
                return Some(Err(dead.error("ended")));
            }
            let account = accounts.get_opt("default").await.ok().flatten();
            let root_ca = config_maps.get_opt("kube-root-ca.crt").await.ok().flatten();
            (account.is_some() && root_ca.is_some()).then_some(Ok(()))
        });
        match there.await {
            Err(Error::Timeout { what, limit }) => Err(match self.servers.get("kube-controller-manager") {
                Some(manager) => manager.error(format!("did not give {what} within {limit:?}")),
                None => Error::Timeout { what, limit },
            }),
            answer => answer?,
        }
    }
}

async fn start_etcd(supervisor: &Supervisor, binaries: &Binaries) -> Result<(Server, u16), Error> {
    for attempt in 0..ATTEMPTS {
        let (port, peer_port) = (free_port()?, free_port()?);
        // An own data directory each time: the first one may already name the port that was taken.
        let data = supervisor.dir().join(format!("etcd-{attempt}"));
        let args = components::etcd(&data, port, peer_port);
        let server = supervisor.run(&format!("etcd-{attempt}"), &binaries.etcd, &args)?;
        let ready = || async { server.log().contains(components::ETCD_READY) };
        if became_ready(&server, ready).await? {
            return Ok((server, port));
        }
    }
    Err(Error::Argument(format!("no free ports for etcd in {ATTEMPTS} attempts")))
}

async fn start_apiserver(
    supervisor: &Supervisor,
    binaries: &Binaries,
    pki: &Pki,
    etcd_port: u16,
) -> Result<(Server, u16), Error> {
    let dir = supervisor.dir();
    for attempt in 0..ATTEMPTS {
        let port = free_port()?;
        let kubeconfig = dir.join(admin_kubeconfig_name(port));
        components::certificate_kubeconfig(&format!("https://127.0.0.1:{port}"), &pki.ca, &pki.admin)
            .write(&kubeconfig)?;
        let args = components::apiserver(pki, dir, etcd_port, port);
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

fn admin_kubeconfig_name(port: u16) -> String {
    format!("admin-{port}.kubeconfig")
}

async fn is_ready(client: &Client) -> bool {
    match http::Request::get("/readyz").body(Vec::new()) {
        Ok(request) => client.request_text(request).await.is_ok(),
        Err(_) => false,
    }
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
