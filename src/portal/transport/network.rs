//! What the process permits its connections to portals, and how they travel.

use super::{PlainHttp, Proxies};

/// What the process permits its connections to portals, and how they travel.
#[derive(Debug, Clone, Default)]
pub struct Network {
    /// Whether plain http may be used by Portals that ask for it.
    pub plain_http: PlainHttp,
    /// The proxy for https.
    pub proxies: Proxies,
}

impl Network {
    /// The same for a Portal that asks for plain http, or does not.
    #[must_use]
    pub(crate) fn of_portal(mut self, asks_for_plain_http: bool) -> Self {
        if !asks_for_plain_http {
            self.plain_http = PlainHttp::Refused;
        }
        self
    }
}
