//! What `renovate.json` names exists: a rule for a package that was renamed, or a pattern that matches nothing any more,
//! would have no effect and no person would see it.

use regex::Regex;
use serde_json::Value;

use crate::{read, tracked};

fn configuration() -> Value {
    serde_json::from_str(&read("renovate.json")).unwrap()
}

fn texts<'a>(rule: &'a Value, key: &str) -> Vec<&'a str> {
    rule[key].as_array().into_iter().flatten().map(|text| text.as_str().unwrap()).collect()
}

/// The files that a pattern between slashes selects.
fn selected(pattern: &str) -> Vec<String> {
    let pattern = pattern.strip_prefix('/').and_then(|pattern| pattern.strip_suffix('/')).unwrap();
    let pattern = Regex::new(pattern).unwrap();
    tracked(".").into_iter().filter(|file| pattern.is_match(file)).collect()
}

/// The keys of Renovate's schema that this configuration uses. The validator of Renovate is too large for the tests.
const KEYS: &[&str] = &[
    "$schema",
    "allowedVersions",
    "commitMessageAction",
    "customManagers",
    "customType",
    "datasourceTemplate",
    "depNameTemplate",
    "dependencyDashboardApproval",
    "description",
    "enabled",
    "extends",
    "groupName",
    "lockFileMaintenance",
    "managerFilePatterns",
    "matchDatasources",
    "matchFileNames",
    "matchManagers",
    "matchPackageNames",
    "matchStrings",
    "packageRules",
    "schedule",
    "versioningTemplate",
    "vulnerabilityAlerts",
];

/// All keys of a document, at all depths.
fn keys(value: &Value) -> Vec<&str> {
    match value {
        Value::Object(fields) => {
            fields.iter().flat_map(|(key, value)| [vec![key.as_str()], keys(value)].concat()).collect()
        }
        Value::Array(entries) => entries.iter().flat_map(keys).collect(),
        _ => Vec::new(),
    }
}

#[test]
fn every_key_is_known() {
    let configuration = configuration();
    let unknown: Vec<_> = keys(&configuration).into_iter().filter(|key| !KEYS.contains(key)).collect();
    assert!(unknown.is_empty(), "check these against Renovate's schema: {unknown:?}");
}

#[test]
fn every_package_of_a_rule_is_used() {
    let manifest = read("Cargo.toml");
    let modules: String = tracked("tests/**/go.mod").iter().map(|file| read(file)).collect();
    for rule in configuration()["packageRules"].as_array().unwrap() {
        for package in texts(rule, "matchPackageNames") {
            let used =
                match (texts(rule, "matchManagers")[..].first(), texts(rule, "matchDatasources").first()) {
                    (Some(&"cargo"), _) => {
                        manifest.lines().any(|line| line.starts_with(&format!("{package} = ")))
                    }
                    (Some(&"gomod"), _) => modules.contains(&format!("{package} v")),
                    (_, Some(&"docker")) => read("Dockerfile").contains(&format!("FROM {package}:")),
                    (_, Some(source)) => {
                        let comment = format!("# renovate: datasource={source} depName={package}\n");
                        read("tests/testbed/build.sh").contains(&comment)
                    }
                    other => panic!("a rule of another kind: {other:?}"),
                };
            assert!(used, "{package} is not used");
        }
    }
}

#[test]
fn every_pattern_finds_a_version() {
    for manager in configuration()["customManagers"].as_array().unwrap() {
        let patterns: Vec<_> =
            texts(manager, "matchStrings").iter().map(|pattern| Regex::new(pattern).unwrap()).collect();
        let files: Vec<_> = texts(manager, "managerFilePatterns")
            .into_iter()
            .map(|pattern| (pattern, selected(pattern)))
            .collect();
        for (pattern, files) in &files {
            let found = |file: &String| patterns.iter().any(|pattern| pattern.is_match(&read(file)));
            assert!(!files.is_empty() && files.iter().all(found), "{pattern} selects {files:?}");
        }
        let all: String = files.iter().flat_map(|(_, files)| files).map(|file| read(file)).collect();
        for pattern in patterns {
            let version = pattern.captures(&all).unwrap_or_else(|| panic!("{pattern} matches nothing"));
            assert!(version["currentValue"].contains('.'), "{pattern}");
        }
    }
}

#[test]
fn every_version_that_a_comment_announces_is_found() {
    let configuration = configuration();
    let manager = &configuration["customManagers"][0];
    let pattern = Regex::new(texts(manager, "matchStrings")[0]).unwrap();
    let files: Vec<_> = texts(manager, "managerFilePatterns").into_iter().flat_map(selected).collect();
    for file in tracked("*.sh") {
        let text = read(&file);
        let announced = text.lines().filter(|line| line.starts_with("# renovate: ")).count();
        assert!(announced == 0 || files.contains(&file), "{file} is not selected");
        assert_eq!(pattern.captures_iter(&text).count(), announced, "{file}");
    }
}
