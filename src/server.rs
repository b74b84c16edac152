//! Probes and metrics over HTTP: `/livez`, `/readyz`, `/metrics`.
//!
//! It starts before everything else and stops last, so that a slow start and a slow stop are visible.

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::http::header::{ACCEPT, CONTENT_TYPE, VARY};
use axum::http::{HeaderMap, StatusCode};
use axum::response::IntoResponse;
use axum::routing::get;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use parking_lot::{Mutex, MutexGuard};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

use accept::Form;

use crate::config::Listen;
use crate::health::Health;
use crate::metrics::Metrics;

mod accept;
mod socket;

/// A client must send the head of its request in this time. Otherwise the connection is closed.
const HEAD_WITHIN: Duration = Duration::from_secs(5);
/// A connection serves one request and ends within this time.
const CONNECTION_WITHIN: Duration = Duration::from_secs(10);
/// Connections at the same time …
const CONNECTIONS: usize = 64;
/// … and those from one address, so that one client cannot keep the kubelet's probes out. More are closed at once.
const CONNECTIONS_PER_ADDRESS: usize = 16;
/// Size of a request's head; a longer one is refused.
const HEAD_BYTES: usize = 16 * 1024;
/// Header fields of a request.
const HEADERS: usize = 64;
/// Pause after a failed accept, such as when file descriptors have run out.
const ACCEPT_AGAIN_AFTER: Duration = Duration::from_millis(200);

/// A server that is listening.
pub struct Server {
    listener: TcpListener,
    address: SocketAddr,
}

impl Server {
    /// Listens at the address; the log reports the port that was chosen for 0. Needs a runtime.
    pub fn bind(listen: Listen) -> std::io::Result<Self> {
        let listener = socket::open(listen)?;
        let address = listener.local_addr()?;
        tracing::info!(%address, "Serving probes and metrics");
        Ok(Self { listener, address })
    }

    /// The address at which it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Answers without end; abort or drop it as the last step of a stop.
    pub async fn run(self, health: Health, metrics: Metrics) {
        let router = router(health, metrics);
        let places = Places::default();
        // Dropped with this future, and the connections with it.
        let mut connections = JoinSet::new();
        loop {
            while connections.try_join_next().is_some() {}
            match self.listener.accept().await {
                Ok((stream, from)) => {
                    if let Some(place) = places.take(from.ip()) {
                        connections.spawn(serve(stream, router.clone(), place));
                    } else {
                        tracing::debug!(peer = %from, "A connection was closed, because there are too many");
                    }
                }
                Err(error) => {
                    tracing::warn!("Cannot accept a connection: {error}");
                    tokio::time::sleep(ACCEPT_AGAIN_AFTER).await;
                }
            }
        }
    }
}

/// The connections that are open, by address.
#[derive(Clone, Default)]
struct Places(Arc<Mutex<BTreeMap<IpAddr, usize>>>);

/// One open connection; its place is free again when it is dropped.
struct ConnectionSlot(Places, IpAddr);

impl Places {
    fn open(&self) -> MutexGuard<'_, BTreeMap<IpAddr, usize>> {
        self.0.lock()
    }

    fn take(&self, from: IpAddr) -> Option<ConnectionSlot> {
        // At a socket for IPv6 and IPv4, an IPv4 client has another form of the same address.
        let from = from.to_canonical();
        let mut open = self.open();
        let (all, own) = (open.values().sum::<usize>(), open.get(&from).copied().unwrap_or_default());
        if all >= CONNECTIONS || own >= CONNECTIONS_PER_ADDRESS {
            return None;
        }
        open.insert(from, own + 1);
        Some(ConnectionSlot(self.clone(), from))
    }
}

impl Drop for ConnectionSlot {
    fn drop(&mut self) {
        let mut open = self.0.open();
        let left = open.get(&self.1).copied().unwrap_or_default().saturating_sub(1);
        if left == 0 {
            open.remove(&self.1);
        } else {
            open.insert(self.1, left);
        }
    }
}

async fn serve(stream: TcpStream, router: Router, _place: ConnectionSlot) {
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_WITHIN)
        .max_buf_size(HEAD_BYTES)
        .max_headers(HEADERS)
        .keep_alive(false)
        .serve_connection(TokioIo::new(stream), TowerToHyperService::new(router));
    match tokio::time::timeout(CONNECTION_WITHIN, connection).await {
        Ok(Ok(())) => {}
        Ok(Err(error)) => tracing::debug!("A connection failed: {error}"),
        Err(_) => tracing::debug!("A connection took too long"),
    }
}

fn router(health: Health, metrics: Metrics) -> Router {
    Router::new()
        .route("/livez", get(livez))
        .route("/readyz", get(readyz))
        .with_state(health)
        .route("/metrics", get(expose).with_state(metrics))
}

async fn livez(State(health): State<Health>) -> (StatusCode, &'static str) {
    if health.is_alive() {
        (StatusCode::OK, "ok\n")
    } else {
        (StatusCode::SERVICE_UNAVAILABLE, "the operator's event loop does not run\n")
    }
}

async fn readyz(State(health): State<Health>) -> (StatusCode, String) {
    let pending = health.pending();
    let reports = health.reports().into_iter().map(|line| line + "\n").collect::<String>();
    if pending.is_empty() {
        return (StatusCode::OK, format!("ok\n{reports}"));
    }
    let reasons: Vec<_> = pending.iter().map(ToString::to_string).collect();
    (StatusCode::SERVICE_UNAVAILABLE, format!("not ready: {}\n{reports}", reasons.join("; ")))
}

async fn expose(State(metrics): State<Metrics>, headers: HeaderMap) -> impl IntoResponse {
    let accept = headers.get_all(ACCEPT).iter().filter_map(|value| value.to_str().ok());
    let form = Form::asked_for(accept);
    let text = match form {
        Form::Classic => metrics.encode_classic(),
        Form::OpenMetrics => metrics.encode(),
    };
    ([(CONTENT_TYPE, form.content_type()), (VARY, "accept")], text)
}

#[cfg(test)]
mod tests;
