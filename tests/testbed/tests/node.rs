//! A node runs real pods, and leaves nothing behind. Skipped, with the reason on stderr, where a machine lacks
//! something for it.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test that cannot go on has failed")]
#![allow(
    clippy::explicit_write,
    reason = "a reason to skip a test must not be kept back by the test harness"
)]

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::{Ipv4Addr, SocketAddr, TcpListener},
    path::Path,
    process::{Child, Command, Stdio},
};

use k8s_openapi::api::core::v1::Pod;
use kube::Api;
use rustix::process::{Pid, Signal, kill_process, test_kill_process};
use serde_json::{Value, json};
use testbed::{Error, Node, eventually};
use tokio::sync::OnceCell;

/// Whether nodes can be had here. Says why not past the test harness, which would keep it to itself.
fn can_run() -> bool {
    let missing = Node::missing();
    if let Some(missing) = &missing {
        writeln!(std::io::stderr(), "SKIPPED, because {missing}").unwrap();
    }
    missing.is_none()
}

/// A name that no other process uses.
fn name(of: &str) -> String {
    format!("{of}-{}", std::process::id())
}

/// The node of all tests that only use one. It ends with this process.
async fn shared() -> Option<&'static Node> {
    static SHARED: OnceCell<Result<Node, Error>> = OnceCell::const_new();
    if !can_run() {
        return None;
    }
    let start = || async {
        let node = Node::start(&name("shared")).await?;
        node.import_image(&node.parts().busybox).await?;
        Ok(node)
    };
    Some(SHARED.get_or_init(start).await.as_ref().unwrap())
}

/// A pod in a namespace of its own.
struct Running {
    node: &'static Node,
    namespace: String,
    pods: Api<Pod>,
}

impl Running {
    /// Starts a pod that waits, with a Secret as its environment and kubectl at hand, and waits until it is ready.
    async fn start(node: &'static Node, namespace: &str) -> Self {
        let cluster = node.control_plane();
        let namespace = cluster.namespace(namespace).await.unwrap();
        let secret = ["create", "secret", "generic", "given", "--from-literal=WORD=plugh", "-n", &namespace];
        cluster.kubectl(&secret).await.unwrap().success().unwrap();
        let kubectl = cluster.binaries().kubectl.parent().unwrap();
        let pod = json!({
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": { "name": "pod" },
            "spec": {
                "containers": [{
                    "name": "main",
                    "image": "testbed/busybox:1",
                    "command": ["sh", "-c", "echo \"the word is $WORD\"; exec sleep infinity"],
                    "envFrom": [{ "secretRef": { "name": "given" } }],
                    "volumeMounts": [{ "name": "kubectl", "mountPath": "/kubernetes", "readOnly": true }],
                }],
                "terminationGracePeriodSeconds": 0,
                "volumes": [{ "name": "kubectl", "hostPath": { "path": kubectl } }],
            },
        });
        let apply = ["apply", "-n", &namespace, "-f", "-"];
        cluster.kubectl_with_input(&apply, &pod.to_string()).await.unwrap().success().unwrap();
        let pods = Api::namespaced(cluster.admin_client().await.unwrap(), &namespace);
        let running = Self { node, namespace, pods };
        running.until("the pod is ready", |status| running_with_restarts(status, 0)).await;
        running
    }

    /// Waits until the pod's status is as said, and returns it.
    async fn until(&self, what: &str, is: impl Fn(&Value) -> bool) -> Value {
        eventually(what, || async {
            let pod = self.pods.get("pod").await.ok()?;
            let status = serde_json::to_value(pod.status?).ok()?;
            is(&status).then_some(status)
        })
        .await
        .unwrap()
    }

    async fn address(&self) -> Ipv4Addr {
        let status = self.until("the pod has an address", |status| status["podIP"].is_string()).await;
        status["podIP"].as_str().unwrap().parse().unwrap()
    }

    /// Runs a command in the pod.
    async fn exec(&self, command: &[&str]) -> Result<String, Error> {
        let exec = [&["exec", "pod", "-n", &self.namespace, "--"], command].concat();
        self.node.control_plane().kubectl(&exec).await.unwrap().success()
    }
}

