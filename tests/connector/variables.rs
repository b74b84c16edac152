//! The variables of a connector, from its chart and from the Secret.

use std::collections::{BTreeMap, BTreeSet};

use technical_user_operator::domain::format::{Dialect, Format, Options, render};

use crate::edc::{Chart, Reader, environment, leaves, merge};
use crate::{SECRET, a_user, secret};

/// Each `$(NAME)` of the chart is a key of the Secret, and no name is used twice.
#[test]
fn every_reference_is_a_key_of_the_secret() {
    let mut used = BTreeSet::new();
    for format in [Format::EdcEnv, Format::EdcMemory] {
        let keys = secret(format, &Options::default(), &a_user());
        for chart in Chart::all() {
            for (plane, container) in chart.recorded() {
                let references = container.references();
                let names: BTreeSet<_> = references.iter().copied().collect();
                assert_eq!(names.len(), references.len(), "{} {plane}: {references:?}", chart.version);
                assert_eq!(names.len(), 4, "{} {plane}: {references:?}", chart.version);
                let missing: Vec<_> = names.iter().filter(|name| !keys.contains_key(**name)).collect();
                assert!(missing.is_empty(), "{} {plane}: {missing:?}", chart.version);
                used.extend(names.into_iter().map(str::to_owned));
            }
        }
    }
    // The wallet's address has two names, one up to 0.12 and one from 0.13. Nothing else is written.
    let keys = secret(Format::EdcEnv, &Options::default(), &a_user()).into_keys().collect::<BTreeSet<_>>();
    assert_eq!(used, keys);
}

/// What the kubelet builds has each setting of the connector once, and no reference is left in it.
#[test]
fn the_container_has_the_values_of_the_secret_and_no_setting_twice() {
    let content = secret(Format::EdcEnv, &Options::default(), &a_user());
    let secrets = BTreeMap::from([(SECRET.to_owned(), content.clone())]);
    for chart in Chart::all() {
        for (plane, container) in chart.recorded() {
            let variables = environment(&container, &secrets).unwrap();
            for (key, value) in &content {
                assert_eq!(variables[key], *value, "{} {plane} {key}", chart.version);
            }
            assert!(!variables.values().any(|value| value.contains("$(")), "{variables:?}");
            let settings: BTreeSet<_> =
                variables.keys().map(|name| name.to_lowercase().replace('_', ".")).collect();
            assert_eq!(settings.len(), variables.len(), "{variables:?}");
            let names: BTreeSet<_> = container.env.iter().map(|(name, _)| name).collect();
            assert_eq!(names.len(), container.env.len(), "{names:?}");
        }
    }
}

/// With the values for Flux the container has the same variables as with references to the Secret of variables.
#[test]
fn values_for_flux_lead_to_the_same_variables_as_references() {
    let content = secret(Format::EdcEnv, &Options::default(), &a_user());
    let secrets = BTreeMap::from([(SECRET.to_owned(), content)]);
    for chart in Chart::all() {
        let dialect = if chart.values["dcp"].is_object() { Dialect::V0_13 } else { Dialect::V0_12 };
        let options = Options { dialect, ..Options::default() };
        let written = &secret(Format::EdcHelmValues, &options, &a_user())["values.yaml"];
        let written = serde_saphyr::from_str(written).unwrap();
        let mut values = chart.values_of_the_company();
        let before = leaves(&values);
        merge(&mut values, &written);
        let after = leaves(&values);
        assert!(
            before.iter().all(|(path, value)| after[path] == *value),
            "the company's own values are the same"
        );

        let rendered = chart.render(&values).unwrap();
        for (plane, container) in chart.recorded() {
            let by_reference = environment(&container, &secrets).unwrap();
            let by_value = environment(&rendered[plane], &BTreeMap::new()).unwrap();
            assert_eq!(rendered[plane].env_from, Vec::<String>::new());
            for (name, _) in &container.env {
                assert_eq!(by_value[name], by_reference[name], "{} {plane} {name}", chart.version);
            }
            assert_eq!(by_value.len(), container.env.len());
        }
        // Nothing of the company has to be given beside it.
        let company = [
            "did:web:example.org:BPNL000000000ONE",
            "BPNL000000000ONE",
            "https://bdrs.example.org",
            "did:web:issuer",
        ];
        let written = leaves(&written);
        for (path, value) in leaves(&chart.values) {
            let of_the_user =
                value.as_str().is_some_and(|text| text.starts_with("$(") || company.contains(&text));
            assert_eq!(written.contains_key(&path), of_the_user, "{} {path}", chart.version);
        }
        assert_eq!(written.len(), 8);
    }
}

/// The other dialect has no place in a chart: a wrong choice is noticed.
#[test]
fn a_chart_does_not_know_the_values_of_the_other_dialect() {
    let content = |dialect| {
        let options = Options { dialect, ..Options::default() };
        serde_saphyr::from_str(&secret(Format::EdcHelmValues, &options, &a_user())["values.yaml"]).unwrap()
    };
    for (version, dialect, value) in
        [("0.12", Dialect::V0_13, "dcp.sts"), ("0.13", Dialect::V0_12, "iatp.id")]
    {
        let chart = Chart::of(version);
        let mut values = chart.values_of_the_company();
        merge(&mut values, &content(dialect));
        let error = chart.render(&values).unwrap_err();
        assert!(error.contains(&format!("no value {value}")), "{error}");
    }
}

/// The variables of a connector with this Secret.
fn with_secret(content: BTreeMap<String, String>) -> BTreeMap<String, String> {
    let container = &Chart::of("0.13").recorded()["controlplane"];
    environment(container, &BTreeMap::from([(SECRET.to_owned(), content)])).unwrap()
}

/// A variable of the chart and a key of the Secret that are one setting stop the connector. The Secrets of the formats do not.
#[tokio::test]
async fn a_connector_does_not_start_with_a_setting_twice() {
    let content = secret(Format::EdcEnv, &Options::default(), &a_user());
    Reader::start(&with_secret(content.clone())).await.unwrap();
    let mut raw = secret(Format::Raw, &Options::default(), &a_user());
    raw.extend(content.clone());
    Reader::start(&with_secret(raw)).await.unwrap();

    for key in content.keys() {
        let setting = key.to_lowercase().replace('_', ".");
        let mut twice = content.clone();
        twice.insert(setting.clone(), "another".to_owned());
        let said = Reader::start(&with_secret(twice)).await.err().unwrap();
        assert!(said.contains(&format!("Duplicate key {setting}")), "{said}");
    }
}

/// The operator itself writes no Secret with a setting twice.
#[test]
fn a_secret_with_a_setting_twice_is_not_written() {
    for (one, other) in [("A_B", "a.b"), ("Client_Id", "client_id")] {
        let templates =
            [(one, "1"), (other, "2")].map(|(key, text)| (key.to_owned(), text.to_owned())).into();
        let options = Options { templates, ..Options::default() };
        let error = render(Format::Template, &options, &a_user()).unwrap_err().to_string();
        assert!(error.contains(one) && error.contains(other), "{error}");
    }
}
