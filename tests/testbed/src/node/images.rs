//! Images and containers of a node.

use std::path::Path;

use k8s_openapi::api::core::v1::Pod;
use kube::Api;

use super::Node;
use crate::{Error, eventually};

impl Node {
    /// Makes an image of a docker-archive, as `image.py` writes one, available to pods.
    pub async fn import_image(&self, tar: &Path) -> Result<(), Error> {
        // Right after the start containerd may not answer yet.
        eventually("containerd answers", || async {
            if let Err(dead) = self.check() {
                return Some(Err(dead));
            }
            self.ctr(&["version"]).await.is_ok().then_some(Ok(()))
        })
        .await??;
        self.ctr(&["images", "import", &tar.display().to_string()]).await.map(drop)
    }

    /// Kills the first process of a running container, as if it had crashed.
    pub async fn kill_container(&self, namespace: &str, pod: &str, container: &str) -> Result<(), Error> {
        let id = self.container_id(namespace, pod, container).await?;
        self.ctr(&["tasks", "kill", "--signal", "SIGKILL", &id]).await.map(drop)
    }

    /// The id of a running container at containerd.
    pub(super) async fn container_id(
        &self,
        namespace: &str,
        pod: &str,
        container: &str,
    ) -> Result<String, Error> {
        let what = format!("the container {container} of the pod {namespace}/{pod}");
        let pods = Api::<Pod>::namespaced(self.control_plane().admin_client().await?, namespace);
        let found = pods.get(pod).await.map_err(Error::kube(format!("reading the pod {namespace}/{pod}")))?;
        let statuses = found.status.and_then(|status| status.container_statuses).unwrap_or_default();
        statuses
            .iter()
            .find(|status| status.name == container)
            .filter(|status| status.state.as_ref().is_some_and(|state| state.running.is_some()))
            .and_then(|status| status.container_id.as_deref()?.strip_prefix("containerd://"))
            .map(str::to_owned)
            .ok_or_else(|| Error::Argument(format!("{what} is not running")))
    }

    pub(super) async fn ctr(&self, args: &[&str]) -> Result<String, Error> {
        self.run("ctr", &[&["--namespace", "k8s.io"], args].concat()).await?.success()
    }
}
