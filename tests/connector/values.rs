//! The values files of the pages.

use serde_json::json;

use crate::edc::{Chart, Page, leaves, merge};

/// Each values file, with its chart and the Secret that it names.
const FILES: [(&str, &str, &str, &str); 4] = [
    ("connector.md", "values-0.11.yaml", "0.11", "edc-wallet-env"),
    ("connector.md", "values-0.12.yaml", "0.12", "edc-wallet-env"),
    ("connector.md", "values-0.13.yaml", "0.13", "edc-wallet-env"),
    ("outputs.md", "values.yaml, chart 0.13", "0.13", "edc-wallet-env"),
];

/// The values of a company with those of a page are the recorded ones, so the chart renders the recorded environment.
#[test]
fn the_values_files_lead_to_the_recorded_environment() {
    for (page, file, version, secret) in FILES {
        let chart = Chart::of(version);
        let mut values = chart.values_of_the_company();
        merge(&mut values, &Page::read(page).yaml(file));

        let mut recorded = chart.values.clone();
        for plane in ["controlplane", "dataplane"] {
            recorded[plane]["envSecretNames"] = json!([secret]);
        }
        assert_eq!(leaves(&values), leaves(&recorded), "{page} {file}");
        let rendered = chart.render(&values).unwrap();
        for (plane, container) in chart.recorded() {
            assert_eq!(rendered[plane].env, container.env, "{page} {file} {plane}");
            assert_eq!(rendered[plane].env_from, [secret], "{page} {file} {plane}");
        }
    }
}

/// Without the values of the page something is missing: what a company has does not lead to the recorded environment.
#[test]
fn the_values_of_the_company_are_not_enough() {
    for chart in Chart::all() {
        let error = chart.render(&chart.values_of_the_company()).unwrap_err();
        assert!(error.contains("is missing"), "{error}");
    }
}
