//! The clients of portals, a folder for each, and what builds them: the only place that names them all.

pub mod catena_x;

use std::sync::Arc;

use super::observe::CallObserver;
use super::{ConfigError, PlainHttp, Portal, Transports};
use crate::process::Process;
use catena_x::{CatenaXConfig, CatenaXPortal};

/// Which client to build, and from what.
#[derive(Clone)]
pub enum ClientConfig {
    /// A portal of Catena-X or Cofinity-X.
    CatenaX(CatenaXConfig),
}

/// Builds clients of portals.
pub trait Connector: Send + Sync {
    /// Whether this process permits plain http to Portals that request it.
    fn plain_http(&self) -> PlainHttp;

    /// A client that was not used yet.
    fn connect(&self, config: ClientConfig) -> Result<Arc<dyn Portal>, ConfigError>;
}

/// The clients of real portals.
pub struct Clients {
    transports: Arc<dyn Transports>,
    observer: Arc<dyn CallObserver>,
    process: Process,
}

impl Clients {
    /// Clients that send their requests by these transports, and report each call.
    #[must_use]
    pub fn new(transports: Arc<dyn Transports>, observer: Arc<dyn CallObserver>, process: Process) -> Self {
        Self { transports, observer, process }
    }
}

impl Connector for Clients {
    fn plain_http(&self) -> PlainHttp {
        self.transports.plain_http()
    }

    fn connect(&self, config: ClientConfig) -> Result<Arc<dyn Portal>, ConfigError> {
        let transports = self.transports.as_ref();
        let (observer, process) = (Arc::clone(&self.observer), self.process.clone());
        Ok(match config {
            ClientConfig::CatenaX(config) => {
                Arc::new(CatenaXPortal::new(config, transports, observer, process)?)
            }
        })
    }
}
