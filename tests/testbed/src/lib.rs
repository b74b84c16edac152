//! Real Kubernetes control planes for tests.
//!
//! A [`ControlPlane`] is etcd, kube-apiserver and kube-controller-manager on 127.0.0.1, with RBAC, built from source
//! by `build.sh` on first use. An [`ApiProxy`] stands between one operator under test and the apiserver: it records
//! the calls and breaks chosen ones. A [`Process`] is such an operator as a child process that can be killed at any
//! moment. Nothing outlives the process that uses this crate, even if that is killed with SIGKILL.
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

mod access;
mod binaries;
mod commands;
mod components;
mod control_plane;
mod error;
mod launch;
mod metrics;
mod node;
mod pki;
mod process;
mod proxy;
mod supervisor;
mod wait;

pub use binaries::{Binaries, binaries};
pub use commands::CommandOutput;
pub use control_plane::{ControlPlane, shared};
pub use error::Error;
pub use metrics::{RequestCounts, RequestLabels};
pub use process::{Process, ProcessBuilder, Transcript};
pub use node::{Node, Parts};
pub use proxy::{Action, ApiProxy, Gate, Matcher, RecordedRequest, Rule, RuleHandle, Stage};
pub use wait::{LIMIT, eventually, free_port};

/// Makes aws-lc-rs the TLS implementation of this process. Doing it again is harmless.
pub fn install_crypto_provider() {
    // The error only says that a provider is installed already, which is what is wanted.
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
}
