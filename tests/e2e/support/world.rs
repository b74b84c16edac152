//! One test's world: a site, the installed chart, an operator that runs as a process beside it.

use std::collections::BTreeMap;
use std::ops::Deref;
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};

use portal_simulator::{Caller, Company, CompanyRole, Config, Simulator, Version, WalletDelay};
use testbed::{ApiProxy, ControlPlane, Process};
use tokio::sync::OnceCell;

use super::manifests::portal;
use super::probes::address;
use super::site::Site;

static DEFINITIONS: OnceCell<()> = OnceCell::const_new();

/// A simulator with a company "One" whose operator logs in as `sa-op` (all permissions) or `sa-cm` (Connector
/// Management), and a second company "Two".
pub fn one_company(version: Version) -> Config {
    let everything = [
        "view_tech_user_management",
        "add_tech_user_management",
        "delete_tech_user_management",
        "technical_roles_management",
    ];
    Config::new(version)
        .company(Company::new("One", "BPNL000000000ONE").roles([
            CompanyRole::ActiveParticipant,
            CompanyRole::ServiceProvider,
            CompanyRole::AppProvider,
            CompanyRole::Operator,
        ]))
        .company(Company::new("Two", "BPNL000000000TWO").roles([CompanyRole::ActiveParticipant]))
        .caller(Caller::with_permissions("sa-op", "op-secret-7f3k2", everything).of("One"))
        .caller(Caller::with_role("sa-cm", "cm-secret-9d4m1", "Connector Management").of("One"))
        .caller(Caller::with_role("sa-om", "om-secret-3h8q5", "Offer Management").of("One"))
        .caller(Caller::with_permissions("sa-two", "two-secret-5w2r8", everything).of("Two"))
        .caller(Caller::with_permissions("sa-none", "none-secret-1x6v4", ["view_connectors"]).of("One"))
        .wallet_delay(WalletDelay::After(std::time::Duration::from_millis(200)))
}

/// How a world is to be made.
pub struct WorldBuilder {
    simulator: Config,
    values: Vec<String>,
    env: BTreeMap<String, String>,
    login: (String, String),
    neighbours: Vec<String>,
    cluster_wide: bool,
    scoped: bool,
    plane: Option<&'static ControlPlane>,
    run: bool,
}

/// A world with a portal of the newest make and a login that may do everything.
pub fn world() -> WorldBuilder {
    WorldBuilder {
        simulator: one_company(Version::Main),
        values: Vec::new(),
        env: BTreeMap::new(),
        login: ("sa-op".to_owned(), "op-secret-7f3k2".to_owned()),
        neighbours: Vec::new(),
        cluster_wide: false,
        scoped: false,
        plane: None,
        run: true,
    }
}

impl WorldBuilder {
    /// Another simulator.
    pub fn simulator(mut self, config: Config) -> Self {
        self.simulator = config;
        self
    }

    /// Another login.
    pub fn login(mut self, client_id: &str, secret: &str) -> Self {
        self.login = (client_id.to_owned(), secret.to_owned());
        self
    }

    /// A value of the chart.
    pub fn value(mut self, value: &str) -> Self {
        self.values.push(value.to_owned());
        self
    }

    /// A variable of the operator's environment.
    pub fn env(mut self, name: &str, value: &str) -> Self {
        self.env.insert(name.to_owned(), value.to_owned());
        self
    }

    /// One more namespace that the operator watches, with this label (`key=value`, or none).
    pub fn neighbour(mut self, label: &str) -> Self {
        self.neighbours.push(label.to_owned());
        self
    }

    /// All rights by a `ClusterRole`, as an installation for all namespaces has them.
    pub fn cluster_wide(mut self) -> Self {
        self.cluster_wide = true;
        self
    }

    /// Rights by `Role`s only, for administrators who grant no `ClusterRole`.
    pub fn scoped(mut self) -> Self {
        self.scoped = true;
        self
    }

    /// A control plane of its own.
    pub fn plane(mut self, plane: &'static ControlPlane) -> Self {
        self.plane = Some(plane);
        self
    }

    /// Without an operator at first.
    pub fn stopped(mut self) -> Self {
        self.run = false;
        self
    }

