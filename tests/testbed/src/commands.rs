//! kubectl and helm against a control plane.

use std::{
    path::Path,
    process::{ExitStatus, Stdio},
};

use tokio::{io::AsyncWriteExt, process::Command};

use crate::{ControlPlane, Error};

/// What a command wrote and how it ended.
#[derive(Debug, Clone)]
pub struct CommandOutput {
    /// The command line, for messages.
    pub command: String,
    /// How it ended.
    pub status: ExitStatus,
    /// Its standard output.
    pub stdout: String,
    /// Its standard error.
    pub stderr: String,
}

impl CommandOutput {
    /// Its standard output if it succeeded, an error with everything it wrote otherwise.
    pub fn success(self) -> Result<String, Error> {
        if self.status.success() {
            return Ok(self.stdout);
        }
        Err(Error::Command {
            command: self.command,
            status: self.status.to_string(),
            output: format!("{}{}", self.stdout, self.stderr),
        })
    }
}

impl ControlPlane {
    /// Runs kubectl as admin. A `--kubeconfig` among the arguments makes it another user.
    pub async fn kubectl(&self, args: &[&str]) -> Result<CommandOutput, Error> {
        self.run(&self.binaries().kubectl, args, None).await
    }

    /// Runs kubectl with something on its standard input, for `-f -`.
    pub async fn kubectl_with_input(&self, args: &[&str], input: &str) -> Result<CommandOutput, Error> {
        self.run(&self.binaries().kubectl, args, Some(input)).await
    }

    /// Runs Helm 4 as admin, with settings, cache and plugins of its own.
    pub async fn helm(&self, args: &[&str]) -> Result<CommandOutput, Error> {
        self.run(&self.binaries().helm, args, None).await
    }

    /// Runs Helm 3 as [`ControlPlane::helm`] runs Helm 4.
    pub async fn helm3(&self, args: &[&str]) -> Result<CommandOutput, Error> {
        self.run(&self.binaries().helm3, args, None).await
    }

    /// What the kstatus library says of each object: its status, such as `InProgress`, and a message.
    pub async fn kstatus(&self, objects: &[serde_json::Value]) -> Result<Vec<(String, String)>, Error> {
        let lines = objects.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n");
        let answer = self.run(&self.binaries().kstatus, &[], Some(&lines)).await?.success()?;
        let pair =
            |line: &str| line.split_once('\t').map(|(status, message)| (status.into(), message.into()));
        Ok(answer.lines().filter_map(pair).collect())
    }

    async fn run(&self, program: &Path, args: &[&str], input: Option<&str>) -> Result<CommandOutput, Error> {
        let home = self.dir().join("home");
        let command = format!("{} {}", program.file_name().unwrap_or_default().display(), args.join(" "));
        let mut process = Command::new(program);
        process
            .args(args)
            // Nothing of the developer's own settings may have a say, nor be changed.
            .env("HOME", &home)
            .env("KUBECONFIG", self.admin_kubeconfig())
            .env("KUBECACHEDIR", home.join("kube-cache"))
            .env("HELM_CACHE_HOME", home.join("helm-cache"))
            .env("HELM_CONFIG_HOME", home.join("helm-config"))
            .env("HELM_DATA_HOME", home.join("helm-data"))
            .env_remove("HELM_NAMESPACE");
        output(command, &mut process, input).await
    }
}

/// Runs a command to its end. `command` is what it is called in messages.
pub(crate) async fn output(
    command: String,
    process: &mut Command,
    input: Option<&str>,
) -> Result<CommandOutput, Error> {
    let mut child = process
        .stdin(if input.is_some() { Stdio::piped() } else { Stdio::null() })
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .map_err(Error::io(format!("running {command}")))?;
    let stdin = child.stdin.take();
    let feed = async {
        if let (Some(mut stdin), Some(input)) = (stdin, input) {
            // A command that ends without reading says why itself.
            let _ = stdin.write_all(input.as_bytes()).await;
        }
    };
    let ((), output) = tokio::join!(feed, child.wait_with_output());
    let output = output.map_err(Error::io(format!("running {command}")))?;
    Ok(CommandOutput {
        command,
        status: output.status,
        stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
        stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
    })
}
