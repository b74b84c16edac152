//! Nothing that the testbed starts outlives its owner.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::{
    io::{BufRead, BufReader, Write},
    path::Path,
    process::{Child, Command, Stdio},
};

use rustix::process::{Pid, Signal, kill_process, test_kill_process};
use serde_json::Value;
use testbed::{Process, eventually};

/// Set where this test binary is the owner of a process.
const OWNER: &str = "TESTBED_LIFECYCLE_OWNER";

/// Starts `testbed up` and waits for its line.
fn up() -> (Child, Value) {
    let mut owner = Command::new(env!("CARGO_BIN_EXE_testbed"))
        .arg("up")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut line = String::new();
    BufReader::new(owner.stdout.take().unwrap()).read_line(&mut line).unwrap();
    (owner, serde_json::from_str(&line).unwrap())
}

fn pids(line: &Value) -> Vec<i32> {
    line["pids"]
        .as_object()
        .unwrap()
        .values()
        .map(|pid| i32::try_from(pid.as_i64().unwrap()).unwrap())
        .collect()
}

fn is_alive(pid: i32) -> bool {
    test_kill_process(Pid::from_raw(pid).unwrap()).is_ok()
}

/// Waits until neither a process nor the directory of a control plane is left.
async fn gone(line: &Value) {
    eventually("the servers and their directory are gone", || async {
        let dir = Path::new(line["dir"].as_str().unwrap()).exists();
        (!dir && !pids(line).into_iter().any(is_alive)).then_some(())
    })
    .await
    .unwrap();
}

#[tokio::test]
async fn a_killed_owner_leaves_nothing() {
    let (mut owner, line) = up();
    assert_eq!(pids(&line).len(), 3);
    assert!(pids(&line).into_iter().all(is_alive));
    assert!(Path::new(line["kubeconfig"].as_str().unwrap()).exists());
    owner.kill().unwrap();
    owner.wait().unwrap();
    gone(&line).await;
}

#[tokio::test]
async fn an_owner_that_is_asked_to_end_leaves_nothing() {
    let (mut owner, line) = up();
    let pid = Pid::from_raw(i32::try_from(owner.id()).unwrap()).unwrap();
    kill_process(pid, Signal::TERM).unwrap();
    assert!(owner.wait().unwrap().success());
    assert!(!Path::new(line["dir"].as_str().unwrap()).exists(), "it waits for the end of what it started");
    gone(&line).await;
}

#[tokio::test]
async fn the_end_of_standard_input_ends_it() {
    let (mut owner, line) = up();
    drop(owner.stdin.take());
    assert!(owner.wait().unwrap().success());
    gone(&line).await;
}

#[tokio::test]
async fn a_process_is_killed_with_its_owner() {
    // This test binary itself is the owner: started again for one test, it holds a process until it is killed.
    let mut owner = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "holds_a_process_until_killed", "--ignored", "--nocapture"])
        .env(OWNER, "1")
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let lines = BufReader::new(owner.stdout.take().unwrap()).lines();
    let held = lines.map(Result::unwrap).find_map(|line| line.strip_prefix("held: ")?.parse().ok()).unwrap();
    assert!(is_alive(held));
    owner.kill().unwrap();
    owner.wait().unwrap();
    eventually("the held process is gone", || async { (!is_alive(held)).then_some(()) }).await.unwrap();
}

#[tokio::test]
#[ignore = "a child process that another test runs and kills: cargo test -p testbed --test lifecycle"]
async fn holds_a_process_until_killed() {
    // Run together with all ignored tests, it must not wait for a killer that never comes.
    if std::env::var_os(OWNER).is_none() {
        return;
    }
    let process = Process::builder("sleep").arg("infinity").spawn().unwrap();
    let mut stdout = std::io::stdout();
    // Its own line, whatever the test harness has printed before.
    writeln!(stdout, "\nheld: {}", process.id()).unwrap();
    stdout.flush().unwrap();
    std::future::pending::<()>().await;
}
