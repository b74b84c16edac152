//! A person who follows the pages.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use testbed::Vault;
use tokio::process::Command;

use super::pages::{Page, Shown, Step, prints_the_same};
use super::{Cluster, images, vault};

/// Plays `docker`, which has no engine here: notes what was built and pushed, one name a line. The reader builds it by the
/// script that builds the same image, and registers it with the node.
const DOCKER: &str = r#"#!/bin/sh
case "$1 $2" in
  "build -t") [ "$4" = . ] && [ -f Dockerfile ] && echo "$3" >>"$0.built" ;;
  "push "*) grep -qxF "$2" "$0.built" && echo "$2" >>"$0.pushed" ;;
  *) echo "docker $* is not played here" >&2; exit 2 ;;
esac
"#;

/// Follows the pages in a copy of the repository's root, with `kubectl` and `helm` for a cluster in the path.
pub struct Reader {
    cluster: Cluster,
    root: PathBuf,
    instead: BTreeMap<String, String>,
    pushed: Vec<String>,
    /// The environment of the commands, besides that of every reader.
    environment: Vec<(&'static str, String)>,
}

impl Reader {
    /// With what stands in the manifests replaced: the addresses of the examples by those of the simulator.
    pub fn new(cluster: Cluster, instead: BTreeMap<String, String>) -> Self {
        let root = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("reader-{}", std::process::id()));
        let _ = fs::remove_dir_all(&root);
        let bin = root.join("bin");
        fs::create_dir_all(&bin).unwrap();
        write_program(&bin.join("docker"), DOCKER);
        let binaries = cluster.plane().binaries();
        for (name, program) in [("kubectl", &binaries.kubectl), ("helm", &binaries.helm)] {
            std::os::unix::fs::symlink(program, bin.join(name)).unwrap();
        }
        let reader = Self { cluster, root, instead, pushed: Vec::new(), environment: Vec::new() };
        for folder in ["charts", "examples"] {
            reader.copy(Path::new(folder));
        }
        reader.copy(Path::new("Dockerfile"));
        // What a person types in: the README asks for it without showing it.
        fs::write(reader.root.join("client-secret.txt"), "…").unwrap();
        reader
    }

    /// With the program `vault`, logged in to this server as a person who may do everything.
    pub fn with_vault(mut self, server: &Vault) -> Self {
        write_program(&self.root.join("bin/vault"), vault::PROGRAM);
        let ca_file = self.root.join("vault-ca.pem");
        fs::write(&ca_file, server.ca().unwrap()).unwrap();
        self.environment = vault::environment(server, ca_file.to_str().unwrap()).into();
        self
    }

    /// The cluster.
    pub fn cluster(&self) -> &Cluster {
        &self.cluster
    }

    /// A file of the copy.
    pub fn file(&self, path: &str) -> PathBuf {
        self.root.join(path)
    }

    /// Puts a chart of the repository where the pages have it.
    pub fn add(&self, chart: &Path, to: &str) {
        self.copy_as(chart, Path::new(to), false);
    }

    fn copy(&self, path: &Path) {
        // The chart is installed as it is.
        self.copy_as(path, path, !path.starts_with("charts"));
    }

    fn copy_as(&self, path: &Path, to: &Path, with_replacements: bool) {
        let (from, to) = (Path::new(env!("CARGO_MANIFEST_DIR")).join(path), self.root.join(to));
        if from.is_dir() {
            fs::create_dir_all(&to).unwrap();
            for entry in fs::read_dir(&from).unwrap() {
                let name = entry.unwrap().file_name();
                self.copy_as(&path.join(&name), &to.join(&name), with_replacements);
            }
        } else {
            fs::create_dir_all(to.parent().unwrap()).unwrap();
            let text = fs::read_to_string(&from).unwrap();
            fs::write(to, if with_replacements { self.replaced(&text) } else { text }).unwrap();
        }
    }

    fn replaced(&self, text: &str) -> String {
        self.instead.iter().fold(text.to_owned(), |text, (from, to)| text.replace(from, to))
    }

    /// Does what a section of a page says, with the files of the whole page.
    pub async fn follow(&mut self, page: &Page, heading: &str) {
        for (name, text) in &page.files {
            fs::write(self.root.join(name), self.replaced(text)).unwrap();
        }
        let steps = page.section(heading);
        assert!(!steps.is_empty(), "section {heading:?} has nothing to follow");
        for step in steps {
            match step {
                Step::Run(commands) => {
                    println!("{commands}");
                    let printed = self.run(commands).await;
                    println!("{printed}");
                    self.publish().await;
                }
                Step::Show(shown) => {
                    for shown in shown {
                        self.compare(page, shown).await;
                    }
                }
            }
        }
    }

    async fn compare(&self, page: &Page, shown: &Shown) {
        let printed = self.run(&shown.command).await;
        if let Err(difference) = prints_the_same(&shown.output, &printed) {
            assert!(
                std::env::var_os("UPDATE_PAGES").is_some(),
                "$ {}\n{difference}\n(UPDATE_PAGES=1 make e2e writes what is printed into the page)",
                shown.command
            );
            page.update(shown, &printed);
        }
    }

    /// What commands print; they have to succeed.
    pub async fn run(&self, commands: &str) -> String {
        let home = self.root.join("home");
        let path = format!("{}:{}", self.root.join("bin").display(), std::env::var("PATH").unwrap());
        let output = Command::new("bash")
            .args(["-euo", "pipefail", "-c", commands])
            .current_dir(&self.root)
            .env("KUBECONFIG", self.cluster.plane().admin_kubeconfig())
            .env("PATH", path)
            .env("HOME", &home)
            .env("XDG_CACHE_HOME", &home)
            .env("XDG_CONFIG_HOME", &home)
            .env("XDG_DATA_HOME", &home)
            .envs(self.environment.iter().cloned())
            .stdin(Stdio::null())
            .kill_on_drop(true)
            .output()
            .await
            .unwrap();
        let (stdout, stderr) =
            (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        if !output.status.success() {
            let state = self.cluster.state().await;
            panic!("{commands}\nended with {}:\n{stdout}{stderr}\n{state}", output.status);
        }
        stdout.into_owned()
    }

    /// Builds what was pushed, and registers it with the node. Each push after the first is of a changed program.
    async fn publish(&mut self) {
        let pushed = fs::read_to_string(self.root.join("bin/docker.pushed")).unwrap_or_default();
        for name in pushed.lines().skip(self.pushed.len()) {
            let build = if self.pushed.is_empty() { String::new() } else { self.pushed.len().to_string() };
            let image = name.to_owned();
            let archive =
                tokio::task::spawn_blocking(move || images::operator(&image, &build)).await.unwrap();
            self.cluster.import(&archive).await;
        }
        self.pushed = pushed.lines().map(str::to_owned).collect();
    }
}

/// A program that a person has in the path.
fn write_program(path: &Path, text: &str) {
    fs::write(path, text).unwrap();
    fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
}
