//! One test's world: a namespace, a simulator, the installed chart, an operator.

use std::collections::BTreeMap;
use std::fmt::Debug;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use k8s_openapi::api::core::v1::Secret;
use kube::Client;
use kube::api::{Api, ApiResource, DeleteParams, DynamicObject, ListParams, Patch, PatchParams, PostParams};
use portal_simulator::{Caller, Company, CompanyRole, Config, Simulator, UserView, Version, WalletDelay};
use serde_json::{Value, json};
use technical_user_operator::controller::objects::{portals, technical_users};
use testbed::{ApiProxy, ControlPlane, Process};
use tokio::sync::OnceCell;

use super::leaks::assert_no_secret;
use super::manifests::{PORTAL, portal};
use super::objects::{condition, message, reason};

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

    /// Rights by a `ClusterRole`, as an installation for all namespaces has them.
    pub fn cluster_wide(mut self) -> Self {
        self.cluster_wide = true;
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
        let client = plane.admin_client().await.unwrap();
        let namespace = plane.namespace("e2e").await.unwrap();
        let neighbours = self.make_neighbours(plane, &namespace).await;
        install_chart(plane, &namespace, &self.values).await;
        let simulator = Simulator::start(self.simulator).await.unwrap();
        let proxy = ApiProxy::start(plane).await.unwrap();
        let token = plane.service_account_token(&namespace, "technical-user-operator").await.unwrap();
        let kubeconfig = plane.kubeconfig_for_token(&token, Some(proxy.url())).unwrap();
        let mut world = World {
            plane,
            client,
            namespace,
            simulator: Arc::new(simulator),
            proxy,
            kubeconfig,
            env: self.env,
            neighbours,
            operators: Vec::new(),
            said: Vec::new(),
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
            self.values.push(format!("fullnameOverride=tuo-{namespace}"));
            self.values.push("serviceAccount.name=technical-user-operator".to_owned());
        } else {
            self.values.push(format!("watchNamespaces={{{watched}}}"));
        }
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
    pub plane: &'static ControlPlane,
    pub client: Client,
    pub namespace: String,
    pub simulator: Arc<Simulator>,
    pub proxy: ApiProxy,
    /// The other namespaces that the operator watches.
    pub neighbours: Vec<String>,
    kubeconfig: PathBuf,
    env: BTreeMap<String, String>,
    operators: Vec<Process>,
    said: Vec<String>,
}

static OPERATORS: AtomicUsize = AtomicUsize::new(0);

impl World {
    /// Starts an operator (one more).
    pub fn start_operator(&mut self) -> &Process {
        let kubeconfig = self.kubeconfig.clone();
        self.start_operator_with(&kubeconfig)
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
            .env("TUO_LOG", "info,technical_user_operator=debug")
            .env("KUBECONFIG", kubeconfig.to_string_lossy().into_owned());
        for proxy in ["HTTPS_PROXY", "HTTP_PROXY", "https_proxy", "http_proxy"] {
            builder = builder.env_remove(proxy);
        }
        for (name, value) in &self.env {
            builder = builder.env(name, value);
        }
        self.operators.push(builder.spawn().unwrap());
        self.operators.last().unwrap()
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
        self.said.extend(operator.lines());
    }

    /// The operators that run, in the order of their start.
    pub fn operators(&self) -> &[Process] {
        &self.operators
    }

    /// Kills the operator that was started first, without a warning.
    pub fn kill_first_operator(&mut self) {
        let operator = self.operators.remove(0);
        operator.kill9().unwrap();
        self.said.extend(operator.lines());
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
        self.said.extend(operator.lines());
        assert!(ended.success(), "the operator ended with {ended}");
    }

    /// Writes the login Secret.
    pub async fn login(&self, client_id: &str, secret: &str) {
        self.secret("portal-login", &[("client-id", client_id), ("client-secret", secret)]).await;
    }

    /// Writes a Secret as a person would.
    pub async fn secret(&self, name: &str, values: &[(&str, &str)]) {
        let data: BTreeMap<_, _> = values.iter().copied().collect();
        let secret = json!({
            "apiVersion": "v1", "kind": "Secret", "metadata": { "name": name, "namespace": self.namespace }, "stringData": data,
        });
        let api: Api<Secret> = Api::namespaced(self.client.clone(), &self.namespace);
        api.patch(name, &PatchParams::apply("a-person").force(), &Patch::Apply(&secret)).await.unwrap();
    }

    fn resource(kind: &str) -> ApiResource {
        if kind == "Portal" { portals() } else { technical_users() }
    }

