//! A proxy between one operator under test and the apiserver.

use std::{net::Ipv4Addr, path::Path, sync::Arc};

use hyper::{server::conn::http1, service::service_fn};
use hyper_util::rt::TokioIo;
use parking_lot::{Mutex, MutexGuard};
use tokio::{
    net::TcpListener,
    sync::watch,
    task::{AbortHandle, JoinHandle, JoinSet},
};

use self::{record::Records, rules::Rules, upstream::Upstream};
use crate::{ControlPlane, Error};

mod forward;
mod gate;
mod matcher;
mod record;
mod rules;
mod upstream;

pub use gate::Gate;
pub use matcher::Matcher;
pub use record::RecordedRequest;
pub use rules::{Action, Rule, RuleHandle, Stage};

/// A plain HTTP proxy on 127.0.0.1 in front of an apiserver, for one operator under test.
///
/// It passes on everything as it is, the bearer token included, and streams bodies, so that watches work. It records
/// the requests (never bodies or tokens) and breaks those that a [`Rule`] picks. A request that was forwarded is
/// carried out by the apiserver even if its client is killed meanwhile. It belongs to the Tokio runtime it was
/// started in, and ends with its connections when dropped.
///
/// kubectl and helm keep their tokens to themselves on plain HTTP: through the proxy they are anonymous.
#[derive(Debug)]
pub struct ApiProxy {
    url: String,
    shared: Arc<Shared>,
    accepting: JoinHandle<()>,
}

/// What all connections of one proxy share.
#[derive(Debug)]
struct Shared {
    upstream: Upstream,
    records: Records,
    rules: Rules,
    paused: watch::Sender<bool>,
    connections: Mutex<Vec<AbortHandle>>,
}

impl ApiProxy {
    /// Starts a proxy in front of a control plane.
    pub async fn start(control_plane: &ControlPlane) -> Result<Self, Error> {
        Self::in_front_of(control_plane.server(), Some(control_plane.ca())).await
    }

    /// Starts a proxy in front of another HTTP server, such as a Vault. `ca` is the certificate to trust, if it speaks HTTPS.
    pub async fn in_front_of(server: &str, ca: Option<&Path>) -> Result<Self, Error> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
            .await
            .map_err(Error::io("listening for the operator under test"))?;
        let address = listener.local_addr().map_err(Error::io("listening for the operator under test"))?;
        let shared = Arc::new(Shared {
            upstream: Upstream::new(server, ca)?,
            records: Records::default(),
            rules: Rules::default(),
            paused: watch::Sender::new(false),
            connections: Mutex::default(),
        });
        let accepting = tokio::spawn(accept(listener, Arc::clone(&shared)));
        Ok(Self { url: format!("http://{address}"), shared, accepting })
    }

    /// Its address, for [`ControlPlane::kubeconfig_for_token`].
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Begins a rule for the requests that `matcher` picks.
    pub fn on(&self, matcher: Matcher) -> Rule<'_> {
        Rule::new(&self.shared.rules, matcher)
    }

    /// Removes all rules. Requests that are held or delayed stay so.
    pub fn clear_rules(&self) {
        self.shared.rules.clear();
    }

    /// Every request so far, in the order of arrival.
    #[must_use]
    pub fn requests(&self) -> Vec<RecordedRequest> {
        self.shared.records.all()
    }

    /// The requests so far that `matcher` picks, in the order of arrival.
    #[must_use]
    pub fn matching(&self, matcher: &Matcher) -> Vec<RecordedRequest> {
        let mut requests = self.requests();
        requests.retain(|request| matcher.matches(&request.method, &request.target));
        requests
    }

    /// How many requests so far `matcher` picks.
    #[must_use]
    pub fn count(&self, matcher: &Matcher) -> usize {
        self.matching(matcher).len()
    }

    /// Cuts the network as a lost route does: connections stay, but nothing goes through in either direction.
    pub fn pause_all(&self) {
        self.shared.paused.send_replace(true);
    }

    /// Lets everything through again, first of all what has waited.
    pub fn resume(&self) {
        self.shared.paused.send_replace(false);
    }

    /// Closes every connection there is, watches included. New ones are accepted.
    pub fn drop_connections(&self) {
        for connection in self.shared.connections().drain(..) {
            connection.abort();
        }
    }
}

impl Drop for ApiProxy {
    fn drop(&mut self) {
        // The connections belong to a set in this task and end with it.
        self.accepting.abort();
    }
}

impl Shared {
    fn connections(&self) -> MutexGuard<'_, Vec<AbortHandle>> {
        self.connections.lock()
    }

    /// Waits while the network is cut.
    async fn running(&self) {
        // The sender lives in `self`, so this cannot fail.
        let _ = self.paused.subscribe().wait_for(|paused| !paused).await;
    }
}

async fn accept(listener: TcpListener, shared: Arc<Shared>) {
    let mut connections = JoinSet::new();
    loop {
        let stream = tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => stream,
                // A connection that was gone before it was accepted.
                Err(_) => continue,
            },
            Some(_) = connections.join_next() => continue,
        };
        let shared_by_connection = Arc::clone(&shared);
        let connection = connections.spawn(async move {
            let service =
                service_fn(move |request| forward::handle(Arc::clone(&shared_by_connection), request));
            // An error is a client that went away, or a connection that a rule cuts: both are wanted.
            let _ = http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
        });
        let mut open = shared.connections();
        open.retain(|connection| !connection.is_finished());
        open.push(connection);
    }
}
