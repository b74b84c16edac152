//! The simulator without sockets, for clients in the same process. In a runtime with one thread and a paused clock, and with
//! fastrand's generator of the thread seeded, it answers the same in each run.

use std::sync::Arc;

use bytes::Bytes;
use http::{Request as HttpRequest, Response};

use crate::config::Config;
use crate::core::{Core, Origins};
use crate::http::{Part, Request};
use crate::pipeline;
use crate::setup::{self, SetupError};
use crate::simulator::{Simulator, settings};

const PORTAL: &str = "https://portal.example.org";
const IDP: &str = "https://idp.example.org";
const WALLET: &str = "https://wallet.example.org";

impl Simulator {
    /// A simulator that does not listen: [`Simulator::exchange`] takes its requests. TLS, addresses and ports of the
    /// configuration mean nothing then.
    pub fn in_memory(config: Config) -> Result<Self, SetupError> {
        let settings = settings(&config);
        let core = Core::new(setup::state(config)?, settings);
        core.set_origins(Origins { portal: PORTAL.into(), idp: IDP.into(), wallet: WALLET.into() });
        Ok(Self::over(core))
    }

    /// Answers a request to one of the three hosts. `None`: there is no such host, it cannot be reached, or the connection is
    /// cut. The work continues when the caller drops the future.
    pub async fn exchange(&self, request: HttpRequest<Bytes>) -> Option<Response<Bytes>> {
        let (head, body) = request.into_parts();
        let host = head.uri.host()?;
        let part = Part::ALL.into_iter().find(|part| self.core.origin(*part).ends_with(host))?;
        let reachable = self.core.read(|state| match part {
            Part::Portal => true,
            Part::Idp => state.idp.reachable,
            Part::Wallet => state.wallet.reachable,
        });
        if !reachable {
            return None;
        }
        let request = Request {
            part,
            method: head.method,
            path: head.uri.path().to_owned(),
            query: head.uri.query().map(str::to_owned),
            headers: head.headers,
            body,
        };
        let reply = pipeline::serve(&Arc::clone(&self.core), request).await?;
        let mut response = Response::new(reply.body);
        *response.status_mut() = reply.status;
        response.headers_mut().extend(reply.headers);
        Some(response)
    }
}
