//! Servers that are not, or not quite, a portal.

use std::time::{Duration, Instant};

use serde_json::json;
use technical_user_operator::domain::user::{Credential, UserId};
use technical_user_operator::portal::clients::catena_x::CatenaXPortal;
use technical_user_operator::portal::observe::NoObserver;
use technical_user_operator::portal::{
    ConfigError, Lane, Network, NotHttps, PlainHttp, Portal, PortalError, Verification,
};
use technical_user_operator::process::Process;

use crate::stub::{PERMISSIONS, Reply, SECRET, Stub, empty_page, jwt, messages, tokens};
use crate::support::{LOGIN_SECRET, client_credentials, connection, error, portal_of};

fn token() -> Reply {
    tokens(&jwt("sa1", &PERMISSIONS), 300)
}

#[tokio::test]
async fn a_web_page_or_a_redirect_is_not_the_backend() {
    let elsewhere = Stub::start(|_, _| messages()).await;
    let target = format!("{}/login", elsewhere.origin);
    for reply in [Reply::html(200), Reply::html(404), Reply::text(302, "").header("location", &target)] {
        let stub =
            Stub::start(move |seen, _| if seen.what() == "token" { token() } else { reply.clone() }).await;
        let portal = portal_of(&stub);
        for failure in [
            error(portal.capabilities().await),
            error(portal.roles(Lane::Interactive).await),
            error(portal.scan(Lane::Background).await.map(drop)),
            error(portal.details(&UserId::new("a"), Lane::Interactive).await.map(drop)),
            error(portal.reset(&UserId::new("a")).await),
        ] {
            assert!(matches!(failure, PortalError::NotThePortalBackend { .. }), "{failure:?}");
        }
    }
    assert!(elsewhere.seen().is_empty(), "a token was sent elsewhere");
}

#[tokio::test]
async fn error_messages_that_are_no_json_are_not_the_backends() {
    let stub = Stub::start(|_, _| Reply::text(200, SECRET)).await;
    assert!(matches!(error(portal_of(&stub).capabilities().await), PortalError::NotThePortalBackend { .. }));
}

#[tokio::test]
async fn a_version_that_is_not_reported_is_found_by_the_list() {
    for (status, want) in [(200, "2.2"), (400, "2.0 or 2.1")] {
        for refusal in
            [Reply::text(404, ""), Reply::html(403), Reply::text(401, ""), Reply::json(200, &json!([]))]
        {
            let stub = Stub::start(move |seen, _| match seen.what() {
                "token" => token(),
                "errormessage" => refusal.clone(),
                _ if status == 200 => empty_page(),
                _ => Reply::json(400, &json!({"errors": {"userStatus": [SECRET]}})),
            })
            .await;
            let portal = portal_of(&stub);
            assert_eq!(portal.capabilities().await.unwrap().version, want);
            assert_eq!(portal.capabilities().await.unwrap().version, want);
            assert_eq!(stub.count("errormessage"), 1);
        }
    }
}

#[tokio::test]
async fn an_endless_answer_is_cut_short() {
    let stub = Stub::start(|seen, _| match seen.what() {
        "token" => token(),
        "errormessage" => messages(),
        "roles" => Reply::text(200, &"x".repeat((1 << 20) + 1)),
        _ => Reply::text(200, &"x".repeat((4 << 20) + 1)),
    })
    .await;
    let portal = portal_of(&stub);
    let too_long = PortalError::BadAnswer { reason: "it is too long" };
    assert_eq!(error(portal.roles(Lane::Interactive).await), too_long);
    assert_eq!(error(portal.scan(Lane::Interactive).await.map(drop)), too_long);
}

#[tokio::test]
async fn an_absent_server_is_reported_with_host_and_port() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let origin = format!("http://{address}");
    let login = client_credentials("sa1", LOGIN_SECRET);
    let portal = crate::support::portal(connection(&origin, &format!("{origin}/token"), login));
    let refused = PortalError::Unreachable {
        endpoint: address.to_string(),
        reason: "the connection was refused".to_owned(),
    };
    assert_eq!(error(portal.capabilities().await), refused);
    assert_eq!(error(portal.login().await), refused);
    let credential =
        |token_url: String| Credential::with_secret("sa2".into(), LOGIN_SECRET.into(), token_url);
    let verified = portal.verify(&credential(format!("{origin}/token")), Lane::Interactive).await;
    assert!(
        matches!(verified, Verification::Unreachable { endpoint, .. } if endpoint == address.to_string())
    );
    let verified = portal.verify(&credential("http://8.8.8.8/token".into()), Lane::Interactive).await;
    assert!(matches!(verified, Verification::Unreachable { reason, .. } if reason.contains("not https")));
}

#[tokio::test]
async fn a_name_that_does_not_resolve_is_reported() {
    let login = client_credentials("sa1", LOGIN_SECRET);
    let portal =
        crate::support::portal(connection("https://portal.invalid", "https://idp.invalid/token", login));
    let failure = error(portal.capabilities().await);
    let PortalError::Unreachable { endpoint, reason } = failure else { panic!("{failure:?}") };
    assert_eq!((endpoint.as_str(), reason.as_str()), ("portal.invalid:443", "the name does not resolve"));
}

