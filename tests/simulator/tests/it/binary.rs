//! The simulator as a process.

use std::fs;
use std::path::PathBuf;
use std::process::Stdio;

use portal_simulator::role_names::CONNECTOR_MANAGEMENT;
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};

use crate::world::soon;

struct Process {
    child: Child,
    addresses: Value,
}

fn seed_file(name: &str, text: &str) -> PathBuf {
    let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("{name}-{}.json", std::process::id()));
    fs::write(&path, text).unwrap();
    path
}

fn command(seed: &PathBuf, more: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_portal-simulator"));
    command.args(["--port", "0", "--seed"]).arg(seed).args(more);
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
    command
}

async fn start(seed: &PathBuf, more: &[&str]) -> Process {
    let mut child = command(seed, more).spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let line = soon(lines.next_line()).await.unwrap().expect("a line of addresses");
    Process { child, addresses: serde_json::from_str(&line).unwrap() }
}

impl Process {
    fn address(&self, name: &str) -> String {
        self.addresses[name].as_str().unwrap_or_else(|| panic!("no {name}: {}", self.addresses)).to_owned()
    }

    /// Stops it as Kubernetes would; its exit code.
    async fn stop(mut self) -> Option<i32> {
        let id = self.child.id().unwrap().to_string();
        Command::new("kill").args(["-TERM", &id]).status().await.unwrap();
        soon(self.child.wait()).await.unwrap().code()
    }
}

fn seed() -> String {
    json!({
        "companies": [{"name": "One", "bpn": "BPNL000000000ONE",
            "roles": ["ACTIVE_PARTICIPANT", "SERVICE_PROVIDER", "APP_PROVIDER", "OPERATOR"]}],
        "callers": [
            {"clientId": "sa-op", "secret": "op-secret", "company": "One", "role": CONNECTOR_MANAGEMENT},
            {"clientId": "sa-x", "secret": "x-secret", "permissions": ["view_tech_user_management"]},
        ],
        "walletDelay": "2s",
    })
    .to_string()
}

async fn list_status(http: &reqwest::Client, process: &Process, id: &str, secret: &str) -> u16 {
    let form = [("grant_type", "client_credentials"), ("client_id", id), ("client_secret", secret)];
    let answer: Value = serde_json::from_str(
        &http.post(process.address("token")).form(&form).send().await.unwrap().text().await.unwrap(),
    )
    .unwrap();
    let url =
        format!("{}/serviceaccount/owncompany/serviceaccounts?page=0&size=1", process.address("portal"));
    let token = answer["access_token"].as_str().unwrap();
    http.get(url).bearer_auth(token).send().await.unwrap().status().as_u16()
}

#[tokio::test]
async fn it_starts_answers_and_stops() {
    let process = start(&seed_file("plain", &seed()), &["--version", "2.6", "--latency"]).await;
    assert!(process.address("portal").ends_with("/api/administration"));
    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    assert_eq!(list_status(&http, &process, "sa-op", "op-secret").await, 200);
    assert_eq!(list_status(&http, &process, "sa-x", "x-secret").await, 403, "unknown to the portal");
    let wallet = http.post(format!("{}/oauth/token", process.address("wallet"))).send().await.unwrap();
    assert_eq!(wallet.status(), 400);
    assert_eq!(process.stop().await, Some(0));
}

#[tokio::test]
async fn it_speaks_tls() {
    let process = start(&seed_file("tls", &seed()), &["--tls"]).await;
    let file = process.address("ca");
    let authority = reqwest::Certificate::from_pem(&fs::read(&file).unwrap()).unwrap();
    let http = reqwest::Client::builder().no_proxy().tls_certs_only([authority]).build().unwrap();
    assert_eq!(list_status(&http, &process, "sa-op", "op-secret").await, 200);
    assert_eq!(process.stop().await, Some(0));
    assert!(!PathBuf::from(file).exists());
}

#[tokio::test]
async fn bad_seeds_are_reported() {
    let caller = |fields: Value| json!({"callers": [fields]}).to_string();
    for (index, (text, why)) in [
        ("{nope".to_owned(), "not of the right form"),
        (json!({"companys": []}).to_string(), "unknown field"),
        (json!({"walletDelay": "soon"}).to_string(), "walletDelay"),
        (caller(json!({"clientId": "x", "secret": "s"})), "exactly one of"),
        (
            caller(json!({"clientId": "x", "secret": "s", "company": "No", "permissions": []})),
            "unknown company",
        ),
        (caller(json!({"clientId": "x", "secret": "s", "role": "No"})), "unknown role"),
    ]
    .into_iter()
    .enumerate()
    {
        let output = command(&seed_file(&format!("bad-{index}"), &text), &[]).output();
        let output = soon(output).await.unwrap();
        let errors = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{text}: {errors}");
        assert!(errors.contains(why) && output.stdout.is_empty(), "{text}: {errors}");
    }
    let missing = soon(command(&PathBuf::from("/nowhere.json"), &[]).output()).await.unwrap();
    assert_eq!(missing.status.code(), Some(2));
    let version = command(&seed_file("version", &seed()), &["--version", "1.8"]).output();
    assert_eq!(soon(version).await.unwrap().status.code(), Some(2));
}
