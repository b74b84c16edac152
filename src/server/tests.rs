use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::*;
use crate::health::{Gate, Subject};

fn start(health: &Health) -> SocketAddr {
    let server = Server::bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let address = server.address();
    assert_ne!(address.port(), 0);
    tokio::spawn(server.run(health.clone(), Metrics::default()));
    address
}

/// The whole answer to one request.
async fn ask(address: SocketAddr, path: &str) -> String {
    ask_with(address, path, "").await
}

/// The same with these headers, each with its line end.
async fn ask_with(address: SocketAddr, path: &str, headers: &str) -> String {
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(format!("GET {path} HTTP/1.1\r\nhost: x\r\n{headers}\r\n").as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    answer
}

#[tokio::test]
async fn readiness_says_what_it_waits_for() {
    let health = Health::default();
    let address = start(&health);
    let answer = ask(address, "/readyz").await;
    assert!(answer.starts_with("HTTP/1.1 503"), "{answer}");
    assert!(answer.contains("custom resource definitions") && answer.contains("listed"), "{answer}");
    health.report(Subject::Namespaces, vec!["namespace x is not served".into()]);
    health.report(Subject::Definitions, vec!["kind X lacks a field".into()]);
    let answer = ask(address, "/readyz").await;
    assert!(answer.ends_with("yet\nkind X lacks a field\nnamespace x is not served\n"), "{answer}");
    health.open(Gate::CustomResourceDefinitions);
    health.open(Gate::Identity);
    health.open(Gate::Cache);
    health.report(Subject::Definitions, Vec::new());
    let answer = ask(address, "/readyz").await;
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    assert!(answer.ends_with("ok\nnamespace x is not served\n"), "{answer}");
}

#[tokio::test]
async fn liveness_needs_no_gate() {
    assert!(ask(start(&Health::default()), "/livez").await.starts_with("HTTP/1.1 200"));
}

#[tokio::test]
async fn metrics_are_classic_text_unless_open_metrics_is_asked_for() {
    let address = start(&Health::default());
    let answer = ask(address, "/metrics").await;
    assert!(answer.contains("content-type: text/plain; version=0.0.4"), "{answer}");
    assert!(answer.contains("tuo_leader 0\n") && !answer.contains("# EOF"), "{answer}");
    let accept =
        "accept: application/openmetrics-text;version=1.0.0,text/plain;version=0.0.4;q=0.5,*/*;q=0.1\r\n";
    let answer = ask_with(address, "/metrics", accept).await;
    assert!(answer.contains("content-type: application/openmetrics-text; version=1.0.0"), "{answer}");
    assert!(answer.contains("tuo_leader 0\n") && answer.ends_with("# EOF\n"), "{answer}");
}

#[tokio::test]
async fn nothing_else_is_there() {
    let address = start(&Health::default());
    for path in ["/", "/debug", "/metrics/x"] {
        assert!(ask(address, path).await.starts_with("HTTP/1.1 404"), "{path}");
    }
}

#[tokio::test(start_paused = true)]
async fn who_sends_no_request_is_hung_up_on() {
    let address = start(&Health::default());
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(b"GET /livez HTT").await.unwrap();
    let mut rest = Vec::new();
    let ended = tokio::time::timeout(HEAD_WITHIN * 3, stream.read_to_end(&mut rest)).await;
    assert!(ended.is_ok(), "the server closes the connection");
}

/// A connection from this address of the loopback network that sends nothing.
async fn connect(from: &str, to: SocketAddr) -> TcpStream {
    let socket = tokio::net::TcpSocket::new_v4().unwrap();
    socket.bind(format!("{from}:0").parse().unwrap()).unwrap();
    socket.connect(to).await.unwrap()
}

/// Whether the server keeps a connection that requests liveness, and answers.
async fn answers(mut stream: TcpStream) -> bool {
    let _ = stream.write_all(b"GET /livez HTTP/1.1\r\nhost: x\r\n\r\n").await;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await.is_ok() && answer.starts_with(b"HTTP/1.1 200")
}

#[tokio::test]
async fn one_client_cannot_keep_others_out_nor_all_together_fill_the_memory() {
    let address = start(&Health::default());
    let mut open = Vec::new();
    for client in 2..6 {
        let from = format!("127.0.0.{client}");
        for _ in 0..CONNECTIONS_PER_ADDRESS {
            open.push(connect(&from, address).await);
        }
        assert!(!answers(connect(&from, address).await).await, "{from} has its share");
        let other = connect("127.0.0.9", address).await;
        assert_eq!(answers(other).await, open.len() < CONNECTIONS, "after {}", open.len());
    }
    open.truncate(CONNECTIONS / 2);
    let limit = tokio::time::Instant::now() + Duration::from_mins(1);
    while !answers(connect("127.0.0.9", address).await).await {
        assert!(tokio::time::Instant::now() < limit, "closed connections free their places");
    }
}

#[tokio::test]
async fn a_long_head_is_refused() {
    let address = start(&Health::default());
    let long = format!("x-long: {}\r\n", "a".repeat(2 * HEAD_BYTES));
    let many = "x-many: a\r\n".repeat(HEADERS + 1);
    for headers in [long, many] {
        let mut stream = TcpStream::connect(address).await.unwrap();
        let _ = stream.write_all(format!("GET /livez HTTP/1.1\r\n{headers}\r\n").as_bytes()).await;
        let mut answer = Vec::new();
        // Unread bytes make the end of the connection a reset.
        let _ = stream.read_to_end(&mut answer).await;
        assert!(!answer.starts_with(b"HTTP/1.1 200"), "{}", String::from_utf8_lossy(&answer));
    }
}
