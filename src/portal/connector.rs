//! Builds clients of portals: the one place that knows them all.

use std::sync::Arc;

use super::catena_x::CatenaXPortal;
use super::observe::CallObserver;
use super::{ClientConfig, ConfigError, PlainHttp, Portal, Transports};
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
        let (observer, process) = (Arc::clone(&self.observer), self.process.clone());
        Ok(Arc::new(CatenaXPortal::new(config, self.transports.as_ref(), observer, process)?))
    }
}
