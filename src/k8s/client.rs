//! The client for the apiserver. Each call ends in time, is sent once, and uses no proxy.

use std::time::Duration;

use http::HeaderValue;
use http::header::USER_AGENT;
use kube::client::ClientBuilder;
use kube::{Client, Config};
use tower::timeout::TimeoutLayer;

/// How long the apiserver may take until an answer begins.
const HEADERS_WITHIN: Duration = Duration::from_secs(30);
/// How long a connection may be silent within an answer. The apiserver sends a bookmark into each watch about every
/// minute. Without one, a NAT or a load balancer may have dropped the connection silently. The watch then begins again
/// at the version that it had reached.
const SILENT_FOR: Duration = Duration::from_secs(90);
/// How a call is named in the apiserver's audit log.
const AGENT: &str = concat!("technical-user-operator/", env!("CARGO_PKG_VERSION"));

/// Creates the client.
///
/// - An answer begins within 30 s and is silent for at most 90 s, or the call fails. Its length is not bounded, so a watch
///   may last.
/// - Nothing is repeated silently. kube repeats refused calls (429, 503, 504) up to 15 times over minutes. Our callers read
///   the object and then decide; watches have their own back-off.
/// - No proxy: when kube reads a kubeconfig, it uses `HTTPS_PROXY` for the apiserver too, which is meant for portals.
pub fn client(config: Config) -> Result<Client, kube::Error> {
    client_with(config, HEADERS_WITHIN, SILENT_FOR)
}

/// [`client`] with other limits.
pub(super) fn client_with(
    mut config: Config,
    headers_within: Duration,
    silent_for: Duration,
) -> Result<Client, kube::Error> {
    config.default_retry = false;
    config.proxy_url = None;
    config.read_timeout = Some(silent_for);
    // Otherwise the time that a pooled connection waited for its next call would count.
    config.reset_reader_on_write = true;
    config.headers.push((USER_AGENT, HeaderValue::from_static(AGENT)));
    Ok(ClientBuilder::try_from(config)?.with_layer(&TimeoutLayer::new(headers_within)).build())
}

#[cfg(test)]
mod tests {
    use std::net::SocketAddr;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use http::Request;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::{TcpListener, TcpStream};
    use tokio::sync::mpsc;

    use super::*;

    const LIMIT: Duration = Duration::from_millis(300);

    /// A server that answers each connection's first request with `parts`, each after its pause; the channel
    /// yields the requests as they were read.
    async fn server(parts: Vec<(Duration, &'static str)>) -> (SocketAddr, mpsc::UnboundedReceiver<String>) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (seen, requests) = mpsc::unbounded_channel();
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let (seen, parts) = (seen.clone(), parts.clone());
                tokio::spawn(async move {
                    seen.send(read(&mut stream).await).unwrap();
                    for (pause, part) in &parts {
                        tokio::time::sleep(*pause).await;
                        stream.write_all(part.as_bytes()).await.unwrap();
                    }
                    if parts.is_empty() {
                        std::future::pending::<()>().await;
                    }
                });
            }
        });
        (address, requests)
    }

    async fn read(stream: &mut TcpStream) -> String {
        let mut buffer = vec![0; 4096];
        let length = stream.read(&mut buffer).await.unwrap();
        String::from_utf8_lossy(&buffer[..length]).into_owned()
    }

    fn to(address: SocketAddr) -> Client {
        client_with(Config::new(format!("http://{address}").parse().unwrap()), LIMIT, SILENT_FOR).unwrap()
    }

    fn request(method: &str) -> Request<Vec<u8>> {
        Request::builder().method(method).uri("/api").body(Vec::new()).unwrap()
    }

    #[tokio::test]
    async fn a_silent_server_fails_the_call_in_time() {
        let (address, _requests) = server(vec![]).await;
        let started = tokio::time::Instant::now();
        let error = to(address).request_text(request("GET")).await.unwrap_err();
        assert!(matches!(error, kube::Error::Service(_)), "{error}");
        assert!(started.elapsed() >= LIMIT && started.elapsed() < 10 * LIMIT);
    }

    #[tokio::test]
    async fn an_answer_that_began_in_time_may_stream_on() {
        let (address, _requests) = server(vec![
            (Duration::ZERO, "HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\nab"),
            (Duration::from_millis(700), "cd"),
        ])
        .await;
        assert_eq!(to(address).request_text(request("GET")).await.unwrap(), "abcd");
    }

    #[tokio::test]
    async fn a_refused_call_is_sent_once_under_our_name() {
        let (address, mut requests) = server(vec![(
            Duration::ZERO,
            "HTTP/1.1 503 Busy\r\ncontent-length: 0\r\nconnection: close\r\n\r\n",
        )])
        .await;
        for method in ["POST", "PATCH", "GET"] {
            let error = to(address).request_text(request(method)).await.unwrap_err();
            assert!(matches!(&error, kube::Error::Api(status) if status.code == 503), "{error}");
            let sent = requests.recv().await.unwrap();
            assert!(
                sent.starts_with(method) && sent.contains("user-agent: technical-user-operator/"),
                "{sent}"
            );
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
        assert!(requests.try_recv().is_err(), "nothing was repeated");
    }

    #[tokio::test]
    async fn no_proxy_is_used() {
        let (address, _requests) =
            server(vec![(Duration::ZERO, "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok")]).await;
        let (proxy, asked) = (TcpListener::bind("127.0.0.1:0").await.unwrap(), Arc::new(AtomicUsize::new(0)));
        let mut config = Config::new(format!("http://{address}").parse().unwrap());
        config.proxy_url = Some(format!("http://{}", proxy.local_addr().unwrap()).parse().unwrap());
        let count = asked.clone();
        tokio::spawn(async move {
            while proxy.accept().await.is_ok() {
                count.fetch_add(1, Ordering::Relaxed);
            }
        });
        assert_eq!(client(config).unwrap().request_text(request("GET")).await.unwrap(), "ok");
        assert_eq!(asked.load(Ordering::Relaxed), 0);
    }
}
