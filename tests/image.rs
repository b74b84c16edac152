//! The operator's image: what `tools/image.sh` builds, and that the Dockerfile says the same. The program in it is the
//! tests' build; how large the release's image may be is checked by `tools/image.sh` itself.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stderr,
    reason = "a test says what failed by failing"
)]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::net::{TcpListener, TcpStream, UdpSocket};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::time::Duration;

use serde_json::{Value, json};

const ROOT: &str = env!("CARGO_MANIFEST_DIR");
const PROGRAM: &str = "/usr/local/bin/technical-user-operator";

/// A directory of this test's own, empty.
fn fresh(name: &str) -> PathBuf {
    let directory = Path::new(env!("CARGO_TARGET_TMPDIR")).join("image").join(name);
    let _ = fs::remove_dir_all(&directory);
    fs::create_dir_all(&directory).expect("a directory");
    directory
}

fn succeeded(output: &Output) -> String {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// Builds the image with a given umask.
fn make(directory: &Path, file: &str, umask: &str) -> PathBuf {
    let out = directory.join(file);
    let output = Command::new("bash")
        .args(["-c", "umask $0 && exec tools/image.sh", umask])
        .current_dir(ROOT)
        .env("BINARY", env!("CARGO_BIN_EXE_technical-user-operator"))
        .env("IMAGE", "registry.example.org/operator:1.2.3")
        .env("OUT", &out)
        .output()
        .expect("bash runs");
    assert_eq!(succeeded(&output).trim(), out.to_str().expect("a path"));
    out
}

/// A file of an archive.
fn member(archive: &Path, name: &str) -> Vec<u8> {
    let output = Command::new("tar").arg("-xOf").arg(archive).arg(name).output().expect("tar runs");
    succeeded(&output);
    output.stdout
}

/// What the archive says of the image.
fn config(archive: &Path) -> (Value, Value) {
    let manifest: Value = serde_json::from_slice(&member(archive, "manifest.json")).expect("JSON");
    let config = manifest[0]["Config"].as_str().expect("a name");
    (serde_json::from_slice(&member(archive, config)).expect("JSON"), manifest)
}

/// Unpacks the image's layer, with the permissions that it has there.
fn unpack(archive: &Path, to: &Path) {
    let (_, manifest) = config(archive);
    let layer = to.with_extension("tar");
    fs::write(&layer, member(archive, manifest[0]["Layers"][0].as_str().expect("a layer"))).expect("written");
    succeeded(&Command::new("tar").arg("-xpf").arg(&layer).arg("-C").arg(to).output().expect("tar runs"));
}

/// All files and directories below, as the image names them.
fn paths(root: &Path) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let mut left = vec![root.to_owned()];
    while let Some(directory) = left.pop() {
        for entry in fs::read_dir(directory).expect("a directory") {
            let path = entry.expect("an entry").path();
            found.insert(format!("/{}", path.strip_prefix(root).expect("below").display()));
            if path.is_dir() {
                left.push(path);
            }
        }
    }
    found
}

#[test]
fn the_same_input_gives_the_same_image() {
    let directory = fresh("same");
    let first = make(&directory, "first.tar", "0022");
    let second = make(&directory, "second.tar", "0077");
    assert!(fs::read(first).expect("a file") == fs::read(second).expect("a file"));
    assert_eq!(fs::read_dir(directory).expect("a directory").count(), 2, "something was left behind");
}

#[test]
fn the_image_holds_the_program_and_little_else() {
    let directory = fresh("content");
    let archive = make(&directory, "image.tar", "0077");
    let root = fresh("content/root");
    unpack(&archive, &root);
    let all = paths(&root);
    for path in &all {
        let mode = fs::metadata(root.join(&path[1..])).expect("metadata").permissions().mode();
        let needed = if root.join(&path[1..]).is_dir() || path == PROGRAM { 0o005 } else { 0o004 };
        assert_eq!(mode & needed, needed, "{path} cannot be used by the image's user: {mode:o}");
        assert_eq!(
            mode & 0o7022,
            0,
            "{path} can be written by others than root, or lends its rights: {mode:o}"
        );
    }
    let files: BTreeSet<&str> =
        all.iter().map(String::as_str).filter(|path| root.join(&path[1..]).is_file()).collect();
    let others: Vec<&&str> = files.iter().filter(|path| !path.contains("/lib")).collect();
    assert_eq!(
        others,
        [
            &"/etc/group",
            &"/etc/nsswitch.conf",
            &"/etc/passwd",
            &"/etc/ssl/certs/ca-certificates.crt",
            &PROGRAM
        ]
    );
    for library in files.iter().filter(|path| path.contains("/lib")) {
        assert!(library.contains(".so"), "{library} is no library");
    }
    let text = |path: &str| fs::read_to_string(root.join(path)).expect("text");
    assert!(text("etc/passwd").contains(":65532:65532:"));
    assert!(text("etc/group").contains(":65532:"));
    assert!(text("etc/ssl/certs/ca-certificates.crt").matches("-----BEGIN CERTIFICATE-----").count() >= 50);
}

/// The instructions of the Dockerfile's stages: keyword and rest, with continued lines joined.
fn stages() -> Vec<Vec<(String, String)>> {
    let text = fs::read_to_string(format!("{ROOT}/Dockerfile")).expect("the Dockerfile").replace("\\\n", " ");
    let mut stages: Vec<Vec<(String, String)>> = Vec::new();
    for line in text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#')) {
        let (keyword, rest) = line.split_once(' ').expect("an instruction");
        if keyword == "FROM" {
            stages.push(Vec::new());
        }
        stages.last_mut().expect("a stage").push((keyword.to_owned(), rest.trim().to_owned()));
    }
    stages
}