#[tokio::test]
async fn credentials_are_distinguished_from_endpoints() {
    let credential =
        |origin: &str| Credential::with_secret("sa2".into(), LOGIN_SECRET.into(), format!("{origin}/token"));
    let refused = |code: &str| Reply::json(401, &json!({"error": code}));
    for (reply, want) in [
        (token(), Verification::Accepted { roles: None }),
        (refused("invalid_client"), Verification::Refused { unknown_client: true }),
        (refused("unauthorized_client"), Verification::Refused { unknown_client: false }),
        (refused("unauthorized"), Verification::Refused { unknown_client: false }),
    ] {
        let stub = Stub::start(move |_, _| reply.clone()).await;
        let said = match portal_of(&stub).verify(&credential(&stub.origin), Lane::Background).await {
            Verification::Accepted { .. } => Verification::Accepted { roles: None },
            said => said,
        };
        assert_eq!(said, want);
    }
    for reply in [
        Reply::html(200),
        Reply::html(401),
        Reply::html(502),
        Reply::text(404, SECRET),
        Reply::text(429, SECRET),
        Reply::json(400, &json!({"error": "unsupported_grant_type"})),
    ] {
        let stub = Stub::start(move |_, _| reply.clone()).await;
        let verified = portal_of(&stub).verify(&credential(&stub.origin), Lane::Background).await;
        assert!(matches!(verified, Verification::Unreachable { .. }), "{verified:?}");
        assert!(!format!("{verified:?}").contains(SECRET));
    }
}

#[tokio::test]
async fn a_pause_of_a_wallet_stops_no_other_wallet() {
    let wallet = Stub::start(|_, _| Reply::text(429, "").header("retry-after", "60")).await;
    let stub =
        Stub::start(|seen, _| if seen.what() == "token" { token() } else { Reply::json(200, &json!([])) })
            .await;
    let portal = portal_of(&stub);
    let token_url = format!("{}/token", wallet.origin);
    let credential = Credential::with_secret("x".into(), LOGIN_SECRET.into(), token_url);
    for _ in 0..10 {
        portal.verify(&credential, Lane::Background).await;
    }
    let start = Instant::now();
    portal.roles(Lane::Interactive).await.unwrap();
    assert!(start.elapsed() < Duration::from_secs(1));
}

#[tokio::test]
async fn a_connection_that_cannot_work_is_not_opened() {
    let login = || client_credentials("sa1", LOGIN_SECRET);
    let made = |api_url: &str, token_url: &str, ca_bundle: Option<&str>| {
        let mut connection = connection(api_url, token_url, login());
        connection.ca_bundle = ca_bundle.map(str::to_owned);
        connection.insecure_http = false;
        CatenaXPortal::new(
            connection,
            &Network::default(),
            std::sync::Arc::new(NoObserver),
            Process::system(),
        )
    };
    let (api, token) = ("https://portal.example.org", "https://idp.example.org/token");
    assert!(made(api, token, None).is_ok());
    assert!(matches!(made("portal", token, None), Err(ConfigError::ApiUrl { .. })));
    assert!(matches!(made(api, "idp", None), Err(ConfigError::TokenUrl { .. })));
    for origin in ["http://portal.example.org", "http://127.0.0.1", "http://localhost", "http://[::1]"] {
        let http = error(made(origin, token, None));
        let endpoint = format!("{}:80", origin.trim_start_matches("http://"));
        assert_eq!(http, ConfigError::NotHttps { endpoint, why: NotHttps::NotWanted });
    }
    assert!(matches!(made(api, "http://idp.example.org/token", None), Err(ConfigError::NotHttps { .. })));
    assert!(matches!(made(api, token, Some("no pem")), Err(ConfigError::Client { .. })));
}

#[tokio::test]
async fn plain_http_needs_the_process_the_portal_and_a_private_address() {
    let made = |permitted: bool, asked_for: bool, origin: &str| {
        let login = client_credentials("sa1", LOGIN_SECRET);
        let mut connection = connection(origin, &format!("{origin}/token"), login);
        connection.insecure_http = asked_for;
        let plain_http = if permitted { PlainHttp::PrivateAddresses } else { PlainHttp::Refused };
        let network = Network { plain_http, ..Network::default() };
        match CatenaXPortal::new(connection, &network, std::sync::Arc::new(NoObserver), Process::system()) {
            Ok(_) => None,
            Err(ConfigError::NotHttps { why, .. }) => Some(why),
            Err(other) => panic!("{other}"),
        }
    };
    let private = "http://10.0.0.1:8080";
    assert_eq!(made(false, false, private), Some(NotHttps::NotWanted));
    assert_eq!(made(false, true, private), Some(NotHttps::NotPermitted));
    assert_eq!(made(true, false, private), Some(NotHttps::NotAskedFor));
    assert_eq!(made(true, true, "http://192.0.2.1"), Some(NotHttps::NotPrivate));
    assert_eq!(made(true, true, "http://169.254.169.254"), Some(NotHttps::NotPrivate));
    assert_eq!(made(true, true, private), None);
    let words = NotHttps::NotPermitted.to_string();
    assert!(words.contains("allowInsecureHttp"), "{words}");
}
