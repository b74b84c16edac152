//! One test's world: a site, the installed chart, and operators that run as processes beside it.

use std::collections::BTreeMap;
use std::ops::Deref;
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};

use testbed::{ApiProxy, Process};

use super::site::Site;

/// One test's world. When it is dropped, the scan for secrets runs, and everything stops.
pub struct World {
    pub(super) site: Site,
    pub proxy: ApiProxy,
    /// In front of the Vault, where a test has put one there.
    pub vault_proxy: Option<ApiProxy>,
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
    /// A world in which no operator runs yet.
    pub(super) fn new(
        site: Site,
        proxy: ApiProxy,
        kubeconfig: PathBuf,
        env: BTreeMap<String, String>,
        neighbours: Vec<String>,
    ) -> Self {
        Self { site, proxy, vault_proxy: None, neighbours, kubeconfig, env, operators: Vec::new() }
    }

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
        self.site.add_log_of(operator.transcript());
        self.operators.push(operator);
        self.operators.last().unwrap()
    }

    /// Runs `preflight` with the chart's `ServiceAccount` and the operator's environment; its exit code and what it said.
    pub async fn preflight(&self, arguments: &[&str], kubeconfig: &std::path::Path) -> (Option<i32>, String) {
        self.command("preflight", arguments, kubeconfig).await
    }

    /// Runs a command of the program with the operator's environment; its exit code and what it said.
    pub async fn command(
        &self,
        command: &str,
        arguments: &[&str],
        kubeconfig: &std::path::Path,
    ) -> (Option<i32>, String) {
        let mut builder = Process::builder(env!("CARGO_BIN_EXE_technical-user-operator"))
            .arg(command)
            .args(arguments)
            .env("TUO_INSTANCE", "e2e")
            .env("POD_NAMESPACE", &self.namespace)
            .env("KUBECONFIG", kubeconfig.to_string_lossy().into_owned());
        for (name, value) in &self.env {
            builder = builder.env(name, value);
        }
        let process = builder.spawn().unwrap();
        self.site.add_log_of(process.transcript());
        let ended = process.wait().await.unwrap();
        // What it wrote last may not be read yet: this waits for the end of its output.
        let _no_line = process.wait_for_line(|_| false).await;
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
}

/// Stops an operator as Kubernetes does. The rest happens once it has noticed that.
pub async fn stop_operator_during(operator: &Process, rest: impl AsyncFnOnce()) {
    let (ended, ()) = tokio::join!(operator.sigterm_and_wait(), async {
        operator.wait_for_line(|line| line.contains("Stopping")).await.unwrap();
        rest().await;
    });
    assert_eq!(ended.unwrap().code(), Some(0));
}
