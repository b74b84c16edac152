//! Argo CD's own definitions.

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use crate::{ControlPlane, Error};

const MODULE: &str = "github.com/argoproj/argo-cd/v3";

/// Installs the definition of Argo CD's Application in a control plane, from the release that `go/argo-cd` names. It is fetched as
/// source through the Go module proxy, which takes some seconds the first time, and compared with `go.sum`.
pub async fn install_applications(plane: &ControlPlane) -> Result<(), Error> {
    let folder = tokio::task::spawn_blocking(fetch)
        .await
        .map_err(|error| Error::Binaries(format!("fetching {MODULE} ended early: {error}")))??;
    let file = folder.join("manifests/crds/application-crd.yaml").display().to_string();
    plane.kubectl(&["apply", "--server-side", "-f", &file]).await?.success()?;
    // Until a definition has any condition, kubectl takes the wait for one of them as an error.
    let any = ["wait", "--for=jsonpath={.status.conditions}", "--timeout=3m", "-f", &file];
    plane.kubectl(&any).await?.success()?;
    let wait = ["wait", "--for=condition=Established", "--timeout=3m", "-f", &file];
    plane.kubectl(&wait).await?.success().map(drop)
}

/// The folder of the module.
fn fetch() -> Result<PathBuf, Error> {
    let output = Command::new("go")
        .args(["mod", "download", "-json", MODULE])
        .current_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("go/argo-cd"))
        .env("GOWORK", "off")
        .env("GOFLAGS", "")
        .output()
        .map_err(Error::io(format!("fetching {MODULE}")))?;
    let answer: Value = serde_json::from_slice(&output.stdout).unwrap_or_default();
    answer.get("Dir").and_then(Value::as_str).map(PathBuf::from).ok_or_else(|| {
        let (out, error) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        Error::Binaries(format!("{MODULE} cannot be fetched: {out}{error}"))
    })
}