    /// Makes it: namespace, chart, simulator, login Secret, Portal, operator.
    pub async fn start(mut self) -> World {
        testbed::install_crypto_provider();
        let plane = if let Some(plane) = self.plane {
            install_definitions(plane).await;
            plane
        } else {
            let plane = testbed::shared().await;
            DEFINITIONS.get_or_init(|| install_definitions(plane)).await;
            plane
        };
        let namespace = plane.namespace("e2e").await.unwrap();
        let neighbours = self.make_neighbours(plane, &namespace).await;
        install_chart(plane, &namespace, &self.values).await;
        let simulator = Simulator::start(self.simulator).await.unwrap();
        let proxy = ApiProxy::start(plane).await.unwrap();
        let token = plane.service_account_token(&namespace, "technical-user-operator").await.unwrap();
        let kubeconfig = plane.kubeconfig_for_token(&token, Some(proxy.url())).unwrap();
        let mut world = World {
            site: Site::new(plane, namespace, simulator).await,
            proxy,
            kubeconfig,
            env: self.env,
            neighbours,
            operators: Vec::new(),
        };
        world.login(&self.login.0, &self.login.1).await;
        let portal = portal(&world.simulator, &world.namespace);
        world.apply(&portal).await;
        if self.run {
            world.start_operator();
        }
        world
    }
}

impl WorldBuilder {
    /// Makes the other namespaces, and has all of them watched.
    async fn make_neighbours(&mut self, plane: &ControlPlane, namespace: &str) -> Vec<String> {
        let mut neighbours = Vec::new();
        for label in &self.neighbours {
            let neighbour = plane.namespace("e2e").await.unwrap();
            if !label.is_empty() {
                plane.kubectl(&["label", "namespace", &neighbour, label]).await.unwrap().success().unwrap();
            }
            neighbours.push(neighbour);
        }
        let watched = [&[namespace.to_owned()], neighbours.as_slice()].concat().join(",");
        if self.cluster_wide {
            self.values.push("watchNamespaces={*}".to_owned());
        } else {
            self.values.push(format!("watchNamespaces={{{watched}}}"));
        }
        if self.scoped {
            self.values.push("scopedRBAC=true".to_owned());
        }
        self.env.insert("TUO_SCOPED_RBAC".to_owned(), self.scoped.to_string());
        self.env.insert("TUO_WATCH_NAMESPACES".to_owned(), watched);
        neighbours
    }
}

async fn install_definitions(plane: &ControlPlane) {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/crds");
    plane.kubectl(&["apply", "--server-side", "-f", folder]).await.unwrap().success().unwrap();
    for kind in ["portals", "technicalusers"] {
        let crd = format!("crd/{kind}.technicaluser.dev");
        plane.kubectl(&["wait", "--for=condition=Established", &crd]).await.unwrap().success().unwrap();
    }
}

async fn install_chart(plane: &ControlPlane, namespace: &str, values: &[String]) {
    let chart = concat!(env!("CARGO_MANIFEST_DIR"), "/charts/technical-user-operator");
    let mut arguments = vec!["install", "technical-user-operator", chart, "--namespace", namespace];
    arguments.extend(["--set", "instance=e2e", "--set", "crds.install=false"]);
    for value in values {
        arguments.extend(["--set", value]);
    }
    plane.helm(&arguments).await.unwrap().success().unwrap();
}

/// One test's world. Everything stops when it goes.
pub struct World {
    site: Site,
    pub proxy: ApiProxy,
    /// The other namespaces that the operator watches.
    pub neighbours: Vec<String>,
    kubeconfig: PathBuf,
    env: BTreeMap<String, String>,
    operators: Vec<Process>,
}

impl Deref for World {
    type Target = Site;

    fn deref(&self) -> &Site {
        &self.site
    }
}

static OPERATORS: AtomicUsize = AtomicUsize::new(0);

impl World {
    /// Starts an operator (one more).
    pub fn start_operator(&mut self) -> &Process {
        let kubeconfig = self.kubeconfig.clone();
        self.start_operator_with(&kubeconfig)
    }

    /// Sets a variable of the environment of operators that are started from now on.
    pub fn set_env(&mut self, name: &str, value: &str) {
        self.env.insert(name.to_owned(), value.to_owned());
    }

