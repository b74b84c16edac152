//! What tests rely on in a process under test.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::os::unix::process::ExitStatusExt;

use testbed::{Process, eventually};

fn shell(script: &str) -> Process {
    Process::builder("bash").args(["-c", script]).spawn().unwrap()
}

/// The state letter of a process, `None` once it is gone.
fn state(pid: u32) -> Option<String> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("State:"))?;
    line.split_whitespace().next().map(str::to_owned)
}

#[tokio::test]
async fn both_outputs_are_read_line_by_line() {
    let log = tempfile::NamedTempFile::new().unwrap();
    let process = Process::builder("bash")
        .args(["-c", r#"echo "out $WORD"; echo err >&2; read -r x || echo "no input"; exit 3"#])
        .env("WORD", "two words")
        .log_file(log.path())
        .spawn()
        .unwrap();
    assert_eq!(process.wait_for_line(|line| line.starts_with("out")).await.unwrap(), "out two words");
    process.wait_for_line(|line| line == "err").await.unwrap();
    process.wait_for_line(|line| line == "no input").await.unwrap();
    assert_eq!(process.wait().await.unwrap().code(), Some(3));
    let error = process.wait_for_line(|line| line == "never").await.unwrap_err().to_string();
    assert!(error.contains("closed its output") && error.contains("two words"), "{error}");
    assert_eq!(std::fs::read_to_string(log.path()).unwrap().lines().count(), 3);
}

#[tokio::test]
async fn a_mark_leaves_out_what_was_written_before() {
    let process =
        shell("echo one; trap 'echo one more; exit 0' TERM; echo ready; while :; do sleep 0.1; done");
    process.wait_for_line(|line| line == "ready").await.unwrap();
    let mark = process.line_count();
    let status = process.sigterm_and_wait().await.unwrap();
    assert!(status.success());
    let line = process.wait_for_line_after(mark, |line| line.starts_with("one")).await.unwrap();
    assert_eq!(line, "one more");
}

#[tokio::test]
async fn sigkill_cannot_be_refused() {
    let process = shell("trap '' TERM INT HUP; echo ready; while :; do sleep 0.1; done");
    process.wait_for_line(|line| line == "ready").await.unwrap();
    process.kill9().unwrap();
    assert_eq!(process.wait().await.unwrap().signal(), Some(9));
    assert_eq!(state(process.id()), None);
}

#[tokio::test]
async fn a_stopped_process_continues_on_request() {
    let process = shell("while :; do echo tick; sleep 0.01; done");
    process.wait_for_line(|line| line == "tick").await.unwrap();
    process.sigstop().unwrap();
    eventually("stopped", || async { (state(process.id())? == "T").then_some(()) }).await.unwrap();
    process.sigcont().unwrap();
    let mark = process.line_count();
    process.wait_for_line_after(mark, |line| line == "tick").await.unwrap();
}

#[tokio::test]
async fn dropping_kills_even_a_stopped_process() {
    let process = shell("echo ready; exec sleep infinity");
    process.wait_for_line(|line| line == "ready").await.unwrap();
    process.sigstop().unwrap();
    let pid = process.id();
    drop(process);
    assert_eq!(state(pid), None);
}

#[tokio::test]
async fn a_program_that_does_not_exist_is_reported_by_name() {
    let process = Process::builder("/nowhere/operator").spawn().unwrap();
    let error = process.wait_for_line(|_| false).await.unwrap_err().to_string();
    assert!(error.contains("/nowhere/operator") && error.contains("No such file"), "{error}");
    assert_eq!(process.wait().await.unwrap().code(), Some(127));
}