fn running_with_restarts(status: &Value, restarts: u64) -> bool {
    let container = &status["containerStatuses"][0];
    container["ready"] == true && container["restartCount"] == restarts
}

/// A server of the host's that pods can reach; it answers until the process ends.
fn host_server(node: &Node) -> SocketAddr {
    let listener = TcpListener::bind((node.host_address(), 0)).unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for connection in listener.incoming() {
            let Ok(mut connection) = connection else { continue };
            // One read takes such a small request; what follows need not be a full web server.
            let _ = connection.read(&mut [0; 4096]);
            let _ = connection.write_all(b"HTTP/1.0 200 OK\r\nContent-Length: 5\r\n\r\nhello");
        }
    });
    address
}

#[tokio::test]
async fn a_pod_reads_a_secret_and_reaches_the_apiserver_and_the_host() {
    let Some(node) = shared().await else { return };
    let pod = Running::start(node, "pod").await;
    let cluster = node.control_plane();

    let logs = cluster.kubectl(&["logs", "pod", "-n", &pod.namespace]).await.unwrap().success().unwrap();
    assert_eq!(logs, "the word is plugh\n");

    // kubectl in a pod finds the Service and the token as every client does.
    let who = pod.exec(&["/kubernetes/kubectl", "auth", "whoami"]).await.unwrap();
    assert!(who.contains(&format!("system:serviceaccount:{}:default", pod.namespace)), "{who}");
    let refused = pod.exec(&["/kubernetes/kubectl", "get", "secrets"]).await.unwrap_err();
    assert!(refused.to_string().contains("forbidden"), "{refused}");

    let url = format!("http://{}/", host_server(node));
    assert_eq!(pod.exec(&["wget", "-q", "-O", "-", &url]).await.unwrap(), "hello");
}

#[tokio::test]
async fn a_killed_container_is_started_again() {
    let Some(node) = shared().await else { return };
    let pod = Running::start(node, "killed").await;
    node.kill_container(&pod.namespace, "pod", "main").await.unwrap();
    let status = pod.until("it runs again", |status| running_with_restarts(status, 1)).await;
    assert_eq!(status["containerStatuses"][0]["lastState"]["terminated"]["exitCode"], 137);
    let wrong = node.kill_container(&pod.namespace, "pod", "other").await.unwrap_err();
    assert!(wrong.to_string().contains("is not running"), "{wrong}");
}

#[tokio::test]
async fn a_pod_is_cut_off_and_let_back() {
    let Some(node) = shared().await else { return };
    let pod = Running::start(node, "cut").await;
    let other = Running::start(node, "beside").await;
    let url = format!("http://{}/", host_server(node));
    // Not with -T: busybox of that version then crashes.
    let ask = ["timeout", "1", "wget", "-q", "-O", "-", &url];
    let whoami = ["/kubernetes/kubectl", "auth", "whoami", "--request-timeout=1s"];
    let address = pod.address().await;
    let ping = address.to_string();
    let ping = ["ping", "-c", "1", "-W", "1", ping.as_str()];
    assert_eq!(pod.exec(&ask).await.unwrap(), "hello");
    other.exec(&ping).await.unwrap();

    node.cut_network(address).await.unwrap();
    assert!(pod.exec(&ask).await.is_err());
    assert!(pod.exec(&whoami).await.is_err());
    assert!(other.exec(&ping).await.is_err(), "nor do pods of the same node reach it");
    assert_eq!(other.exec(&ask).await.unwrap(), "hello", "other pods do not notice");

    node.restore_network(address).await.unwrap();
    assert_eq!(pod.exec(&ask).await.unwrap(), "hello");
    pod.exec(&whoami[..3]).await.unwrap();
}

#[tokio::test]
async fn an_image_that_was_not_imported_is_missed_at_once() {
    let Some(node) = shared().await else { return };
    let cluster = node.control_plane();
    let namespace = cluster.namespace("missing").await.unwrap();
    let run = ["run", "pod", "--image=registry.example/nobody/nothing:1", "-n", &namespace];
    cluster.kubectl(&run).await.unwrap().success().unwrap();
    let pods = Api::namespaced(cluster.admin_client().await.unwrap(), &namespace);
    let pod = Running { node, namespace, pods };
    pod.until("it is missed", |status| {
        let reason = status["containerStatuses"][0]["state"]["waiting"]["reason"].as_str();
        matches!(reason, Some("ErrImagePull" | "ImagePullBackOff"))
    })
    .await;
}

