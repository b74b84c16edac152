//! The CRDs and the chart, as an administrator installs them.

use testbed::ControlPlane;
use tokio::sync::OnceCell;

static DEFINITIONS: OnceCell<()> = OnceCell::const_new();

/// Installs the CRDs once in the control plane that the tests share.
pub async fn install_shared_definitions(plane: &ControlPlane) {
    DEFINITIONS.get_or_init(|| install_definitions(plane)).await;
}

/// Installs the CRDs.
pub async fn install_definitions(plane: &ControlPlane) {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/crds");
    plane.kubectl(&["apply", "--server-side", "-f", folder]).await.unwrap().success().unwrap();
    for kind in ["portals", "technicalusers", "vaults"] {
        let crd = format!("crd/{kind}.technicaluser.dev");
        // Until a definition has any condition, kubectl takes the wait for one of them as an error.
        for condition in ["--for=jsonpath={.status.conditions}", "--for=condition=Established"] {
            plane.kubectl(&["wait", condition, &crd]).await.unwrap().success().unwrap();
        }
    }
}

/// Installs the chart with these values.
pub async fn install_chart(plane: &ControlPlane, namespace: &str, values: &[String]) {
    let chart = concat!(env!("CARGO_MANIFEST_DIR"), "/charts/technical-user-operator");
    let mut arguments = vec!["install", "technical-user-operator", chart, "--namespace", namespace];
    arguments.extend(["--set", "instance=e2e", "--set", "crds.install=false"]);
    for value in values {
        arguments.extend(["--set", value]);
    }
    plane.helm(&arguments).await.unwrap().success().unwrap();
}
