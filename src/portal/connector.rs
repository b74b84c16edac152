//! Builds clients of portals: the one place that knows them all.

use std::sync::Arc;

use super::catena_x::CatenaXPortal;
use super::observe::CallObserver;
use super::{ClientConfig, ConfigError, Network, PlainHttp, Portal};
use crate::process::Process;

/// Builds clients of portals.
pub trait Connector: Send + Sync {
    /// Whether this process permits plain http to Portals that ask for it.
    fn plain_http(&self) -> PlainHttp;

    /// A client that was not used yet.
    fn connect(&self, config: ClientConfig) -> Result<Arc<dyn Portal>, ConfigError>;
}

/// The clients of real portals.
pub struct Clients {
    network: Network,
    observer: Arc<dyn CallObserver>,
    process: Process,
}

impl Clients {
    /// Clients that use the network like this, and report each call.
    #[must_use]
    pub fn new(network: Network, observer: Arc<dyn CallObserver>, process: Process) -> Self {
        Self { network, observer, process }
    }
}

impl Connector for Clients {
    fn plain_http(&self) -> PlainHttp {
        self.network.plain_http
    }

    fn connect(&self, config: ClientConfig) -> Result<Arc<dyn Portal>, ConfigError> {
        let (network, observer) = (self.network.clone(), Arc::clone(&self.observer));
        Ok(Arc::new(CatenaXPortal::new(config, network, observer, self.process.clone())?))
    }
}
