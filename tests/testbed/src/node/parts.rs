//! What a node consists of beside the programs built from source.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::OnceLock,
};

use crate::Error;

/// What `node-parts.sh` fetches and builds.
#[derive(Debug, Clone)]
pub struct Parts {
    /// The directory of containerd, ctr, runc, nft and ip.
    pub bin: PathBuf,
    /// The directory of the network plugins.
    pub cni: PathBuf,
    /// The image that holds a pod's namespaces, `testbed/pause:1`, imported into every node.
    pub pause: PathBuf,
    /// An image with busybox, `testbed/busybox:1`, for tests to import.
    pub busybox: PathBuf,
}

/// Finds the parts; what is missing is fetched first. Blocks. The answer is kept for the life of the process.
pub(crate) fn parts() -> Result<Parts, Error> {
    static FOUND: OnceLock<Result<Parts, String>> = OnceLock::new();
    FOUND.get_or_init(|| find().map_err(|error| error.to_string())).clone().map_err(Error::Argument)
}

fn find() -> Result<Parts, Error> {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("node-parts.sh");
    let output = Command::new("bash")
        .arg(&script)
        .stdin(Stdio::null())
        .stderr(Stdio::inherit())
        .output()
        .map_err(Error::io(format!("running {}", script.display())))?;
    if !output.status.success() {
        return Err(Error::Argument(format!("{} ended with {}", script.display(), output.status)));
    }
    let text = String::from_utf8_lossy(&output.stdout);
    let paths: BTreeMap<&str, &str> = text.lines().filter_map(|line| line.split_once('=')).collect();
    let path = |part: &str| {
        paths
            .get(part)
            .map(PathBuf::from)
            .ok_or_else(|| Error::Argument(format!("node-parts.sh did not say where {part} is")))
    };
    Ok(Parts { bin: path("bin")?, cni: path("cni")?, pause: path("pause")?, busybox: path("busybox")? })
}
