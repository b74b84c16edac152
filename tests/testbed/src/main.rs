//! `testbed up`: a control plane for people and scripts, for as long as they hold it.

use std::{io::Write, process::ExitCode};

use serde_json::json;
use testbed::{ControlPlane, Error};
use tokio::signal::unix::{SignalKind, signal};

const USAGE: &str = "usage: testbed up
  starts a Kubernetes control plane, prints one line of JSON that says where it is, and keeps it up until standard
  input closes or SIGTERM or SIGINT comes";

#[tokio::main]
async fn main() -> ExitCode {
    if !std::env::args().skip(1).eq(["up"]) {
        tell(USAGE);
        return ExitCode::from(2);
    }
    match up().await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tell(&format!("testbed: {error}"));
            ExitCode::FAILURE
        }
    }
}

async fn up() -> Result<(), Error> {
    // Listening for signals before anything is started: one that comes early must not skip the end below.
    let signals =
        |kind| signal(kind).map_err(|source| Error::Io { what: "listening for signals".into(), source });
    let (mut terminate, mut interrupt) =
        (signals(SignalKind::terminate())?, signals(SignalKind::interrupt())?);
    let ended = async {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
            () = stdin_closed() => {}
        }
    };
    tokio::pin!(ended);
    let control_plane = tokio::select! {
        started = ControlPlane::start() => started?,
        () = &mut ended => return Ok(()),
    };
    let binaries = control_plane.binaries();
    let line = json!({
        "server": control_plane.server(),
        "kubeconfig": control_plane.admin_kubeconfig(),
        "kubectl": binaries.kubectl,
        "helm": binaries.helm,
        "dir": control_plane.dir(),
        "pids": control_plane.pids(),
    });
    let mut stdout = std::io::stdout();
    writeln!(stdout, "{line}")
        .and_then(|()| stdout.flush())
        .map_err(|source| Error::Io { what: "printing where it is".into(), source })?;
    ended.await;
    control_plane.stop().await
}

/// Reads standard input to its end, on a thread: Tokio's own standard input would keep the runtime from ending.
async fn stdin_closed() {
    let (sender, receiver) = tokio::sync::oneshot::channel::<()>();
    std::thread::spawn(move || {
        let _ = std::io::copy(&mut std::io::stdin(), &mut std::io::sink());
        drop(sender);
    });
    // The error is the end of input.
    let _ = receiver.await;
}

#[allow(clippy::print_stderr, reason = "a command line tool talks to whoever called it")]
fn tell(message: &str) {
    eprintln!("{message}");
}
