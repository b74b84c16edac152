//! How requests reach portals, identity providers and wallets.
//!
//! `exchange` is the seam: the trait that everything above depends on. `client` implements it over the network, `answer` is
//! what the clients above read.

mod address;
mod answer;
mod client;
mod exchange;
mod fault;
#[cfg(test)]
pub(crate) mod in_memory;
mod network;
mod proxy;
mod resolver;
mod retry_after;
mod tls;

use std::time::Duration;

pub use address::PlainHttp;
pub(crate) use address::endpoint;
pub(crate) use answer::Answer;
pub use exchange::{Bounded, HttpRequest, HttpResponse, Limit, Payload, Transport, Transports};
pub(crate) use fault::UNRESOLVED;
pub use fault::{Cause, Fault};
pub use network::Network;
pub use proxy::Proxies;
pub use tls::BundleReport;

/// How long a call other than a create may take, from connecting to the last byte.
pub(crate) const CALL_TIMEOUT: Duration = Duration::from_secs(30);
