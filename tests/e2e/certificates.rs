//! Certificates of an authority that the operator does not know, and bundles of them.

use k8s_openapi::api::core::v1::ConfigMap;
use kube::api::{Api, DeleteParams, Patch, PatchParams};
use portal_simulator::role_names::{DATASPACE_DISCOVERY, IDENTITY_WALLET_MANAGEMENT};
use portal_simulator::{Endpoint, Simulator, Tls, Version};
use serde_json::json;

use crate::support::{condition, create, one_company, reason, world};

#[tokio::test]
async fn an_unusable_certificate_of_a_bundle_is_named_and_the_others_are_used() {
    let world = world().simulator(one_company(Version::Main).tls(Tls::OneAuthority)).start().await;
    let bundle = async |pem: &str| world.secret("authority", &[("ca.crt", pem)]).await;
    let broken = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
    let authority = world.simulator.ca_pem();
    bundle(&format!("{authority}{broken}")).await;
    world.patch_portal(&json!({"spec": {"tls": {"caBundle": {"secretRef": {"name": "authority"}}}}})).await;
    world.portal_because("LoggedIn").await;
    let portal = world.portal().await.unwrap();
    let notice = condition(&portal, "CertificatesIgnored").unwrap();
    assert_eq!((notice.status.as_str(), notice.reason.as_str()), ("True", "UnusableCertificates"));
    let words = notice.message.as_str();
    assert!(words.contains("certificate 2 is not a valid X.509 certificate"), "{words}");
    world.operator().wait_for_line(|line| line.contains(words)).await.expect("the log names it too");
    world.secrets_api().delete("authority", &DeleteParams::default()).await.unwrap();
    world.portal_because("CaBundleInvalid").await;
    bundle(&format!("{authority}{broken}")).await;
    world.portal_because("LoggedIn").await;
    let portal = world.portal().await.unwrap();
    assert_eq!(condition(&portal, "CertificatesIgnored").unwrap(), notice, "it was not removed meanwhile");
    bundle(&authority).await;
    world
        .eventually("the condition is removed", async || {
            let portal = world.portal().await.unwrap();
            condition(&portal, "CertificatesIgnored").is_none() && reason(&portal) == "LoggedIn"
        })
        .await;
    bundle(broken).await;
    let words = world.portal_because("CaBundleInvalid").await;
    assert!(words.contains("certificate 1 is not a valid X.509 certificate"), "{words}");
}

#[tokio::test]
async fn a_certificate_of_ones_own_authority_is_named_and_trusted() {
    let secure = |version| one_company(version).tls(Tls::OneAuthority);
    let stranger = Simulator::start(secure(Version::Main)).await.unwrap();
    let world = world().simulator(secure(Version::Main)).start().await;
    let config_map = async |pem: &str| {
        let map = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "ca"}, "data": {"ca.crt": pem}});
        let api: Api<ConfigMap> = Api::namespaced(world.client.clone(), &world.namespace);
        api.patch("ca", &PatchParams::apply("a-person").force(), &Patch::Apply(&map)).await.unwrap();
    };
    world.apply(&create("edc", &world.namespace, DATASPACE_DISCOVERY)).await;
    world.apply(&create("wallet", &world.namespace, IDENTITY_WALLET_MANAGEMENT)).await;
    let words = world.portal_because("TlsFailed").await;
    assert!(words.contains("tls.caBundle") && words.contains("127.0.0.1:"), "{words}");
    let by_map = json!({"spec": {"tls": {"caBundle": {"configMapRef": {"name": "ca"}}}}});
    world.patch_portal(&by_map).await;
    let words = world.portal_because("CaBundleInvalid").await;
    assert!(words.contains("ConfigMap \"ca\"") && words.contains("ca.crt"), "{words}");
    config_map("no certificate at all").await;
    world
        .eventually("what is wrong is reported", async || {
            !world.portal_because("CaBundleInvalid").await.contains("is not there")
        })
        .await;
    config_map(&stranger.ca_pem()).await;
    let words = world.portal_because("TlsFailed").await;
    assert!(words.contains("tls.caBundle holds 1 usable"), "{words}");
    assert_eq!(world.count(Endpoint::Create), 0);
    config_map(&world.simulator.ca_pem()).await;
    world.ready("edc").await;
    world.ready("wallet").await;
    world.secret("authority", &[("bundle.pem", &world.simulator.ca_pem())]).await;
    let by_secret = json!({"configMapRef": null, "secretRef": {"name": "authority", "key": "bundle.pem"}});
    world.patch_portal(&json!({"spec": {"tls": {"caBundle": by_secret}}})).await;
    world.portal_ready().await;
    world.apply(&create("later", &world.namespace, IDENTITY_WALLET_MANAGEMENT)).await;
    world.ready("later").await;
}
