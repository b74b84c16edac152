//! External Secrets Operator beside a control plane.

use std::path::Path;

use tokio::process::Command;

use crate::{ControlPlane, Error, Process, binaries::built, commands::output};

/// External Secrets Operator's controllers of `SecretStore`s and `PushSecret`s, with Vault as the only provider.
///
/// They are built from source on first use, run with all rights beside a control plane, and end when this value is
/// dropped, and also when the process that owns it ends in any other way.
#[derive(Debug)]
pub struct ExternalSecrets {
    process: Process,
}

impl ExternalSecrets {
    /// Installs the definitions that they need, starts them, and waits until they work.
    pub async fn start(plane: &ControlPlane) -> Result<Self, Error> {
        let program = built("external-secrets").await?;
        install_definitions(&program, plane).await?;
        let process = Process::builder(&program).env("KUBECONFIG", plane.admin_kubeconfig()).spawn()?;
        for controller in ["secretstore", "pushsecret"] {
            let named = format!("\"controller\":\"{controller}\"");
            let works = |line: &str| line.contains("Starting workers") && line.contains(&named);
            process.wait_for_line(works).await?;
        }
        Ok(Self { process })
    }

    /// What they have logged so far.
    #[must_use]
    pub fn log(&self) -> String {
        self.process.lines().join("\n")
    }
}

async fn install_definitions(program: &Path, plane: &ControlPlane) -> Result<(), Error> {
    let command = "external-secrets definitions".to_owned();
    let definitions = output(command, Command::new(program).arg("definitions"), None).await?.success()?;
    plane.kubectl_with_input(&["apply", "--server-side", "-f", "-"], &definitions).await?.success()?;
    // Until a definition has any condition, kubectl takes the wait for one of them as an error.
    let any = ["wait", "--for=jsonpath={.status.conditions}", "--timeout=3m", "-f", "-"];
    plane.kubectl_with_input(&any, &definitions).await?.success()?;
    let wait = ["wait", "--for=condition=Established", "--timeout=3m", "-f", "-"];
    plane.kubectl_with_input(&wait, &definitions).await?.success().map(drop)
}
