//! A release of the chart in a namespace of its own, with a portal that is played.

use std::ops::Deref;

use k8s_openapi::api::coordination::v1::Lease;
use k8s_openapi::api::core::v1::Pod;
use kube::Api;
use kube::api::ListParams;
use portal_simulator::{Config, Version};
use serde_json::json;

use super::place::leaks::scan_at_end;
use super::place::{FULL_LOGIN, Site, one_company, portal};
use super::{Cluster, cluster};

/// A release. When it is dropped, the scan for secrets runs.
pub struct Release {
    pub cluster: &'static Cluster,
    site: Site,
}

impl Deref for Release {
    type Target = Site;

    fn deref(&self) -> &Site {
        &self.site
    }
}

/// A portal of the newest release with company One.
pub fn company_one() -> Config {
    one_company(Version::Main)
}

impl Release {
    /// A namespace under the strictest pod security, with what a release needs there; nothing is installed yet.
    pub async fn prepare(config: Config) -> Self {
        let cluster = Cluster::shared().await;
        let namespace = cluster.plane().namespace("installed").await.unwrap();
        cluster
            .kubectl(&["label", "namespace", &namespace, "pod-security.kubernetes.io/enforce=restricted"])
            .await;
        let simulator = cluster.simulator(config).await;
        let site = Site::new(cluster.plane(), namespace, simulator).await;
        site.login(FULL_LOGIN).await;
        site.kubectl_apply(&json!({
            "apiVersion": "v1", "kind": "ConfigMap",
            "metadata": {"name": "simulator-ca", "namespace": site.namespace},
            "data": {"ca.crt": site.simulator.ca_pem()},
        }))
        .await;
        Self { cluster, site }
    }

    /// One that runs, with these values, and a Portal.
    pub async fn install(values: &[&str]) -> Self {
        let release = Self::prepare(company_one()).await;
        release.helm("install", values).await.unwrap();
        release.apply_portal().await;
        release
    }

    /// `helm install` or `helm upgrade` that waits; what Helm says where it fails.
    pub async fn helm(&self, verb: &str, values: &[&str]) -> Result<String, String> {
        let answer = self.plane.helm(&self.arguments(verb, values)).await;
        answer.unwrap().success().map_err(|error| error.to_string())
    }

    /// The same with Helm 3.
    pub async fn helm3(&self, verb: &str, values: &[&str]) -> Result<String, String> {
        let answer = self.plane.helm3(&self.arguments(verb, values)).await;
        answer.unwrap().success().map_err(|error| error.to_string())
    }

    /// The arguments for Helm: values, and flags among them.
    fn arguments<'a>(&'a self, verb: &'a str, values: &[&'a str]) -> Vec<&'a str> {
        const CHART: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/charts/technical-user-operator");
        let mut arguments =
            vec![verb, "technical-user-operator", CHART, "--namespace", &self.namespace, "--wait"];
        for value in ["instance=e2e", "crds.install=false", "log.format=text", cluster::IMAGE_VALUES] {
            arguments.extend(["--set", value]);
        }
        for value in values {
            if value.starts_with("--") {
                arguments.push(value);
            } else {
                arguments.extend(["--set", value]);
            }
        }
        arguments
    }

    /// Makes the Portal that leads to the simulator.
    pub async fn apply_portal(&self) {
        let mut portal = portal(&self.simulator, &self.namespace);
        portal["spec"]["tls"] =
            json!({"caBundle": {"configMapRef": {"name": "simulator-ca", "key": "ca.crt"}}});
        self.apply(&portal).await;
    }

    /// The operator's pods, in the order of their names.
    pub async fn pods(&self) -> Vec<Pod> {
        let pods: Api<Pod> = Api::namespaced(self.client.clone(), &self.namespace);
        let ours = ListParams::default().labels("app.kubernetes.io/name=technical-user-operator");
        pods.list(&ours).await.unwrap().items
    }

    /// How often containers of the operator's pods were started again.
    pub async fn restarts(&self) -> i32 {
        let pods = self.pods().await;
        let containers = pods.iter().filter_map(|pod| pod.status.as_ref()?.container_statuses.as_ref());
        containers.flatten().map(|container| container.restart_count).sum()
    }

    /// The pod that holds the lease.
    pub async fn leader(&self) -> Option<String> {
        let leases: Api<Lease> = Api::namespaced(self.client.clone(), &self.namespace);
        let lease = leases.get_opt("technical-user-operator-e2e").await.unwrap()?;
        let holder = lease.spec?.holder_identity?;
        Some(holder.split_once('_').map_or(holder.clone(), |(pod, _)| pod.to_owned()))
    }

    /// Waits until a pod leads, and returns its name.
    pub async fn wait_for_leader(&self) -> String {
        self.eventually("a pod leads", async || self.leader().await.is_some()).await;
        self.leader().await.unwrap()
    }

    /// What all containers of the operator's pods have said, the ones before a restart too.
    pub async fn logs(&self) -> String {
        let label = "app.kubernetes.io/name=technical-user-operator";
        let pods =
            self.cluster.kubectl(&["-n", &self.namespace, "get", "pods", "-o", "name", "-l", label]).await;
        let mut said = String::new();
        for pod in pods.lines() {
            for previous in ["--previous=true", "--previous=false"] {
                let arguments = ["-n", &self.namespace, "logs", pod, previous];
                // There may be none before.
                said.push_str(&self.plane.kubectl(&arguments).await.unwrap().stdout);
            }
        }
        said
    }

    /// Fails where a secret of the simulator occurs in the logs of the pods, in events or in our resources.
    pub async fn assert_no_secret(&self) {
        self.assert_no_secret_in("the log", &self.logs().await);
        self.assert_no_secret_in_objects_of(&self.namespace).await;
    }
}

impl Drop for Release {
    fn drop(&mut self) {
        scan_at_end(async || self.assert_no_secret().await);
    }
}
