//! The chart through the real Helm, with nothing of the developer's own settings.

use std::path::Path;
use std::process::Command;

use serde_json::Value;

pub const ROOT: &str = env!("CARGO_MANIFEST_DIR");

/// The path of the chart.
pub fn chart() -> String {
    format!("{ROOT}/charts/technical-user-operator")
}

/// Runs helm with nothing of the developer's own settings; its output, or what it complained about.
pub fn helm(args: &[&str]) -> Result<String, String> {
    let home = Path::new(env!("CARGO_TARGET_TMPDIR")).join("helm");
    let output = Command::new(&testbed::binaries().expect("the programs of the testbed").helm)
        .args(args)
        .current_dir(Path::new(ROOT).join("charts"))
        .env("HELM_CACHE_HOME", home.join("cache"))
        .env("HELM_CONFIG_HOME", home.join("config"))
        .env("HELM_DATA_HOME", home.join("data"))
        .env("KUBECONFIG", "/dev/null")
        .env_remove("HELM_NAMESPACE")
        .output()
        .expect("helm runs");
    let text = |bytes| String::from_utf8(bytes).expect("helm writes UTF-8");
    if output.status.success() { Ok(text(output.stdout)) } else { Err(text(output.stderr)) }
}

pub fn template(settings: &[&str]) -> Result<String, String> {
    let mut args = vec!["template", "tuo", "technical-user-operator", "--namespace", "ops"];
    args.extend(settings);
    helm(&args)
}

/// The objects of a release in namespace `ops` with these settings.
pub fn render(settings: &[&str]) -> Vec<Value> {
    documents(&template(&[&["--set", "instance=prod-eu"], settings].concat()).expect("the chart renders"))
}

pub fn documents(yaml: &str) -> Vec<Value> {
    serde_saphyr::from_multiple::<Value>(yaml)
        .expect("valid YAML")
        .into_iter()
        .filter(|document| !document.is_null())
        .collect()
}

/// Why the chart is refused with these settings.
pub fn refusal(settings: &[&str]) -> String {
    template(settings).expect_err("the chart must be refused")
}
