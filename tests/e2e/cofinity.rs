//! Cofinity-X by its own addresses, through a proxy: the portal's calls go there, the apiserver's never.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;

use parking_lot::Mutex;
use portal_simulator::role_names::{DATASPACE_DISCOVERY, IDENTITY_WALLET_MANAGEMENT};
use portal_simulator::{Tls, Version};
use serde_json::json;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufStream, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream};

use crate::support::{BPN_ONE, create, one_company, world};

const PORTAL: &str = "portal-backend.services.cofinity-x.com";
const IDP: &str = "centralidp.services.cofinity-x.com";

/// A proxy that knows some hosts by name; it remembers what it was asked for.
struct Proxy {
    asked: Arc<Mutex<Vec<String>>>,
    known: Arc<Mutex<BTreeMap<String, SocketAddr>>>,
    url: String,
}

impl Proxy {
    async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let proxy = Self { asked: Arc::default(), known: Arc::default(), url };
        let (asked, known) = (Arc::clone(&proxy.asked), Arc::clone(&proxy.known));
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream, Arc::clone(&asked), Arc::clone(&known)));
            }
        });
        proxy
    }

    fn asked(&self) -> Vec<String> {
        self.asked.lock().clone()
    }
}

/// Answers one CONNECT; an error ends the connection, which is all that a proxy can do about it.
async fn serve(
    stream: TcpStream,
    asked: Arc<Mutex<Vec<String>>>,
    known: Arc<Mutex<BTreeMap<String, SocketAddr>>>,
) -> std::io::Result<()> {
    let mut stream = BufStream::new(stream);
    let (mut request, mut line) = (String::new(), String::new());
    stream.read_line(&mut request).await?;
    while stream.read_line(&mut line).await? > 2 {
        line.clear();
    }
    let target = request.split(' ').nth(1).unwrap_or_default().to_owned();
    let address = known.lock().get(&target).copied();
    asked.lock().push(target);
    let Some(address) = address.filter(|_| request.starts_with("CONNECT ")) else {
        stream.write_all(b"HTTP/1.1 502 Bad Gateway\r\ncontent-length: 0\r\n\r\n").await?;
        return stream.flush().await;
    };
    let mut upstream = TcpStream::connect(address).await?;
    stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await?;
    stream.flush().await?;
    copy_bidirectional(&mut stream, &mut upstream).await.map(drop)
}

#[tokio::test]
async fn cofinity_x_is_reached_by_name_through_the_proxy_and_the_apiserver_directly() {
    let proxy = Proxy::start().await;
    let config = one_company(Version::V2_6).tls(Tls::OneAuthority).tls_names([PORTAL, IDP]);
    let mut world = world()
        .simulator(config)
        .env("HTTPS_PROXY", &proxy.url)
        .env("HTTP_PROXY", &proxy.url)
        // The wallet is reached directly.
        .env("NO_PROXY", "127.0.0.1")
        .stopped()
        .start()
        .await;
    let address = |url: &str| -> SocketAddr {
        url.trim_start_matches("https://").split('/').next().unwrap().parse().unwrap()
    };
    {
        let mut known = proxy.known.lock();
        known.insert(format!("{PORTAL}:443"), address(world.simulator.portal_url()));
        known.insert(format!("{IDP}:443"), address(&world.simulator.token_url()));
    }
    world.secret("authority", &[("ca.crt", &world.simulator.ca_pem())]).await;
    let auth = json!({"clientCredentials": {"secretRef": {"name": "portal-login"}}});
    world
        .patch_portal(&json!({"spec": {
            "catenaX": null,
            "cofinityX": {"environment": "Production", "auth": auth},
            "tls": {"caBundle": {"secretRef": {"name": "authority"}}},
        }}))
        .await;
    world.apply(&create("internal", &world.namespace, DATASPACE_DISCOVERY)).await;
    world.apply(&create("wallet", &world.namespace, IDENTITY_WALLET_MANAGEMENT)).await;
    // Straight to the apiserver, by https: a proxy for https is no proxy for that.
    let token = world.plane.service_account_token(&world.namespace, "technical-user-operator").await.unwrap();
    let kubeconfig = world.plane.kubeconfig_for_token(&token, None).unwrap();
    world.start_operator_with(&kubeconfig);
    world.ready("internal").await;
    world.ready("wallet").await;
    let portal = world.portal_ready().await;
    assert_eq!(portal.company.unwrap().bpn, BPN_ONE);
    let asked = proxy.asked();
    for host in [PORTAL, IDP] {
        assert!(asked.contains(&format!("{host}:443")), "{asked:?}");
    }
    assert!(asked.iter().all(|target| target.ends_with("cofinity-x.com:443")), "{asked:?}");
}

#[tokio::test]
async fn without_a_rule_the_proxy_is_used_and_its_refusal_reported() {
    let proxy = Proxy::start().await;
    let mut world = world()
        .simulator(one_company(Version::Main).tls(Tls::OneAuthority))
        .env("HTTPS_PROXY", &proxy.url)
        .stopped()
        .start()
        .await;
    let token = world.plane.service_account_token(&world.namespace, "technical-user-operator").await.unwrap();
    let kubeconfig = world.plane.kubeconfig_for_token(&token, None).unwrap();
    world.start_operator_with(&kubeconfig);
    let words = world.portal_because("Unreachable").await;
    assert!(words.contains("proxy"), "{words}");
    let apiserver = world.plane.server().trim_start_matches("https://").to_owned();
    assert!(!proxy.asked().is_empty() && !proxy.asked().contains(&apiserver), "{:?}", proxy.asked());
}
