//! Where things are: manifests, web pages, certificates, hosts that are down, releases.

use portal_simulator::{Action, Fault, Part, Tls, Version};
use serde_json::json;

use crate::support::{ALL, BPN, SECRET, Scratch, check, check_at, config, everything, quick, start};

#[tokio::test]
async fn each_release_is_recognized() {
    for (version, words) in [
        (Version::V2_0, "2.0 or 2.1"),
        (Version::V2_1, "2.0 or 2.1"),
        (Version::V2_2, "2.2"),
        (Version::V2_3, "2.3 or 2.4"),
        (Version::V2_4, "2.3 or 2.4"),
        (Version::V2_5, "2.5 or 2.6"),
        (Version::V2_6, "2.5 or 2.6"),
        (Version::Main, "after 2.6"),
    ] {
        let said = check(&start(config(version, &ALL)).await, &["-o", "json"]).await;
        let document = said.is(0).json();
        let version = document["steps"].as_array().unwrap().iter().find(|step| step["name"] == "version");
        assert_eq!(version.unwrap()["version"], words);
        assert_eq!((&document["ok"], &document["exitCode"]), (&json!(true), &json!(0)));
    }
}

#[tokio::test]
async fn a_web_page_is_not_the_backend() {
    let simulator = everything().await;
    simulator.inject(Fault::anywhere(Action::HtmlInstead).path_contains("/api/administration"));
    let said = check(&simulator, &[]).await;
    said.is(2).step("ok", "token").step("FAIL", "portal").has("is not the portal's backend");
    said.has("often portal-backend.").has_not("offered-roles");
    simulator.clear_faults();
    simulator.inject(Fault::anywhere(Action::HtmlInstead).path_contains("/auth/"));
    let said = check(&simulator, &[]).await;
    said.is(2)
        .step("FAIL", "identity-provider")
        .has("does not answer as a token endpoint")
        .step("ok", "portal");
}

#[tokio::test]
async fn certificates_are_trusted_when_they_are_given() {
    let simulator = start(config(Version::V2_6, &ALL).tls(Tls::OneAuthority)).await;
    let scratch = Scratch::new();
    let ca = scratch.file("ca.crt", &simulator.ca_pem());
    check(&simulator, &["--ca-file", &ca]).await.is(0);
    let said = check(&simulator, &[]).await;
    said.is(2)
        .step("FAIL", "identity-provider")
        .step("FAIL", "portal")
        .has("issuer is unknown")
        .has("--ca-file");
    let wrong = scratch.file("wrong.crt", "no certificate");
    check(&simulator, &["--ca-file", &wrong]).await.is(1).step("FAIL", "target").has("holds no certificate");
    check(&simulator, &["--ca-file", "/absent"]).await.is(1).has("cannot read /absent");
}

#[tokio::test]
async fn what_is_down_is_named() {
    let simulator = everything().await;
    simulator.stop(Part::Portal).await;
    let portal = simulator.portal_url().trim_start_matches("http://").to_owned();
    let said = check(&simulator, &[]).await;
    said.is(2).step("ok", "token").step("FAIL", "portal").has(&format!("{portal} is not reachable"));
    simulator.restart(Part::Portal).await.unwrap();
    simulator.stop(Part::Idp).await;
    let said = check(&simulator, &["--write"]).await;
    said.is(2).step("FAIL", "identity-provider").step("ok", "portal").has("the connection was refused");
    said.step("note", "write-create");
}

#[tokio::test]
async fn plain_http_is_refused_before_anything_is_sent() {
    let scratch = Scratch::new();
    let secret = scratch.file("secret", SECRET);
    let said = check_at(
        quick(),
        &[
            "--allow-insecure-http=false",
            "--url",
            "http://127.0.0.1:1",
            "--token-url",
            "https://idp.example.org/token",
            "--client-id",
            "sa1",
            "--client-secret-file",
            &secret,
        ],
    )
    .await;
    said.is(1).step("FAIL", "target").has("must be called by https");
}

#[tokio::test]
async fn a_manifest_names_the_portal() {
    let simulator = everything().await;
    let scratch = Scratch::new();
    let secret = scratch.file("secret", SECRET);
    let manifest = |bpn: &str, more: &str| {
        let text = format!(
            "apiVersion: v1\nkind: Secret\nmetadata: {{name: login}}\n---\napiVersion: technicaluser.dev/v1alpha1\n\
             kind: Portal\nmetadata: {{name: p}}\nspec:\n  catenaX:\n    insecureHttp: true\n    url: {}\n    tokenUrl: {}\n    bpn: {bpn}\n    \
             auth: {{clientCredentials: {{secretRef: {{name: login}}}}}}\n{more}",
            simulator.api_url(),
            simulator.token_url()
        );
        scratch.file("portal.yaml", &text)
    };
    let login = ["--client-id", "sa1", "--client-secret-file", &secret];
    let path = manifest(BPN, "");
    let said = check_at(quick(), &[&[path.as_str()], &login[..]].concat()).await;
    said.is(0).has(simulator.portal_url()).has_not("Notes:");
    let path = manifest("BPNL0000000WRONG", "");
    check_at(quick(), &[&[path.as_str()], &login[..]].concat()).await.is(1).has("WrongCompany");
    let more = "    deleteAuth: {clientCredentials: {secretRef: {name: d}}}\n  \
                tls: {caBundle: {configMapRef: {name: ca}}}\n";
    let path = manifest(BPN, more);
    let said = check_at(quick(), &[&[path.as_str()], &login[..]].concat()).await;
    said.is(0).has("a deleteAuth, which was not tried").has("certificates that are in the cluster");
    let path = manifest(BPN, "  suspend: true\n");
    let said = check_at(quick(), &[&[path.as_str(), "--write"], &login[..]].concat()).await;
    said.is(0).step("note", "write-create").has("suspend: true");
    let none = scratch.file("none.yaml", "kind: Portal\napiVersion: v1\n");
    let said = check_at(quick(), &[&[none.as_str(), "-o", "json"], &login[..]].concat()).await;
    let document = said.is(1).json();
    assert_eq!(document["target"], json!(null));
    assert!(document["missing"][0].as_str().unwrap().contains("holds no Portal"));
}