#[test]
fn the_dockerfile_builds_the_same_image() {
    let (image, manifest) = config(&make(&fresh("dockerfile"), "image.tar", "0022"));
    assert_eq!(manifest[0]["RepoTags"], json!(["registry.example.org/operator:1.2.3"]));
    let stages = stages();
    let [build, last] = stages.as_slice() else { panic!("{stages:?}") };
    let one = |stage: &[(String, String)], keyword: &str| -> String {
        let found: Vec<&String> =
            stage.iter().filter(|(name, _)| name == keyword).map(|(_, rest)| rest).collect();
        assert_eq!(found.len(), 1, "{keyword}: {found:?}");
        found[0].clone()
    };

    assert_eq!(one(last, "FROM"), "scratch");
    let run = one(build, "RUN");
    let (_, assembled) = run.split_once("tools/image-root.sh ").expect("the same script");
    let directory = assembled.split_whitespace().nth(1).expect("its directory");
    assert_eq!(one(last, "COPY"), format!("--from=build {directory} /"));

    let labels: BTreeMap<String, String> = one(last, "LABEL")
        .split("\" ")
        .map(|label| label.trim().trim_end_matches('"').split_once("=\"").expect("a label"))
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect();
    let said = &image["config"];
    assert_eq!(json!(labels), said["Labels"]);
    assert_eq!(labels["org.opencontainers.image.version"], env!("CARGO_PKG_VERSION"));
    assert_eq!(json!(one(last, "USER")), said["User"]);
    assert_eq!(said["User"], "65532:65532");
    assert_eq!(json!({format!("{}/tcp", one(last, "EXPOSE")): {}}), said["ExposedPorts"]);
    let words = |text: String| serde_json::from_str::<Value>(&text).expect("a JSON list");
    assert_eq!(words(one(last, "ENTRYPOINT")), said["Entrypoint"]);
    assert_eq!(said["Entrypoint"], json!([PROGRAM]));
    assert_eq!(words(one(last, "CMD")), said["Cmd"]);
    assert_eq!(last.len(), 7, "an instruction that this test does not compare: {last:?}");
}

/// How to run something with another root here: as root, and then as the image's user; in a user namespace; or not.
fn chroot() -> Option<Vec<&'static str>> {
    [vec!["chroot", "--userspec=65532:65532"], vec!["unshare", "--map-root-user", "chroot"]].into_iter().find(
        |command| {
            let tried = Command::new(command[0]).args(&command[1..]).args(["/", "true"]).output();
            tried.is_ok_and(|output| output.status.success())
        },
    )
}

#[test]
fn the_program_runs_in_its_image_and_resolves_names() {
    let Some(chroot) = chroot() else {
        eprintln!("SKIPPED: changing the root is not allowed here");
        return;
    };
    let directory = fresh("run");
    let archive = make(&directory, "image.tar", "0022");
    let root = fresh("run/root");
    unpack(&archive, &root);
    let run = |args: &[&str]| {
        let mut command = Command::new(chroot[0]);
        command.args(&chroot[1..]).arg(&root).arg(PROGRAM).args(args);
        for proxy in ["HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"] {
            command.env_remove(proxy);
        }
        command.env("TUO_CLIENT_SECRET", "none").output().expect("it runs")
    };
    assert!(succeeded(&run(&["--version"])).contains(env!("CARGO_PKG_VERSION")));
    assert!(succeeded(&run(&["crds"])).contains("kind: CustomResourceDefinition"));

    let check = |host: &str| {
        let token_url = format!("https://{host}/auth/realms/CX-Central/protocol/openid-connect/token");
        let url = format!("https://{host}");
        let output = run(&["check", "--url", &url, "--token-url", &token_url, "--client-id", "sa1"]);
        assert!(!output.status.success());
    };

    // By a file, as the kubelet writes it.
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    fs::write(root.join("etc/hosts"), "127.0.0.1 localhost portal.by-file.test\n").expect("written");
    let port = listener.local_addr().expect("an address").port();
    let (first, last) = std::thread::scope(|scope| {
        let accepted = scope.spawn(|| listener.accept().expect("a client").1);
        check(&format!("portal.by-file.test:{port}"));
        // Without a client before it, this connection ends the wait.
        let last = TcpStream::connect(("127.0.0.1", port)).and_then(|last| last.local_addr());
        (accepted.join().expect("a result"), last)
    });
    assert_ne!(Some(first), last.ok(), "the name in /etc/hosts was not resolved");

    // By a name server. Its port is that of the real ones, which needs a privilege to open.
    let Ok(server) = UdpSocket::bind("127.0.0.77:53") else {
        eprintln!("SKIPPED: no port 53 for a name server here");
        return;
    };
    fs::write(root.join("etc/resolv.conf"), "nameserver 127.0.0.77\noptions timeout:1 attempts:1\n")
        .expect("written");
    server.set_read_timeout(Some(Duration::from_mins(1))).expect("a timeout");
    let asked = std::thread::scope(|scope| {
        let asked = scope.spawn(|| {
            let mut question = [0; 512];
            let length = server.recv(&mut question).unwrap_or(0);
            String::from_utf8_lossy(&question[..length]).into_owned()
        });
        check("portal.by-dns.test");
        asked.join().expect("a result")
    });
    assert!(asked.contains("portal") && asked.contains("by-dns"), "the name server was asked {asked:?}");
}