#[tokio::test]
async fn two_nodes_are_up_at_once_and_one_is_taken_down_without_its_owner() {
    let Some(first) = shared().await else { return };
    let name = name("second");
    let second = Node::start(&name).await.unwrap();
    assert_ne!(first.host_address(), second.host_address());
    first.check().unwrap();
    second.check().unwrap();
    let interfaces = second.run("ip", &["-br", "address"]).await.unwrap().success().unwrap();
    assert!(interfaces.contains(&second.address().to_string()), "{interfaces}");
    assert!(!leftovers(&name).is_empty(), "the search for leftovers covers the right places");
    down(&name);
    assert!(second.check().is_err());
    first.check().unwrap();
    second.stop().await.unwrap();
    assert_eq!(leftovers(&name), "");
}

#[tokio::test]
async fn a_name_that_is_no_name_is_refused() {
    for name in ["", "A", "a/b", "-a", "a-", &"a".repeat(31)] {
        let error = Node::start(name).await.unwrap_err();
        assert!(error.to_string().contains("name"), "{error}");
    }
}

/// What is left of a node, as people see it too.
fn leftovers(name: &str) -> String {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("leftovers.sh");
    let output = Command::new("bash").arg(script).arg(name).output().unwrap();
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).unwrap()
}

/// Runs `testbed node down`, after which nothing may be left.
fn down(name: &str) {
    let mut down = Command::new(env!("CARGO_BIN_EXE_testbed"));
    assert!(down.args(["node", "down", "--name", name]).status().unwrap().success());
    assert_eq!(leftovers(name), "");
}

/// Starts `testbed node up` and waits for its line.
fn up(name: &str) -> (Child, Value) {
    let mut owner = Command::new(env!("CARGO_BIN_EXE_testbed"))
        .args(["node", "up", "--name", name])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut line = String::new();
    BufReader::new(owner.stdout.take().unwrap()).read_line(&mut line).unwrap();
    (owner, serde_json::from_str(&line).unwrap())
}

fn pids(line: &Value) -> Vec<Pid> {
    line["pids"].as_object().unwrap().values().map(|pid| pid_of(pid.as_i64().unwrap())).collect()
}

fn pid_of(pid: i64) -> Pid {
    Pid::from_raw(i32::try_from(pid).unwrap()).unwrap()
}

/// The supervisor: the parent of every server.
fn parent(pid: Pid) -> Pid {
    let status = std::fs::read_to_string(format!("/proc/{}/status", pid.as_raw_nonzero())).unwrap();
    pid_of(status.lines().find_map(|line| line.strip_prefix("PPid:")).unwrap().trim().parse().unwrap())
}

#[tokio::test]
async fn a_killed_owner_leaves_nothing() {
    if !can_run() {
        return;
    }
    let name = name("killed");
    let (mut owner, line) = up(&name);
    assert_eq!(pids(&line).len(), 7);
    owner.kill().unwrap();
    owner.wait().unwrap();
    let gone = || async { leftovers(&name).is_empty().then_some(()) };
    eventually("nothing is left", gone).await.unwrap();
}

#[tokio::test]
async fn what_a_crash_leaves_is_removed_by_down_and_by_up() {
    if !can_run() {
        return;
    }
    let name = name("crashed");
    let crash = || async {
        let (mut owner, line) = up(&name);
        let pids = pids(&line);
        // Nobody who could clean up is left.
        kill_process(parent(pids[0]), Signal::KILL).unwrap();
        owner.kill().unwrap();
        owner.wait().unwrap();
        let ended = || async { (!pids.iter().any(|pid| test_kill_process(*pid).is_ok())).then_some(()) };
        eventually("the servers end all the same", ended).await.unwrap();
        let dir = Path::new(line["dir"].as_str().unwrap()).to_owned();
        assert!(dir.exists());
        dir
    };
    let first = crash().await;
    let second = crash().await;
    assert!(!first.exists(), "the second one has cleaned up after the first one");
    down(&name);
    assert!(!second.exists());
    down(&name);
}
