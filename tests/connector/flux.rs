//! The `HelmRelease` of the page, as Flux reads it.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::process::{Command, Stdio};

use serde_json::{Value, json};
use technical_user_operator::domain::format::{Format, Options};

use crate::edc::{Chart, Page, environment};
use crate::{SECRET, a_user, secret};

/// The `HelmRelease` of the page with the values that a company has.
fn release() -> Value {
    let mut release = Page::read("connector.md").yaml("helm-release.yaml");
    release["spec"]["values"] = Chart::of("0.13").values_of_the_company();
    release
}

/// The values that Flux composes for a `HelmRelease`, with these Secrets in its namespace.
fn values(release: &Value, secrets: &Value) -> Result<Value, String> {
    let given = json!({ "release": release.to_string(), "secrets": secrets });
    let mut flux = Command::new(testbed::flux().unwrap())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    flux.stdin.take().unwrap().write_all(given.to_string().as_bytes()).unwrap();
    let output = flux.wait_with_output().unwrap();
    if output.status.success() {
        Ok(serde_json::from_slice(&output.stdout).unwrap())
    } else {
        Err(String::from_utf8(output.stderr).unwrap())
    }
}

/// The output of the page and what the operator writes for it.
fn written() -> (String, BTreeMap<String, String>) {
    let page = Page::read("connector.md").yaml("A part of edc-wallet.yaml, for Flux");
    let output = &page["outputs"][1]["secret"];
    assert_eq!(output["format"], "EdcHelmValues");
    assert_eq!(output["edcDialect"], Value::Null, "the default is that of 0.13");
    assert_eq!(output["labels"], json!({ "reconcile.fluxcd.io/watch": "Enabled" }));
    let name = output["name"].as_str().unwrap().to_owned();
    (name, secret(Format::EdcHelmValues, &Options::default(), &a_user()))
}

/// A connector that Flux installs has the same variables as one with references to the Secret of variables.
#[test]
fn the_helm_release_of_the_page_leads_to_the_variables_of_a_connector() {
    let chart = Chart::of("0.13");
    let (name, written) = written();
    let rendered = chart.render(&values(&release(), &json!({ name: written })).unwrap()).unwrap();

    let by_name = secret(Format::EdcEnv, &Options::default(), &a_user());
    let secrets = BTreeMap::from([(SECRET.to_owned(), by_name)]);
    for (plane, container) in chart.recorded() {
        let expected = environment(&container, &secrets).unwrap();
        let by_flux = environment(&rendered[plane], &BTreeMap::new()).unwrap();
        for (variable, _) in &container.env {
            assert_eq!(by_flux[variable], expected[variable], "{plane} {variable}");
        }
    }
}

/// As the page says, nothing is installed before the operator has written the Secret.
#[test]
fn the_helm_release_waits_for_the_secret() {
    let (name, _) = written();
    let error = values(&release(), &json!({})).unwrap_err();
    assert!(error.contains(&name) && error.contains("not found"), "{error}");
}

/// Flux refuses a field that it does not know, so the test above would find one in the page.
#[test]
fn a_field_that_flux_does_not_know_is_refused() {
    let mut release = release();
    release["spec"]["valueFrom"] = json!([]);
    let error = values(&release, &json!({})).unwrap_err();
    assert!(error.contains("valueFrom"), "{error}");
}
