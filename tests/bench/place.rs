//! Where a profile is measured: a namespace with the chart's rights, a portal, and the operator as a process.

use std::ops::Deref;
use std::path::PathBuf;
use std::time::Duration;

use portal_simulator::{Action, Config, Endpoint, Fault, Simulator, Version, WalletDelay};
use serde_json::{Value, json};
use testbed::Process;

use crate::settings::Settings;
use crate::support::installation::{install_chart, install_shared_definitions};
use crate::support::{FULL_LOGIN, Site, one_company, portal};

/// What a Portal permits the operator.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Limits {
    /// As much as the definition permits.
    Open,
    /// What it permits where nothing is written.
    Default,
    /// [`POLITE`] requests a second, as the owner of a portal may ask for.
    Polite,
}

/// The requests a second of [`Limits::Polite`].
pub const POLITE: usize = 10;

impl Limits {
    /// The field of the Portal's spec.
    fn spec(self) -> Option<Value> {
        match self {
            Self::Open => Some(json!({"requestsPerSecond": 1000, "burst": 1000, "concurrency": 64})),
            Self::Default => None,
            Self::Polite => Some(json!({"requestsPerSecond": POLITE, "burst": 1})),
        }
    }
}

/// How the portal is and how it is used.
#[derive(Debug, Clone, Copy)]
pub struct Conditions {
    /// The Portal's limits.
    pub limits: Limits,
    /// The portal takes for each call what the real one takes, in place of the same time for all.
    pub real_delays: bool,
    /// The interval at which the list is read, in place of the default.
    pub resync: Option<&'static str>,
    /// What the wallet service takes to create a user.
    pub wallet_delay: Duration,
}

impl Conditions {
    /// Only the delay of the portal limits the operator.
    pub const OPEN: Self = Self {
        limits: Limits::Open,
        real_delays: false,
        resync: None,
        wallet_delay: Duration::from_millis(200),
    };
    /// A Portal as a user writes it, with everything by default.
    pub const DEFAULT: Self = Self { limits: Limits::Default, ..Self::OPEN };
}

/// A namespace, a portal, and the operator.
pub struct Place {
    site: Site,
    kubeconfig: PathBuf,
    settings: Settings,
    operator: Option<Process>,
}

impl Deref for Place {
    type Target = Site;

    fn deref(&self) -> &Site {
        &self.site
    }
}

impl Place {
    /// Starts everything, and waits until the operator has logged in.
    pub async fn start(settings: &Settings, conditions: Conditions) -> Self {
        testbed::install_crypto_provider();
        let plane = testbed::shared().await;
        install_shared_definitions(plane).await;
        let namespace = plane.namespace("bench").await.unwrap();
        install_chart(plane, &namespace, &[format!("watchNamespaces={{{namespace}}}")]).await;
        let simulator = Simulator::start(config(conditions)).await.unwrap();
        if !conditions.real_delays && settings.delay > Duration::ZERO {
            simulator.inject(Fault::anywhere(Action::Delay(settings.delay)));
        }
        let token = plane.service_account_token(&namespace, "technical-user-operator").await.unwrap();
        let kubeconfig = plane.kubeconfig_for_token(&token, None).unwrap();
        let site = Site::new(plane, namespace, simulator).await;
        site.login(FULL_LOGIN).await;
        let mut manifest = portal(&site.simulator, &site.namespace);
        let spec = manifest["spec"].as_object_mut().unwrap();
        spec.remove("limits");
        spec.remove("resyncInterval");
        if let Some(limits) = conditions.limits.spec() {
            spec.insert("limits".to_owned(), limits);
        }
        if let Some(resync) = conditions.resync {
            spec.insert("resyncInterval".to_owned(), json!(resync));
        }
        site.apply(&manifest).await;
        let mut started = Self { site, kubeconfig, settings: settings.clone(), operator: None };
        started.start_operator();
        started.portal_because("LoggedIn").await;
        started
    }

    /// Starts the operator, with the settings that it has by default.
    pub fn start_operator(&mut self) {
        let mut builder = Process::builder(&self.settings.operator)
            .arg("run")
            .env("TUO_INSTANCE", "e2e")
            .env("POD_NAMESPACE", &self.namespace)
            .env("POD_NAME", "operator")
            .env("TUO_LISTEN", "127.0.0.1:0")
            .env("TUO_ALLOW_INSECURE_HTTP", "true")
            .env("KUBECONFIG", &self.kubeconfig);
        if let Some(workers) = self.settings.workers {
            builder = builder.env("TUO_CONCURRENCY", workers.to_string());
        }
        for proxy in ["HTTPS_PROXY", "HTTP_PROXY", "https_proxy", "http_proxy"] {
            builder = builder.env_remove(proxy);
        }
        let operator = builder.spawn().unwrap();
        self.site.add_log_of(operator.transcript());
        self.operator = Some(operator);
    }

    /// Kills the operator without a warning.
    pub fn kill_operator(&mut self) {
        self.operator.take().unwrap().kill9().unwrap();
    }

    /// The process id of the operator, if it runs.
    pub fn running(&self) -> Option<u32> {
        self.operator.as_ref().map(Process::id)
    }

    /// The pages of the portal's list.
    pub fn pages(&self) -> usize {
        self.simulator.users("One").len().div_ceil(15)
    }

    /// Waits until the portal's list was read whole this number of times more. The roles are read once before each reading.
    pub async fn sweeps(&self, more: usize) {
        let wanted = self.simulator.count(Endpoint::Roles) + more;
        self.simulator.wait_for(|view| view.count(Endpoint::Roles) >= wanted).await;
        let wanted = self.simulator.count(Endpoint::List) + self.pages();
        self.simulator.wait_for(|view| view.answered(Endpoint::List) >= wanted).await;
    }

    /// The portal, its identity provider and the wallet answer 503 to every call from now on.
    pub fn begin_outage(&self) {
        self.simulator.clear_faults();
        self.simulator.inject(Fault::anywhere(Action::Status(portal_simulator::Canned::html(503))));
    }

    /// The portal answers again, as before.
    pub fn end_outage(&self) {
        self.simulator.clear_faults();
        self.simulator.inject(Fault::anywhere(Action::Delay(self.settings.delay)));
    }

    /// Whether the Portal reports that it can be used.
    pub async fn portal_is_ready(&self) -> bool {
        self.portal().await.as_ref().is_some_and(crate::support::is_ready)
    }
}

fn config(conditions: Conditions) -> Config {
    let delay = WalletDelay::After(conditions.wallet_delay);
    one_company(Version::Main).latency(conditions.real_delays).wallet_delay(delay)
}
