//! Starting and stopping a control plane, and namespaces in it.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use k8s_openapi::api::core::v1::{ConfigMap, Namespace, ServiceAccount};
use kube::{
    Api,
    api::{ObjectMeta, PostParams},
};
use tokio::sync::OnceCell;

use crate::{
    Binaries, Error, binaries,
    components::{self, Site},
    eventually, free_port, launch,
    pki::Pki,
    supervisor::{Server, Supervisor},
};

/// etcd, kube-apiserver and kube-controller-manager on 127.0.0.1, with RBAC.
///
/// They end when this value is dropped, and also when the process that owns it ends in any other way.
#[derive(Debug)]
pub struct ControlPlane {
    supervisor: Supervisor,
    binaries: Binaries,
    server: String,
    pki: Pki,
    admin_kubeconfig: PathBuf,
    servers: BTreeMap<&'static str, Server>,
}

/// The programs, built first if they are missing. That may take minutes, which must not hold up the runtime's other
/// tasks.
pub(crate) async fn found_binaries() -> Result<Binaries, Error> {
    tokio::task::spawn_blocking(binaries)
        .await
        .map_err(|error| Error::Binaries(format!("the search for them ended early: {error}")))?
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
        Self::start_at(Site::ALONE).await
    }

    /// The same on `[::1]`, with no address of IPv4.
    pub async fn start_by_ipv6() -> Result<Self, Error> {
        Self::start_at(Site::ALONE_BY_IPV6).await
    }

    async fn start_at(site: Site<'_>) -> Result<Self, Error> {
        let binaries = found_binaries().await?;
        let supervisor = Supervisor::start("testbed")?;
        let control_plane = Self::launch(supervisor, binaries, site).await?;
        control_plane.wait_for_default_objects("default").await?;
        Ok(control_plane)
    }

    /// Starts the servers under a supervisor. When this returns the apiserver answers; the controllers may not yet.
    pub(crate) async fn launch(
        supervisor: Supervisor,
        binaries: Binaries,
        site: Site<'_>,
    ) -> Result<Self, Error> {
        let dir = supervisor.dir().to_owned();
        let pki = Pki::create(&dir, site)?;

        let (etcd, etcd_port) = launch::etcd(&supervisor, &binaries, site, free_port).await?;
        let (apiserver, port) =
            launch::apiserver(&supervisor, &binaries, &pki, etcd_port, site, free_port).await?;
        let server = site.server(port);
        let admin_kubeconfig = dir.join(launch::admin_kubeconfig_name(port));

        let kubeconfig = dir.join("controller-manager.kubeconfig");
        components::certificate_kubeconfig(&server, &pki.ca, &pki.controller_manager).write(&kubeconfig)?;
        let controller_manager = supervisor.run(
            "kube-controller-manager",
            &binaries.kube_controller_manager,
            &components::controller_manager(&pki, &kubeconfig, site),
        )?;

        let mut servers = BTreeMap::from([
            ("etcd", etcd),
            ("kube-apiserver", apiserver),
            ("kube-controller-manager", controller_manager),
        ]);
        if let Some(node) = &pki.node {
            let kubeconfig = dir.join("scheduler.kubeconfig");
            components::certificate_kubeconfig(&server, &pki.ca, &node.scheduler).write(&kubeconfig)?;
            let args = components::scheduler(&kubeconfig);
            let scheduler = supervisor.run("kube-scheduler", &binaries.kube_scheduler, &args)?;
            servers.insert("kube-scheduler", scheduler);
        }
        Ok(Self { supervisor, binaries, server, pki, admin_kubeconfig, servers })
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
        &self.pki.ca
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

    /// Creates a namespace whose name begins with `prefix` and is unique, and waits until a pod could be created in it.
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
    pub(crate) async fn wait_for_default_objects(&self, namespace: &str) -> Result<(), Error> {
        let client = self.admin_client().await?;
        let accounts = Api::<ServiceAccount>::namespaced(client.clone(), namespace);
        let config_maps = Api::<ConfigMap>::namespaced(client, namespace);
        let what = format!("the default objects in namespace {namespace}");
        let there = eventually(&what, || async {
            // A dead server is reported as such instead of after the limit.
            if let Err(dead) = self.check_servers() {
                return Some(Err(dead));
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

    /// An error if a server has ended.
    pub(crate) fn check_servers(&self) -> Result<(), Error> {
        match self.servers.values().find(|server| !server.is_running()) {
            Some(dead) => Err(dead.error("ended")),
            None => Ok(()),
        }
    }

    /// What runs the servers.
    pub(crate) fn supervisor(&self) -> &Supervisor {
        &self.supervisor
    }

    /// Its keys and certificates.
    pub(crate) fn pki(&self) -> &Pki {
        &self.pki
    }

    /// Counts a server among those of this control plane.
    pub(crate) fn adopt(&mut self, name: &'static str, server: Server) {
        self.servers.insert(name, server);
    }
}
