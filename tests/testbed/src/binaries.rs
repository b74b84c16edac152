//! Where the programs are, building them first if they are not there.

use std::{
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::OnceLock,
};

use crate::Error;

/// The programs that `build.sh` builds.
#[derive(Debug, Clone)]
pub struct Binaries {
    /// etcd.
    pub etcd: PathBuf,
    /// The apiserver.
    pub kube_apiserver: PathBuf,
    /// The controller manager.
    pub kube_controller_manager: PathBuf,
    /// The scheduler.
    pub kube_scheduler: PathBuf,
    /// A node's agent.
    pub kubelet: PathBuf,
    /// What makes Services reachable on a node.
    pub kube_proxy: PathBuf,
    /// kubectl.
    pub kubectl: PathBuf,
    /// Helm 4.
    pub helm: PathBuf,
    /// Helm 3, the oldest release that the chart promises to work with.
    pub helm3: PathBuf,
    /// What the kstatus library says of objects: reads one JSON object per line, writes status and message.
    pub kstatus: PathBuf,
}

/// Finds the programs; those that are missing are built first, which takes minutes and reports its progress on stderr.
/// Blocks. The answer is kept for the life of the process.
pub fn binaries() -> Result<Binaries, Error> {
    static FOUND: OnceLock<Result<Binaries, String>> = OnceLock::new();
    FOUND.get_or_init(|| find().map_err(|error| error.to_string())).clone().map_err(Error::Binaries)
}

/// Finds a program of a module that `build.sh` builds only where it is named, and builds it first if it is missing.
pub(crate) async fn built(module: &'static str) -> Result<PathBuf, Error> {
    let lines = tokio::task::spawn_blocking(|| build(&[module]))
        .await
        .map_err(|error| Error::Binaries(format!("building {module} ended early: {error}")))??;
    program(&lines, module)
}

/// Finds the program that reads files as Docker Compose and Helm do, and builds it first if it is missing. Blocks.
pub fn readers() -> Result<PathBuf, Error> {
    program(&build(&["readers"])?, "readers")
}

/// Finds the program that composes the values of a `HelmRelease` as Flux does, and builds it first if it is missing. Blocks.
pub fn flux() -> Result<PathBuf, Error> {
    program(&build(&["flux"])?, "flux")
}

fn find() -> Result<Binaries, Error> {
    parse(&build(&[])?)
}

/// Runs the script for some modules, or those that most tests need. Returns the lines `tool=path` that it prints.
fn build(modules: &[&str]) -> Result<String, Error> {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("build.sh");
    let output = Command::new("bash")
        .arg(&script)
        .args(modules)
        .stdin(Stdio::null())
        .stderr(Stdio::inherit())
        .output()
        .map_err(Error::io(format!("running {}", script.display())))?;
    if !output.status.success() {
        return Err(Error::Binaries(format!("{} ended with {}", script.display(), output.status)));
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// The path of a program among the lines that the script prints.
fn program(lines: &str, tool: &str) -> Result<PathBuf, Error> {
    let mut pairs = lines.lines().filter_map(|line| line.split_once('='));
    pairs
        .find(|(name, _)| *name == tool)
        .map(|(_, path)| path.into())
        .ok_or_else(|| Error::Binaries(format!("build.sh did not say where {tool} is, but only:\n{lines}")))
}

fn parse(lines: &str) -> Result<Binaries, Error> {
    let path = |tool| program(lines, tool);
    Ok(Binaries {
        etcd: path("etcd")?,
        kube_apiserver: path("kube-apiserver")?,
        kube_controller_manager: path("kube-controller-manager")?,
        kube_scheduler: path("kube-scheduler")?,
        kubelet: path("kubelet")?,
        kube_proxy: path("kube-proxy")?,
        kubectl: path("kubectl")?,
        helm: path("helm")?,
        helm3: path("helm3")?,
        kstatus: path("kstatus")?,
    })
}
