//! What a test wants of its world, and how the world is started.

use std::collections::BTreeMap;

use portal_simulator::{Config, Simulator, Version};
use testbed::{ApiProxy, ControlPlane};

use super::installation::{install_chart, install_definitions, install_shared_definitions};
use super::logins::{FULL_LOGIN, Login, one_company};
use super::manifests::portal;
use super::site::Site;
use super::world::World;

/// What a test wants of its world.
pub struct WorldBuilder {
    simulator: Config,
    values: Vec<String>,
    env: BTreeMap<String, String>,
    login: Login<'static>,
    neighbours: Vec<String>,
    cluster_wide: bool,
    scoped: bool,
    plane: Option<&'static ControlPlane>,
    run: bool,
}

/// A world with a portal of the newest version and a login that may do everything.
pub fn world() -> WorldBuilder {
    WorldBuilder {
        simulator: one_company(Version::Main),
        values: Vec::new(),
        env: BTreeMap::new(),
        login: FULL_LOGIN,
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
    pub fn login(mut self, login: Login<'static>) -> Self {
        self.login = login;
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

    /// The operator works only while it holds the lease.
    pub fn elected(self) -> Self {
        self.value("leaderElection.enabled=true").env("TUO_LEADER_ELECTION", "true")
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

    /// Starts it: namespace, chart, simulator, login Secret, Portal, operator.
    pub async fn start(mut self) -> World {
        testbed::install_crypto_provider();
        let plane = if let Some(plane) = self.plane {
            install_definitions(plane).await;
            plane
        } else {
            let plane = testbed::shared().await;
            install_shared_definitions(plane).await;
            plane
        };
        let namespace = plane.namespace("e2e").await.unwrap();
        let neighbours = self.create_neighbours(plane, &namespace).await;
        install_chart(plane, &namespace, &self.values).await;
        let simulator = Simulator::start(self.simulator).await.unwrap();
        let proxy = ApiProxy::start(plane).await.unwrap();
        let token = plane.service_account_token(&namespace, "technical-user-operator").await.unwrap();
        let kubeconfig = plane.kubeconfig_for_token(&token, Some(proxy.url())).unwrap();
        let site = Site::new(plane, namespace, simulator).await;
        let mut world = World::new(site, proxy, kubeconfig, self.env, neighbours);
        world.login(self.login).await;
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
    async fn create_neighbours(&mut self, plane: &ControlPlane, namespace: &str) -> Vec<String> {
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
