//! Pods without a network.

use std::net::Ipv4Addr;

use super::Node;
use crate::Error;

impl Node {
    /// Drops every packet from and to a pod, those of the kubelet's probes and of connections that stand included, until
    /// [`Node::restore_network`].
    pub async fn cut_network(&self, pod: Ipv4Addr) -> Result<(), Error> {
        self.change_cut("add", pod).await
    }

    /// Undoes [`Node::cut_network`].
    pub async fn restore_network(&self, pod: Ipv4Addr) -> Result<(), Error> {
        self.change_cut("delete", pod).await
    }

    async fn change_cut(&self, change: &str, pod: Ipv4Addr) -> Result<(), Error> {
        let pod = pod.to_string();
        self.run("nft", &[change, "element", "ip", "testbed", "cut", "{", &pod, "}"])
            .await?
            .success()
            .map(drop)
    }
}