    fn api(&self, kind: &str, namespace: &str) -> Api<DynamicObject> {
        Api::namespaced_with(self.client.clone(), namespace, &Self::resource(kind))
    }

    /// The `Portal`s of the namespace.
    pub fn portals_api(&self) -> Api<DynamicObject> {
        self.api("Portal", &self.namespace)
    }

    /// The `TechnicalUser`s of the namespace.
    pub fn users_api(&self) -> Api<DynamicObject> {
        self.api("TechnicalUser", &self.namespace)
    }

    /// `kubectl apply`.
    pub async fn apply(&self, manifest: &Value) -> DynamicObject {
        self.try_apply(manifest).await.unwrap()
    }

    /// `kubectl apply` that may be refused.
    pub async fn try_apply(&self, manifest: &Value) -> Result<DynamicObject, kube::Error> {
        let kind = manifest["kind"].as_str().unwrap();
        let namespace = manifest["metadata"]["namespace"].as_str().unwrap_or(&self.namespace);
        let name = manifest["metadata"]["name"].as_str().unwrap();
        let params = PatchParams::apply("a-person").force();
        self.api(kind, namespace).patch(name, &params, &Patch::Apply(manifest)).await
    }

    /// Changes the Portal's spec, or its metadata.
    pub async fn patch_portal(&self, patch: &Value) {
        let api = self.api("Portal", &self.namespace);
        api.patch(PORTAL, &PatchParams::default(), &Patch::Merge(patch)).await.unwrap();
    }

