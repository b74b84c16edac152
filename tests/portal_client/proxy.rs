//! Proxies, which the environment names. The environment belongs to a process, so each case runs in one of its own.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use portal_simulator::{Tls, Version};
use technical_user_operator::portal::{Lane, Portal};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};

use crate::simulated::{config, start};
use crate::support::{LOGIN_SECRET, client_credentials, connection, portal};

/// A proxy that opens tunnels, or refuses them with a status.
struct Proxy {
    url: String,
    tunnels: Arc<AtomicUsize>,
}

impl Proxy {
    async fn start(refusal: Option<&'static str>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let tunnels = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&tunnels);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                count.fetch_add(1, Ordering::SeqCst);
                tokio::spawn(tunnel(stream, refusal));
            }
        });
        Self { url, tunnels }
    }
}

async fn tunnel(stream: TcpStream, refusal: Option<&'static str>) {
    let mut client = BufReader::new(stream);
    let mut first = String::new();
    client.read_line(&mut first).await.unwrap();
    let mut line = String::from("-");
    while !line.trim().is_empty() {
        line.clear();
        client.read_line(&mut line).await.unwrap();
    }
    if let Some(refusal) = refusal {
        let answer = format!("HTTP/1.1 {refusal}\r\ncontent-length: 0\r\n\r\n");
        client.write_all(answer.as_bytes()).await.unwrap();
        return;
    }
    let target = first.split(' ').nth(1).unwrap();
    assert!(first.starts_with("CONNECT "), "{first}");
    let mut server = TcpStream::connect(target).await.unwrap();
    client.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await.unwrap();
    // Ends with an error when one side hangs up, as it may.
    let _ended = tokio::io::copy_bidirectional(&mut client, &mut server).await;
}

/// What a process with such an environment says of its calls, and how many tunnels it wanted.
async fn calls_with(refusal: Option<&'static str>, no_proxy: &str) -> (String, usize) {
    let simulator = start(config(Version::V2_6).tls(Tls::OneAuthority)).await;
    let proxy = Proxy::start(refusal).await;
    let child = tokio::process::Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "proxy::in_a_process_of_its_own", "--ignored", "--nocapture"])
        .env_clear()
        .env("HTTPS_PROXY", &proxy.url)
        .env("NO_PROXY", no_proxy)
        .env("TEST_API_URL", simulator.portal_url())
        .env("TEST_TOKEN_URL", simulator.token_url())
        .env("TEST_CA", simulator.ca_pem())
        .output()
        .await
        .unwrap();
    let said = String::from_utf8(child.stdout).unwrap();
    (said, proxy.tunnels.load(Ordering::SeqCst))
}

#[tokio::test]
#[ignore = "a child process of the tests of this file, which run it: cargo test --test portal_client proxy"]
async fn in_a_process_of_its_own() {
    let Ok(api_url) = std::env::var("TEST_API_URL") else { return };
    let token_url = std::env::var("TEST_TOKEN_URL").unwrap();
    let mut connection = connection(&api_url, &token_url, client_credentials("sa1", LOGIN_SECRET));
    connection.ca_bundle = std::env::var("TEST_CA").ok();
    match portal(connection).roles(Lane::Interactive).await {
        Ok(roles) => println!("said: {} roles", roles.len()),
        Err(error) => println!("said: {error}"),
    }
}

#[tokio::test]
async fn calls_go_through_the_proxy() {
    let (said, tunnels) = calls_with(None, "").await;
    assert!(said.contains(" roles"), "{said}");
    assert_eq!(tunnels, 2, "one to the identity provider, one to the portal");
}

#[tokio::test]
async fn calls_go_past_the_proxy_where_it_is_not_wanted() {
    let (said, tunnels) = calls_with(Some("403 Forbidden"), "127.0.0.1").await;
    assert!(said.contains(" roles"), "{said}");
    assert_eq!(tunnels, 0);
}

#[tokio::test]
async fn each_form_of_an_exception_bypasses_the_proxy() {
    for no_proxy in ["*", "10.0.0.1, 127.0.0.0/8", "*.example.org,127.0.0.1"] {
        let (said, tunnels) = calls_with(Some("403 Forbidden"), no_proxy).await;
        assert!(said.contains(" roles"), "{no_proxy}: {said}");
        assert_eq!(tunnels, 0, "{no_proxy}");
    }
    let (said, tunnels) = calls_with(None, "127.0.0.1:1,127.0.0.2,*.example.org").await;
    assert!(said.contains(" roles"), "{said}");
    assert_eq!(tunnels, 2, "another port, another address, another domain");
}

#[tokio::test]
async fn a_proxy_that_refuses_is_reported() {
    let (said, _) = calls_with(Some("403 Forbidden"), "").await;
    assert!(said.contains("the proxy did not open a tunnel"), "{said}");
    let (said, _) = calls_with(Some("407 Proxy Authentication Required"), "").await;
    assert!(said.contains("the proxy requires a login"), "{said}");
}

/// Plain http is for the machine itself and private networks; the form with the secret must not pass through a proxy.
#[tokio::test]
async fn plain_http_never_uses_a_proxy() {
    let simulator = start(config(Version::V2_6)).await;
    let proxy = Proxy::start(Some("403 Forbidden")).await;
    let mut child = tokio::process::Command::new(std::env::current_exe().unwrap());
    child.args(["--exact", "proxy::in_a_process_of_its_own", "--ignored", "--nocapture"]).env_clear();
    for variable in ["HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "ALL_PROXY", "all_proxy"] {
        child.env(variable, &proxy.url);
    }
    let child = child
        .env("TEST_API_URL", simulator.portal_url())
        .env("TEST_TOKEN_URL", simulator.token_url())
        .output()
        .await
        .unwrap();
    let said = String::from_utf8(child.stdout).unwrap();
    assert!(said.contains(" roles"), "{said}");
    assert_eq!(proxy.tunnels.load(Ordering::SeqCst), 0);
}
