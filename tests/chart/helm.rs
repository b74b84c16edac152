//! The chart through the real Helm, with nothing of the developer's own settings.

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;
use testbed::ControlPlane;

pub const ROOT: &str = env!("CARGO_MANIFEST_DIR");

/// The path of the chart.
pub fn chart() -> String {
    format!("{ROOT}/charts/technical-user-operator")
}

/// A Helm that the chart works with.
#[derive(Debug, Clone, Copy)]
pub enum Helm {
    /// The oldest release of Helm 3 that the chart promises to work with.
    Three,
    /// Helm 4.
    Four,
}

impl Helm {
    pub const ALL: [Self; 2] = [Self::Three, Self::Four];

    /// Runs it with nothing of the developer's own settings; its output, or what it complained about.
    pub fn run(self, args: &[&str]) -> Result<String, String> {
        let programs = testbed::binaries().expect("the programs of the testbed");
        let program = match self {
            Self::Three => programs.helm3,
            Self::Four => programs.helm,
        };
        let home = Path::new(env!("CARGO_TARGET_TMPDIR")).join("helm");
        let output = Command::new(program)
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

    /// Runs it at a real apiserver; its output, or what it complained about.
    pub async fn at(self, cluster: &ControlPlane, args: &[&str]) -> Result<String, String> {
        let answer = match self {
            Self::Three => cluster.helm3(args).await,
            Self::Four => cluster.helm(args).await,
        };
        answer.expect("helm runs").success().map_err(|error| error.to_string())
    }
}

/// Runs Helm 4.
pub fn helm(args: &[&str]) -> Result<String, String> {
    Helm::Four.run(args)
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

/// A new directory for what a test writes.
pub fn folder(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    let _ = std::fs::remove_dir_all(&folder);
    std::fs::create_dir_all(&folder).expect("a directory");
    folder
}

/// Writes a file and says where it is, as an argument.
pub fn write(folder: &Path, name: &str, content: &str) -> String {
    let path = folder.join(name);
    std::fs::create_dir_all(path.parent().expect("a directory")).expect("a directory");
    std::fs::write(&path, content).expect("a file");
    path.to_str().expect("a path in UTF-8").to_owned()
}

/// Copies a directory with all that is in it.
pub fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).expect("a directory");
    for entry in std::fs::read_dir(from).expect("a directory") {
        let entry = entry.expect("an entry");
        let target = to.join(entry.file_name());
        if entry.file_type().expect("a type").is_dir() {
            copy(&entry.path(), &target);
        } else {
            std::fs::copy(entry.path(), target).expect("a copy");
        }
    }
}

/// The objects of a manifest as Kubernetes reads it: by the parser that Helm, kubectl and the apiserver share, which takes
/// more words for numbers and booleans than others.
pub fn as_kubernetes_reads(manifest: &str, name: &str) -> Vec<Value> {
    let folder = folder(&format!("read-{name}"));
    let chart = "{apiVersion: v2, name: reader, version: 0.0.0}";
    write(&folder, "Chart.yaml", chart);
    let template = "{{ range $path, $_ := .Files.Glob \"documents/*\" }}\n---\n{{ $.Files.Get $path | fromYaml | toJson }}{{ end }}";
    write(&folder, "templates/all.yaml", template);
    for (number, document) in manifest.split("\n---").enumerate() {
        write(&folder, &format!("documents/{number:03}"), document);
    }
    let path = folder.to_str().expect("a path in UTF-8");
    let read = Helm::Four.run(&["template", "reader", path]).expect("the documents are read");
    let objects = read.lines().filter(|line| line.starts_with('{') && *line != "{}");
    let objects: Vec<Value> = objects.map(|line| serde_json::from_str(line).expect("JSON")).collect();
    assert!(objects.iter().all(|object| object.get("Error").is_none()), "not YAML: {objects:?}");
    objects
}