    /// Starts an operator with a kubeconfig of its own.
    pub fn start_operator_with(&mut self, kubeconfig: &std::path::Path) -> &Process {
        let number = OPERATORS.fetch_add(1, Ordering::SeqCst);
        let mut builder = Process::builder(env!("CARGO_BIN_EXE_technical-user-operator"))
            .arg("run")
            .env("TUO_INSTANCE", "e2e")
            .env("POD_NAMESPACE", &self.namespace)
            .env("POD_NAME", format!("operator-{number}"))
            .env("TUO_LISTEN", "127.0.0.1:0")
            .env("TUO_ALLOW_INSECURE_HTTP", "true")
            .env("TUO_LOG", "info,technical_user_operator=debug")
            .env("KUBECONFIG", kubeconfig.to_string_lossy().into_owned());
        for proxy in ["HTTPS_PROXY", "HTTP_PROXY", "https_proxy", "http_proxy"] {
            builder = builder.env_remove(proxy);
        }
        for (name, value) in &self.env {
            builder = builder.env(name, value);
        }
        let operator = builder.spawn().unwrap();
        self.site.heard(operator.transcript());
        self.operators.push(operator);
        self.operators.last().unwrap()
    }

    /// Runs `preflight` with the chart's `ServiceAccount` and the operator's environment; its exit code and what it said.
    pub async fn preflight(&self, arguments: &[&str], kubeconfig: &std::path::Path) -> (Option<i32>, String) {
        let mut builder = Process::builder(env!("CARGO_BIN_EXE_technical-user-operator"))
            .arg("preflight")
            .args(arguments)
            .env("TUO_INSTANCE", "e2e")
            .env("POD_NAMESPACE", &self.namespace)
            .env("KUBECONFIG", kubeconfig.to_string_lossy().into_owned());
        for (name, value) in &self.env {
            builder = builder.env(name, value);
        }
        let process = builder.spawn().unwrap();
        let ended = process.wait().await.unwrap();
        (ended.code(), process.lines().join("\n"))
    }

    /// The kubeconfig of the chart's `ServiceAccount` through the proxy.
    pub fn kubeconfig(&self) -> PathBuf {
        self.kubeconfig.clone()
    }

    /// The operator that was started last.
    pub fn operator(&self) -> &Process {
        self.operators.last().unwrap()
    }

    /// Kills the operator that was started last, without a warning.
    pub fn kill_operator(&mut self) {
        let operator = self.operators.pop().unwrap();
        operator.kill9().unwrap();
    }

    /// The operators that run, in the order of their start.
    pub fn operators(&self) -> &[Process] {
        &self.operators
    }

    /// Kills the operator that was started first, without a warning.
    pub fn kill_first_operator(&mut self) {
        let operator = self.operators.remove(0);
        operator.kill9().unwrap();
    }

    /// A way to the apiserver beside [`World::proxy`], for one more operator.
    pub async fn another_way(&self) -> (ApiProxy, PathBuf) {
        let proxy = ApiProxy::start(self.plane).await.unwrap();
        let token =
            self.plane.service_account_token(&self.namespace, "technical-user-operator").await.unwrap();
        let kubeconfig = self.plane.kubeconfig_for_token(&token, Some(proxy.url())).unwrap();
        (proxy, kubeconfig)
    }

    /// Stops the operator that was started last, as Kubernetes does.
    pub async fn stop_operator(&mut self) {
        let operator = self.operators.pop().unwrap();
        let ended = operator.sigterm_and_wait().await.unwrap();
        assert!(ended.success(), "the operator ended with {ended}");
    }

    /// How often the operator wrote to the apiserver; events and dry runs aside.
    pub fn writes(&self) -> usize {
        let writes = self.proxy.matching(&testbed::Matcher::writes().dry_run(false));
        writes.iter().filter(|request| !request.target.contains("/events")).count()
    }

    /// Fails where a secret of the simulator occurs in logs, events, statuses, annotations or metrics.
    pub async fn assert_nothing_leaked(&self) {
        self.assert_no_secret_in("the log", &self.log());
        self.assert_no_secret_in_objects().await;
        let running = self.operators.last().filter(|operator| operator.try_wait().unwrap().is_none());
        if let Some(address) = running.and_then(address) {
            let metrics = self
                .http()
                .get(format!("http://{address}/metrics"))
                .send()
                .await
                .unwrap()
                .text()
                .await
                .unwrap();
            self.assert_no_secret_in("the metrics", &metrics);
        }
    }
}

/// Stops an operator as Kubernetes does. The rest happens once it has noticed that.
pub async fn stop_during(operator: &Process, rest: impl AsyncFnOnce()) {
    let (ended, ()) = tokio::join!(operator.sigterm_and_wait(), async {
        operator.wait_for_line(|line| line.contains("stopping")).await.unwrap();
        rest().await;
    });
    assert_eq!(ended.unwrap().code(), Some(0));
}
