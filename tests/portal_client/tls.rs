//! Whose certificates are trusted.

use std::sync::Arc;

use portal_simulator::{Part, Simulator, Tls, Version};
use rcgen::{
    BasicConstraints, Certificate, CertificateParams, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    SanType, date_time_ymd,
};
use rustls::pki_types::PrivatePkcs8KeyDer;
use technical_user_operator::domain::user::NewUser;
use technical_user_operator::portal::clients::catena_x::CatenaXPortal;
use technical_user_operator::portal::{Effect, Lane, Portal, PortalError, Verification};

use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

use crate::simulated::{config, connection_to, credential, start};
use crate::support::{LOGIN_SECRET, client_credentials, connection, error, portal};

fn trusting(simulator: &Simulator, parts: &[Part]) -> CatenaXPortal {
    let bundle: String = parts.iter().map(|part| simulator.ca_pem_of(*part).unwrap()).collect();
    let mut connection = connection_to(simulator);
    connection.ca_bundle = (!bundle.is_empty()).then_some(bundle);
    portal(connection)
}

async fn simulator() -> Simulator {
    start(config(Version::V2_6).tls(Tls::AuthorityPerHost)).await
}

fn unknown_issuer(failure: &PortalError, origin: &str) {
    let PortalError::Tls { endpoint, reason } = failure else { panic!("{failure:?}") };
    assert_eq!(format!("https://{endpoint}"), origin);
    assert!(reason.contains("issuer is unknown"), "{reason}");
}

#[tokio::test]
async fn a_bundle_of_all_authorities_opens_all_doors() {
    let simulator = simulator().await;
    let portal = trusting(&simulator, &[Part::Portal, Part::Idp, Part::Wallet]);
    portal.login().await.unwrap();
    portal.roles(Lane::Interactive).await.unwrap();
    let wallet = credential("nobody", "nothing", simulator.wallet_url());
    assert!(matches!(portal.verify(&wallet, Lane::Interactive).await, Verification::Refused { .. }));
}

#[tokio::test]
async fn an_unknown_authority_is_reported_with_its_host() {
    let simulator = simulator().await;
    let idp = simulator.token_url().split("/auth").next().unwrap().to_owned();
    for parts in [&[][..], &[Part::Portal, Part::Wallet]] {
        unknown_issuer(&error(trusting(&simulator, parts).login().await), &idp);
    }
    let portal = trusting(&simulator, &[Part::Idp]);
    portal.login().await.unwrap();
    unknown_issuer(&error(portal.roles(Lane::Interactive).await), simulator.portal_url());
    let wallet = credential("nobody", "nothing", simulator.wallet_url());
    let Verification::Unreachable { reason, .. } = portal.verify(&wallet, Lane::Interactive).await else {
        panic!("the wallet's certificate was trusted")
    };
    assert!(reason.contains("issuer is unknown"), "{reason}");
}

#[tokio::test]
async fn a_create_over_failed_tls_creates_no_user() {
    let simulator = simulator().await;
    let portal = trusting(&simulator, &[Part::Idp]);
    let user = NewUser { name: "n".into(), description: "d".into(), role_ids: vec![] };
    let failure = error(portal.create_slot().await.unwrap().create(user).await);
    unknown_issuer(&failure.error, simulator.portal_url());
    assert_eq!(failure.effect, Effect::None);
}

#[tokio::test]
async fn plain_http_behind_an_https_address_is_a_tls_failure() {
    let simulator = start(config(Version::V2_6)).await;
    let mut connection = connection_to(&simulator);
    connection.api_url = simulator.portal_url().replace("http://", "https://");
    let failure = error(portal(connection).capabilities().await);
    assert!(matches!(failure, PortalError::Tls { .. }), "{failure:?}");
}

/// A server that shows this certificate; its origin.
async fn server(certificate: &Certificate, key: &KeyPair) -> String {
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(
            vec![certificate.der().clone()],
            PrivatePkcs8KeyDer::from(key.serialize_der()).into(),
        )
        .unwrap();
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let origin = format!("https://{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            // The client hangs up after the handshake, which is what this is about.
            let _ended = acceptor.accept(stream).await;
        }
    });
    origin
}

/// What a client that trusts this bundle says of a server, after or instead of the handshake.
async fn says(origin: &str, bundle: String) -> PortalError {
    let login = client_credentials("sa1", LOGIN_SECRET);
    let mut connection = connection(origin, &format!("{origin}/token"), login);
    connection.ca_bundle = Some(bundle);
    error(portal(connection).capabilities().await)
}

fn tls_reason(failure: PortalError) -> String {
    let PortalError::Tls { reason, .. } = failure else { panic!("{failure:?}") };
    reason
}

