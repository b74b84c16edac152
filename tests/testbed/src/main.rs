//! `testbed up` and `testbed node up`: a control plane, and one with a node, for people and scripts, for as long as
//! they hold it.

use std::{future::Future, io::Write, process::ExitCode};

use serde_json::{Value, json};
use testbed::{ControlPlane, Error, Node, eventually};
use tokio::signal::unix::{SignalKind, signal};

const USAGE: &str = "usage: testbed COMMAND
  up                       starts a Kubernetes control plane
  node up [--name NAME]    starts a control plane with a node, on which pods run
  node down [--name NAME]  ends that node, and removes what it left if it crashed
  node check               says what this machine lacks for a node, and fails if it lacks anything
What starts something prints one line of JSON that says where it is, and keeps it up until standard input closes or
SIGTERM or SIGINT comes. A node is called NAME, or else \"default\"; nodes of different names can be up at once.";

#[tokio::main]
async fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    let outcome = match args.as_slice() {
        ["up"] => up().await,
        ["node", "up"] => node_up("default").await,
        ["node", "up", "--name", name] => node_up(name).await,
        ["node", "down"] => Node::down("default"),
        ["node", "down", "--name", name] => Node::down(name),
        ["node", "check"] => Node::missing().map_or(Ok(()), |missing| Err(Error::Argument(missing))),
        _ => {
            tell(USAGE);
            return ExitCode::from(2);
        }
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tell(&format!("testbed: {error}"));
            ExitCode::FAILURE
        }
    }
}

async fn up() -> Result<(), Error> {
    let ended = ended()?;
    tokio::pin!(ended);
    let control_plane = tokio::select! {
        started = ControlPlane::start() => started?,
        () = &mut ended => return Ok(()),
    };
    print(&where_it_is(&control_plane))?;
    ended.await;
    control_plane.stop().await
}

async fn node_up(name: &str) -> Result<(), Error> {
    let ended = ended()?;
    tokio::pin!(ended);
    let node = tokio::select! {
        started = Node::start(name) => started?,
        () = &mut ended => return Ok(()),
    };
    let mut line = where_it_is(node.control_plane());
    let more = json!({
        "node": node.name(),
        "host_address": node.host_address(),
        "node_address": node.address(),
        "enter": node.enter(),
        "busybox": node.parts().busybox,
    });
    if let (Value::Object(line), Value::Object(more)) = (&mut line, more) {
        line.extend(more);
    }
    print(&line)?;
    let broken = loop {
        tokio::select! {
            () = &mut ended => break Ok(()),
            // Ends with an error after its limit, and is then asked again.
            broken = eventually("broken", || async { node.check().err() }) => if let Ok(broken) = broken {
                break Err(broken);
            },
        }
    };
    node.stop().await.and(broken)
}

/// Becomes ready when it is time to end. Listens from the call on: a signal that comes before anything is started must
/// not skip the end.
fn ended() -> Result<impl Future<Output = ()>, Error> {
    let signals =
        |kind| signal(kind).map_err(|source| Error::Io { what: "listening for signals".into(), source });
    let (mut terminate, mut interrupt) =
        (signals(SignalKind::terminate())?, signals(SignalKind::interrupt())?);
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
            () = stdin_closed() => {}
        }
    })
}

fn where_it_is(control_plane: &ControlPlane) -> Value {
    let binaries = control_plane.binaries();
    json!({
        "server": control_plane.server(),
        "kubeconfig": control_plane.admin_kubeconfig(),
        "kubectl": binaries.kubectl,
        "helm": binaries.helm,
        "dir": control_plane.dir(),
        "pids": control_plane.pids(),
    })
}

fn print(line: &Value) -> Result<(), Error> {
    let mut stdout = std::io::stdout();
    writeln!(stdout, "{line}")
        .and_then(|()| stdout.flush())
        .map_err(|source| Error::Io { what: "printing where it is".into(), source })
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

#[allow(clippy::print_stderr, reason = "a command line tool writes for the person who called it")]
fn tell(message: &str) {
    eprintln!("{message}");
}
