//! A cluster of one node.

use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};

use portal_simulator::{Config, Simulator, Tls};
use testbed::{ControlPlane, Node};
use tokio::sync::OnceCell;

use super::images;

/// The operator's image as the tests' releases name it.
pub const OPERATOR: &str = "registry.example.org/technical-user-operator:tested";
/// The chart's values for that image.
pub const IMAGE_VALUES: &str = "image.registry=registry.example.org,image.tag=tested";

/// A cluster of one node. It ends with the process.
pub struct Cluster {
    pub node: &'static Node,
}

impl Cluster {
    /// A cluster that nothing is installed on.
    pub async fn empty(name: &str) -> Self {
        testbed::install_crypto_provider();
        if let Some(lack) = Node::missing() {
            panic!("no node can run here: {lack}");
        }
        // A process has a few at most, and each is ended with the process.
        let node = Node::start(&format!("{name}{}", std::process::id())).await.unwrap();
        Self { node: Box::leak(Box::new(node)) }
    }

    /// The cluster that most tests share: it has the CRDs and the operator's image.
    pub async fn shared() -> &'static Self {
        static SHARED: OnceCell<Cluster> = OnceCell::const_new();
        SHARED
            .get_or_init(|| async {
                let image = tokio::task::spawn_blocking(|| images::operator(OPERATOR, ""));
                let cluster = Self::empty("s").await;
                cluster.import(&image.await.unwrap()).await;
                let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/crds");
                cluster.kubectl(&["apply", "--server-side", "-f", folder]).await;
                cluster.kubectl(&["wait", "--for=condition=Established", "crd", "--all"]).await;
                cluster
            })
            .await
    }

    /// Its control plane.
    pub fn plane(&self) -> &'static ControlPlane {
        self.node.control_plane()
    }

    /// Makes an image known to the node.
    pub async fn import(&self, archive: &Path) {
        self.node.import_image(archive).await.unwrap();
    }

    /// What `kubectl` prints; it has to succeed.
    pub async fn kubectl(&self, arguments: &[&str]) -> String {
        self.plane().kubectl(arguments).await.unwrap().success().unwrap()
    }

    /// How the pods are, for a test that failed.
    pub async fn state(&self) -> String {
        let operators = "get pods -A -l app.kubernetes.io/name=technical-user-operator -o";
        let template =
            "go-template={{range .items}}{{.metadata.namespace}} {{.metadata.name}}{{\"\\n\"}}{{end}}";
        let names: Vec<_> = operators.split(' ').chain([template]).collect();
        let mut questions: Vec<Vec<String>> = ["get pods -A -o wide", "get events -A"]
            .map(|question| question.split(' ').map(str::to_owned).collect())
            .into();
        for pod in self.kubectl(&names).await.lines() {
            let logs = ["logs", "--tail=40", "-n"].into_iter().chain(pod.split(' '));
            questions.push(logs.map(str::to_owned).collect());
        }
        let mut state = String::new();
        for question in questions {
            let arguments: Vec<_> = question.iter().map(String::as_str).collect();
            let output = self.plane().kubectl(&arguments).await.unwrap();
            state.extend(["$ ", &output.command, "\n", &output.stdout, &output.stderr, "\n"]);
        }
        state
    }

    /// A simulator that pods reach, with certificates of an authority of its own.
    pub async fn simulator(&self, config: Config) -> Simulator {
        let address: Ipv4Addr = self.node.host_address();
        Simulator::start(config.listen_on(address).tls(Tls::OneAuthority)).await.unwrap()
    }

    /// The image of a connector that trusts these authorities (PEM), known to the node by this name.
    pub async fn connector_image(&self, name: &str, authorities: &[&str]) {
        let (name, authorities) = (name.to_owned(), authorities.join("\n"));
        let archive: PathBuf =
            tokio::task::spawn_blocking(move || images::connector(&name, &authorities)).await.unwrap();
        self.import(&archive).await;
    }

    /// What the connector in a pod has come to.
    pub async fn outcome(&self, namespace: &str, pod: &str) -> serde_json::Value {
        let address =
            self.kubectl(&["-n", namespace, "get", "pod", pod, "-o", "jsonpath={.status.podIP}"]).await;
        // Pods are reached from the node.
        let script = "import sys, urllib.request as r; \
                      print(r.build_opener(r.ProxyHandler({})).open(sys.argv[1]).read().decode())";
        let url = format!("http://{address}:8080/outcome");
        let printed = self.node.run("python3", &["-c", script, &url]).await.unwrap().success().unwrap();
        serde_json::from_str(&printed).unwrap()
    }
}