/// A server whose certificate is signed by a trusted authority and wrong in another way; what the client says of it.
async fn reason_for(change: impl FnOnce(&mut CertificateParams)) -> String {
    let mut authority = CertificateParams::default();
    authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let authority_key = KeyPair::generate().unwrap();
    let bundle = authority.self_signed(&authority_key).unwrap().pem();
    let mut params = CertificateParams::new(vec!["127.0.0.1".to_owned()]).unwrap();
    change(&mut params);
    let key = KeyPair::generate().unwrap();
    let certificate = params.signed_by(&key, &Issuer::new(authority, authority_key)).unwrap();
    tls_reason(says(&server(&certificate, &key).await, bundle).await)
}

/// A server whose certificate is signed by its own key.
async fn self_signed(change: impl FnOnce(&mut CertificateParams)) -> (String, String) {
    let mut params = CertificateParams::new(vec!["127.0.0.1".to_owned()]).unwrap();
    change(&mut params);
    let key = KeyPair::generate().unwrap();
    let certificate = params.self_signed(&key).unwrap();
    (server(&certificate, &key).await, certificate.pem())
}

type Change = fn(&mut CertificateParams);

fn authority(params: &mut CertificateParams) {
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
}

#[tokio::test]
async fn a_server_certificate_in_the_bundle_is_trusted() {
    // As `openssl req -x509` makes one, and as an authority of its own without that mark.
    for change in [authority, |_: &mut CertificateParams| {}] {
        let (origin, pem) = self_signed(change).await;
        let failure = says(&origin, pem).await;
        assert!(!matches!(failure, PortalError::Tls { .. }), "the server hangs up, no more: {failure:?}");
    }
    // One that another authority issued, which is not in the bundle.
    let other = Issuer::new(CertificateParams::default(), KeyPair::generate().unwrap());
    let key = KeyPair::generate().unwrap();
    let params = CertificateParams::new(vec!["127.0.0.1".to_owned()]).unwrap();
    let certificate = params.signed_by(&key, &other).unwrap();
    let failure = says(&server(&certificate, &key).await, certificate.pem()).await;
    assert!(!matches!(failure, PortalError::Tls { .. }), "{failure:?}");
}

#[tokio::test]
async fn a_server_certificate_in_the_bundle_is_checked_all_the_same() {
    let of_another_name = |params: &mut CertificateParams| {
        authority(params);
        params.subject_alt_names = vec![SanType::DnsName("portal.example.org".try_into().unwrap())];
    };
    let expired = |params: &mut CertificateParams| {
        authority(params);
        params.not_after = date_time_ymd(2020, 1, 1);
    };
    let early = |params: &mut CertificateParams| {
        authority(params);
        params.not_before = date_time_ymd(2090, 1, 1);
    };
    let for_clients = |params: &mut CertificateParams| {
        authority(params);
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
    };
    let changes: [(Change, &str); 4] = [
        (of_another_name, "the certificate is for another name"),
        (expired, "the certificate is expired"),
        (early, "the certificate is not valid yet"),
        (for_clients, "the certificate is not for servers"),
    ];
    for (change, words) in changes {
        let (origin, pem) = self_signed(change).await;
        assert_eq!(tls_reason(says(&origin, pem).await), words);
    }
}

#[tokio::test]
async fn a_server_certificate_that_is_its_own_authority_is_named_as_such() {
    let (origin, _) = self_signed(authority).await;
    let (_, other) = self_signed(authority).await;
    let reason = tls_reason(says(&origin, other).await);
    assert_eq!(reason, "the server's certificate is its own authority, which tls.caBundle does not hold");
}

#[tokio::test]
async fn an_unusable_certificate_keeps_no_other_from_being_used() {
    let simulator = start(config(Version::V2_6).tls(Tls::OneAuthority)).await;
    let broken = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
    for bundle in [format!("{broken}{}", simulator.ca_pem()), format!("{}{broken}", simulator.ca_pem())] {
        let mut connection = connection_to(&simulator);
        connection.ca_bundle = Some(bundle);
        portal(connection).login().await.unwrap();
    }
}

#[tokio::test]
async fn what_is_wrong_with_a_certificate_is_reported() {
    let expired = reason_for(|params| params.not_after = date_time_ymd(2020, 1, 1)).await;
    assert_eq!(expired, "the certificate is expired");
    let early = reason_for(|params| params.not_before = date_time_ymd(2090, 1, 1)).await;
    assert_eq!(early, "the certificate is not valid yet");
    let named = |params: &mut CertificateParams| {
        params.subject_alt_names = vec![SanType::DnsName("portal.example.org".try_into().unwrap())];
    };
    assert_eq!(reason_for(named).await, "the certificate is for another name");
}