    /// Takes `name` apart: `<namespace>/<name>` is a resource of another namespace.
    fn place<'a>(&'a self, name: &'a str) -> (Api<DynamicObject>, &'a str) {
        let (namespace, name) = name.split_once('/').unwrap_or((&self.namespace, name));
        (self.api("TechnicalUser", namespace), name)
    }

    /// Changes a resource.
    pub async fn patch_user(&self, name: &str, patch: &Value) {
        let (api, name) = self.place(name);
        api.patch(name, &PatchParams::default(), &Patch::Merge(patch)).await.unwrap();
    }

    /// A resource as it is.
    pub async fn user(&self, name: &str) -> Option<DynamicObject> {
        let (api, name) = self.place(name);
        api.get_opt(name).await.unwrap()
    }

    /// The Portal as it is.
    pub async fn portal(&self) -> Option<DynamicObject> {
        self.api("Portal", &self.namespace).get_opt(PORTAL).await.unwrap()
    }

    /// Waits until a resource is as it should be.
    pub async fn until(
        &self,
        name: &str,
        what: &str,
        mut check: impl FnMut(&DynamicObject) -> bool,
    ) -> DynamicObject {
        let (api, short) = self.place(name);
        let mut last = None;
        let limit = tokio::time::Instant::now() + testbed::LIMIT;
        loop {
            if let Some(object) = api.get_opt(short).await.unwrap() {
                if check(&object) {
                    return object;
                }
                last = Some(object);
            }
            self.fail_late(limit, what, &last);
            tokio::time::sleep(std::time::Duration::from_millis(100)).await;
        }
    }

    pub(super) fn fail_late(&self, limit: tokio::time::Instant, what: &str, last: &impl Debug) {
        if tokio::time::Instant::now() > limit {
            let log: Vec<String> = self.operators.iter().flat_map(Process::lines).collect();
            let tail = log.iter().rev().take(60).rev().cloned().collect::<Vec<_>>().join("\n");
            panic!("waited in vain until {what}; last seen: {last:#?}\nthe operator's last lines:\n{tail}");
        }
    }

    /// Waits until a resource is ready.
    pub async fn ready(&self, name: &str) -> DynamicObject {
        self.until(name, &format!("{name} is ready"), |object| {
            condition(object, "Ready").is_some_and(|ready| {
                ready["status"] == "True" && ready["observedGeneration"] == json!(object.metadata.generation)
            })
        })
        .await
    }

    /// Waits until a resource gives this reason for not being ready, and tells its message.
    pub async fn because(&self, name: &str, wanted: &str) -> String {
        let object =
            self.until(name, &format!("{name} says {wanted}"), |object| reason(object) == wanted).await;
        message(&object)
    }

    /// Waits until the Portal gives this reason, and tells its message.
    pub async fn portal_because(&self, wanted: &str) -> String {
        let limit = tokio::time::Instant::now() + testbed::LIMIT;
        loop {
            let portal = self.portal().await;
            if let Some(portal) = portal.as_ref().filter(|portal| reason(portal) == wanted) {
                return message(portal);
            }
            self.fail_late(limit, &format!("the Portal says {wanted}"), &portal);
            tokio::time::sleep(std::time::Duration::from_millis(100)).await;
        }
    }

    /// Asks for a resource's deletion.
    pub async fn delete(&self, name: &str) {
        let (api, name) = self.place(name);
        api.delete(name, &DeleteParams::default()).await.unwrap();
    }

    /// Waits until a resource is gone.
    pub async fn gone(&self, name: &str) {
        let limit = tokio::time::Instant::now() + testbed::LIMIT;
        loop {
            let found = self.user(name).await;
            if found.is_none() {
                return;
            }
            self.fail_late(limit, &format!("{name} is gone"), &found);
            tokio::time::sleep(std::time::Duration::from_millis(100)).await;
        }
    }

    /// A Secret of the namespace.
    pub async fn get_secret(&self, name: &str) -> Option<Secret> {
        let (namespace, name) = name.split_once('/').unwrap_or((&self.namespace, name));
        Api::<Secret>::namespaced(self.client.clone(), namespace).get_opt(name).await.unwrap()
    }

    /// The Secrets of the namespace, for writes by hand.
    pub fn secrets_api(&self) -> Api<Secret> {
        Api::namespaced(self.client.clone(), &self.namespace)
    }

    /// Makes any object of a core or other group by `kubectl apply`.
    pub async fn kubectl_apply(&self, manifest: &Value) {
        self.plane
            .kubectl_with_input(&["apply", "-f", "-"], &manifest.to_string())
            .await
            .unwrap()
            .success()
            .unwrap();
    }

    /// The users of company One that bear a live mark of ours.
    pub fn ours(&self) -> Vec<UserView> {
        let live = |user: &UserView| {
            user.description.contains("[technicaluser.dev/1 e2e/")
                && matches!(user.status, portal_simulator::Status::Active | portal_simulator::Status::Pending)
        };
        self.simulator.users("One").into_iter().filter(live).collect()
    }

    /// Obtains a token with what a Secret holds, as a connector would.
    pub async fn token_with(&self, secret: &str) -> u16 {
        let secret = self.get_secret(secret).await.expect("the Secret is there");
        let value = |key| super::secret_value(&secret, key);
        let form = [
            ("grant_type", "client_credentials".to_owned()),
            ("client_id", value("client-id")),
            ("client_secret", value("client-secret")),
        ];
        let http = reqwest::Client::builder().no_proxy().build().unwrap();
        http.post(value("token-url")).form(&form).send().await.unwrap().status().as_u16()
    }

    /// Everything that the operators said so far.
    pub fn log(&self) -> String {
        let lines = self.said.iter().cloned().chain(self.operators.iter().flat_map(Process::lines));
        lines.collect::<Vec<_>>().join("\n")
    }

    /// Fails where a secret of the simulator occurs in logs, events, statuses or annotations.
    pub async fn assert_nothing_leaked(&self) {
        assert_no_secret(&self.simulator, "the log", &self.log());
        let events: Api<k8s_openapi::api::events::v1::Event> =
            Api::namespaced(self.client.clone(), &self.namespace);
        let events = events.list(&ListParams::default()).await.unwrap();
        assert_no_secret(&self.simulator, "the events", &serde_json::to_string(&events).unwrap());
        for kind in ["Portal", "TechnicalUser"] {
            let objects = self.api(kind, &self.namespace).list(&ListParams::default()).await.unwrap();
            assert_no_secret(&self.simulator, kind, &serde_json::to_string(&objects).unwrap());
        }
        let running = self.operators.last().filter(|operator| operator.try_wait().unwrap().is_none());
        if let Some(address) = running.and_then(address) {
            let http = reqwest::Client::builder().no_proxy().build().unwrap();
            let metrics =
                http.get(format!("http://{address}/metrics")).send().await.unwrap().text().await.unwrap();
            assert_no_secret(&self.simulator, "the metrics", &metrics);
        }
    }

    /// Creates an object by POST.
    pub async fn post(&self, manifest: &Value) -> Result<DynamicObject, kube::Error> {
        let object: DynamicObject = serde_json::from_value(manifest.clone()).unwrap();
        self.users_api().create(&PostParams::default(), &object).await
    }
}

/// Where an operator serves probes and metrics, by its log.
pub fn address(operator: &Process) -> Option<String> {
    let line = operator.lines().into_iter().find(|line| line.contains("serving probes and metrics"))?;
    let at = line.find("127.0.0.1:")?;
    Some(
        line[at..]
            .split_whitespace()
            .next()
            .unwrap_or_default()
            .trim_matches(|c: char| !c.is_ascii_digit())
            .to_owned(),
    )
}
