//! Real Kubernetes control planes for tests.
//!
//! A [`ControlPlane`] is etcd, kube-apiserver and kube-controller-manager on 127.0.0.1, with RBAC, built from source
//! by `build.sh` on first use. A [`Node`] adds kubelet, containerd, kube-proxy and kube-scheduler, so that pods run;
//! it needs root and more privileges than an ordinary container has, and [`Node::missing`] says what a machine lacks.
//! `node-parts.sh` fetches what it consists of, `image.py` makes images for it, and `leftovers.sh` prints all that it
//! could leave on a machine. An [`ApiProxy`] stands between one operator under test and the apiserver: it records
//! the calls and breaks chosen ones. A [`Process`] is such an operator as a child process that can be killed at any
//! moment. A [`Vault`] and [`ExternalSecrets`] are built on the first use of each; a [`SimulatedVault`] answers as a [`Vault`]
//! does, in memory. Nothing outlives the process that uses this crate, even if that is killed with SIGKILL.
//!
//! ```no_run
//! # async fn example() -> Result<(), testbed::Error> {
//! let cluster = testbed::shared().await;
//! let namespace = cluster.namespace("example").await?;
//! let proxy = testbed::ApiProxy::start(cluster).await?;
//! let gate = proxy.on(testbed::Matcher::any().method("POST").path("/secrets")).nth(1).hold(testbed::Stage::After);
//! // … start the operator against the proxy, then:
//! gate.reached().await?;
//! # drop(namespace);
//! # Ok(())
//! # }
//! ```
//!
//! ```no_run
//! # async fn example() -> Result<(), testbed::Error> {
//! if let Some(missing) = testbed::Node::missing() {
//!     eprintln!("skipped, because {missing}");
//!     return Ok(());
//! }
//! let node = testbed::Node::start("example").await?;
//! node.import_image(&node.parts().busybox).await?;
//! let run = ["run", "pod", "--image=testbed/busybox:1", "--", "sleep", "infinity"];
//! node.control_plane().kubectl(&run).await?.success()?;
//! // … when it runs:
//! node.kill_container("default", "pod", "pod").await?;
//! node.stop().await
//! # }
//! ```

mod access;
mod argo_cd;
mod binaries;
mod commands;
mod components;
mod control_plane;
mod error;
mod external_secrets;
mod launch;
mod metrics;
mod node;
mod pki;
mod process;
mod proxy;
mod supervisor;
mod vault;
mod wait;

pub use argo_cd::install_applications;
pub use binaries::{Binaries, binaries, flux, readers};
pub use commands::CommandOutput;
pub use control_plane::{ControlPlane, shared};
pub use error::Error;
pub use external_secrets::ExternalSecrets;
pub use metrics::{RequestCounts, RequestLabels};
pub use node::{Node, Parts};
pub use process::{Process, ProcessBuilder, Transcript};
pub use proxy::{Action, ApiProxy, Gate, Matcher, RecordedRequest, Rule, RuleHandle, Stage};
pub use vault::{
    EntryChange, EntryView, SimulatedVault, Vault, VaultAnswer, VaultBackup, VaultRole, service_account_token,
};
pub use wait::{LIMIT, eventually, free_port};

/// Makes aws-lc-rs the TLS implementation of this process. Doing it again is harmless.
pub fn install_crypto_provider() {
    // The error only says that a provider is installed already, which is what is wanted.
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
}
