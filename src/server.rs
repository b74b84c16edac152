//! Probes and metrics over HTTP: `/livez`, `/readyz`, `/metrics`.
//!
//! It starts before anything else and stops last, so that a slow start and a slow stop can be seen.

use std::net::SocketAddr;
use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::IntoResponse;
use axum::routing::get;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};

use crate::health::Health;
use crate::metrics::Metrics;

/// A client that does not send its request's head by then is hung up on.
const HEAD_WITHIN: Duration = Duration::from_secs(5);
/// A connection serves one request and ends by then.
const CONNECTION_WITHIN: Duration = Duration::from_secs(30);
/// Pause after a failed accept, such as when file descriptors have run out.
const ACCEPT_AGAIN_AFTER: Duration = Duration::from_millis(200);
/// `OpenMetrics` 1.0, section "Text format".
const OPEN_METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// A server that listens already.
pub struct Server {
    listener: TcpListener,
    address: SocketAddr,
}

impl Server {
    /// Listens on `address`; the log tells which port was taken where it is 0.
    pub async fn bind(address: SocketAddr) -> std::io::Result<Self> {
        let listener = TcpListener::bind(address).await?;
        let address = listener.local_addr()?;
        tracing::info!(%address, "serving probes and metrics");
        Ok(Self { listener, address })
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Answers for ever; to be aborted or dropped as the last thing of a stop.
    pub async fn run(self, health: Health, metrics: Metrics) {
        let router = router(health, metrics);
        loop {
            match self.listener.accept().await {
                Ok((stream, _)) => {
                    tokio::spawn(serve(stream, router.clone()));
                }
                Err(error) => {
                    tracing::warn!("cannot accept a connection: {error}");
                    tokio::time::sleep(ACCEPT_AGAIN_AFTER).await;
                }
            }
        }
    }
}

async fn serve(stream: TcpStream, router: Router) {
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_WITHIN)
        .keep_alive(false)
        .serve_connection(TokioIo::new(stream), TowerToHyperService::new(router));
    match tokio::time::timeout(CONNECTION_WITHIN, connection).await {
        Ok(Ok(())) => {}
        Ok(Err(error)) => tracing::debug!("a connection failed: {error}"),
        Err(_) => tracing::debug!("a connection took too long"),
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
        (StatusCode::SERVICE_UNAVAILABLE, "the operator's event loop does not turn\n")
    }
}

async fn readyz(State(health): State<Health>) -> (StatusCode, String) {
    let pending = health.pending();
    let told = health.told().into_iter().map(|line| line + "\n").collect::<String>();
    if pending.is_empty() {
        return (StatusCode::OK, format!("ok\n{told}"));
    }
    let reasons: Vec<_> = pending.iter().map(ToString::to_string).collect();
    (StatusCode::SERVICE_UNAVAILABLE, format!("not ready: {}\n{told}", reasons.join("; ")))
}

async fn expose(State(metrics): State<Metrics>) -> impl IntoResponse {
    ([(CONTENT_TYPE, OPEN_METRICS)], metrics.encode())
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    use super::*;
    use crate::health::{Gate, Subject};

    async fn start(health: &Health) -> SocketAddr {
        let server = Server::bind("127.0.0.1:0".parse().unwrap()).await.unwrap();
        let address = server.address();
        assert_ne!(address.port(), 0);
        tokio::spawn(server.run(health.clone(), Metrics::default()));
        address
    }

    /// The whole answer to one request.
    async fn ask(address: SocketAddr, path: &str) -> String {
        let mut stream = TcpStream::connect(address).await.unwrap();
        stream.write_all(format!("GET {path} HTTP/1.1\r\nhost: x\r\n\r\n").as_bytes()).await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        answer
    }

    #[tokio::test]
    async fn readiness_says_what_it_waits_for() {
        let health = Health::default();
        let address = start(&health).await;
        let answer = ask(address, "/readyz").await;
        assert!(answer.starts_with("HTTP/1.1 503"), "{answer}");
        assert!(answer.contains("custom resource definitions") && answer.contains("listed"), "{answer}");
        health.tell(Subject::Namespaces, vec!["namespace x is not served".into()]);
        health.tell(Subject::Definitions, vec!["kind X lacks a field".into()]);
        let answer = ask(address, "/readyz").await;
        assert!(answer.ends_with("yet\nkind X lacks a field\nnamespace x is not served\n"), "{answer}");
        health.open(Gate::CustomResourceDefinitions);
        health.open(Gate::Cache);
        health.tell(Subject::Definitions, Vec::new());
        let answer = ask(address, "/readyz").await;
        assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
        assert!(answer.ends_with("ok\nnamespace x is not served\n"), "{answer}");
    }

    #[tokio::test]
    async fn liveness_needs_no_gate() {
        assert!(ask(start(&Health::default()).await, "/livez").await.starts_with("HTTP/1.1 200"));
    }

    #[tokio::test]
    async fn metrics_are_open_metrics() {
        let answer = ask(start(&Health::default()).await, "/metrics").await;
        assert!(answer.contains("application/openmetrics-text; version=1.0.0"), "{answer}");
        assert!(answer.contains("tuo_leader 0") && answer.ends_with("# EOF\n"), "{answer}");
    }

    #[tokio::test]
    async fn nothing_else_is_there() {
        let address = start(&Health::default()).await;
        for path in ["/", "/debug", "/metrics/x"] {
            assert!(ask(address, path).await.starts_with("HTTP/1.1 404"), "{path}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn who_sends_no_request_is_hung_up_on() {
        let address = start(&Health::default()).await;
        let mut stream = TcpStream::connect(address).await.unwrap();
        stream.write_all(b"GET /livez HTT").await.unwrap();
        let mut rest = Vec::new();
        let ended = tokio::time::timeout(HEAD_WITHIN * 3, stream.read_to_end(&mut rest)).await;
        assert!(ended.is_ok(), "the server hung up");
    }
}
