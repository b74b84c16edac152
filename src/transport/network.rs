//! What the process permits its connections to portals, and how they travel.

use super::{PlainHttp, Proxies};

/// What the process permits its connections to portals, and how they travel.
#[derive(Debug, Clone, Default)]
pub struct Network {
    /// Whether plain http may be used by Portals that request it.
    pub plain_http: PlainHttp,
    /// The proxy for https.
    pub proxies: Proxies,
}
