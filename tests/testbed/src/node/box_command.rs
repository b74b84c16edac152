//! The command lines of `box.sh`.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use super::Parts;
use crate::{Error, supervisor::Server};

const SCRIPT: &str = include_str!("box.sh");

/// `box.sh` as installed for one node.
#[derive(Debug)]
pub(super) struct BoxCommand {
    name: String,
    script: PathBuf,
    path: String,
}

impl BoxCommand {
    /// Puts the script into the node's directory: what runs from it must not change meanwhile.
    pub(super) fn install(name: &str, dir: &Path, parts: &Parts) -> Result<Self, Error> {
        let script = dir.join("box.sh");
        fs::write(&script, SCRIPT).map_err(Error::io(format!("writing {}", script.display())))?;
        Ok(Self { name: name.to_owned(), script, path: path(parts) })
    }

    /// The command line of one of the script's commands.
    pub(super) fn words(&self, command: &str, args: &[&str]) -> Vec<String> {
        let script = self.script.display().to_string();
        let words = ["env", &self.path, "bash", &script, command, &self.name];
        words.iter().chain(args).map(|word| (*word).to_owned()).collect()
    }

    /// The command line of a program inside the box of which `outer` is the outermost process.
    pub(super) fn enter(&self, outer: &Server, program: &str, args: &[&str]) -> Vec<String> {
        self.words("enter", &[&[outer.pid().to_string().as_str(), program], args].concat())
    }
}

/// The environment variable with the node's programs before the machine's.
fn path(parts: &Parts) -> String {
    let rest = std::env::var("PATH").unwrap_or_default();
    format!("PATH={}:{rest}:/usr/sbin:/usr/bin:/sbin:/bin", parts.bin.display())
}

/// Runs a command of the script that only answers; its output is an error in one line.
pub(super) fn ask(command: &str, parts: Option<&Parts>) -> Result<(), String> {
    let mut bash = Command::new("env");
    if let Some(parts) = parts {
        bash.arg(path(parts));
    }
    let output = bash
        .args(["bash", "-c", SCRIPT, "box.sh", command])
        .stdin(Stdio::null())
        .output()
        .map_err(|error| format!("bash cannot be run: {error}"))?;
    if output.status.success() {
        return Ok(());
    }
    let text =
        format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    let line = text.lines().next().unwrap_or("the examination of this machine failed");
    Err(line.trim_start_matches("testbed: ").to_owned())
}

/// Ends the node of that name and removes what is left of it.
pub(super) fn down(name: &str, parts: &Parts) -> Result<(), Error> {
    let output = Command::new("env")
        .arg(path(parts))
        .args(["bash", "-c", SCRIPT, "box.sh", "down", name])
        .stdin(Stdio::null())
        .output()
        .map_err(Error::io("running bash"))?;
    if output.status.success() {
        return Ok(());
    }
    Err(Error::Command {
        command: format!("ending the node {name}"),
        status: output.status.to_string(),
        output: String::from_utf8_lossy(&output.stderr).into_owned(),
    })
}
