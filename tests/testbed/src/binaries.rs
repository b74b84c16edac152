//! Where the programs are, building them first if they are not there.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::OnceLock,
};

use crate::Error;

/// The programs that `build.sh` makes.
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

/// Finds the programs; those that are missing are built first, which takes minutes and tells on stderr how it goes.
/// Blocks. The answer is kept for the life of the process.
pub fn binaries() -> Result<Binaries, Error> {
    static FOUND: OnceLock<Result<Binaries, String>> = OnceLock::new();
    FOUND.get_or_init(|| find().map_err(|error| error.to_string())).clone().map_err(Error::Binaries)
}

fn find() -> Result<Binaries, Error> {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("build.sh");
    let output = Command::new("bash")
        .arg(&script)
        .stdin(Stdio::null())
        .stderr(Stdio::inherit())
        .output()
        .map_err(Error::io(format!("running {}", script.display())))?;
    if !output.status.success() {
        return Err(Error::Binaries(format!("{} ended with {}", script.display(), output.status)));
    }
    parse(&String::from_utf8_lossy(&output.stdout))
}

/// Reads the lines `tool=path` that the script prints.
fn parse(text: &str) -> Result<Binaries, Error> {
    let paths: BTreeMap<&str, &str> = text.lines().filter_map(|line| line.split_once('=')).collect();
    let path = |tool: &str| {
        paths.get(tool).map(PathBuf::from).ok_or_else(|| {
            Error::Binaries(format!("build.sh did not say where {tool} is, but only:\n{text}"))
        })
    };
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
