//! The real binary: exit codes and streams.

use std::process::{Command, Output};

use portal_simulator::{Part, Simulator};
use serde_json::Value;

use crate::support::{SECRET, addresses, everything};

/// Runs the binary as a person would, with the secret in the environment.
async fn run(simulator: &Simulator, more: &'static [&'static str]) -> Output {
    let arguments = addresses(simulator);
    let run = move || {
        Command::new(env!("CARGO_BIN_EXE_technical-user-operator"))
            .arg("check")
            .args(arguments)
            .args(more)
            .env("TUO_CLIENT_SECRET", SECRET)
            .env("TUO_ALLOW_INSECURE_HTTP", "true")
            .output()
            .unwrap()
    };
    tokio::task::spawn_blocking(run).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn exit_codes_say_the_same_as_words() {
    let simulator = everything().await;
    let good = run(&simulator, &["--client-id", "sa1", "--write", "-o", "json"]).await;
    assert_eq!(good.status.code(), Some(0));
    let document: Value = serde_json::from_slice(&good.stdout).unwrap();
    assert_eq!(document["ok"], true);
    assert!(good.stderr.is_empty(), "{}", String::from_utf8_lossy(&good.stderr));
    let shown = String::from_utf8(good.stdout).unwrap();
    assert!(simulator.secrets_handed_out().iter().all(|secret| !shown.contains(secret)));
    let unknown = run(&simulator, &["--client-id", "sa9"]).await;
    assert_eq!(unknown.status.code(), Some(1));
    let usage = run(&simulator, &["--client-id"]).await;
    assert_eq!((usage.status.code(), usage.stdout.len()), (Some(2), 0));
    simulator.stop(Part::Portal).await;
    let down = run(&simulator, &["--client-id", "sa1"]).await;
    assert_eq!(down.status.code(), Some(2));
}
